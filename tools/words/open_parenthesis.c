/* A ) is missing, which gcc notices at the end of the file.
 *
 * says: :@:
 * says: ) is missing
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
    puts("not this (one");
    await(async_sleep(1); // here
    await(async_sleep(2));
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
