/* A task is taken for its result.
 *
 * says: is not its result. Await it
 * never: did you mean */
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
    async_task task = async_create_task(async_coro(nap, 1, 2));
    await(task);
    return async_num(task.num); // here
}

int main(void) { return async_main(async_coro(try_it)); }
