/* Shops and services. README.md has the task; `make grade-20` looks at it. */
#include "exercise.h"
#include <stdio.h>

#define GOODBYE 0.1             /* seconds that it takes to end when one is cancelled */

/* These two are done: a question to a shop, one run of a service. Cancelled, both say goodbye. */
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

/* Part 1: all of it, or nothing. */
async_value buy_all(void *p)
{
    struct buy_all *args = p;
    /* TODO: async_coro(ask, &args->shops[i]) for all shops at once, as tasks of a group; return the
     * sum of their prices. If one is sold out the others are cancelled, and have ended before you
     * raise the error of the first that failed, itself and not as a group. */
    (void)args;
    return async_none;
}

/* Part 2: what comes in time. */
async_value cheapest(void *p)
{
    struct cheapest *args = p;
    /* TODO: ask all shops at once; return the lowest of the prices that come within args->limit
     * seconds. Who has not answered by then is cancelled, and has ended before you return. Pass
     * over those that are sold out. If there is no price at all raise ENOENT. */
    (void)args;
    return async_none;
}

/* Part 3: a supervisor. */
async_value supervise(void *p)
{
    struct supervise *args = p;
    /* TODO: run all services at once. When one breaks (EPIPE) wait for args->pause seconds and
     * serve it again, at most args->restarts times for each. If it breaks once more, stop the
     * others and raise that error, itself. Return how many restarts there were in all. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-20. The grader uses a main of its own. */
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
