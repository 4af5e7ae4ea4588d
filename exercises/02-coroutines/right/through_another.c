/* The object is awaited by a coroutine of ours. */
#include "exercise.h"
#include <stdio.h>

async_value price(void *p)
{
    struct price *args = p;
    printf("Pricing %ld x %s\n", args->count, args->item);
    return async_num(args->count * args->cents);
}

async_coroutine offer(const char *item, long count, long cents)
{
    return async_coro(price, .item = item, .count = count, .cents = cents);
}

struct through { async_coroutine coro; };
static async_value through(void *p)
{
    struct through *args = p;
    return await(args->coro);
}

long accept_offer(async_coroutine wanted, async_coroutine other)
{
    async_coro_close(other);
    async_value got = async_run(async_coro(through, wanted));
    return got.error ? -1 : got.num;
}

int main(void) { return 0; }
