/* expect: neither run nor closed, when the wanted one had been accepted */
/* The other object is neither run nor closed. */
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
    (void)other;
    async_value got = async_run(wanted);
    return got.error ? -1 : got.num;
}

int main(void) { return 0; }
