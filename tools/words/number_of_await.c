/* What await gives is taken for what was returned.
 *
 * says: :@:
 * says: await(x).num is a number
 * never: await leaves its function */
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
    long n = await(async_coro(nap, 1, 2)); // here
    return async_num(n);
}

int main(void) { return async_main(async_coro(try_it)); }
