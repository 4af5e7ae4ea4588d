/* eager.c - a task that begins in the call that makes it, and not in the next turn.
 *
 * Python twin:
 *     tea = asyncio.create_task(price("tea"), eager_start=True)      # 3.14; 3.12: an eager_task_factory
 *     milk = ...
 *     sugar = asyncio.create_task(price("sugar"))
 *     print("main goes on") */
#include "async.h"
#include <stdio.h>
#include <string.h>

struct price { const char *of; };
static async_value price(void *p)
{
    struct price *args = p;
    printf("looking for %s\n", args->of);
    if (strcmp(args->of, "tea") != 0)       /* that one we know; others have to be asked for */
        await(async_sleep(1));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_task tea = async_create_task_eager(async_coro(price, "tea"));
    async_task milk = async_create_task_eager(async_coro(price, "milk"));
    async_task sugar = async_create_task(async_coro(price, "sugar"));
    printf("main goes on: tea %s\n", async_done(tea) ? "is done" : "is not done");
    await(async_gather(NULL, tea, milk, sugar));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
