/* close_always.c - two things are opened; on every way out they are closed, the later one first.
 *
 * Python twin:
 *     async def pay(amount):
 *         async with Resource("connection"), Resource("transaction"):
 *             await asyncio.sleep(1)
 *             if amount > 100: raise ValueError("not enough money")
 *             return "paid" */
#include "async.h"
#include <stdio.h>

struct resource { const char *name; };

struct resource_open { const char *name; };
static async_value resource_open(void *p)
{
    struct resource_open *args = p;
    await(async_sleep(0.5));
    printf("  open the %s\n", args->name);
    struct resource *resource = async_alloc(sizeof *resource);
    if (!resource)
        async_raise(ENOMEM, "no memory for a resource");
    resource->name = args->name;
    return async_ptr(resource);
}

struct resource_close { struct resource *resource; int error; };
static async_value resource_close(void *p)
{
    struct resource_close *args = p;
    await(async_sleep(0.5));
    printf("  close the %s (%s)\n", args->resource->name,
           args->error ? async_error_name(args->error) : "no error");
    return async_none;
}

static void resource_exit(struct resource **resource)
{
    int error = async_leaving().error;
    async_value closed = async_catch(async_coro(resource_close, *resource, error));
    if (closed.error)
        async_leave_with(closed);
}

struct pay { int amount; };
static async_value pay(void *p)
{
    struct pay *args = p;
    async_with(resource_exit) struct resource *connection =
        await(async_coro(resource_open, "connection")).ptr;
    async_with(resource_exit) struct resource *transaction =
        await(async_coro(resource_open, "transaction")).ptr;
    await(async_sleep(1));
    if (args->amount > 100)
        async_raise(ASYNC_VALUE_ERROR, "not enough money");
    return async_str("paid");
}

struct report { async_awaitable payment; };
static async_value report(void *p)
{
    struct report *args = p;
    async_value outcome = async_catch(args->payment);
    if (outcome.error == ASYNC_CANCELLED)
        return outcome;             /* somebody wants us to end, too */
    printf("%s\n", outcome.error ? async_error_name(outcome.error) : outcome.str);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    printf("Pay 30:\n");
    await(async_coro(report, async_coro(pay, 30)));
    printf("Pay 500:\n");
    await(async_coro(report, async_coro(pay, 500)));
    printf("Pay 30, within 1.8 s:\n");
    await(async_coro(report, async_wait_for(async_coro(pay, 30), 1.8)));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
