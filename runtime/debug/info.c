/* info.c - see info.h. */
#include "debug/info.h"
#include "core/report.h"
#include "core/waitq.h"
#include <stdio.h>

struct object *info_awaited(struct task *task)
{
    struct future *on = task->waiting_on;
    struct object *owner = waitq_awaited(on);
    return owner ? owner : on && !on->type->unnamed ? future_object(on) : NULL;
}

struct task *info_blocker(struct task *task)
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

/* ------------------------------------------------------------------------------ deadlock */

/* Does following who waits for whom from this task lead back to it? */
static bool on_cycle(struct task *task, size_t tasks)
{
    struct task *next = info_blocker(task);
    for (; next && tasks--; next = info_blocker(next))
        if (next == task)
            return true;
    return false;
}

void info_print_wait(struct task *task)
{
    char text[REPORT_TEXT];
    struct object *object = info_awaited(task);
    const char *kind = info_waits_for(task);
    fprintf(stderr, "waits at %s for %s", task->waiting_at ? task->waiting_at : "?",
            object ? report_describe(object, text) : kind ? kind : "its turn");
}

void report_deadlock(async_loop *loop)
{
    char text[REPORT_TEXT];
    size_t count = 0;
    list_each(link, &loop->tasks)
        count++;
    loop->deadlocked = true;        /* closing it need not name them again */
    fflush(stdout);
    fprintf(stderr, "Deadlock: nothing is ready, no timer is set and no I/O is pending, so nothing "
                    "can ever happen again.\n");
    list_each(link, &loop->tasks) {
        struct task *task = container_of(link, struct task, coro.object.link);
        fprintf(stderr, "  %s\n    ", report_describe(&task->coro.object, text));
        info_print_wait(task);
        fputs(on_cycle(task, count) ? "  <- on a cycle\n" : "\n", stderr);
    }
}
