/* info.c - what a task is doing: for monitors, debuggers, and whoever is curious. */
#include "core/waitq.h"
#include "core/task.h"

/* The task, queue, lock, ... behind what a task waits on; NULL where that has no handle. */
struct object *info_awaited(struct task *task)
{
    struct future *on = task->waiting_on;
    struct object *owner = waitq_awaited(on);
    return owner ? owner : on && !on->type->unnamed ? future_object(on) : NULL;
}

/* The one task without which this one cannot go on, where that can be told: the task that it
 * awaits, or the holder of the lock; or NULL. */
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
    struct task *task = task_for(x, "async_get_task_info");
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
