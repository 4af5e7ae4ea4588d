/* sleep.c - asyncio.sleep: a future, a timer that sets it, and a task that waits in between.
 *
 * The pattern of everything that waits: future and timer lie on the sleeper's own stack, and are
 * taken out of the loop's hands before we return, whether we woke by the timer or by a cancel. */
#include "core/coro.h"
#include "core/loop.h"
#include "core/step.h"
#include "core/task.h"
#include <math.h>

struct sleep {
    double seconds;
    async_value result;
};

static const struct future_type alarm_type = {
    .name = "async_sleep", .cancel = future_cancel_plain, .unnamed = true
};

struct alarm {
    struct timer timer;
    struct future future;
};

static void ring(struct job *job)
{
    future_set(&container_of(job, struct alarm, timer.job)->future, async_none);
}

static async_value until_due(void *p)
{
    struct sleep args = *(struct sleep *)p;
    struct alarm alarm;
    async_loop *loop = loop_running;
    async_value interrupted = async_error(ENOMEM, "no memory for a timer");
    if (!task_current())
        return report_no_task();
    if (isnan(args.seconds))
        return async_error(ASYNC_VALUE_ERROR, "Invalid delay: NaN (not a number)");
    alarm.timer = (struct timer){ .job.run = ring };
    future_init(&alarm.future, &alarm_type, loop);
    if (loop_timer_start(loop, &alarm.timer, clock_after(&loop->clock, args.seconds)))
        interrupted = task_wait(&alarm.future);
    loop_timer_stop(loop, &alarm.timer);
    return interrupted.error ? interrupted : args.result;
}

static async_value one_turn(void *p)
{
    async_value result = ((struct sleep *)p)->result, interrupted = task_yield();
    if (interrupted.error)
        return interrupted;
    return result;
}

async_awaitable async_sleep_result(double seconds, async_value result)
{
    struct coro *coro = coro_brief(seconds <= 0 ? one_turn : until_due, "async_sleep");
    if (!coro)
        return NULL;
    *(struct sleep *)coro->room = (struct sleep){ seconds, result };
    return object_ticket(&coro->object);
}

async_awaitable async_sleep(double seconds) { return async_sleep_result(seconds, async_none); }
