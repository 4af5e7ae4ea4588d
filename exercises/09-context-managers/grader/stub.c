/* A pool of connections. README.md has the task; `make grade-9` looks at it. The database is in
 * exercise.h: connection_open, connection_query, ... */
#include "exercise.h"

/* Part 1: a connection that is closed on every way out. */
static void connection_exit(struct connection **connection)
{
    /* TODO: close *connection, and wait until it is closed. */
    (void)connection;
}

async_value ask_once(void *p)
{
    struct ask_once *args = p;
    /* TODO: open a connection, with args->name and args->down; ask args->first; if that gives no
     * rows return 0, else ask args->second and return its rows. Whatever happens, the connection is
     * closed when we return. */
    (void)args;
    (void)connection_exit;
    return async_none;
}

/* Part 2: all or nothing. */
static void transaction_exit(struct connection **connection)
{
    /* TODO: "COMMIT" if the block went well, "ROLLBACK" if it is left by an error. What if the
     * COMMIT is refused? */
    (void)connection;
}

async_value transfer(void *p)
{
    struct transfer *args = p;
    /* TODO: "BEGIN"; ask args->balance; if it is less than args->amount raise ASYNC_VALUE_ERROR
     * with "not enough money"; ask args->update; return the balance less the amount. */
    (void)args;
    (void)transaction_exit;
    return async_none;
}

/* Part 3: a connection on loan. */
async_value serve(void *p)
{
    struct serve *args = p;
    /* TODO: acquire a connection of args->pool, but wait no longer than args->patience for it: then
     * end with ASYNC_TIMEOUT. Ask args->query, however long that takes, and return its rows.
     * Whatever happens, the connection is back in the pool when we return. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-9. The grader uses a main of its own. */
static void say(const char *what, async_value v)
{
    if (v.error)
        printf("%s: %s (%s)\n", what, async_error_name(v.error), v.message ? v.message : "");
    else
        printf("%s: %ld\n", what, v.num);
}

static async_value try_it(void *p)
{
    (void)p;
    struct query users = { "users", 0.5, 3, false }, typo = { "usres", 0.5, 0, true };
    say("ask_once", async_catch(async_coro(ask_once, "a", false, users, users)));
    say("ask_once", async_catch(async_coro(ask_once, "b", false, users, typo)));

    struct connection c = { "c", true, NULL, NULL, false };
    struct query balance = { "balance", 0.2, 100, false }, update = { "update", 0.2, 1, false };
    say("transfer", async_catch(async_coro(transfer, &c, balance, update, 30)));
    say("transfer", async_catch(async_coro(transfer, &c, balance, update, 300)));

    struct pool pool = { .size = 1, .free = async_semaphore_new(1) };
    pool.connections[0] = (struct connection){ "d", true, NULL, &pool, false };
    async_value rows[3];
    await(async_gather_exceptions(rows, async_coro(serve, &pool, typo, 1),
                                  async_coro(serve, &pool, users, 1),
                                  async_coro(serve, &pool, users, 1)));
    for (int i = 0; i < 3; i++)
        say("serve", rows[i]);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
