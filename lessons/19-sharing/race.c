/* race.c - read, await, write: what goes wrong in between, and the lock that keeps others out.
 *
 * Python twin:
 *     async with lock:
 *         seen = account.balance
 *         await asyncio.sleep(1)
 *         account.balance = seen - euros */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;            /* when the round began */

struct account { long balance; async_lock *lock; };

/* Looks, asks the bank, which takes a second, and writes down what is left. */
struct take { struct account *account; const char *name; long euros; };
static async_value take(void *p)
{
    struct take *args = p;
    long seen = args->account->balance;
    printf("%.0f s  %s sees %ld\n", now() - start, args->name, seen);
    await(async_sleep(1));
    args->account->balance = seen - args->euros;
    printf("%.0f s  %s took %ld\n", now() - start, args->name, args->euros);
    return async_none;
}

/* The same, but nobody else looks meanwhile. */
struct take_locked { struct account *account; const char *name; long euros; };
static async_value take_locked(void *p)
{
    struct take_locked *args = p;
    await(async_lock_acquire(args->account->lock));
    async_with(async_lock_exit) async_lock *held = args->account->lock;
    await(async_coro(take, args->account, args->name, args->euros));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    printf("Without a lock:\n");
    struct account account = { 100, async_lock_new() };
    start = now();
    await(async_gather(
        NULL, async_create_task_named(async_coro(take, &account, "Ann", 30), "Ann"),
        async_create_task_named(async_coro(take, &account, "Ben", 50), "Ben")));
    printf("%ld euros are left\n", account.balance);

    printf("With a lock:\n");
    account.balance = 100;
    start = now();
    await(async_gather(
        NULL, async_create_task_named(async_coro(take_locked, &account, "Ann", 30), "Ann"),
        async_create_task_named(async_coro(take_locked, &account, "Ben", 50), "Ben")));
    printf("%ld euros are left\n", account.balance);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
