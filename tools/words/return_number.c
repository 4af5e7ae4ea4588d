/* A number is returned as it is.
 *
 * says: :@:
 * says: async_num(n) for a number */
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
    struct nap *args = p;
    long n = 3;
    return n * args->cents; // here
}

int main(void) { return async_main(async_coro(try_it)); }
