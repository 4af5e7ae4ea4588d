/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"

#define MOST_REQUESTS 8

static struct query query(int i)        /* WHAT SECONDS ROWS FAILS, from word i on */
{
    return (struct query){ stage_word(i), stage_real(i + 1), stage_integer(i + 2),
                           stage_integer(i + 3) };
}

/* Runs it in a task, and cancels that after some time; 0: not at all. */
struct caller { async_coroutine what; double after; };
static async_value caller(void *p)
{
    struct caller *args = p;
    async_task task = async_create_task(args->what);
    if (args->after > 0) {
        await(async_sleep(args->after));
        async_cancel(task);
    }
    return async_catch(task);
}

/* ask_once CANCELLED-AT NAME DOWN QUERY QUERY */
static void run_ask_once(void)
{
    async_coroutine what = async_coro(ask_once, stage_word(2), stage_integer(3), query(4),
                                      query(8));
    stage_number("ask_once", stage_run(async_coro(caller, what, stage_real(1))));
}

/* transfer CANCELLED-AT NAME REFUSES AMOUNT QUERY QUERY */
static void run_transfer(void)
{
    struct connection c = { stage_word(2), true, stage_word(3), NULL, false };
    async_coroutine what = async_coro(transfer, &c, query(5), query(9), stage_integer(4));
    stage_number("transfer", stage_run(async_coro(caller, what, stage_real(1))));
}

/* serve SIZE, then PATIENCE CANCELLED-AT QUERY for each request. All begin together. */
struct pool_of { size_t size; };
static async_value pool_of(void *p)
{
    static const char *const names[] = { "first", "second", "third", "fourth" };
    struct pool pool = { .size = ((struct pool_of *)p)->size };
    pool.free = async_semaphore_new(pool.size);
    for (size_t i = 0; i < pool.size && i < MOST_CONNECTIONS; i++)
        pool.connections[i] = (struct connection){ names[i], true, NULL, &pool, false };
    async_task tasks[MOST_REQUESTS];
    int count = (stage_words() - 2) / 6;
    for (int i = 0; i < count && i < MOST_REQUESTS; i++) {
        async_coroutine what = async_coro(serve, &pool, query(4 + 6 * i), stage_real(2 + 6 * i));
        tasks[i] = async_create_task(async_coro(caller, what, stage_real(3 + 6 * i)));
    }
    for (int i = 0; i < count && i < MOST_REQUESTS; i++) {
        async_value got = async_catch(tasks[i]);
        char name[] = "serve-0";
        name[6] += i;
        stage_number(name, got);
    }
    size_t back = 0;
    for (size_t i = 0; i < pool.size; i++)
        back += !pool.connections[i].lent;
    stage_number("back", async_num(back));
    return async_none;
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("ask_once"))
        run_ask_once();
    if (stage_part("transfer"))
        run_transfer();
    if (stage_part("serve"))
        stage_outcome("pool", stage_run(async_coro(pool_of, stage_integer(1))));
    return stage_close();
}
