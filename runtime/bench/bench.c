/* bench.c - what an operation costs, in CPU nanoseconds; the median of five runs.
 *
 * Compare figures of one run with each other, and instruction counts across machines:
 *   valgrind --tool=callgrind build/runtime/bench/bench yield */
#include "async.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 5

struct bench {
    const char *name;
    async_fn *fn;
    long count;                     /* operations in one run */
};

static double warm;                 /* when what counts began */

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

struct yielder { long turns; };
static async_value yielder(void *p)
{
    struct yielder *args = p;
    for (long i = 0; i < args->turns; i++)
        await(async_sleep(0));
    return async_none;
}

static async_value many_yield(long tasks, long turns)
{
    async_awaitable *all = malloc(tasks * sizeof *all);
    for (long i = 0; i < tasks; i++)
        all[i] = async_create_task(async_coro(yielder, turns));
    async_value v = async_catch(async_gather_list(NULL, all, tasks, false));
    free(all);
    return v;
}

static async_value yield_2(void *p) { return many_yield(2, *(long *)p / 2); }
static async_value yield_1000(void *p) { return many_yield(1000, *(long *)p / 1000); }

static async_value nothing(void *p) { return async_ptr(p); }

static async_value create_and_await(void *p)
{
    for (long i = *(long *)p; i > 0; i--)
        await(async_create_task(async_coro(nothing)));
    return async_none;
}

static async_value call_coroutine(void *p)
{
    for (long i = *(long *)p; i > 0; i--)
        await(async_coro(nothing));
    return async_none;
}

/* Twice, and the second time counts: the first one pays for fresh stacks, a page fault each. */
static async_value gather_100k(void *p)
{
    long count = *(long *)p;
    async_awaitable *all = malloc(count * sizeof *all);
    for (int turn = 0; turn < 2; turn++) {
        warm = cpu();
        for (long i = 0; i < count; i++)
            all[i] = async_coro(yielder, 1);
        await(async_gather_list(NULL, all, count, false));
    }
    free(all);
    return async_none;
}

struct produce { async_queue *queue; long count; };
static async_value produce(void *p)
{
    struct produce *args = p;
    for (long i = 0; i < args->count; i++)
        await(async_queue_put(args->queue, async_num(i)));
    return async_none;
}

struct consume { async_queue *queue; long count; };
static async_value consume(void *p)
{
    struct consume *args = p;
    for (long i = 0; i < args->count; i++)
        await(async_queue_get(args->queue));
    return async_none;
}

static async_value pass_items(long capacity, long count)
{
    async_queue *queue = async_queue_new(capacity);
    await(async_gather(NULL, async_coro(produce, queue, count), async_coro(consume, queue, count)));
    return async_none;
}
static async_value queue_1(void *p) { return pass_items(1, *(long *)p); }
static async_value queue_1000(void *p) { return pass_items(1000, *(long *)p); }

static async_value cancel_sleeper(void *p)
{
    for (long i = *(long *)p; i > 0; i--) {
        async_task task = async_create_task(async_sleep(1000));
        await(async_sleep(0));
        async_cancel(task);
        async_catch(task);
    }
    return async_none;
}

static const struct bench benches[] = {
    { "yield, 2 tasks", yield_2, 5000000 },
    { "yield, 1000 tasks", yield_1000, 5000000 },
    { "await a coroutine", call_coroutine, 5000000 },
    { "create_task + await", create_and_await, 2000000 },
    { "gather of 100k warm tasks, per task", gather_100k, 100000 },
    { "queue item, capacity 1", queue_1, 2000000 },
    { "queue item, capacity 1000", queue_1000, 2000000 },
    { "cancel + await a sleeper", cancel_sleeper, 500000 },
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    for (size_t b = 0; b < sizeof benches / sizeof benches[0]; b++) {
        double ns[RUNS];
        if (argc > 1 && !strstr(benches[b].name, argv[1]))
            continue;
        for (int run = 0; run < RUNS; run++) {
            long count = benches[b].count;
            warm = cpu();
            async_call call = { benches[b].fn, benches[b].name, &count, sizeof count };
            if (async_run(async_coro_new(call)).error)
                return 1;
            ns[run] = (cpu() - warm) / count;
        }
        qsort(ns, RUNS, sizeof *ns, by_size);
        printf("%-36s %8.1f ns  (%.1f to %.1f)\n", benches[b].name, ns[RUNS / 2], ns[0],
               ns[RUNS - 1]);
    }
    return 0;
}
