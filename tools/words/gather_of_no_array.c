/* Without the array of results, as Python has none.
 * says: .c:@:
 * says: What stands first in async_gather is the array that gets the results, or NULL
 * never: coroutine function */
#include "async.h"

static async_value program(void *p)
{
    (void)p;
    await(async_gather(async_sleep(1), async_sleep(2)));    // here
    return async_none;
}

int main(void) { return async_main(async_coro(program)); }
