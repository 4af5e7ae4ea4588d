/* backpressure.c - a queue with a capacity slows a quick producer down to the consumer's pace.
 *
 * Python twin:
 *     for capacity in (0, 2):
 *         queue = asyncio.Queue(maxsize=capacity)
 *         await asyncio.gather(producer(queue, 5), consumer(queue)) */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;            /* when the transport began */

struct producer { async_queue *queue; long n; };
static async_value producer(void *p)
{
    struct producer *args = p;
    for (long i = 0; i < args->n; i++) {
        await(async_queue_put(args->queue, async_num(i)));
        printf("%.0f s  put %ld, %zu waiting\n", now() - start, i, async_queue_qsize(args->queue));
    }
    await(async_queue_put(args->queue, async_num(-1)));     /* the end marker */
    return async_none;
}

struct consumer { async_queue *queue; };
static async_value consumer(void *p)
{
    struct consumer *args = p;
    for (;;) {
        long item = await(async_queue_get(args->queue)).num;
        if (item < 0)
            break;
        printf("%.0f s  got %ld\n", now() - start, item);
        await(async_sleep(1));
    }
    return async_none;
}

struct transport { long capacity; };
static async_value transport(void *p)
{
    struct transport *args = p;
    async_queue *queue = async_queue_new(args->capacity);
    start = now();
    await(async_gather(NULL, async_coro(producer, queue, 5), async_coro(consumer, queue)));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    printf("No limit:\n");
    await(async_coro(transport, 0));
    printf("Capacity 2:\n");
    await(async_coro(transport, 2));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
