/* async_range.c - an iterator by hand: a function that gives the next value, and what it remembers.
 *
 * Python twin:
 *     class AsyncRange:                               # __aiter__ and __anext__
 *         ...
 *     async for num in AsyncRange(1, 5):
 *         print(num) */
#include "async.h"
#include <stdio.h>

struct range { long next, end; };
static async_value range_next(void *p)
{
    struct range *range = p;
    if (range->next >= range->end)
        return async_error(ASYNC_STOP_ITERATION, "");
    await(async_sleep(0.5));            /* the next number is on its way */
    return async_num(range->next++);
}

static async_value main_coroutine(void *p)
{
    (void)p;
    struct range range = { 1, 5 };
    async_iterator numbers = { range_next, &range };
    async_for (num, numbers)
        printf("%ld\n", num.num);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
