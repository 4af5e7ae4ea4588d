/* Of these arrays each is large enough, or how large it is cannot be known: there is nothing to say.
 *
 * never: error
 * never: warning */
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
    struct { async_value in[2]; } both;
    async_value got[2], *first = got;
    int places = 2;
    async_value known_later[places];
    await(async_gather(got, async_coro(nap, 1, 2), async_coro(nap, 2, 3)));
    await(async_gather(both.in, async_gather(NULL, async_coro(nap, 1, 2)), async_coro(nap, 2, 3)));
    await(async_gather(first, async_coro(nap, 1, 2), async_coro(nap, 2, 3), async_coro(nap, 3, 4)));
    await(async_gather(&got[0], async_coro(nap, 1, 2), async_coro(nap, 2, 3), async_coro(nap, 3, 4)));
    await(async_gather_exceptions(known_later, async_coro(nap, 1, 2), async_coro(nap, 2, 3), async_coro(nap, 3, 4)));
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
