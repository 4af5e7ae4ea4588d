/* cpu_bound.c - who computes does not wait, so there is no await in which the loop could go on.
 * Four computations: in the loop, in slices, in threads, in processes.
 *
 * Python twin:
 *     def count_primes(below): ...
 *     count_primes(300_000)                                         # the loop stands still
 *     await asyncio.to_thread(count_primes, 300_000)                # it goes on (*)
 *     await loop.run_in_executor(process_pool, count_primes, 300_000)
 * (*) but Python's threads compute one at a time, on one processor. C's do not. */
#include "async.h"
#include <stdio.h>
#include <stdlib.h>

#define BELOW 300000
#define SLICE 500

static double now(void) { return async_loop_time(async_get_running_loop()); }

static long beats;

static async_value heart(void *p)
{
    (void)p;
    for (;;) {
        await(async_sleep(0.005));
        beats++;
    }
}

static bool is_prime(long n)
{
    for (long i = 2; i * i <= n; i++)
        if (n % i == 0)
            return false;
    return n >= 2;
}

/* It never waits, and calls nothing of the runtime: it can run anywhere. */
struct count_primes { long below; };
static async_value count_primes(void *p)
{
    struct count_primes *args = p;
    long count = 0;
    for (long n = 0; n < args->below; n++)
        count += is_prime(n);
    return async_num(count);
}

struct sliced { long below; };
static async_value sliced(void *p)
{
    struct sliced *args = p;
    long count = 0;
    for (long n = 0; n < args->below; n++) {
        count += is_prime(n);
        if (n % SLICE == 0)
            await(async_sleep(0));      /* "after you" */
    }
    return async_num(count);
}

struct measure { const char *what; async_awaitable four[4]; };
static async_value measure(void *p)
{
    struct measure *args = p;
    async_value counts[4];
    double start = now();
    beats = 0;
    await(async_gather_list(counts, args->four, 4, false));
    printf("%-15s %ld primes, took %.0f ms, the heart beat %ld times\n", args->what, counts[3].num,
           (now() - start) * 1000, beats);
    return async_none;
}

#define FOUR(call) { call, call, call, call }

static async_value main_coroutine(void *p)
{
    (void)p;
    async_task beating = async_create_task(async_coro(heart));
    await(async_coro(measure, "in the loop:", FOUR(async_coro(count_primes, BELOW))));
    await(async_coro(measure, "in slices:", FOUR(async_coro(sliced, BELOW))));
    await(async_coro(measure, "in threads:", FOUR(async_to_thread(count_primes, BELOW))));
    await(async_coro(measure, "in processes:", FOUR(async_to_process(count_primes, BELOW))));
    async_cancel(beating);
    return async_none;
}

int main(void)
{
    unsetenv("ASYNC_CLOCK");            /* computing takes real time */
    return async_main(async_coro(main_coroutine));
}
