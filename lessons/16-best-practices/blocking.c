/* blocking.c - a call that waits by itself stops the whole loop; one that we await does not.
 *
 * Python twin:
 *     async def bad():
 *         time.sleep(0.2)                          # blocks everybody
 *     async def good():
 *         await asyncio.sleep(0.2)                 # only I wait
 *     async def good_in_thread():
 *         await asyncio.to_thread(library_call)    # for what cannot be awaited */
#include "async.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static long beats, beats_seen;      /* so far; and when the last of the three was done */

/* Somebody else on the same loop, who would like to go on. */
static async_value heart(void *p)
{
    (void)p;
    for (;;) {
        await(async_sleep(0.02));
        beats++;
    }
}

static async_value bad(void *p)
{
    (void)p;
    usleep(200 * 1000);             /* blocks! */
    beats_seen = beats;
    return async_none;
}

static async_value good(void *p)
{
    (void)p;
    await(async_sleep(0.2));
    beats_seen = beats;
    return async_none;
}

/* Stands for a library that knows nothing of our loop. It runs in a thread. */
static async_value library_call(void *p)
{
    (void)p;
    usleep(200 * 1000);
    return async_none;
}

static async_value good_in_thread(void *p)
{
    (void)p;
    await(async_to_thread(library_call));
    beats_seen = beats;
    return async_none;
}

struct measure { const char *what; async_coroutine three[3]; };
static async_value measure(void *p)
{
    struct measure *args = p;
    double start = now();
    beats = 0;
    await(async_gather_list(NULL, args->three, 3, false));
    printf("%-15s took %.0f ms, the heart beat %ld times\n", args->what, (now() - start) * 1000,
           beats_seen);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_task beating = async_create_task(async_coro(heart));
    await(async_coro(measure, "bad:", { async_coro(bad), async_coro(bad), async_coro(bad) }));
    await(async_coro(measure, "good:", { async_coro(good), async_coro(good), async_coro(good) }));
    await(async_coro(measure, "good_in_thread:", { async_coro(good_in_thread),
                                                   async_coro(good_in_thread),
                                                   async_coro(good_in_thread) }));
    async_cancel(beating);
    return async_none;
}

int main(void)
{
    unsetenv("ASYNC_CLOCK");        /* usleep and threads know only the real time */
    return async_main(async_coro(main_coroutine));
}
