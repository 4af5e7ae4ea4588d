/* wait_modes.c - what to wait for: the first, the first error, all of them; and for how long.
 *
 * Python twin:
 *     done, pending = await asyncio.wait(tasks, timeout=timeout, return_when=return_when)
 *     for task in tasks:                      # sets have no order, so we go by the list
 *         if task in done: print(task.exception() or task.result()) */
#include "async.h"
#include <stdio.h>

struct work { int seconds; };
static async_value work(void *p)
{
    struct work *args = p;
    await(async_sleep(args->seconds));
    if (args->seconds == 2)
        return async_error(ASYNC_VALUE_ERROR, "number 2 failed");
    return async_text("number %d is done", args->seconds);
}

static double now(void) { return async_loop_time(async_get_running_loop()); }

struct try_mode { const char *name; enum async_return_when mode; double timeout; };
static async_value try_mode(void *p)
{
    struct try_mode *args = p;
    async_task tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = async_create_task(async_coro(work, .seconds = i + 1));

    double start = now();
    int done = await(async_wait(tasks, 3, args->timeout, args->mode)).num;
    printf("%s: %.1f s, %d done\n", args->name, now() - start, done);

    for (int i = 0; i < done; i++) {
        async_value result = async_catch(tasks[i]);     /* there already: no waiting */
        printf("  %s\n", result.error ? result.message : result.str);
    }
    for (int i = done; i < 3; i++)
        async_cancel(tasks[i]);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    await(async_coro(try_mode, "FIRST_COMPLETED", ASYNC_FIRST_COMPLETED, ASYNC_NO_TIMEOUT));
    await(async_coro(try_mode, "FIRST_EXCEPTION", ASYNC_FIRST_EXCEPTION, ASYNC_NO_TIMEOUT));
    await(async_coro(try_mode, "ALL_COMPLETED", ASYNC_ALL_COMPLETED, ASYNC_NO_TIMEOUT));
    await(async_coro(try_mode, "ALL_COMPLETED, at most 1.5 s", ASYNC_ALL_COMPLETED, 1.5));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
