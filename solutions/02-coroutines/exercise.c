/* Offers: an object is made by async_coro, used up by async_run, or dropped by async_coro_close.
 *
 * Python twin:
 *     def offer(item, count, cents):
 *         return price(item, count, cents)        # a coroutine object; nothing runs
 *
 *     other.close()
 *     return asyncio.run(wanted) */
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

long accept_offer(async_coroutine wanted, async_coroutine other)
{
    async_coro_close(other);
    async_value got = async_run(wanted);
    return got.error ? -1 : got.num;
}

int main(void)
{
    async_coroutine apples = offer("apple", 3, 40), pears = offer("pear", 2, 55);
    printf("Two offers are made, and nothing is priced\n");
    if (apples && pears)
        printf("The apples cost %ld cents\n", accept_offer(apples, pears));
    return 0;
}
