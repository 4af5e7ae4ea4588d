/* gather_exceptions.c - three at once, one fails: the errors come back beside the results.
 *
 * Python twin:
 *     results = await asyncio.gather(task_success(), task_failure(), task_success(),
 *                                    return_exceptions=True) */
#include "async.h"
#include <stdio.h>

static async_value task_success(void *p)
{
    (void)p;
    await(async_sleep(1));
    return async_str("Success");
}

static async_value task_failure(void *p)
{
    (void)p;
    await(async_sleep(1));
    async_raise(ASYNC_VALUE_ERROR, "Failed");
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_value results[3];
    await(async_gather_exceptions(results,
                                  async_coro(task_success),
                                  async_coro(task_failure),
                                  async_coro(task_success)));
    for (int i = 0; i < 3; i++) {
        if (results[i].error)
            printf("Task %d failed: %s\n", i, results[i].message);
        else
            printf("Task %d succeeded: %s\n", i, results[i].str);
    }
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
