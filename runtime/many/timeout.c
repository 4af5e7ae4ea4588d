/* timeout.c - asyncio.timeout, timeout_at and wait_for: a deadline for whatever happens inside.
 *
 * When time is up the task that entered is cancelled, like by anybody. On the way out the timeout
 * takes its own request back (uncancel); if no other request is left and what comes out is
 * ASYNC_CANCELLED, it was ours, and becomes ASYNC_TIMEOUT. Somebody else's cancel stays one. */
#include "core/coro.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"

struct timeout {
    struct object object;           /* its state: PENDING until it is left, CANCELLED when that was for the time */
    struct timer timer;
    struct task *task;              /* that entered it; pinned by a scope until that is left */
    unsigned cancels;               /* requests it had at that time */
    bool expired;
};

static const struct future_type timeout_type = { .name = "Timeout" };

/* A scope is over, or its task has ended without leaving it. */
static void close_scope(struct timeout *timeout)
{
    if (timeout->task)
        object_unpin(&timeout->task->coro.object);
    timeout->task = NULL;
    object_retire(&timeout->object, TAKEN);
}

static void expire(struct job *job)
{
    struct timeout *timeout = container_of(job, struct timeout, timer.job);
    bool left_behind = timeout->task->coro.object.future.state != PENDING;
    future_cancel(&timeout->task->coro.object.future, NULL);
    timeout->expired = true;
    if (left_behind) {
        timeout->object.future.state = CANCELLED;
        close_scope(timeout);
    }
}

/* A deadline that has passed already strikes in the next turn, like any other callback. False: no memory
 * for one. */
static bool set_deadline(struct timeout *timeout, int64_t when)
{
    async_loop *loop = timeout->task->coro.object.future.loop;
    loop_timer_stop(loop, &timeout->timer);
    timeout->timer.deadline = when;
    if (when == INT64_MAX)
        return true;
    if (when > loop_now(loop))
        return loop_timer_start(loop, &timeout->timer, when);
    loop_ready(loop, &timeout->timer.job);
    return true;
}

static bool enter(struct timeout *timeout, struct task *task, int64_t when)
{
    timeout->timer = (struct timer){ .job.run = expire };
    list_init(&timeout->timer.job.link);
    timeout->task = task;
    timeout->cancels = task->cancels;
    timeout->expired = false;
    timeout->object.future.state = PENDING;
    return set_deadline(timeout, when);
}

static async_value leave(struct timeout *timeout, async_value outcome)
{
    if (timeout->object.future.state != PENDING)
        return outcome;                         /* left before: its task may be gone */
    loop_timer_stop(timeout->task->coro.object.future.loop, &timeout->timer);
    timeout->object.future.state = timeout->expired ? CANCELLED : FINISHED;
    if (!timeout->expired)
        return outcome;
    if (task_uncancel(timeout->task) <= timeout->cancels && outcome.error == ASYNC_CANCELLED)
        return async_error(ASYNC_TIMEOUT, "");
    return outcome;
}

/* ------------------------------------------------------------------- wait_for, on our stack */

struct wait_for {
    async_awaitable x;
    double timeout;
};

/* No time at all: done already, or cancelled without having run, and waited for. */
static async_value at_once(async_awaitable x)
{
    async_value v;
    struct future *future = task_ensure(loop_running, x, "async_wait_for", &v);
    if (!future)
        return v;
    if (future->state != PENDING) {
        v = future_take(future);
    } else {
        async_task cut_short = object_ticket(future_object(future));
        future_cancel(future, NULL);
        v = async_catch(async_wait(&cut_short, 1, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
        if (!v.error && (v = future_take(future)).error == ASYNC_CANCELLED)
            v = async_error(ASYNC_TIMEOUT, "");
    }
    object_unpin(future_object(future));
    return v;
}

static async_value wait_for(void *p)
{
    struct wait_for *args = p;
    struct timeout timeout;
    if (!task_current())
        return report_no_task();
    if (args->timeout <= 0)
        return at_once(args->x);
    if (!enter(&timeout, task_current(), clock_after(&loop_running->clock, args->timeout)))
        return async_error(ENOMEM, "no memory for a timer");
    return leave(&timeout, async_catch(args->x));
}

async_awaitable async_wait_for(async_awaitable x, double timeout)
{
    return coro_make(wait_for, "async_wait_for", &(struct wait_for){ x, timeout },
                     sizeof(struct wait_for));
}

/* ---------------------------------------------------------------- the scope, as a handle */

static async_timeout_scope *scope(int64_t when, const char *caller)
{
    if (!task_current())
        report_abort(report_no_loop(caller));
    struct timeout *timeout = object_make(struct timeout, &timeout_type, loop_running);
    if (!timeout)
        return NULL;
    if (!enter(timeout, task_current(), when)) {
        object_free(&timeout->object);
        return NULL;
    }
    object_pin(&timeout->task->coro.object);
    return (async_timeout_scope *)object_ticket(&timeout->object);
}

async_timeout_scope *async_timeout(double seconds)
{
    return scope(loop_running ? clock_after(&loop_running->clock, seconds) : 0, __func__);
}

async_timeout_scope *async_timeout_at(double when) { return scope(clock_from_seconds(when), __func__); }

async_value async_timeout_leave(async_timeout_scope *x, async_value outcome)
{
    if (!x)
        return outcome.error ? outcome : async_error(ENOMEM, "no memory for async_timeout");
    struct timeout *timeout = object_known(x, &timeout_type, __func__);
    if (!timeout)
        return outcome;
    outcome = leave(timeout, outcome);
    close_scope(timeout);
    return outcome;
}

/* The outcome of the function around is not known yet, so the change is left to its frame. */
void async_timeout_exit(async_timeout_scope **x)
{
    async_value cancelled = async_error(ASYNC_CANCELLED, NULL);
    if (*x && async_timeout_leave(*x, cancelled).error == ASYNC_TIMEOUT)
        coro_replace_cancelled(async_error(ASYNC_TIMEOUT, ""));
}

static async_value refused(enum future_state state)
{
    return async_error(ASYNC_RUNTIME_ERROR,
                       state == PENDING ? "Cannot change state of expiring Timeout"
                       : state == CANCELLED ? "Cannot change state of expired Timeout"
                                            : "Cannot change state of finished Timeout");
}

async_value async_timeout_reschedule(async_timeout_scope *x, double when)
{
    if (object_over(x))
        return refused(future_was_cancelled(x, __func__) ? CANCELLED : FINISHED);
    struct timeout *timeout = object_of(x, &timeout_type, __func__, NULL);
    if (timeout->expired || timeout->object.future.state != PENDING)
        return refused(timeout->object.future.state);
    return set_deadline(timeout, clock_from_seconds(when)) ? async_none
                                                           : async_error(ENOMEM, "no memory for a timer");
}

bool async_timeout_expired(async_timeout_scope *x)
{
    if (object_over(x))
        return future_was_cancelled(x, __func__);
    struct timeout *timeout = object_of(x, &timeout_type, __func__, NULL);
    return timeout->expired;
}

double async_timeout_when(async_timeout_scope *x)
{
    struct timeout *timeout = object_of(x, &timeout_type, __func__, NULL);
    return timeout->timer.deadline == INT64_MAX ? ASYNC_NO_TIMEOUT : clock_to_seconds(timeout->timer.deadline);
}
