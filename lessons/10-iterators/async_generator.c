/* async_generator.c - the same numbers from a function that stops in its middle; and leaving early.
 *
 * Python twin:
 *     async def count(who, start, end):
 *         try:
 *             for i in range(start, end):
 *                 await asyncio.sleep(0.5)
 *                 yield i
 *         finally:
 *             print(f"{who} cleans up")
 *
 *     async for num in count("first", 1, 5):
 *         print(num)
 *     async with contextlib.aclosing(count("third", 1, 5)) as third:
 *         ... */
#include "async.h"
#include <stdio.h>

static void clean_up(const char **who) { printf("%s cleans up\n", *who); }

struct count { const char *who; long start, end; };
static async_value count(void *p)
{
    struct count *args = p;
    async_with(clean_up) const char *who = args->who;
    for (long i = args->start; i < args->end; i++) {
        await(async_sleep(0.5));
        async_yield(async_num(i));
    }
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_for (num, async_generator(count, "first", 1, 5))
        printf("%ld\n", num.num);

    async_iterator second = async_generator(count, "second", 1, 5);
    async_for (num, second) {
        printf("%ld\n", num.num);
        if (num.num == 2)
            break;
    }
    printf("Out of the second loop\n");

    {
        async_with(async_aclose_exit) async_iterator third = async_generator(count, "third", 1, 5);
        async_for (num, third) {
            printf("%ld\n", num.num);
            if (num.num == 2)
                break;
        }
        printf("Out of the third loop\n");
    }
    printf("Main is done\n");
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
