/* The object is awaited where no loop runs.
 *
 * answer: wrong
 * points: 1/1 2/2 0/3
 * says: which it can do only in a loop
 */
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
    async_value got = async_catch(wanted);
    return got.error ? -1 : got.num;
}

int main(void) { return 0; }
