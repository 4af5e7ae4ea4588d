/* database.h - connections to databases, queries, transactions. The same for every kind of database:
 *
 *     sqlite.h       sqlite:PATH, sqlite::memory:      libsqlite3, in a thread of its own
 *     postgres.h     postgresql://user@host/name       libpq, without blocking
 *
 * Include the one you need, or both; it brings this file along.
 *
 *     async_with(async_db_exit) async_db *db = await(async_db_connect("sqlite:shop.db")).ptr;
 *     async_rows *users = await(async_db_fetch(db, "SELECT * FROM users")).ptr;
 *
 * Python twin: asyncpg.connect, conn.fetch, conn.execute, conn.transaction; aiosqlite likewise.
 *
 * A connection does one thing at a time: queries of several tasks on one queue up in order. For
 * several at once take several connections, or a pool (dbpool.h). A query whose task is cancelled is
 * stopped at the database as well, and the connection can be used again, or is closed where the
 * database does not answer. */
#ifndef DATABASE_H
#define DATABASE_H

#include "async.h"
#include "dbrows.h"

/* Errors, after those of Python's DB-API. Besides: ENOSPC (the disk is full), ENOMEM. The message
 * is the database's own, with the place in the SQL where there is one. */
enum async_db_error {
    ASYNC_DB_ERROR = 110001,        /* none of the others */
    ASYNC_DB_PROGRAMMING_ERROR,     /* bad SQL, no such table, wrong number of arguments */
    ASYNC_DB_INTEGRITY_ERROR,       /* UNIQUE, NOT NULL, CHECK, a foreign key */
    ASYNC_DB_DATA_ERROR,            /* a value that does not fit: out of range, not a number, ... */
    ASYNC_DB_BUSY,                  /* locked by others, deadlock: roll back and try again */
    ASYNC_DB_OPERATIONAL_ERROR,     /* no such database or server, server gone, not allowed */
    ASYNC_DB_CLOSED,                /* the connection is closed, or was lost before */
};

typedef struct async_db async_db;

/* asyncpg.connect(url): the value's ptr is the connection. It belongs to the task that awaits this,
 * and is closed with it at the latest. The kind is told by the URL; see sqlite.h and postgres.h. */
async_awaitable async_db_connect(const char *url) ASYNC_MUST_USE;

/* conn.close(): after the queries that are under way. Twice is fine. As async with: async_db_exit
 * closes, or gives the connection back to the pool that it came from. */
async_awaitable async_db_close(async_db *db) ASYNC_MUST_USE;
bool async_db_is_closed(async_db *db);
void async_db_exit(async_db **db);

/* conn.fetch(sql, ...): the value's ptr is an async_rows. The arguments take the places of $1, $2,
 * ... in the SQL: numbers, text, NULL, bool, async_bytes; twelve at most. Text is copied.
 * conn.execute(sql, ...): num is how many rows were changed. Without arguments the SQL may be
 * several statements.
 * conn.fetchval(sql, ...): the first cell of the first row, as num, real or str; NULL if none. */
#define async_db_fetch(db, sql, ...) \
    ASYNC_DB_QUERY(async_db_fetch_list, db, sql __VA_OPT__(,) __VA_ARGS__)
#define async_db_execute(db, sql, ...) \
    ASYNC_DB_QUERY(async_db_execute_list, db, sql __VA_OPT__(,) __VA_ARGS__)
#define async_db_fetchval(db, sql, ...) \
    ASYNC_DB_QUERY(async_db_fetchval_list, db, sql __VA_OPT__(,) __VA_ARGS__)

/* async for row in conn.cursor(sql, ...): rows as they come, a hundred at a time, of a result that may be
 * longer than memory. Within a transaction, which also ends it. Each value's ptr is a const async_row; it
 * and its text last until the next one.
 *     async_with(async_aclose_exit) async_iterator users = async_db_cursor(db, "SELECT * FROM users");
 *     async_for (value, users) {
 *         const async_row *user = value.ptr; */
#define async_db_cursor(db, sql, ...) \
    ASYNC_DB_QUERY(async_db_cursor_list, db, sql __VA_OPT__(,) __VA_ARGS__)

/* The same with a list of any length. */
async_awaitable async_db_fetch_list(async_db *db, const char *sql, const async_cell *arguments,
                                    size_t count) ASYNC_MUST_USE;
async_awaitable async_db_execute_list(async_db *db, const char *sql, const async_cell *arguments,
                                      size_t count) ASYNC_MUST_USE;
async_awaitable async_db_fetchval_list(async_db *db, const char *sql, const async_cell *arguments,
                                       size_t count) ASYNC_MUST_USE;

async_iterator async_db_cursor_list(async_db *db, const char *sql, const async_cell *arguments,
                                    size_t count) ASYNC_MUST_USE;

/* async with conn.transaction(): all of it or nothing. Left without an error it is committed; where
 * an error or a cancellation passes it is rolled back.
 *     async_with(async_transaction_exit) async_transaction *all =
 *         await(async_db_transaction(db)).ptr;
 * In a transaction another one is a part that can be rolled back alone (a savepoint). Whoever uses
 * the connection meanwhile is in the transaction as well: one task, one connection. */
typedef struct async_transaction async_transaction;
async_awaitable async_db_transaction(async_db *db) ASYNC_MUST_USE;
void async_transaction_exit(async_transaction **transaction);

/* Ends it before the end of the block; leaving that then does nothing more. */
async_awaitable async_transaction_commit(async_transaction *transaction) ASYNC_MUST_USE;
async_awaitable async_transaction_rollback(async_transaction *transaction) ASYNC_MUST_USE;

/* "IntegrityError" and the like; of other errors async_error_name. */
const char *async_db_error_name(int error);

#define ASYNC_DB_QUERY(function, db, sql, ...) (async_note(ASYNC_HERE), function(db, sql, \
    (const async_cell[]){ ASYNC_CELLS(__VA_ARGS__) { .kind = ASYNC_CELL_NULL } }, \
    sizeof((async_cell[]){ ASYNC_CELLS(__VA_ARGS__) { .kind = ASYNC_CELL_NULL } }) \
        / sizeof(async_cell) - 1))

#ifndef ASYNC_RUNTIME
#define async_db_connect(...)               ASYNC_AT(async_db_connect, __VA_ARGS__)
#define async_db_close(...)                 ASYNC_AT(async_db_close, __VA_ARGS__)
#define async_db_is_closed(...)             ASYNC_AT(async_db_is_closed, __VA_ARGS__)
#define async_db_transaction(...)           ASYNC_AT(async_db_transaction, __VA_ARGS__)
#define async_transaction_commit(...)       ASYNC_AT(async_transaction_commit, __VA_ARGS__)
#define async_transaction_rollback(...)     ASYNC_AT(async_transaction_rollback, __VA_ARGS__)
#endif

#endif
