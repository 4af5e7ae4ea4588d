/* Tasks under wait_for, and for each city what is left of the budget. */
#include "exercise.h"
#include <stdio.h>

async_value ask(void *p)
{
    struct ask *args = p;
    const struct city *city = args->city;
    printf("%s: asked\n", city->name);
    if (city->seconds[args->try] < 0)
        async_raise(ENOENT, async_strf("nobody knows %s", city->name));
    async_value slept = async_catch(async_sleep(city->seconds[args->try]));
    if (slept.error) {
        printf("%s: hung up\n", city->name);
        return slept;
    }
    printf("%s: %ld degrees\n", city->name, city->degrees);
    return async_num(city->degrees);
}

async_value temperature(void *p)
{
    struct temperature *args = p;
    async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout(args->limit);
    async_value got = async_timeout_leave(scope, async_catch(async_coro(ask, args->city, 0)));
    if (got.error == ASYNC_TIMEOUT)
        return async_num(args->last_known);
    return got;
}

struct try_once { const struct ask_again *args; size_t try; };
static async_value try_once(void *p)
{
    struct try_once *once = p;
    async_with(async_timeout_exit) async_timeout_scope *scope =
        async_timeout(once->args->with.limit);
    async_task task = async_create_task(async_coro(ask, once->args->city, once->try));
    return await(task);
}

async_value ask_again(void *p)
{
    struct ask_again *args = p;
    double pause = args->with.pause;
    for (size_t try = 0; try + 1 < args->with.tries; try++, pause *= 2) {
        async_value got = async_catch(async_coro(try_once, args, try));
        if (got.error != ASYNC_TIMEOUT)
            return got;
        await(async_sleep(pause));
    }
    return await(async_coro(try_once, args, args->with.tries - 1));
}

async_value warmest(void *p)
{
    struct warmest *args = p;
    async_loop *loop = async_get_running_loop();
    double end = async_loop_time(loop) + args->budget;
    const char *name = NULL;
    long most = 0;
    for (size_t i = 0; i < args->count; i++) {
        async_task task = async_create_task(async_coro(ask_again, &args->cities[i], args->with));
        long degrees = await(async_wait_for(task, end - async_loop_time(loop))).num;
        if (!name || degrees > most) {
            name = args->cities[i].name;
            most = degrees;
        }
    }
    return async_str(name);
}

int main(void) { return 0; }
