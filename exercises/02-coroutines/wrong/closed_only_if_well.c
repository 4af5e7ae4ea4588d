/* expect: neither run nor closed, when the wanted one had ended with an error */
/* The other object is closed only if the first one went well. */
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
    async_value got = async_run(wanted);
    if (got.error)
        return -1;
    async_coro_close(other);
    return got.num;
}

int main(void) { return 0; }
