/* breakfast.c - await gives the loop a turn: while the coffee brews, the toast gets on.
 *
 * Python twin:
 *     async def make_breakfast():
 *         coffee, toast = await asyncio.gather(make_coffee(), make_toast())
 *         print(f"Breakfast ready: {coffee} {toast}")
 *
 *     asyncio.run(make_breakfast()) */
#include "async.h"
#include <stdio.h>

static async_value make_coffee(void *p)
{
    (void)p;
    printf("Grinding beans...\n");
    await(async_sleep(1));
    printf("Brewing coffee...\n");
    await(async_sleep(2));
    printf("Coffee ready!\n");
    return async_str("☕");
}

static async_value make_toast(void *p)
{
    (void)p;
    printf("Toasting bread...\n");
    await(async_sleep(1.5));
    printf("Toast ready!\n");
    return async_str("🍞");
}

static async_value make_breakfast(void *p)
{
    (void)p;
    async_value made[2];
    await(async_gather(made, async_coro(make_coffee), async_coro(make_toast)));
    printf("Breakfast ready: %s %s\n", made[0].str, made[1].str);
    return async_none;
}

int main(void) { return async_main(async_coro(make_breakfast)); }
