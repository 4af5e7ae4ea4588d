/* hello.c - the smallest program there is: it says hello, waits a second, and says goodbye. */
#include "async.h"
#include <stdio.h>

static async_value greet(void *p)
{
    (void)p;
    printf("Hello!\n");
    await(async_sleep(1));
    printf("That was a second.\n");
    return async_none;
}

int main(void) { return async_main(async_coro(greet)); }
