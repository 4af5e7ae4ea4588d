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

__attribute__((noinline))
static async_value until_due(double seconds, async_value result)
{
    struct alarm alarm;
    async_loop *loop = loop_running;
    async_value interrupted = async_error(ENOMEM, "no memory for a timer");
    if (isnan(seconds))
        return async_error(ASYNC_VALUE_ERROR, "Invalid delay: NaN (not a number)");
    alarm.timer = (struct timer){ .job.run = ring };
    future_init(&alarm.future, &alarm_type, loop);
    if (loop_timer_start(loop, &alarm.timer, clock_after(&loop->clock, seconds)))
        interrupted = task_wait(&alarm.future);
    loop_timer_stop(loop, &alarm.timer);
    return interrupted.error ? interrupted : result;
}

static async_value one_turn(async_value result)
{
    async_value interrupted = task_yield();
    return interrupted.error ? interrupted : result;
}

static async_value sleep_until_done(void *p)
{
    struct sleep *args = p;
    bool at_once = args->seconds <= 0 || !loop_running;
    return at_once ? one_turn(args->result) : until_due(args->seconds, args->result);
}

async_awaitable async_sleep_result(double seconds, async_value result)
{
    return coro_make(sleep_until_done, "async_sleep",
                     &(struct sleep){ seconds, result }, sizeof(struct sleep));
}

async_awaitable async_sleep(double seconds) { return async_sleep_result(seconds, async_none); }
