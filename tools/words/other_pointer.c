/* A pointer to something else.
 *
 * says: :@:
 * says: error:  */
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
    double *seconds = args; // here
    return async_num(*seconds);
}

int main(void) { return async_main(async_coro(try_it)); }
