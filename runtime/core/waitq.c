/* waitq.c - see waitq.h. */
#include "core/waitq.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/report.h"
#include "core/step.h"
#include "core/task.h"
#include <stdio.h>

static void forget(struct future *future) { list_remove(&container_of(future, struct waiter, future)->link); }

const struct future_type waitq_type = {
    .name = "Future", .cancel = future_cancel_plain, .unnamed = true, .forget = forget
};

static struct waiter *waiter_at(struct list *link) { return container_of(link, struct waiter, link); }

static inline bool wake(struct waiter *waiter)
{
    if (waiter->future.state != PENDING)
        return false;
    future_wake(&waiter->future, FINISHED, async_none);
    return true;
}

bool waitq_wake_first(struct waitq *waitq)
{
    return !list_empty(&waitq->waiters) && wake(waiter_at(waitq->waiters.next));
}

bool waitq_wake_next(struct waitq *waitq)
{
    list_each(link, &waitq->waiters)
        if (wake(waiter_at(link)))
            return true;
    return false;
}

bool waitq_serve_next(struct waitq *waitq)
{
    while (!list_empty(&waitq->waiters)) {
        struct waiter *first = waiter_at(waitq->waiters.next);
        list_remove(&first->link);
        if (wake(first))
            return true;
    }
    return false;
}

void waitq_wake_all(struct waitq *waitq)
{
    list_each(link, &waitq->waiters)
        wake(waiter_at(link));
}

void waitq_serve_all(struct waitq *waitq)
{
    while (waitq_serve_next(waitq))
        ;
}

bool waitq_all_cancelled(const struct waitq *waitq)
{
    list_each(link, &((struct waitq *)waitq)->waiters)
        if (waiter_at(link)->future.state != CANCELLED)
            return false;
    return true;
}

struct object *waitq_awaited(struct future *future)
{
    bool in_queue = future && future->type == &waitq_type;
    return in_queue ? container_of(future, struct waiter, future)->waitq->owner : NULL;
}

void *primitive_make(const struct future_type *type)
{
    struct object *object = object_new(type, loop_running);
    if (!object)
        return NULL;
    if (memory_own(memory_here(), object_ticket(object))) {
        hook_value(made, object);
        return object;
    }
    object->future.type = &plain_future;    /* nothing to drop yet */
    object_free(object);
    return NULL;
}

void holder_note(struct holder *holder, const char *place)
{
    *holder = (struct holder){ task_ticket(), place };
}

const struct holder *holder_of(struct object *object)
{
    const struct future_type *type = object->future.type;
    return type->holder ? type->holder(object) : NULL;
}

struct task *holder_task(const struct holder *holder)
{
    struct object *by = object_find(holder->by);
    return by && by->future.state == PENDING ? (struct task *)by : NULL;
}

void holder_describe(struct object *object, char *text, size_t size)
{
    const struct holder *holder = holder_of(object);
    struct task *by = holder ? holder_task(holder) : NULL;
    const char *how = object->future.type->shared ? "last taken" : "held";
    if (!holder)
        snprintf(text, size, "%s (made at %s)", object->future.type->name, object->place);
    else
        snprintf(text, size, "%s (made at %s, %s by %s%s%s %s %s)", object->future.type->name, object->place, how,
                 by ? "task '" : "a task that has ended", by ? task_name(by) : "", by ? "'" : ",",
                 object->future.type->shared ? "at" : "since", holder->at);
}

void *primitive_use(const void *handle, const struct future_type *type, const char *caller,
                    async_value *error)
{
    struct object *object = object_of(handle, type, caller, error);
    if (object)
        object_pin(object);
    return object;
}

void primitive_done(void *variable)
{
    struct object *object = *(struct object **)variable;
    if (object)
        object_unpin(object);
}
