/* The array has fewer places than there is to gather.
 *
 * says: :@:
 * says: error: the array of results has fewer places than there is to gather
 * says: writes a result for each of what follows */
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
    async_value got[1];
    await(async_gather(got, async_coro(nap, 1, 2), async_coro(nap, 2, 3))); // here
    return got[0];
}

int main(void) { return async_main(async_coro(try_it)); }
