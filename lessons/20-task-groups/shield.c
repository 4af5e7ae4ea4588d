/* shield.c - what must not stop in the middle: it ends, and only then the cancellation goes on.
 *
 * Python twin:
 *     saving = asyncio.create_task(save("the diary"))
 *     try:
 *         await asyncio.shield(saving)
 *     except asyncio.CancelledError:
 *         await saving
 *         raise */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;

struct save { const char *what; };
static async_value save(void *p)
{
    struct save *args = p;
    printf("%.0f s  %s: saving\n", now() - start, args->what);
    async_value slept = async_catch(async_sleep(2));
    printf("%.0f s  %s: %s\n", now() - start, args->what, slept.error ? "half saved" : "saved");
    return slept;
}

struct save_all { const char *what; };
static async_value save_all(void *p)
{
    struct save_all *args = p;
    async_task saving = async_create_task_named(async_coro(save, args->what), args->what);
    async_value ended = async_catch(async_shield(saving));
    if (ended.error == ASYNC_CANCELLED)
        await(saving);
    return ended;
}

static async_value work(void *p)
{
    (void)p;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_taskgroup_create_task_named(group, async_coro(save, "the list"), "bare");
    async_taskgroup_create_task_named(group, async_coro(save_all, "the diary"), "shielded");
    await(async_taskgroup_join(group));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    start = now();
    async_value worked = async_catch(async_wait_for(async_coro(work), 1));
    printf("%.0f s  %s\n", now() - start, async_error_name(worked.error));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
