/* async_with stands before a call, and no variable gets what that gives.
 *
 * says: :@:
 * says: async_with(exit) stands before a variable */
#include "async.h"
#include <stdio.h>

struct nap { double seconds; long cents; };

static async_value nap(void *p)
{
    struct nap *args = p;
    await(async_sleep(args->seconds));
    return async_num(args->cents);
}

static async_value try_it(void *p)
{
    (void)p;
    async_with(async_timeout_exit) async_timeout(5); // here
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
