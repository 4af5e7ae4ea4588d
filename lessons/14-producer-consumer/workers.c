/* workers.c - three workers share one queue; join tells when all the work is done.
 *
 * Python twin:
 *     workers = [asyncio.create_task(worker(name, queue), name=name) for name in ("Ann", "Ben", "Cem")]
 *     await queue.join()
 *     for task in workers:
 *         task.cancel()
 *     await asyncio.gather(*workers, return_exceptions=True) */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

struct order { const char *dish; double minutes; };    /* a minute is a second here */
static struct order menu[] = { { "soup", 3 },  { "pasta", 2 }, { "rice", 1 },
                               { "salad", 1 }, { "pizza", 2 }, { "tea", 1 } };

struct worker { const char *name; async_queue *orders; };
static async_value worker(void *p)
{
    struct worker *args = p;
    for (;;) {
        struct order *order = await(async_queue_get(args->orders)).ptr;
        await(async_sleep(order->minutes));
        printf("%s: %s is ready\n", args->name, order->dish);
        async_queue_task_done(args->orders);
    }
}

static async_value main_coroutine(void *p)
{
    (void)p;
    const char *names[] = { "Ann", "Ben", "Cem" };
    async_task workers[3];
    double start = now();

    async_queue *orders = async_queue_new(0);
    for (int i = 0; i < 6; i++)
        await(async_queue_put(orders, async_ptr(&menu[i])));
    for (int i = 0; i < 3; i++)
        workers[i] = async_create_task_named(async_coro(worker, names[i], orders), names[i]);

    await(async_queue_join(orders));
    printf("6 orders took %.0f s\n", now() - start);

    for (int i = 0; i < 3; i++)
        async_cancel(workers[i]);
    await(async_gather_list(NULL, workers, 3, true));
    printf("Everybody went home\n");
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
