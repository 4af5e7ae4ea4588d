/* Who is the cheapest? README.md has the task; `make grade-6` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* This one is done: a question to a shop. */
async_value ask(void *p)
{
    struct ask *args = p;
    printf("asking %s\n", args->shop);
    await(async_sleep(args->seconds));
    return async_num(args->cents);
}

/* Part 1: three shops. */
async_value compare_three(void *p)
{
    struct compare_three *args = p;
    /* TODO: ask all three at once with async_gather. When all have answered print a line
     * "SHOP: CENTS" for each, the first one first; return the lowest price. The question:
     *     async_coro(ask, args->first.shop, args->first.seconds, args->first.cents) */
    (void)args;
    return async_none;
}

/* Part 2: as many shops as there are. */
async_value compare_all(void *p)
{
    struct compare_all *args = p;
    /* TODO: the same for args->shops[0] to [args->count - 1], with async_gather_list; return the
     * name of the cheapest shop. */
    (void)args;
    return async_none;
}

/* Part 3: not too many at the same time. */
async_value compare_gently(void *p)
{
    struct compare_gently *args = p;
    /* TODO: the same, but in groups of args->width shops: ask the first group at once; when all of
     * it have answered print their lines, then ask the next group. The last may be smaller. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-6. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    static const struct ask shops[] = { { "Anna", 1, 310 }, { "Ben", 2, 290 }, { "Cleo", 0.5, 350 },
                                        { "Dora", 1.5, 280 }, { "Emil", 1, 300 } };
    async_value low = await(async_coro(compare_three, shops[0], shops[1], shops[2]));
    printf("the lowest price is %ld\n", low.num);
    async_value who = await(async_coro(compare_all, shops, 5));
    printf("the cheapest is %s\n", who.str ? who.str : "(nobody)");
    who = await(async_coro(compare_gently, shops, 5, 2));
    printf("the cheapest is %s\n", who.str ? who.str : "(nobody)");
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
