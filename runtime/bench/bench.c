/* bench.c - what an operation costs us. bench.sh runs this and its peers, which know the same workloads:
 *
 *   bench WORKLOAD N OPS     prints the CPU nanoseconds of one of OPS operations (park: bytes a task)
 *
 *   yield      N tasks give up their turn        create     create a task and await it
 *   gather     N at once, each yields once       call       await a coroutine
 *   sleepers   N at once sleep for 1 ms          queue      an item through a queue of capacity N
 *   cancel     cancel a sleeper and await it     park       memory of each of N tasks that wait
 *   echo       a server; N and OPS mean nothing: see echo.c */
#include "async.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct workload { long n, ops; };

static double began, took = -1;     /* took: what a workload measured itself */

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

static async_value yields(void *p)
{
    struct workload *w = p;
    async_awaitable *all = malloc(w->n * sizeof *all);
    for (long i = 0; i < w->n; i++)
        all[i] = async_coro(yielder, w->ops / w->n);
    async_value v = async_catch(async_gather_list(NULL, all, w->n, false));
    free(all);
    return v;
}

static async_value nothing(void *p) { return async_ptr(p); }

static async_value create(void *p)
{
    for (long i = ((struct workload *)p)->ops; i > 0; i--)
        await(async_create_task(async_coro(nothing)));
    return async_none;
}

static async_value call(void *p)
{
    for (long i = ((struct workload *)p)->ops; i > 0; i--)
        await(async_coro(nothing));
    return async_none;
}

/* All but the first round count, which pays for fresh stacks; unless there is only one. */
static async_value rounds(struct workload *w, async_coroutine (*make)(void))
{
    async_awaitable *all = malloc(w->n * sizeof *all);
    long most = w->ops > w->n ? w->ops / w->n : 1;
    for (long round = -(most > 1); round < most; round++) {
        if (round == 0)
            began = cpu();
        for (long i = 0; i < w->n; i++)
            all[i] = make();
        await(async_gather_list(NULL, all, w->n, false));
    }
    took = (cpu() - began) / (most * w->n);
    free(all);
    return async_none;
}

static async_coroutine make_yielder(void) { return async_coro(yielder, 1); }
static async_coroutine make_sleeper(void) { return async_sleep(0.001); }
static async_value gather(void *p) { return rounds(p, make_yielder); }
static async_value sleepers(void *p) { return rounds(p, make_sleeper); }

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

static async_value queue(void *p)
{
    struct workload *w = p;
    async_queue *items = async_queue_new(w->n);
    await(async_gather(NULL, async_coro(produce, items, w->ops), async_coro(consume, items, w->ops)));
    return async_none;
}

static async_value cancel(void *p)
{
    for (long i = ((struct workload *)p)->ops; i > 0; i--) {
        async_task task = async_create_task(async_sleep(1000));
        await(async_sleep(0));
        async_cancel(task);
        async_catch(task);
    }
    return async_none;
}

/* Pages of the process, and the tables in which the processor looks them up, in bytes. */
static long memory(void)
{
    char line[200];
    long kib, sum = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1 || sscanf(line, "VmPTE: %ld", &kib) == 1)
            sum += kib;
    if (file)
        fclose(file);
    return sum * 1024;
}

static async_value park(void *p)
{
    long n = ((struct workload *)p)->n, before = memory();
    for (long i = 0; i < n; i++)
        async_detach(async_create_task(async_sleep(1000)));
    await(async_sleep(0));
    await(async_sleep(0));
    printf("%.0f\n", (double)(memory() - before) / n);
    fflush(stdout);
    _exit(0);                       /* to end so many takes its time, and is not what we ask */
}

static async_value serve(async_stream *stream, void *arg)
{
    size_t length;
    for (;;) {
        async_value v = await(async_stream_read(stream, 4096, &length));
        if (!length)
            return async_ptr(arg);
        async_value written = async_stream_write(stream, v.str, length);
        if (written.error)
            return written;
        await(async_stream_drain(stream));
    }
}

static async_value echo(void *p)
{
    async_server *server = await(async_start_server(serve, p, "127.0.0.1", 0)).ptr;
    printf("%d\n", async_server_port(server));
    fflush(stdout);
    await(async_create_future());
    return async_none;
}

static const struct {
    const char *name;
    async_fn *fn;
} workloads[] = {
    { "yield", yields }, { "create", create }, { "call", call }, { "gather", gather },
    { "sleepers", sleepers }, { "queue", queue }, { "cancel", cancel }, { "park", park },
    { "echo", echo },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 4 && i < sizeof workloads / sizeof workloads[0]; i++) {
        struct workload w = { atol(argv[2]), atol(argv[3]) };
        if (strcmp(workloads[i].name, argv[1]))
            continue;
        began = cpu();
        async_call call = { workloads[i].fn, argv[1], &w, sizeof w };
        async_value v = async_run(async_coro_new(call));
        if (v.error) {
            fprintf(stderr, "%s: %s\n", argv[1], v.message);
            return 1;
        }
        printf("%.2f\n", took >= 0 ? took : (cpu() - began) / w.ops);
        return 0;
    }
    fprintf(stderr, "usage: %s WORKLOAD N OPS\n", argv[0]);
    return 2;
}
