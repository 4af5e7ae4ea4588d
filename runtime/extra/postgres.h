/* postgres.h - PostgreSQL for database.h, by libpq's calls that don't block.
 *
 * URLs: postgresql://user:password@host:port/database?option=value, every part optional; what is
 * missing comes from PGUSER, PGHOST and so on, as for psql. A socket in a directory is
 * postgresql:///database?host=/directory.
 *
 * Names of hosts are looked up in a thread. Numbers, bool, text and bytea arrive as such, every
 * other type as text, as psql shows it. Notices are not shown; COPY does not work. */
#ifndef POSTGRES_H
#define POSTGRES_H

#include "async.h"
#include "database.h"
#include "dbpool.h"

/* async_db_connect for this kind of URL, or libpq's "host=... dbname=...". */
async_awaitable async_postgres_connect(const char *url) ASYNC_MUST_USE;

/* async for notify in conn.notifies(), of psycopg: what NOTIFY sends to a channel that this connection
 * has been told to LISTEN to, for ever.
 *     await(async_db_execute(db, "LISTEN news"));
 *     async_for (news, async_postgres_notifies(db)) {
 *         const async_notification *heard = news.ptr;
 * It belongs to the task that hears it (async_free gives it back). While somebody waits for the next one a
 * query on the same connection queues up: let a connection that listens do nothing else. */
typedef struct async_notification {
    const char *channel, *payload;
    int pid;                            /* of the server's process that sent it */
} async_notification;
async_iterator async_postgres_notifies(async_db *db);

#ifndef ASYNC_RUNTIME
#define async_postgres_connect(...)         ASYNC_AT(async_postgres_connect, __VA_ARGS__)
#endif

#endif
