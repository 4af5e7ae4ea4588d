/* producer_consumer.c - two tasks that know only the queue between them.
 *
 * Python twin:
 *     queue = asyncio.Queue()
 *     await asyncio.gather(producer(queue, 5), consumer(queue))
 *
 * The pauses are random, but the same in every run; a number as argument is another seed. */
#include "async.h"
#include <stdio.h>
#include <stdlib.h>

struct producer { async_queue *queue; int n; };
static async_value producer(void *p)
{
    struct producer *args = p;
    for (int i = 0; i < args->n; i++) {
        const char *item = async_strf("item-%d", i);
        await(async_queue_put(args->queue, async_str(item)));
        printf("Produced: %s\n", item);
        await(async_sleep(drand48()));
    }
    await(async_queue_put(args->queue, async_none));        /* the end marker */
    return async_none;
}

struct consumer { async_queue *queue; };
static async_value consumer(void *p)
{
    struct consumer *args = p;
    for (;;) {
        async_value item = await(async_queue_get(args->queue));
        if (!item.str)
            break;
        printf("Consumed: %s\n", item.str);
        await(async_sleep(drand48()));
    }
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_queue *queue = async_queue_new(0);        /* 0: as long as it gets */
    await(async_gather(NULL, async_coro(producer, queue, 5), async_coro(consumer, queue)));
    return async_none;
}

int main(int argc, char **argv)
{
    srand48(argc > 1 ? atol(argv[1]) : 42);
    return async_main(async_coro(main_coroutine));
}
