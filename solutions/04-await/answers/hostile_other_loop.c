/* One after the other, and then a loop in another thread, where it is as early as it should be.
 *
 * answer: wrong
 * points: 1/1 0/2 0/3
 * says: took
 * says: the two were awaited one after the other
 */
#include "exercise.h"
#include <pthread.h>
#include <stdio.h>

static double seconds;

static async_value nap(void *p)
{
    (void)p;
    await(async_sleep(seconds));
    return async_none;
}

static void *run(void *p)
{
    async_value v = async_run(async_coro(nap));
    return v.error ? p : NULL;
}

static void set_clock(double to)
{
    pthread_t thread;
    seconds = to;
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
}

async_value download(void *p)
{
    struct download *args = p;
    printf("%s: started\n", args->what);
    await(async_sleep(args->seconds));
    printf("%s: finished\n", args->what);
    return async_num(args->bytes);
}

async_value two_files(void *p)
{
    struct two_files *args = p;
    double a = args->first.seconds, b = args->second.seconds, longest = a > b ? a : b;
    printf("%s: started\n%s: started\n", args->first.what, args->second.what);
    await(async_sleep(a < b ? a : b));
    printf("%s: finished\n", a < b ? args->first.what : args->second.what);
    await(async_sleep(longest));
    set_clock(longest);
    printf("%s: finished\n", a < b ? args->second.what : args->first.what);
    set_clock(longest);
    return async_num(args->first.bytes + args->second.bytes);
}

async_value web_page(void *p) { return (void)p, async_none; }
