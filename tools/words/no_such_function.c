/* A function that there is not.
 *
 * says: there is no function async_slumber() */
#include "async.h"
#include <stdio.h>

struct nap { double seconds; long cents; };

static async_value nap(void *p)
{
    struct nap *args = p;
    await(async_sleep(args->seconds));
    return async_num(args->cents);
}

async_future async_slumber(double seconds);

static async_value try_it(void *p)
{
    (void)p;
    return await(async_slumber(1)); // here
}

int main(void) { return async_main(async_coro(try_it)); }
