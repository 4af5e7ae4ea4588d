/* coroutine_objects.c - calling a function runs it; calling a coroutine function makes an object.
 *
 * Python twin:
 *     def regular_function(text):
 *         print(text)
 *
 *     async def coroutine_function(text):
 *         print(text)
 *
 *     async def main():
 *         regular_function("I run immediately")
 *         coro = coroutine_function("I need to be awaited")
 *         print(type(coro).__name__)
 *         await coro
 *         forgotten = coroutine_function("Nobody awaits me")
 *
 *     asyncio.run(main()) */
#include "async.h"
#include <stdio.h>

static void regular_function(const char *text)
{
    printf("%s\n", text);
}

struct coroutine_function { const char *text; };
static async_value coroutine_function(void *p)
{
    struct coroutine_function *args = p;
    printf("%s\n", args->text);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    regular_function("I run immediately");

    async_coroutine coro = async_coro(coroutine_function, "I need to be awaited");
    printf("%s\n", async_type_name(coro));
    await(coro);

    async_coroutine forgotten = async_coro(coroutine_function, "Nobody awaits me");
    (void)forgotten;        /* on purpose: without the variable the compiler would warn */
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
