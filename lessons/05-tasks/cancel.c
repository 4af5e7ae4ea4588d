/* cancel.c - a task is asked to end: it hears of it at its await, cleans up, and passes it on.
 *
 * Python twin:
 *     task = asyncio.create_task(long_task())
 *     await asyncio.sleep(1)
 *     task.cancel()           # raises CancelledError at long_task's await; it prints, re-raises
 *     try: await task
 *     except asyncio.CancelledError: print("Caught cancellation") */
#include "async.h"
#include <stdio.h>

static async_value long_task(void *p)
{
    (void)p;
    async_value slept = async_catch(async_sleep(10));
    if (slept.error == ASYNC_CANCELLED)
        printf("Task was cancelled\n");
    if (slept.error)
        return slept;               /* raise: whoever awaits us has to know as well */
    return async_str("Task completed");
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_task task = async_create_task(async_coro(long_task));
    await(async_sleep(1));
    async_cancel(task);

    async_value result = async_catch(task);
    if (result.error != ASYNC_CANCELLED)
        return result;
    printf("Caught cancellation\n");
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
