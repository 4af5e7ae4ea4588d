/* run.c - asyncio.run: make a loop, run main, cancel what is left, report, close. */
#include "coro.h"
#include "line.h"
#include "loop.h"
#include "object.h"
#include "report.h"
#include "stack.h"
#include "task.h"
#include <stdio.h>
#include <stdlib.h>

static async_value may_run(async_loop *loop)
{
    if (loop->running)
        return async_error(ASYNC_RUNTIME_ERROR, "This event loop is already running");
    if (loop_running)
        return async_error(ASYNC_RUNTIME_ERROR,
                           "Cannot run the event loop while another loop is running");
    return async_none;
}

async_value async_loop_run_forever(async_loop *loop)
{
    async_value v = may_run(loop);
    if (v.error)
        return v;
    stack_watch(report_overflow);
    v = loop_run(loop);
    if (v.error == ASYNC_DEADLOCK)
        report_deadlock(loop);
    return v;
}

struct finish {
    struct job job;
    async_loop *loop;
};

static void stop(struct job *job) { container_of(job, struct finish, job)->loop->stopping = true; }

async_value async_loop_run_until_complete(async_loop *loop, async_awaitable x)
{
    async_value v = may_run(loop);
    if (v.error)
        return v;
    struct future *future = task_ensure(loop, x, "async_loop_run_until_complete", &v);
    if (!future)
        return v;
    struct finish finish = { { .run = stop }, loop };
    if (future->state == PENDING)
        list_append(&future->waiters, &finish.job.link);
    else
        loop_ready(loop, &finish.job);
    v = async_loop_run_forever(loop);
    list_remove(&finish.job.link);
    if (!v.error)
        v = future->state != PENDING
            ? future_take(future)
            : async_error(ASYNC_RUNTIME_ERROR, "Event loop stopped before Future completed.");
    object_unpin(future_object(future));
    return v;
}

/* ----------------------------------------------------------------------------- closing */

static void clear(struct list *jobs)
{
    future_discard_callbacks(jobs, NULL);
    list_each(link, jobs)
        list_remove(link);
}

/* First everything is taken off every list, with a word about what is lost, ... */
static void detach(struct object *object, void *loop)
{
    struct task *task = (struct task *)object;
    if (object->future.loop != loop)
        return;
    if (object->future.type == &coroutine_type)
        report_unawaited(object);
    if (object->future.type == &task_type && object->future.state == PENDING) {
        report_pending(object);
        line_forget(task->waiting_on);
        list_remove(&task->step.link);
    }
    clear(&object->future.waiters);
}

/* ... then it is freed, in any order: an unpin by whoever goes later finds a pin and frees nothing. */
static void discard(struct object *object, void *loop)
{
    if (object->future.loop != loop)
        return;
    object->pins++;
    object_free(object);
}

async_value async_loop_close(async_loop *loop)
{
    if (loop->running)
        return async_error(ASYNC_RUNTIME_ERROR, "Cannot close a running event loop");
    clear(&loop->ready);
    object_each(detach, loop);
    object_each(discard, loop);
    loop_free(loop);
    object_release();
    stack_release();
    return async_none;
}

/* --------------------------------------------------------------------------------- run */

/* Asks every task that is not done to end, and waits until they all have. */
static async_value cancel_all(async_loop *loop)
{
    size_t count = 0, i = 0;
    list_each(link, &loop->tasks)
        count++;
    if (!count)
        return async_none;
    struct task **tasks = calloc(count, sizeof *tasks);
    async_awaitable *handles = calloc(count, sizeof *handles);
    if (!tasks || !handles) {
        free(tasks);
        free(handles);
        return async_error(ENOMEM, "no memory to cancel the tasks that are left");
    }
    list_each(link, &loop->tasks) {
        tasks[i] = container_of(link, struct task, coro.object.link);
        object_pin(&tasks[i]->coro.object);
        handles[i] = object_ticket(&tasks[i]->coro.object);
        i++;
    }
    for (i = 0; i < count; i++)
        future_cancel(&tasks[i]->coro.object.future, NULL);
    async_future all = async_gather_list(NULL, handles, count, true);
    async_value v = async_loop_run_until_complete(loop, all);
    for (i = 0; i < count; i++) {
        struct object *object = &tasks[i]->coro.object;
        if (object->future.state == FINISHED && object->future.outcome.error)
            report_exception(loop, "unhandled exception during async_run() shutdown",
                             object->future.outcome, object);
        object_unpin(object);
    }
    free(tasks);
    free(handles);
    return v;
}

async_value async_run(async_coroutine coro)
{
    if (loop_running) {
        async_coro_close(coro);
        return async_error(ASYNC_RUNTIME_ERROR,
                           "async_run() cannot be called from a running event loop");
    }
    if (!coro)
        return async_error(ENOMEM, "no memory for the main coroutine");
    struct object *object = object_find(coro);
    if (!object || object->future.type != &coroutine_type)
        return report_misuse(coro, "async_run");
    async_loop *loop = async_new_event_loop();
    if (!loop)
        return async_error(ENOMEM, "no memory for an event loop");
    async_value v = async_loop_run_until_complete(loop, coro);
    if (v.error != ASYNC_DEADLOCK) {
        async_value left = cancel_all(loop);
        if (left.error == ASYNC_DEADLOCK && !v.error)
            v = left;
        left = async_loop_run_until_complete(loop, async_loop_shutdown_asyncgens(loop));
    }
    async_loop_close(loop);
    return v;
}

int async_main(async_coroutine coro)
{
    async_value v = async_run(coro);
    if (v.error == ASYNC_SYSTEM_EXIT)
        return v.num;
    if (v.error == ASYNC_KEYBOARD_INTERRUPT)
        return 130;                                 /* what a shell says of Ctrl-C */
    if (v.error && v.error != ASYNC_DEADLOCK)       /* which has been reported at length */
        fprintf(stderr, "%s: %s\n", async_error_name(v.error), v.message ? v.message : "");
    return v.error ? 1 : 0;
}
