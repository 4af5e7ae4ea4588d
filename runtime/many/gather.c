/* gather.c - asyncio.gather: many at once, results in the order of the arguments.
 *
 * The gather is a future of its own. Each child's list of waiters gets a job of ours; the last one
 * to run, or the first that sees an error, finishes the gather. Children stay pinned until the
 * gather is recycled, since the results are copied out only when somebody takes them: no child
 * ever writes into an array that may be gone. */
#include "core/loop.h"
#include "core/object.h"
#include "core/report.h"
#include "core/task.h"
#include <stdlib.h>

struct gather;

struct gathered {
    struct job done;
    struct gather *gather;
    struct future *future;          /* pinned */
};

struct gather {
    struct object object;
    async_value *results;           /* the caller's array, or NULL */
    struct gathered *children;      /* one an argument */
    size_t count, unfinished;
    struct future *failed;          /* the child whose error it ended with; NULL */
    bool return_exceptions;
    bool cancel_requested;          /* then it ends with ASYNC_CANCELLED once all are done */
};

static void fail(struct gather *gather, struct future *child, async_value error)
{
    gather->failed = child;
    future_set(&gather->object.future, error);
}

static void child_done(struct job *job)
{
    struct gathered *child = container_of(job, struct gathered, done);
    struct gather *gather = child->gather;
    struct future *outer = &gather->object.future, *future = child->future;
    gather->unfinished--;
    object_retire(future_object(future), TAKEN);         /* its error counts as asked for */
    if (outer->state == PENDING) {
        if (future->outcome.error && !gather->return_exceptions)
            fail(gather, future, future->outcome);
        else if (gather->unfinished == 0 && gather->cancel_requested)
            fail(gather, future, async_error(ASYNC_CANCELLED, future->state == CANCELLED
                                                              ? future->outcome.message : NULL));
        else if (gather->unfinished == 0)
            future_set(outer, async_none);
    }
    object_unpin(&gather->object);
}

static bool cancel(struct future *future, const char *message)
{
    struct gather *gather = container_of(future, struct gather, object.future);
    bool any = false;
    if (future->state != PENDING)
        return false;
    for (size_t i = 0; i < gather->count; i++)
        any |= future_cancel(gather->children[i].future, message);
    gather->cancel_requested |= any;
    return any;
}

static async_value take(struct object *object)
{
    struct gather *gather = (struct gather *)object;
    if (gather->failed)
        future_take(gather->failed);    /* with the memory that the error's text lies in */
    if (object->future.outcome.error)
        return object->future.outcome;
    for (size_t i = 0; i < gather->count; i++) {
        async_value v = future_take(gather->children[i].future);
        if (gather->results)
            gather->results[i] = v;
    }
    return async_ptr(gather->results);
}

static void drop(struct object *object)
{
    struct gather *gather = (struct gather *)object;
    for (size_t i = 0; i < gather->count; i++)
        object_unpin(future_object(gather->children[i].future));
    free(gather->children);
}

static void members(struct future *future, void (*visit)(struct future *, void *), void *arg)
{
    struct gather *gather = container_of(future, struct gather, object.future);
    for (size_t i = 0; i < gather->count; i++)
        visit(gather->children[i].future, arg);
}

static const struct future_type gather_type = {
    .name = "async_gather", .cancel = cancel, .drop = drop, .take = take, .members = members
};

/* The running loop, or else that of the first task or future in the list. */
static async_loop *loop_for(const async_awaitable *list, size_t count)
{
    for (size_t i = 0; i < count && !loop_running; i++) {
        struct object *object = object_find(list[i]);
        if (object && object->future.type->cancel)
            return object->future.loop;
    }
    return loop_running;
}

/* One child for each argument. Where one is unfit the rest of the list is not started. */
static async_value collect(struct gather *gather, const async_awaitable *list, size_t count)
{
    async_value error = async_none;
    for (size_t i = 0; i < count; i++) {
        struct future *future = task_ensure_listed(gather->object.future.loop, list, i, "async_gather", &error);
        if (!future)
            return error;
        gather->children[i] = (struct gathered){ { .run = child_done }, gather, future };
        list_init(&gather->children[i].done.link);
        gather->count++;
        if (future->state == PENDING)
            list_append(&future->waiters, &gather->children[i].done.link);
    }
    return async_none;
}

async_future async_gather_list(async_value *results, const async_awaitable *list, size_t count,
                               bool return_exceptions)
{
    async_loop *loop = loop_given(loop_for(list, count), "async_gather");
    struct gather *gather = object_make(struct gather, &gather_type, loop);
    if (!gather)
        return NULL;
    gather->results = results;
    gather->return_exceptions = return_exceptions;
    gather->children = malloc((count + 1) * sizeof *gather->children);
    async_value error = gather->children ? collect(gather, list, count)
                                         : async_error(ENOMEM, "no memory for async_gather");
    gather->unfinished = gather->count;
    if (error.error) {
        for (size_t i = 0; i < gather->count; i++)
            list_remove(&gather->children[i].done.link);
        object_free(&gather->object);
        return future_failed(loop, error);
    }
    if (count == 0)
        future_set(&gather->object.future, async_none);
    gather->object.pins += count;
    for (size_t i = 0; i < count; i++)                  /* all that were done: no turn is lost */
        if (list_empty(&gather->children[i].done.link))
            child_done(&gather->children[i].done);
    return object_ticket(&gather->object);
}
