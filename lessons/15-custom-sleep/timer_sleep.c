/* timer_sleep.c - a sleep as it should be: a future, and a timer of the loop that sets it.
 *
 * Python twin:
 *     async def timer_sleep(seconds):
 *         loop = asyncio.get_running_loop()
 *         future = loop.create_future()
 *         timer = loop.call_later(seconds, ring, future)
 *         try:
 *             await future
 *         finally:
 *             timer.cancel() */
#include "async.h"
#include <stdio.h>

static long turns;      /* of the loop, in which the alarm rang */

static async_value ring(void *future)
{
    turns++;
    return async_done(future) ? async_none : async_set_result(future, async_none);
}

static void cancel_timer(async_handle *timer) { async_handle_cancel(*timer); }

struct timer_sleep { double seconds; };
static async_value timer_sleep(void *p)
{
    struct timer_sleep *args = p;
    async_loop *loop = async_get_running_loop();
    async_future future = async_create_future();
    async_with(cancel_timer) async_handle timer =
        async_loop_call_later(loop, args->seconds, ring, future);
    await(future);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_loop *loop = async_get_running_loop();
    double start = async_loop_time(loop);
    await(async_coro(timer_sleep, 2));
    printf("Slept %.0f s; the alarm rang in %ld turn of the loop\n",
           async_loop_time(loop) - start, turns);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
