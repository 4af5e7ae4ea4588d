/* A queue holds values, and what is put is a bare number.
 * says: .c:@:
 * says: Here an async_value is wanted: async_num(n) for a number
 * never: coroutine function */
#include "async.h"

static async_value program(void *p)
{
    (void)p;
    async_queue *queue = async_queue_new(0);
    await(async_queue_put(queue, 5));    // here
    return async_none;
}

int main(void) { return async_main(async_coro(program)); }
