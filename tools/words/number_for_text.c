/* A format that does not fit what is printed.
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
    (void)p;
    printf("%ld\n", "three"); // here
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
