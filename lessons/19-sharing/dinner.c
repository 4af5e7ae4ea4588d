/* dinner.c - an event opens the kitchen, a condition tells of eggs, a barrier seats everybody.
 *
 * Python twin:
 *     await kitchen.open.wait()
 *     async with kitchen.delivered:
 *         await kitchen.delivered.wait_for(lambda: kitchen.eggs >= needs)
 *         kitchen.eggs -= needs
 *     await asyncio.sleep(1)
 *     await kitchen.table.wait() */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;

struct kitchen {
    async_event *open;
    async_condition *delivered; /* there are more eggs */
    long eggs;
    async_barrier *table;       /* for three */
};

struct cook { struct kitchen *kitchen; const char *name; long needs; };

static bool enough(void *p)
{
    struct cook *args = p;
    return args->kitchen->eggs >= args->needs;
}

struct take_eggs { struct cook *cook; };
static async_value take_eggs(void *p)
{
    struct cook *cook = ((struct take_eggs *)p)->cook;
    await(async_condition_acquire(cook->kitchen->delivered));
    async_with(async_condition_exit) async_condition *held = cook->kitchen->delivered;
    await(async_condition_wait_for(held, enough, cook));
    cook->kitchen->eggs -= cook->needs;
    printf("%.0f s  %s took %ld, %ld left\n", now() - start, cook->name, cook->needs,
           cook->kitchen->eggs);
    return async_none;
}

static async_value cook(void *p)
{
    struct cook *args = p;
    await(async_event_wait(args->kitchen->open));
    await(async_coro(take_eggs, args));
    await(async_sleep(1));
    printf("%.0f s  %s is ready\n", now() - start, args->name);
    await(async_barrier_wait(args->kitchen->table));
    printf("%.0f s  %s eats\n", now() - start, args->name);
    return async_none;
}

struct deliver { struct kitchen *kitchen; long eggs; };
static async_value deliver(void *p)
{
    struct deliver *args = p;
    await(async_condition_acquire(args->kitchen->delivered));
    async_with(async_condition_exit) async_condition *held = args->kitchen->delivered;
    args->kitchen->eggs += args->eggs;
    printf("%.0f s  %ld eggs come\n", now() - start, args->eggs);
    async_condition_notify_all(held);
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    struct kitchen kitchen = { async_event_new(), async_condition_new(NULL), 0,
                               async_barrier_new(3) };
    start = now();
    async_future dinner = async_gather(
        NULL, async_create_task_named(async_coro(cook, &kitchen, "Ann", 6), "Ann"),
        async_create_task_named(async_coro(cook, &kitchen, "Ben", 2), "Ben"),
        async_create_task_named(async_coro(cook, &kitchen, "Cem", 1), "Cem"));

    await(async_sleep(1));
    printf("%.0f s  the kitchen opens\n", now() - start);
    async_event_set(kitchen.open);
    await(async_sleep(1));
    await(async_coro(deliver, &kitchen, 4));
    await(async_sleep(2));
    await(async_coro(deliver, &kitchen, 5));
    await(dinner);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
