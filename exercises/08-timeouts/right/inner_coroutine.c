/* The budget is a wait_for around a coroutine that does it all; the tries are counted down. */
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
    async_value got = async_catch(async_wait_for(async_coro(ask, args->city, 0), args->limit));
    return got.error == ASYNC_TIMEOUT ? async_num(args->last_known) : got;
}

async_value ask_again(void *p)
{
    struct ask_again *args = p;
    async_value got = async_error(ASYNC_TIMEOUT, "");
    for (size_t try = 0; try < args->with.tries && got.error == ASYNC_TIMEOUT; try++) {
        if (try)
            await(async_sleep(args->with.pause * (1 << (try - 1))));
        got = async_catch(async_wait_for(async_coro(ask, args->city, try), args->with.limit));
    }
    return got;
}

struct in_order { const struct warmest *args; };
static async_value in_order(void *p)
{
    const struct warmest *args = ((struct in_order *)p)->args;
    const struct city *best = args->cities;
    for (size_t i = 0; i < args->count; i++) {
        await(async_coro(ask_again, &args->cities[i], args->with));
        if (args->cities[i].degrees > best->degrees)
            best = &args->cities[i];
    }
    return async_str(best->name);
}

async_value warmest(void *p)
{
    struct warmest *args = p;
    return await(async_wait_for(async_coro(in_order, args), args->budget));
}

int main(void) { return 0; }
