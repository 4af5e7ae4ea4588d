/* hello.c - the smallest async program: an event loop runs one coroutine from start to end.
 *
 * Python twin:
 *     async def main():
 *         print("Hello async world!")
 *
 *     asyncio.run(main()) */
#include "async.h"
#include <stdio.h>

static async_value main_coroutine(void *p)
{
    (void)p;
    printf("Hello async world!\n");
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
