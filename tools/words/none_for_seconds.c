/* None for "no limit", in a function of one line.
 * says: .c:@:
 * never: coroutine */
#include "async.h"

static async_value limited(void *p) { (void)p; await(async_wait_for(async_sleep(1), NULL)); return async_none; }  // here

int main(void) { return async_main(async_coro(limited)); }
