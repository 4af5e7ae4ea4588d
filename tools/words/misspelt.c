/* A name that is misspelt.
 *
 * says: :@:
 * says: did you mean
 * says: There is no function of that name before this line
 * never: async_catch
 * never: |     async_sleep */
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
    return await(async_slep(1)); // here
}

int main(void) { return async_main(async_coro(try_it)); }
