/* The struct of the arguments bears another name than the function, and fields are named.
 *
 * says: :@:
 * says: there is no struct snooze before this line
 * never: has no member */
#include "async.h"
#include <stdio.h>

struct nap { double seconds; long cents; };

static async_value nap(void *p)
{
    struct nap *args = p;
    await(async_sleep(args->seconds));
    return async_num(args->cents);
}

struct snooze_args { int minutes; };

static async_value snooze(void *p)
{
    struct snooze_args *args = p;
    return async_num(args->minutes);
}

static async_value try_it(void *p)
{
    (void)p;
    return await(async_coro(snooze, .minutes = 3)); // here
}

int main(void) { return async_main(async_coro(try_it)); }
