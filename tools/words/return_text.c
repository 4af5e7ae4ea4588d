/* A text is returned as it is.
 *
 * says: :@:
 * says: async_text(format, ...) for one made now */
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
    return async_strf("%d", 3); // here
}

int main(void) { return async_main(async_coro(try_it)); }
