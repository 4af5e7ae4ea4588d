/* catch.c - an error comes out of the await, as a value to look at.
 *
 * Python twin:
 *     try: await risky_operation()            # raises ValueError("Something went wrong!")
 *     except ValueError as error: print(f"Caught error: {error}") */
#include "async.h"
#include <stdio.h>

static async_value risky_operation(void *p)
{
    (void)p;
    await(async_sleep(1));
    async_raise(ASYNC_VALUE_ERROR, "Something went wrong!");
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_value result = async_catch(async_coro(risky_operation));
    if (result.error == ASYNC_VALUE_ERROR)
        printf("Caught error: %s\n", result.message);
    else if (result.error)
        return result;
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
