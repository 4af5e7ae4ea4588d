/* It waits for a connection as long as it takes.
 *
 * answer: wrong
 * points: 2/2 3/3 0/3
 * says: a wait with a limit
 */
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
    if (back.error == ASYNC_CANCELLED)
        async_catch(async_coro(pool_release, *connection));
    if (back.error)
        async_leave_with(back);
}

async_value serve(void *p)
{
    struct serve *args = p;
    async_with(loan_exit) struct connection *connection =
        await(async_coro(pool_acquire, args->pool)).ptr;
    return await(async_coro(connection_query, connection, args->query));
}

int main(void) { return 0; }
