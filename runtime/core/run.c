/* run.c - running a loop: for ever, or until something is done. */
#include "core/loop.h"
#include "core/object.h"
#include "core/report.h"
#include "core/stack.h"
#include "core/task.h"

static async_value may_run(async_loop *loop)
{
    if (loop->closed)
        return async_error(ASYNC_RUNTIME_ERROR, "Event loop is closed");
    if (loop->running)
        return async_error(ASYNC_RUNTIME_ERROR, "This event loop is already running");
    if (loop_running)
        return async_error(ASYNC_RUNTIME_ERROR,
                           "Cannot run the event loop while another loop is running");
    return async_none;
}

static bool in_task(void) { return task_current() != NULL; }

async_value async_loop_run_forever(async_loop *loop)
{
    loop_given(loop, __func__);
    async_value v = may_run(loop);
    if (v.error)
        return v;
    stack_watch(in_task, report_overflow);
    v = loop_run(loop);
    if (v.error == ASYNC_DEADLOCK)
        loop->stuck(loop);
    return v;
}

static void stop(struct job *job)
{
    (void)job;
    loop_running->stopping = true;
}

async_value async_loop_run_until_complete(async_loop *loop, async_awaitable x)
{
    loop_given(loop, __func__);
    async_value v = may_run(loop);
    if (v.error)
        return v;
    struct future *future = task_ensure(loop, x, "async_loop_run_until_complete", &v);
    if (!future)
        return v;
    struct job done = { .run = stop };
    future_then(future, loop, &done);
    v = async_loop_run_forever(loop);
    list_remove(&done.link);
    if (!v.error)
        v = future->state != PENDING
            ? future_take(future)
            : async_error(ASYNC_RUNTIME_ERROR, "Event loop stopped before Future completed.");
    object_unpin(future_object(future));
    return v;
}
