/* async_with stands before no variable.
 *
 * says: error: 
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

static void leave(void *p) { (void)p; }

static async_value try_it(void *p)
{
    (void)p;
    async_with(leave);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
