/* tree.c - who is there and who waits for whom, as a tree: what Python's `asyncio pstree` prints.
 *
 * A task that nobody waits for is a root; below each task stand those that it waits for, directly or
 * through a gather, shield, wait or task group. A task that is met again on the way down closes a
 * cycle: it is marked, and not followed a second time. */
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include "debug/debug.h"
#include "debug/forgotten.h"
#include "debug/info.h"
#include <stdio.h>
#include <stdlib.h>

#define DEEPEST 64
#define MOST 2000                   /* tasks that are printed */

enum mark { UNSEEN, AWAITED, ON_THE_WAY, PRINTED };

struct tree {
    async_loop *loop;
    unsigned char *marks;           /* by number of record: enum mark */
    size_t room, printed;
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
    struct task *blocker = info_blocker(task);
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
        info_print_wait(task);
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
    loop_given(loop, __func__);
    struct tree tree = { .loop = loop };
    size_t count = 0;
    list_each(link, &loop->tasks) {
        struct object *object = container_of(link, struct object, link);
        if (object_number(object) >= tree.room)
            tree.room = object_number(object) + 1;
        count++;
    }
    fflush(stdout);
    fprintf(stderr, "%zu task%s in this loop\n", count, count == 1 ? "" : "s");
    tree.marks = calloc(tree.room + 1, 1);
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
