/* Without async_with: all errors are looked at, and it is tidied up in one place.
 *
 * answer: right
 * points: 2/2 3/3 3/3
 */
#include "exercise.h"

static async_value ask_both(void *p)
{
    struct connection_query *q = p;
    struct query *second = &q[1].query;
    async_value rows = await(async_coro(connection_query, q->connection, q->query));
    if (rows.num == 0)
        return rows;
    return await(async_coro(connection_query, q->connection, *second));
}
struct ask_both { struct connection_query first, second; };

async_value ask_once(void *p)
{
    struct ask_once *args = p;
    struct connection *connection =
        await(async_coro(connection_open, args->name, args->down)).ptr;
    async_value rows = async_catch(async_coro(ask_both, { connection, args->first },
                                              { connection, args->second }));
    async_value closed = async_catch(async_coro(connection_close, connection));
    return closed.error ? closed : rows;
}



async_value transfer(void *p)
{
    struct transfer *args = p;
    struct connection *c = args->connection;
    await(async_coro(connection_command, c, "BEGIN"));
    async_value v = async_catch(async_coro(connection_query, c, args->balance));
    if (!v.error && v.num < args->amount)
        v = async_error(ASYNC_VALUE_ERROR, "not enough money");
    if (!v.error) {
        long balance = v.num;
        v = async_catch(async_coro(connection_query, c, args->update));
        v = v.error ? v : async_num(balance - args->amount);
    }
    async_value ended = async_catch(async_coro(connection_command, c,
                                               v.error ? "ROLLBACK" : "COMMIT"));
    return v.error || !ended.error ? v : ended;
}

async_value serve(void *p)
{
    struct serve *args = p;
    struct connection *connection =
        await(async_wait_for(async_coro(pool_acquire, args->pool), args->patience)).ptr;
    async_value rows = async_catch(async_coro(connection_query, connection, args->query));
    async_value back = async_catch(async_coro(pool_release, connection));
    if (back.error == ASYNC_CANCELLED)
        async_catch(async_coro(pool_release, connection));
    return back.error ? back : rows;
}

int main(void) { return 0; }
