/* custom_sleep.c - a sleep without a timer: a future, and a watcher that looks at the clock until
 * it may set it.
 *
 * Python twin:
 *     async def custom_sleep(seconds):
 *         future = asyncio.Future()
 *         asyncio.create_task(watcher(future, time.time() + seconds))
 *         await future */
#include "async.h"
#include <stdio.h>
#include <time.h>

static long turns;      /* of the loop, in which the watcher ran */

/* The machine's clock, in seconds: time.time(). */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void print_time(const char *what)
{
    char text[9];
    time_t seconds = now();
    strftime(text, sizeof text, "%H:%M:%S", localtime(&seconds));
    printf("%s at %s\n", what, text);
}

struct watcher { async_future future; double time_to_wake; };
static async_value watcher(void *p)
{
    struct watcher *args = p;
    for (turns = 1; now() < args->time_to_wake; turns++)
        await(async_sleep(0));          /* the bare yield: a turn for the others, then us again */
    return async_set_result(args->future, async_none);
}

struct custom_sleep { double seconds; };
static async_value custom_sleep(void *p)
{
    struct custom_sleep *args = p;
    async_future future = async_create_future();
    async_detach(async_create_task(async_coro(watcher, future, now() + args->seconds)));
    await(future);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    double start = now();
    print_time("Starting");
    await(async_coro(custom_sleep, 2));
    print_time("Finished");
    printf("Slept %.0f s; the watcher ran in %ld turns of the loop\n", now() - start, turns);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
