/* forgotten_await.c - a coroutine that nobody awaits never runs; a task that nobody awaits may not
 * get to its end.
 *
 * Python twin:
 *     async def bad():
 *         save()                               # RuntimeWarning: never awaited
 *     async def bad_task():
 *         asyncio.create_task(save())          # begins, and who knows how far it gets
 *     async def good():
 *         await save() */
#include "async.h"
#include <stdio.h>

struct save { const char *what; };
static async_value save(void *p)
{
    struct save *args = p;
    printf("  saving %s...\n", args->what);
    await(async_sleep(1));
    printf("  %s is saved\n", args->what);
    return async_none;
}

static async_value bad(void *p)
{
    (void)p;
    async_coroutine forgotten = async_coro(save, "the letter");
    (void)forgotten;                /* on purpose: without the variable the compiler would warn */
    return async_none;
}

static async_value bad_task(void *p)
{
    (void)p;
    async_detach(async_create_task(async_coro(save, "the picture")));
    return async_none;
}

static async_value good(void *p)
{
    (void)p;
    await(async_coro(save, "the song"));
    return async_none;
}

static double now(void) { return async_loop_time(async_get_running_loop()); }

struct measure { const char *what; async_coroutine coro; };
static async_value measure(void *p)
{
    struct measure *args = p;
    double start = now();
    printf("%s:\n", args->what);
    await(args->coro);
    printf("  took %.1f s\n", now() - start);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    await(async_coro(measure, "bad", async_coro(bad)));
    await(async_coro(measure, "good", async_coro(good)));
    await(async_coro(measure, "bad_task", async_coro(bad_task)));
    await(async_sleep(0.5));        /* main has other things to do, but not for long enough */
    printf("the end\n");
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
