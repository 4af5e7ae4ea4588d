/* callback.c - loop.call_soon, call_later, call_at, and add_done_callback: plain functions that the loop
 * calls once.
 *
 * The handle of one that was booked is an object like any other: when it has run or was cancelled it is retired. */
#include "core/callback.h"
#include "core/context.h"
#include "core/exception.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/report.h"
#include "core/task.h"
#include <stdlib.h>

struct callback {
    struct object object;
    struct timer timer;
    async_fn *fn;
    void *arg;
    struct context *context;        /* of who booked it; NULL once it has run */
};

static void drop(struct object *object) { context_release(((struct callback *)object)->context); }

static const struct future_type handle_type = { .name = "Handle", .drop = drop };

void callback_call(async_loop *loop, async_fn *fn, void *arg, struct context *context, struct object *object)
{
    struct context *before = context_enter(context);
    async_value v = fn(arg);
    if (v.error && !loop_leave_with(loop, v))
        report_exception(loop, "Exception in callback", v, object);
    context_leave(before);
}

static void run(struct job *job)
{
    struct callback *callback = container_of(job, struct callback, timer.job);
    struct object *object = &callback->object;
    struct context *context = callback->context;
    async_fn *fn = callback->fn;
    callback->context = NULL;
    object->future.state = FINISHED;
    object_retire(object, TAKEN);
    object_pin(object);                         /* what it calls may have it recycled */
    hook_value(calls, fn);
    callback_call(object->future.loop, fn, callback->arg, context, object);
    hook_value(called, fn);
    object_unpin(object);
}

struct object *callback_of_job(struct job *job)
{
    return job->run == run ? &container_of(job, struct callback, timer.job)->object : NULL;
}

static struct callback *callback_new(async_loop *loop, async_fn *fn, void *arg)
{
    if (__builtin_expect(loop->debug != NULL, 0))
        loop->debug->check_thread(loop, "call_soon, call_later or call_at");
    if (loop->closed)
        report_closed();
    struct callback *callback = object_make(struct callback, &handle_type, loop);
    if (!callback)
        return NULL;
    callback->timer.job.run = run;
    list_init(&callback->timer.job.link);
    callback->fn = fn;
    callback->arg = arg;
    callback->context = context_copy();
    return callback;
}

async_handle async_loop_call_soon(async_loop *loop, async_fn *fn, void *arg)
{
    struct callback *callback = callback_new(loop_given(loop, __func__), fn, arg);
    if (!callback)
        return NULL;
    loop_ready(loop, &callback->timer.job);
    return object_ticket(&callback->object);
}

static async_handle call_at(async_loop *loop, int64_t when, async_fn *fn, void *arg)
{
    struct callback *callback = callback_new(loop, fn, arg);
    if (!callback)
        return NULL;
    if (!loop_timer_start(loop, &callback->timer, when)) {
        object_free(&callback->object);
        return NULL;
    }
    return object_ticket(&callback->object);
}

async_handle async_loop_call_later(async_loop *loop, double delay, async_fn *fn, void *arg)
{
    loop_given(loop, __func__);
    return call_at(loop, clock_after(&loop->clock, delay), fn, arg);
}

async_handle async_loop_call_at(async_loop *loop, double when, async_fn *fn, void *arg)
{
    return call_at(loop_given(loop, __func__), clock_from_seconds(when), fn, arg);
}

void async_handle_cancel(async_handle handle)
{
    if (!handle)
        return;                                 /* there was no memory for it: it is never called */
    if (object_over(handle)) {
        object_note_cancelled((uintptr_t)handle);
        return;
    }
    struct callback *callback = object_of(handle, &handle_type, "async_handle_cancel", NULL);
    if (callback->object.future.state == PENDING) {
        loop_timer_stop(callback->object.future.loop, &callback->timer);
        object_retire(&callback->object, TAKEN);
    }
    callback->object.future.state = CANCELLED;      /* also of one that has run, as in Python */
}

bool async_handle_cancelled(async_handle handle)
{
    if (object_over(handle))
        return future_was_cancelled(handle, "async_handle_cancelled");
    struct callback *callback = object_of(handle, &handle_type, "async_handle_cancelled", NULL);
    return callback->object.future.state == CANCELLED;
}

double async_handle_when(async_handle handle)
{
    struct callback *callback = object_of(handle, &handle_type, "async_handle_when", NULL);
    return clock_to_seconds(callback->timer.deadline);
}

/* ---------------------------------------------------------------------- done callbacks */

struct done_callback {              /* one add_done_callback */
    struct errand errand;
    async_done_fn *fn;
    void *arg;
    async_future x;                 /* the future it was added to, */
    struct object *object;          /* pinned */
    struct context *context;        /* of who added it */
};

static void drop_callback(struct errand *errand)
{
    struct done_callback *callback = container_of(errand, struct done_callback, errand);
    object_unpin(callback->object);
    context_release(callback->context);
    free(callback);
}

static void run_callback(struct errand *errand)
{
    struct done_callback *callback = container_of(errand, struct done_callback, errand);
    struct object *object = callback->object;
    struct context *before = context_enter(callback->context);
    callback->context = NULL;
    async_value v = callback->fn(callback->x, callback->arg);
    if (v.error && !loop_leave_with(object->future.loop, v))
        report_exception(object->future.loop, "Exception in done callback", v, object);
    context_leave(before);
    drop_callback(errand);
}

async_value async_add_done_callback(async_future x, async_done_fn *fn, void *arg)
{
    async_value error;
    struct future *future = future_known(x, "async_add_done_callback", &error);
    if (!future)
        return error;
    if (!future->loop)
        return report_no_loop("async_add_done_callback");
    struct done_callback *callback = malloc(sizeof *callback);
    if (!callback)
        return async_error(ENOMEM, "no memory for a done callback");
    *callback = (struct done_callback){ errand_new(run_callback, drop_callback), fn, arg, x, future_object(future),
                                        context_copy() };
    object_pin(callback->object);
    future_then(future, future->loop, &callback->errand.job);
    return async_none;
}

size_t async_remove_done_callback(async_future x, async_done_fn *fn)
{
    struct future *future = future_known(x, "async_remove_done_callback", NULL);
    size_t removed = 0;
    list_each(link, &future->waiters) {
        struct errand *errand = errand_of(container_of(link, struct job, link));
        if (!errand || errand->run != run_callback
            || container_of(errand, struct done_callback, errand)->fn != fn)
            continue;
        list_remove(link);
        drop_callback(errand);
        removed++;
    }
    return removed;
}
