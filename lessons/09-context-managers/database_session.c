/* database_session.c - connect, ask, close: the closing is written down once, at the opening.
 *
 * Python twin:
 *     async with Database() as db:            # __aenter__ connects, __aexit__ closes
 *         print(await db.query("SELECT * FROM users")) */
#include "async.h"
#include <stdio.h>

struct database { bool connected; };

static async_value database_connect(void *p)
{
    (void)p;
    printf("Connecting to database...\n");
    await(async_sleep(1));
    printf("Connected!\n");
    struct database *db = async_alloc(sizeof *db);
    if (!db)
        async_raise(ENOMEM, "no memory for a connection");
    db->connected = true;
    return async_ptr(db);
}

struct database_query { struct database *db; const char *sql; };
static async_value database_query(void *p)
{
    struct database_query *args = p;
    if (!args->db->connected)
        async_raise(ENOTCONN, "the connection is closed");
    await(async_sleep(0.5));
    return async_text("Results for: %s", args->sql);
}

struct database_close { struct database *db; };
static async_value database_close(void *p)
{
    struct database_close *args = p;
    printf("Closing database connection...\n");
    args->db->connected = false;
    await(async_sleep(0.5));
    printf("Closed!\n");
    return async_none;
}

static void database_exit(struct database **db)
{
    async_value closed = async_catch(async_coro(database_close, *db));
    if (closed.error)
        async_leave_with(closed);
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_with(database_exit) struct database *db = await(async_coro(database_connect)).ptr;
    async_value result = await(async_coro(database_query, db, "SELECT * FROM users"));
    printf("%s\n", result.str);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
