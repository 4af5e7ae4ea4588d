/* Shops and services: a group that ends with all its tasks, a limit around one, a supervisor.
 *
 * Python twin of part 1:
 *     try:
 *         async with asyncio.TaskGroup() as group:
 *             tasks = [group.create_task(ask(shop)) for shop in shops]
 *     except ExceptionGroup as errors:
 *         raise errors.exceptions[0]
 *     return sum(task.result() for task in tasks) */
#include "exercise.h"
#include <stdio.h>

#define GOODBYE 0.1             /* seconds that it takes to end when one is cancelled */

async_value ask(void *p)
{
    const struct shop *shop = ((struct ask *)p)->shop;
    printf("%s: asked\n", shop->name);
    async_value slept = async_catch(async_sleep(shop->seconds));
    if (slept.error) {
        printf("%s: hanging up\n", shop->name);
        await(async_sleep(GOODBYE));
        printf("%s: hung up\n", shop->name);
        return slept;
    }
    printf("%s: %s\n", shop->name, shop->sold_out ? "sold out" : "has it");
    if (shop->sold_out)
        async_raise(ENOENT, async_strf("%s is sold out", shop->name));
    return async_num(shop->price);
}

async_value serve(void *p)
{
    struct service *service = ((struct serve *)p)->service;
    printf("%s: up\n", service->name);
    async_value slept = async_catch(async_sleep(service->seconds));
    if (slept.error) {
        printf("%s: stopping\n", service->name);
        await(async_sleep(GOODBYE));
        printf("%s: stopped\n", service->name);
        return slept;
    }
    printf("%s: %s\n", service->name, service->breaks > 0 ? "broken" : "done");
    if (service->breaks-- > 0)
        async_raise(EPIPE, async_strf("%s broke", service->name));
    return async_none;
}

/* The first of the errors in a group; any other error as it is. */
static async_value first_error(async_value error)
{
    async_value first;
    return async_group_errors(error, &first, 1) ? first : error;
}

async_value buy_all(void *p)
{
    struct buy_all *args = p;
    async_task tasks[MOST_SHOPS];
    long sum = 0;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    for (size_t i = 0; i < args->count; i++)
        tasks[i] = async_taskgroup_create_task(group, async_coro(ask, &args->shops[i]));
    async_value joined = async_catch(async_taskgroup_join(group));
    if (joined.error)
        return first_error(joined);
    for (size_t i = 0; i < args->count; i++)
        sum += async_result(tasks[i]).num;
    return async_num(sum);
}

/* Asks one, and notes its price if it is the best so far. */
struct compare { const struct shop *shop; long *best; };
static async_value compare(void *p)
{
    struct compare *args = p;
    async_value price = async_catch(async_coro(ask, args->shop));
    if (price.error == ENOENT)
        return async_none;
    if (price.error)
        return price;
    if (!*args->best || price.num < *args->best)
        *args->best = price.num;
    return async_none;
}

struct compare_all { const struct shop *shops; size_t count; long *best; };
static async_value compare_all(void *p)
{
    struct compare_all *args = p;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    for (size_t i = 0; i < args->count; i++)
        async_taskgroup_create_task(group, async_coro(compare, &args->shops[i], args->best));
    await(async_taskgroup_join(group));
    return async_none;
}

async_value cheapest(void *p)
{
    struct cheapest *args = p;
    long best = 0;
    async_value asked = async_catch(
        async_wait_for(async_coro(compare_all, args->shops, args->count, &best), args->limit));
    if (asked.error && asked.error != ASYNC_TIMEOUT)
        return asked;
    if (!best)
        async_raise(ENOENT, "nobody has it");
    return async_num(best);
}

/* Runs a service until it ends well, or has broken once too often; counts its restarts. */
struct keep_up { struct service *service; long most; double pause; long *restarts; };
static async_value keep_up(void *p)
{
    struct keep_up *args = p;
    for (long broken = 0;; broken++) {
        async_value served = async_catch(async_coro(serve, args->service));
        if (served.error != EPIPE || broken == args->most)
            return served;
        await(async_sleep(args->pause));
        ++*args->restarts;
    }
}

async_value supervise(void *p)
{
    struct supervise *args = p;
    long restarts = 0;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    for (size_t i = 0; i < args->count; i++)
        async_taskgroup_create_task(group, async_coro(keep_up, &args->services[i], args->restarts,
                                                      args->pause, &restarts));
    async_value joined = async_catch(async_taskgroup_join(group));
    return joined.error ? first_error(joined) : async_num(restarts);
}

static void tell(const char *what, async_value got)
{
    if (got.error)
        printf("%s: %s\n\n", what, got.message ? got.message : async_error_name(got.error));
    else
        printf("%s: %ld\n\n", what, got.num);
}

static async_value try_it(void *p)
{
    (void)p;
    static const struct shop shops[] = { { "flour", 1, 2, false }, { "eggs", 2, 3, true },
                                         { "butter", 3, 1, false } };
    static struct service well[] = { { "web", 5, 0 }, { "mail", 1, 2 } };
    static struct service ill[] = { { "web", 9, 0 }, { "mail", 1, 9 } };
    tell("all", async_catch(async_coro(buy_all, shops, 3)));
    tell("the cheapest", async_catch(async_coro(cheapest, shops, 3, 2.5)));
    tell("restarts", async_catch(async_coro(supervise, well, 2, 2, 0.5)));
    tell("restarts", async_catch(async_coro(supervise, ill, 2, 2, 0.5)));
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
