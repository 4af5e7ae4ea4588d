/* fetch_users.c - connect, ask, close, with a real database: SQLite, or PostgreSQL by DATABASE_URL.
 *
 * Python twin:
 *     async def fetch_users():
 *         conn = await asyncpg.connect(...)
 *         try:
 *             return [dict(row) for row in await conn.fetch("SELECT * FROM users")]
 *         finally:
 *             await conn.close() */
#include "async.h"
#include "postgres.h"
#include "sqlite.h"
#include <stdio.h>
#include <stdlib.h>

/* As users.sql, for a database that is made here and now. */
static const char users_sql[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, age INTEGER);"
    "INSERT INTO users VALUES (1, 'Ada', 'ada@example.org', 36),"
    "                         (2, 'Grace', 'grace@example.org', 85),"
    "                         (3, 'Linus', NULL, 21);";

struct fetch_users { const char *url; };
static async_value fetch_users(void *p)
{
    struct fetch_users *args = p;
    async_with(async_db_exit) async_db *db =
        await(async_db_connect(args->url ? args->url : "sqlite::memory:")).ptr;
    if (!args->url)                 /* nobody has put anything into it yet */
        await(async_db_execute(db, users_sql));
    return await(async_db_fetch(db, "SELECT * FROM users"));
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_rows *users = await(async_coro(fetch_users, getenv("DATABASE_URL"))).ptr;
    async_each_row(user, users)
        printf("%s\n", async_row_repr(user));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
