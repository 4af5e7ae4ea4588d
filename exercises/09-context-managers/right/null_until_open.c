/* NULL until it is open, which the exit looks at; errors are raised again by async_leave. */
#include "exercise.h"

static void connection_exit(struct connection **connection)
{
    if (!*connection)
        return;
    async_value closed = async_catch(async_coro(connection_close, *connection));
    if (closed.error)
        async_leave_with(closed);
}

async_value ask_once(void *p)
{
    struct ask_once *args = p;
    async_with(connection_exit) struct connection *connection = NULL;
    connection = await(async_coro(connection_open, args->name, args->down)).ptr;
    async_value rows = await(async_coro(connection_query, connection, args->first));
    if (rows.num)
        rows = await(async_coro(connection_query, connection, args->second));
    return rows;
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
    async_value v = await(async_coro(connection_command, args->connection, "BEGIN"));
    async_with(transaction_exit) struct connection *transaction = args->connection;
    v = async_catch(async_coro(connection_query, transaction, args->balance));
    if (v.error)
        return async_leave(v);
    if (v.num < args->amount)
        return async_leave(async_error(ASYNC_VALUE_ERROR, "not enough money"));
    async_value updated = async_catch(async_coro(connection_query, transaction, args->update));
    return updated.error ? async_leave(updated) : async_num(v.num - args->amount);
}

static void loan_exit(struct connection **connection)
{
    async_value back = async_catch(async_coro(pool_release, *connection));
    if (back.error)
        async_leave_with(back);
}

async_value serve(void *p)
{
    struct serve *args = p;
    async_value got = async_catch(async_wait_for(async_coro(pool_acquire, args->pool),
                                                 args->patience));
    if (got.error)
        return got;
    async_with(loan_exit) struct connection *connection = got.ptr;
    got = await(async_coro(connection_query, connection, args->query));
    return got;
}

int main(void) { return 0; }
