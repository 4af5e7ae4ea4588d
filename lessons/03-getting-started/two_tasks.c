/* two_tasks.c - two coroutines at once: waiting 1 s and 2 s takes 2 s, not 3.
 *
 * Python twin:
 *     async def main():
 *         results = await asyncio.gather(task_one(), task_two())
 *         print(results)
 *
 *     asyncio.run(main()) */
#include "async.h"
#include <stdio.h>

static async_value task_one(void *p)
{
    (void)p;
    await(async_sleep(1));
    return async_str("Task one complete");
}

static async_value task_two(void *p)
{
    (void)p;
    await(async_sleep(2));
    return async_str("Task two complete");
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_value results[2];
    await(async_gather(results, async_coro(task_one), async_coro(task_two)));
    printf("['%s', '%s']\n", results[0].str, results[1].str);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
