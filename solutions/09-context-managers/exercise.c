/* A pool of connections: what is opened, begun or borrowed names its exit in the same line.
 *
 * Python twin of part 2's exit:
 *     async def __aexit__(self, error_type, error, traceback):
 *         await self.command("ROLLBACK" if error else "COMMIT") */
#include "exercise.h"

static void connection_exit(struct connection **connection)
{
    async_value closed = async_catch(async_coro(connection_close, *connection));
    if (closed.error)
        async_leave_with(closed);
}

async_value ask_once(void *p)
{
    struct ask_once *args = p;
    async_with(connection_exit) struct connection *connection =
        await(async_coro(connection_open, args->name, args->down)).ptr;
    if (await(async_coro(connection_query, connection, args->first)).num == 0)
        return async_num(0);
    return await(async_coro(connection_query, connection, args->second));
}

static void transaction_exit(struct connection **connection)
{
    bool well = !async_leaving().error;
    async_value ended = async_catch(async_coro(connection_command, *connection,
                                               well ? "COMMIT" : "ROLLBACK"));
    if (ended.error && well)                /* else the first error is the one to hear of */
        async_leave_with(ended);
}

async_value transfer(void *p)
{
    struct transfer *args = p;
    await(async_coro(connection_command, args->connection, "BEGIN"));
    async_with(transaction_exit) struct connection *transaction = args->connection;
    long balance = await(async_coro(connection_query, transaction, args->balance)).num;
    if (balance < args->amount)
        async_raise(ASYNC_VALUE_ERROR, "not enough money");
    await(async_coro(connection_query, transaction, args->update));
    return async_num(balance - args->amount);
}

static void loan_exit(struct connection **connection)
{
    async_value back = async_catch(async_coro(pool_release, *connection));
    if (back.error == ASYNC_CANCELLED)      /* in the middle of it: nobody else will give it back */
        async_catch(async_coro(pool_release, *connection));
    if (back.error)
        async_leave_with(back);
}

async_value serve(void *p)
{
    struct serve *args = p;
    async_with(loan_exit) struct connection *connection =
        await(async_wait_for(async_coro(pool_acquire, args->pool), args->patience)).ptr;
    return await(async_coro(connection_query, connection, args->query));
}

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
