/* The weather service. README.md has the task; `make grade-8` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* This one is done: a question to the service. When cancelled, it hangs up. */
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

/* Part 1: an answer in time, or that of last time. */
async_value temperature(void *p)
{
    struct temperature *args = p;
    /* TODO: async_coro(ask, args->city, 0), but wait no longer than args->limit for it. If it takes
     * longer return args->last_known. Any other error is not ours to handle: raise it. */
    (void)args;
    return async_none;
}

/* Part 2: a service that often hangs, but rarely twice in a row. */
async_value ask_again(void *p)
{
    struct ask_again *args = p;
    /* TODO: ask, with try 0, and wait for args->with.limit at most. If that times out sleep for
     * args->with.pause and ask with try 1; then sleep for twice as long; and so on, for
     * args->with.tries tries in all. Return the degrees. If all tries time out, raise that. */
    (void)args;
    return async_none;
}

/* Part 3: all that within a budget. */
async_value warmest(void *p)
{
    struct warmest *args = p;
    /* TODO: async_coro(ask_again, &args->cities[i], args->with) for each city, one after the other;
     * return the name of the warmest. All of that together may take args->budget seconds; after
     * that it ends with ASYNC_TIMEOUT. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-8. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    static const struct city cities[] = { { "Oslo", 14, { 1 } }, { "Rome", 31, { 9, 9, 0.5 } } };
    async_value got = await(async_coro(temperature, &cities[1], 2, 28));
    printf("Rome has %ld degrees, or had them\n", got.num);
    got = async_catch(async_coro(ask_again, &cities[1], { 3, 2, 0.5 }));
    printf("Rome: %ld degrees, error: %s\n", got.error ? 0 : got.num, async_error_name(got.error));
    got = async_catch(async_coro(warmest, cities, 2, { 3, 2, 0.5 }, 5));
    printf("the warmest: %s\n", got.error ? async_error_name(got.error) : got.str ? got.str : "?");
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
