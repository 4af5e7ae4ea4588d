/* await in a function that returns nothing.
 *
 * says: :@:
 * says: await leaves its function when there is an error */
#include "async.h"
#include <stdio.h>

struct nap { double seconds; long cents; };

static async_value nap(void *p)
{
    struct nap *args = p;
    await(async_sleep(args->seconds));
    return async_num(args->cents);
}

static void rest(void)
{
    await(async_sleep(1)); // here
}

static async_value try_it(void *p)
{
    (void)p;
    rest();
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
