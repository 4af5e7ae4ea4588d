/* sqlite.h - SQLite for database.h: a database in a file, and no server.
 *
 * URLs: sqlite:PATH (made if it is not there), sqlite::memory: (gone when it is closed; each
 * connection has one of its own), sqlite:file:/NAME?vfs=memdb (likewise, but one for all connections of the
 * program to this name), and what else SQLite knows as a URI.
 *
 * libsqlite3 has only calls that block. So each connection has a thread that makes them, as in
 * Python's aiosqlite, and nobody else touches it. A table that somebody else has locked is waited
 * for, 5 seconds at most. Foreign keys are checked, as they are everywhere else. For trying things
 * out there is PostgreSQL's pg_sleep(seconds). */
#ifndef SQLITE_H
#define SQLITE_H

#include "async.h"
#include "database.h"
#include "dbpool.h"

/* async_db_connect of "sqlite:" and this path. */
async_awaitable async_sqlite_connect(const char *path) ASYNC_MUST_USE;

#ifndef ASYNC_RUNTIME
#define async_sqlite_connect(...)           ASYNC_AT(async_sqlite_connect, __VA_ARGS__)
#endif

#endif
