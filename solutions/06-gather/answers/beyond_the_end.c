/* The last group is as large as the others.
 *
 * answer: wrong
 * points: 2/2 2/2 0/3
 * says: The last group may be smaller
 */
#include "exercise.h"
#include <stdio.h>

async_value ask(void *p)
{
    struct ask *args = p;
    printf("asking %s\n", args->shop);
    await(async_sleep(args->seconds));
    return async_num(args->cents);
}

static async_coroutine question(const struct ask *to)
{
    return async_coro(ask, to->shop, to->seconds, to->cents);
}

async_value compare_three(void *p)
{
    struct compare_three *args = p;
    async_value got[3];
    await(async_gather(got, question(&args->first), question(&args->second),
                       question(&args->third)));
    printf("%s: %ld\n", args->first.shop, got[0].num);
    printf("%s: %ld\n", args->second.shop, got[1].num);
    printf("%s: %ld\n", args->third.shop, got[2].num);
    long low = got[0].num < got[1].num ? got[0].num : got[1].num;
    return async_num(low < got[2].num ? low : got[2].num);
}

/* Asks a group at once and prints what it says; gives the cheapest of it. */
struct ask_group { const struct ask *shops; size_t count; };
static async_value ask_group(void *p)
{
    struct ask_group *args = p;
    const struct ask *best = args->shops;
    async_value *got = async_alloc(args->count * sizeof *got);
    async_awaitable *list = async_alloc(args->count * sizeof *list);
    if (!got || !list)
        async_raise(ENOMEM, "no memory for so many shops");
    for (size_t i = 0; i < args->count; i++)
        list[i] = question(&args->shops[i]);
    await(async_gather_list(got, list, args->count, false));
    for (size_t i = 0; i < args->count; i++) {
        printf("%s: %ld\n", args->shops[i].shop, got[i].num);
        if (got[i].num < best->cents)
            best = &args->shops[i];
    }
    return async_ptr((void *)best);
}

async_value compare_all(void *p)
{
    struct compare_all *args = p;
    const struct ask *best = await(async_coro(ask_group, args->shops, args->count)).ptr;
    return async_str(best->shop);
}

async_value compare_gently(void *p)
{
    struct compare_gently *args = p;
    const struct ask *best = args->shops;
    for (size_t i = 0; i < args->count; i += args->width) {
        size_t left = args->count - i, count = left ? args->width : 0;
        const struct ask *got = await(async_coro(ask_group, args->shops + i, count)).ptr;
        best = got->cents < best->cents ? got : best;
    }
    return async_str(best->shop);
}

int main(void) { return 0; }
