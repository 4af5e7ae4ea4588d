/* A name that the library has, too.
 *
 * says: there is another async_hooks_add already */
#include "async.h"
#include <stdio.h>

struct nap { double seconds; long cents; };

static async_value nap(void *p)
{
    struct nap *args = p;
    await(async_sleep(args->seconds));
    return async_num(args->cents);
}

int async_hooks_add(void);
int async_hooks_add(void) { return 3; }

static async_value try_it(void *p)
{
    (void)p;
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
