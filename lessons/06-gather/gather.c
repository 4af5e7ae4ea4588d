/* gather.c - many at once: gather starts them all and gives the results in the order of asking.
 *
 * Python twin:
 *     print(await asyncio.gather(fetch("url1"), fetch("url2"), fetch("url3"))) */
#include "async.h"
#include <stdio.h>

struct fetch { const char *url; };
static async_value fetch(void *p)
{
    struct fetch *args = p;
    await(async_sleep(1));
    return async_text("Content from %s", args->url);
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_value results[3];
    await(async_gather(results,
                       async_coro(fetch, "url1"),
                       async_coro(fetch, "url2"),
                       async_coro(fetch, "url3")));
    printf("['%s', '%s', '%s']\n", results[0].str, results[1].str, results[2].str);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
