/* two_locks.c - who needs two locks takes them in an order that is the same for everybody.
 *
 * Python twin:
 *     first, second = sorted((source, target), key=lambda account: account.number)
 *     async with first.lock:
 *         await asyncio.sleep(1)
 *         async with second.lock:
 *             source.balance -= euros
 *             target.balance += euros */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;

struct account { int number; long balance; async_lock *lock; };

struct move { struct account *from, *to; long euros; };
static async_value move(void *p)
{
    struct move *args = p;
    bool upwards = args->from->number < args->to->number;
    struct account *first = upwards ? args->from : args->to;
    struct account *second = upwards ? args->to : args->from;

    await(async_lock_acquire(first->lock));
    async_with(async_lock_exit) async_lock *held_first = first->lock;
    await(async_sleep(1));      /* the bank looks the first one up */
    await(async_lock_acquire(second->lock));
    async_with(async_lock_exit) async_lock *held_second = second->lock;

    args->from->balance -= args->euros;
    args->to->balance += args->euros;
    printf("%.0f s  %ld euros from account %d to %d\n", now() - start, args->euros,
           args->from->number, args->to->number);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    struct account rent = { 1, 100, async_lock_new() };
    struct account food = { 2, 100, async_lock_new() };
    start = now();
    await(async_gather(NULL,
                       async_create_task_named(async_coro(move, &rent, &food, 30), "to food"),
                       async_create_task_named(async_coro(move, &food, &rent, 50), "to rent")));
    printf("rent: %ld, food: %ld\n", rent.balance, food.balance);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
