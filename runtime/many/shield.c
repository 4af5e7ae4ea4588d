/* shield.c - asyncio.shield: what is awaited through it is not cancelled with whoever waits.
 *
 * A future between the two: it passes the inner outcome out, and keeps a cancel from going in. */
#include "core/loop.h"
#include "core/object.h"
#include "core/report.h"
#include "core/task.h"

struct shield {
    struct object object;
    struct job inner_done, outer_done;
    struct future *inner;           /* pinned */
};

static void inner_done(struct job *job)
{
    struct shield *shield = container_of(job, struct shield, inner_done);
    struct future *outer = &shield->object.future, *inner = shield->inner;
    object_retire(future_object(inner), TAKEN);          /* its error is the shield's now */
    if (outer->state == PENDING)
        future_finish(outer, inner->state, inner->outcome);
    object_unpin(&shield->object);
}

/* The shield was cancelled: it no longer listens, and if the inner task fails nobody has asked. */
static void outer_done(struct job *job)
{
    struct shield *shield = container_of(job, struct shield, outer_done);
    if (shield->inner->state == PENDING) {
        list_remove(&shield->inner_done.link);
        object_unpin(&shield->object);
    }
    object_unpin(&shield->object);
}

static async_value take(struct object *object)
{
    struct shield *shield = (struct shield *)object;
    struct future *inner = shield->inner, *outer = &object->future;
    if (inner->state == outer->state && inner->outcome.ptr == outer->outcome.ptr)
        return future_take(inner);      /* with the memory that belongs to it */
    return outer->outcome;
}

static void drop(struct object *object)
{
    object_unpin(future_object(((struct shield *)object)->inner));
}

static void members(struct future *future, void (*visit)(struct future *, void *), void *arg)
{
    visit(container_of(future, struct shield, object.future)->inner, arg);
}

static const struct future_type shield_type = {
    .name = "Future", .cancel = future_cancel_plain, .drop = drop, .take = take, .members = members
};

async_future async_shield(async_awaitable x)
{
    async_value error;
    loop_given(loop_running, "async_shield");
    if (!x)
        return NULL;
    struct future *inner = task_ensure(loop_running, x, "async_shield", &error);
    if (!inner)
        return future_failed(loop_running, error);
    if (inner->state != PENDING) {                      /* a done future is its own shield */
        object_unpin(future_object(inner));
        return object_ticket(future_object(inner));
    }
    struct shield *shield = object_make(struct shield, &shield_type, loop_running);
    if (!shield) {
        object_unpin(future_object(inner));
        return NULL;
    }
    shield->inner = inner;
    shield->inner_done.run = inner_done;
    shield->outer_done.run = outer_done;
    list_append(&inner->waiters, &shield->inner_done.link);
    list_append(&shield->object.future.waiters, &shield->outer_done.link);
    shield->object.pins = 2;                            /* one for each job */
    return object_ticket(&shield->object);
}
