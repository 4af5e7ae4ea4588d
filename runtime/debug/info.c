/* info.c - what tasks are doing and who waits for whom: for who asks, as a tree, and when nothing can go on.
 *
 * The tree is what Python's `asyncio pstree` prints. A task that nobody waits for is a root; below each task stand
 * those that it waits for, directly or through a gather, shield, wait or task group. A task that is met again on the
 * way down closes a cycle: it is marked, and not followed a second time. */
#include "debug/debug.h"
#include "core/report.h"
#include "core/waitq.h"
#include <stdio.h>
#include <stdlib.h>

struct object *info_awaited(struct task *task)
{
    struct future *on = task->waiting_on;
    struct object *owner = waitq_awaited(on);
    return owner ? owner : on && !on->type->unnamed ? future_object(on) : NULL;
}

/* The one task without which this one cannot go on, where that can be told: the task that it
 * awaits, or the holder of the lock; or NULL. */
static struct task *blocker_of(struct task *task)
{
    struct object *object = info_awaited(task);
    const struct holder *holder = object ? holder_of(object) : NULL;
    if (holder && !object->future.type->shared)
        return holder_task(holder);
    return object && object->future.type == &task_type ? (struct task *)object : NULL;
}

const char *info_waits_for(struct task *task)
{
    struct object *object = info_awaited(task);
    return object ? object->future.type->name : task->waiting_on ? task->waiting_on->type->name : NULL;
}

async_task_info async_get_task_info(async_task x)
{
    if (!x)
        return (async_task_info){ .name = "(no memory)", .done = true };
    if (object_over(x))
        return (async_task_info){ .name = "?", .coroutine = "?", .created_at = "?", .started = true, .done = true };
    struct task *task = object_of(x, &task_type, "async_get_task_info", NULL);
    struct object *awaited = info_awaited(task);
    return (async_task_info){
        .name = task_name(task),
        .coroutine = task->coro.name,
        .created_at = task->coro.object.place,
        .waits_for = info_waits_for(task),
        .waits_at = task->waiting_at,
        .awaited = awaited ? object_ticket(awaited) : NULL,
        .is_task = awaited && awaited->future.type == &task_type,
        .started = task->stack || task->coro.object.future.state != PENDING,
        .done = task->coro.object.future.state != PENDING,
    };
}

/* "waits at queue.c:12 for Queue (made at queue.c:7)" */
static void print_wait(struct task *task)
{
    char text[REPORT_TEXT];
    struct object *object = info_awaited(task);
    const char *kind = info_waits_for(task);
    fprintf(stderr, "waits at %s for %s", task->waiting_at ? task->waiting_at : "?",
            object ? report_describe(object, text) : kind ? kind : "its turn");
}

/* ------------------------------------------------------------------------------ deadlock */

/* Does following who waits for whom from this task lead back to it? */
static bool on_cycle(struct task *task, size_t tasks)
{
    struct task *next = blocker_of(task);
    for (; next && tasks--; next = blocker_of(next))
        if (next == task)
            return true;
    return false;
}

void report_deadlock(async_loop *loop)
{
    char text[REPORT_TEXT];
    size_t count = async_loop_all_tasks(loop, NULL, 0);
    loop->deadlocked = true;        /* closing it need not name them again */
    fflush(stdout);
    fprintf(stderr, "Deadlock: nothing is ready, no timer is set and no I/O is pending, so nothing "
                    "can ever happen again.\n");
    list_each(link, &loop->tasks) {
        struct task *task = container_of(link, struct task, coro.object.link);
        fprintf(stderr, "  %s\n    ", report_describe(&task->coro.object, text));
        print_wait(task);
        fputs(on_cycle(task, count) ? "  <- on a cycle\n" : "\n", stderr);
    }
}

/* ------------------------------------------------------------------------------ the tree */

#define DEEPEST 64
#define MOST 2000                   /* tasks that are printed */

enum mark { UNSEEN, AWAITED, ON_THE_WAY, PRINTED };

struct tree {
    async_loop *loop;
    unsigned char *marks;           /* by number of record: enum mark */
    size_t printed;
    bool last[DEEPEST];             /* is the ancestor at this depth the last of its siblings? */
};

struct children {
    struct task *list[MOST];
    size_t count;
};

static void add_child(struct future *future, void *p)
{
    struct children *children = p;
    if (future->type == &task_type && future->state == PENDING) {
        if (children->count < MOST)
            children->list[children->count++] = task_of(future);
    } else if (future->type->members && future->state == PENDING) {
        future->type->members(future, add_child, children);
    }
}

static struct children *children_of(struct task *task)
{
    struct children *children = calloc(1, sizeof *children);
    struct task *blocker = blocker_of(task);
    if (children && blocker)                /* perhaps by a lock that it holds */
        add_child(&blocker->coro.object.future, children);
    else if (children && task->waiting_on)
        add_child(task->waiting_on, children);
    return children;
}

static unsigned char *mark_of(struct tree *tree, struct task *task)
{
    return &tree->marks[object_number(&task->coro.object)];
}

static void print_line(struct tree *tree, struct task *task, int depth, bool cycle)
{
    char text[REPORT_TEXT];
    double since = debug_waits_since(&task->coro.object);
    for (int i = 1; i < depth; i++)
        fputs(tree->last[i] ? "    " : "|   ", stderr);
    if (depth)
        fputs(tree->last[depth] ? "`-- " : "|-- ", stderr);
    fprintf(stderr, "%s, ", report_describe(&task->coro.object, text));
    if (tree->loop->current == task)
        fputs("runs", stderr);
    else if (!task->stack)
        fputs("not started yet", stderr);
    else
        print_wait(task);
    if (since >= 0 && tree->loop->current != task)
        fprintf(stderr, ", for %.1f s", clock_to_seconds(loop_now(tree->loop)) - since);
    fputs(cycle ? "  <- again: a cycle\n" : "\n", stderr);
}

static void print(struct tree *tree, struct task *task, int depth, bool last)
{
    unsigned char *mark = mark_of(tree, task);
    tree->last[depth] = last;
    bool cycle = *mark == ON_THE_WAY;
    print_line(tree, task, depth, cycle);
    if (cycle || depth + 1 == DEEPEST || tree->printed++ > MOST)
        return;
    struct children *children = children_of(task);
    *mark = ON_THE_WAY;
    for (size_t i = 0; children && i < children->count; i++)
        print(tree, children->list[i], depth + 1, i + 1 == children->count);
    *mark = PRINTED;
    free(children);
}

void async_print_tasks(async_loop *loop)
{
    size_t count = async_loop_all_tasks(loop_given(loop, __func__), NULL, 0);
    fflush(stdout);
    fprintf(stderr, "%zu task%s in this loop\n", count, count == 1 ? "" : "s");
    struct tree tree = { .loop = loop, .marks = calloc(object_table.records + 1, 1) };
    if (!tree.marks)
        return;
    list_each(link, &loop->tasks) {
        struct children *children = children_of(container_of(link, struct task, coro.object.link));
        for (size_t i = 0; children && i < children->count; i++)
            *mark_of(&tree, children->list[i]) = AWAITED;
        free(children);
    }
    for (int cycles = 0; cycles < 2; cycles++)      /* first the roots, then those only on cycles */
        list_each(link, &loop->tasks) {
            struct task *task = container_of(link, struct task, coro.object.link);
            if (*mark_of(&tree, task) == (cycles ? AWAITED : UNSEEN))
                print(&tree, task, 0, true);
        }
    free(tree.marks);
    forgotten_print();
}
