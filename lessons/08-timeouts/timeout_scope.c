/* timeout_scope.c - one limit for several steps: what counts is the time of all of them.
 *
 * Python twin:
 *     async def load_page(limit):
 *         async with asyncio.timeout(limit):
 *             await step("Look up the address")
 *             await step("Connect")
 *             await step("Download")
 *             return "The page is here" */
#include "async.h"
#include <stdio.h>

struct step { const char *name; };
static async_value step(void *p)
{
    struct step *args = p;
    printf("  %s...\n", args->name);
    async_value slept = async_catch(async_sleep(1));
    if (slept.error)
        printf("  %s: %s\n", args->name, async_error_name(slept.error));
    return slept;
}

struct load_page { double limit; };
static async_value load_page(void *p)
{
    struct load_page *args = p;
    async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout(args->limit);
    await(async_coro(step, "Look up the address"));
    await(async_coro(step, "Connect"));
    await(async_coro(step, "Download"));
    return async_str("The page is here");
}

static async_value main_coroutine(void *p)
{
    (void)p;
    double limits[] = { 5, 2.5 };
    for (int i = 0; i < 2; i++) {
        printf("At most %.1f s:\n", limits[i]);
        async_value page = async_catch(async_coro(load_page, limits[i]));
        if (page.error && page.error != ASYNC_TIMEOUT)
            return page;
        printf("%s\n", page.error ? async_error_name(page.error) : page.str);
    }
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
