/* fetch_data.c - one coroutine, run in two ways: by a loop of its own, and by another coroutine.
 *
 * Python twin:
 *     result = asyncio.run(fetch_data())      # from ordinary code
 *     result = await fetch_data()             # from inside a coroutine */
#include "async.h"
#include <stdio.h>

static async_value fetch_data(void *p)
{
    (void)p;
    printf("Start fetching\n");
    await(async_sleep(2));          /* a server far away would take its time like this */
    printf("Done fetching\n");
    return async_num(42);
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_value result = await(async_coro(fetch_data));
    printf("{'data': %ld}\n", result.num);
    return async_none;
}

int main(void)
{
    async_value result = async_run(async_coro(fetch_data));
    if (result.error)
        return 1;
    printf("{'data': %ld}\n", result.num);

    return async_main(async_coro(main_coroutine));
}
