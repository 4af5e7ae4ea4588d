/* sequential.c - awaited in turn they wait for each other; as tasks they wait together.
 *
 * Python twin:
 *     async def bad():
 *         return [await fetch("weather", 1), await fetch("news", 2), await fetch("mail", 1.5)]
 *     async def good():
 *         return await asyncio.gather(fetch("weather", 1), fetch("news", 2), fetch("mail", 1.5)) */
#include "async.h"
#include <stdio.h>

struct fetch { const char *what; double seconds; };
static async_value fetch(void *p)
{
    struct fetch *args = p;
    await(async_sleep(args->seconds));
    return async_str(args->what);
}

static async_value bad(void *p)
{
    (void)p;
    const char *weather = await(async_coro(fetch, "weather", 1)).str;
    const char *news = await(async_coro(fetch, "news", 2)).str;
    const char *mail = await(async_coro(fetch, "mail", 1.5)).str;
    return async_text("%s, %s, %s", weather, news, mail);
}

static async_value good(void *p)
{
    (void)p;
    async_value got[3];
    await(async_gather(got, async_coro(fetch, "weather", 1), async_coro(fetch, "news", 2),
                       async_coro(fetch, "mail", 1.5)));
    return async_text("%s, %s, %s", got[0].str, got[1].str, got[2].str);
}

/* Tasks, but each is awaited before the next one is made. */
static async_value still_bad(void *p)
{
    (void)p;
    const char *weather = await(async_create_task(async_coro(fetch, "weather", 1))).str;
    const char *news = await(async_create_task(async_coro(fetch, "news", 2))).str;
    const char *mail = await(async_create_task(async_coro(fetch, "mail", 1.5))).str;
    return async_text("%s, %s, %s", weather, news, mail);
}

static double now(void) { return async_loop_time(async_get_running_loop()); }

struct measure { const char *what; async_coroutine coro; };
static async_value measure(void *p)
{
    struct measure *args = p;
    double start = now();
    const char *got = await(args->coro).str;
    printf("%-10s %s after %.1f s\n", args->what, got, now() - start);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    await(async_coro(measure, "bad:", async_coro(bad)));
    await(async_coro(measure, "good:", async_coro(good)));
    await(async_coro(measure, "still_bad:", async_coro(still_bad)));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
