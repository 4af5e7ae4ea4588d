/* A task of a call, as it would be written in Python.
 *
 * says: :@:
 * says: async_coro(f, ...) */
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
    struct nap args = { 1, 2 };
    async_task task = async_create_task(nap(&args)); // here
    return await(task);
}

int main(void) { return async_main(async_coro(try_it)); }
