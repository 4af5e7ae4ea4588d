/* pool.c - five want to wash, and there are two machines: a semaphore counts those that are free.
 *
 * Python twin:
 *     machines = asyncio.Semaphore(2)
 *     async with machines:
 *         await asyncio.sleep(minutes) */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;
static int running;             /* machines just now */

/* A minute is a second here. */
struct wash { async_semaphore *machines; const char *name; double minutes; };
static async_value wash(void *p)
{
    struct wash *args = p;
    await(async_semaphore_acquire(args->machines));
    async_with(async_semaphore_exit) async_semaphore *held = args->machines;
    printf("%.0f s  %s begins, %d running\n", now() - start, args->name, ++running);
    await(async_sleep(args->minutes));
    printf("%.0f s  %s is done\n", now() - start, args->name);
    running--;
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    static const struct { const char *name; double minutes; } loads[] = {
        { "Ann", 3 }, { "Ben", 1 }, { "Cem", 4 }, { "Dora", 1 }, { "Eve", 2 }
    };
    async_task tasks[5];
    async_semaphore *machines = async_semaphore_new(2);
    start = now();
    for (int i = 0; i < 5; i++)
        tasks[i] = async_create_task_named(
            async_coro(wash, machines, loads[i].name, loads[i].minutes), loads[i].name);
    await(async_gather_list(NULL, tasks, 5, false));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
