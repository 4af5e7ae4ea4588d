/* tree.c - groups in groups, and one limit at the root: a cancellation goes down, and ends come up.
 *
 * Python twin:
 *     async def photo():
 *         async with asyncio.TaskGroup() as group:
 *             group.create_task(draw("small", 1))
 *             group.create_task(draw("large", 4))
 *
 *     async with asyncio.timeout(2):
 *         await album() */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;

struct draw { const char *size; double seconds; };
static async_value draw(void *p)
{
    struct draw *args = p;
    async_value slept = async_catch(async_sleep(args->seconds));
    printf("%.0f s      %s: %s\n", now() - start, args->size,
           slept.error ? async_error_name(slept.error) : "drawn");
    return slept;
}

struct photo { const char *small, *large; };        /* names of the two tasks */
static async_value photo(void *p)
{
    struct photo *args = p;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_taskgroup_create_task_named(group, async_coro(draw, "small", 1), args->small);
    async_taskgroup_create_task_named(group, async_coro(draw, "large", 4), args->large);
    async_value joined = async_catch(async_taskgroup_join(group));
    printf("%.0f s    photo: %s\n", now() - start,
           joined.error ? async_error_name(joined.error) : "ready");
    return joined;
}

static async_value album(void *p)
{
    (void)p;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_taskgroup_create_task_named(group, async_coro(photo, "lake small", "lake large"), "lake");
    async_taskgroup_create_task_named(group, async_coro(photo, "moon small", "moon large"), "moon");
    async_value joined = async_catch(async_taskgroup_join(group));
    printf("%.0f s  album: %s\n", now() - start,
           joined.error ? async_error_name(joined.error) : "ready");
    return joined;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    start = now();
    async_value drawn = async_catch(async_wait_for(async_coro(album), 2));
    printf("main: %s\n", drawn.error ? async_error_name(drawn.error) : "ready");
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
