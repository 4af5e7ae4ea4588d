/* A number where a pointer is wanted.
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
    long n = 3;
    const char *text = n; // here
    return async_str(text);
}

int main(void) { return async_main(async_coro(try_it)); }
