/* coroutines_vs_tasks.c - awaiting a coroutine calls it; awaiting a task waits for it.
 *
 * Python twin:
 *     await work(); await work()                      # 2 s
 *     task1 = asyncio.create_task(work())
 *     task2 = asyncio.create_task(work())
 *     await task1; await task2                        # 1 s */
#include "async.h"
#include <stdio.h>

static async_value work(void *p)
{
    (void)p;
    await(async_sleep(1));
    printf("Work done\n");
    return async_none;
}

static double now(void) { return async_loop_time(async_get_running_loop()); }

static async_value main_coroutine(void *p)
{
    (void)p;
    double start = now();
    await(async_coro(work));
    await(async_coro(work));
    printf("Two coroutines took %.0f s\n", now() - start);

    start = now();
    async_task task1 = async_create_task(async_coro(work));
    async_task task2 = async_create_task(async_coro(work));
    await(task1);
    await(task2);
    printf("Two tasks took %.0f s\n", now() - start);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
