/* supervisor.c - starts again what has failed, with a pause that grows; and gives up in good order.
 *
 * Python twin:
 *     try:
 *         async with asyncio.TaskGroup() as group:
 *             group.create_task(supervise("web", web))
 *             group.create_task(supervise("mail", mail))
 *     except ExceptionGroup as errors:
 *         for error in errors.exceptions:
 *             print(f"  {error}") */
#include "async.h"
#include <stdio.h>

#define RESTARTS 2

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;

/* Hears nothing for a second, whatever one does, and fails. */
static async_value mail(void *p)
{
    (void)p;
    await(async_sleep(1));
    async_raise(ASYNC_RUNTIME_ERROR, "mail: no reply");
}

/* Runs for ever. When it is stopped it wants to write its log, and finds the disk full. */
static async_value web(void *p)
{
    (void)p;
    async_value slept = async_catch(async_sleep(3600));
    if (slept.error != ASYNC_CANCELLED)
        return slept;
    async_raise(ASYNC_RUNTIME_ERROR, "web: disk full");
}

struct supervise { const char *name; async_fn *service; };
static async_value supervise(void *p)
{
    struct supervise *args = p;
    async_fn *service = args->service;
    for (int restarts = 0;; restarts++) {
        printf("%.0f s  %s: up\n", now() - start, args->name);
        async_value ended = async_catch(async_coro(service));
        bool asked_to_end = async_cancelling(async_current_task());
        if (!ended.error || asked_to_end || restarts == RESTARTS)
            return ended;
        printf("%.0f s  %s: down\n", now() - start, args->name);
        await(async_sleep(1 << restarts));
    }
}

static async_value run_services(void *p)
{
    (void)p;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_taskgroup_create_task_named(group, async_coro(supervise, "web", web), "web");
    async_taskgroup_create_task_named(group, async_coro(supervise, "mail", mail), "mail");
    await(async_taskgroup_join(group));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    start = now();
    async_value ended = async_catch(async_coro(run_services));
    printf("%.0f s  %s\n", now() - start, ended.message);
    async_value errors[8];
    size_t count = async_group_errors(ended, errors, 8);
    for (size_t i = 0; i < count && i < 8; i++)
        printf("  %s\n", errors[i].message);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
