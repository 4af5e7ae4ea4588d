/* Nobody looks at the budget.
 *
 * answer: wrong
 * points: 2/2 3/3 0/3
 * says: the budget was not kept
 */
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
    double pause = args->with.pause;
    for (size_t try = 0;; try++) {
        async_value got = async_catch(async_wait_for(async_coro(ask, args->city, try),
                                                     args->with.limit));
        if (got.error != ASYNC_TIMEOUT || try + 1 == args->with.tries)
            return got;
        await(async_sleep(pause));
        pause *= 2;
    }
}

async_value warmest(void *p)
{
    struct warmest *args = p;
    const char *name = NULL;
    long most = 0;
    for (size_t i = 0; i < args->count; i++) {
        long degrees = await(async_coro(ask_again, &args->cities[i], args->with)).num;
        if (!name || degrees > most) {
            name = args->cities[i].name;
            most = degrees;
        }
    }
    return async_str(name);
}

int main(void) { return 0; }
