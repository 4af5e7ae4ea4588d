/* wait_for.c - a slow operation gets two seconds, and not more.
 *
 * Python twin:
 *     try: await asyncio.wait_for(slow_operation(), timeout=2)
 *     except TimeoutError: print("Operation timed out") */
#include "async.h"
#include <stdio.h>

static async_value slow_operation(void *p)
{
    (void)p;
    await(async_sleep(5));
    return async_str("Done");
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_value result = async_catch(async_wait_for(async_coro(slow_operation), 2));
    if (result.error == ASYNC_TIMEOUT)
        printf("Operation timed out\n");
    else if (result.error)
        return result;
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
