/* dbpool.h - a number of connections that tasks borrow and give back: asyncpg.create_pool.
 *
 *     async_with(async_pool_exit) async_pool *pool = await(async_create_pool(url, 5)).ptr;
 *     {
 *         async_with(async_db_exit) async_db *db = await(async_pool_acquire(pool)).ptr;
 *         await(async_db_execute(db, ...));
 *     }
 *
 * Connections are opened when somebody needs one, up to the size of the pool. One that broke while
 * it was idle (the server was restarted) is replaced without a word. */
#ifndef DBPOOL_H
#define DBPOOL_H

#include "async.h"
#include "database.h"

typedef struct async_pool async_pool;

/* asyncpg.create_pool(url, max_size=size): opens the first connection, so that a wrong URL is an
 * error here. The value's ptr is the pool, which belongs to the task that awaits this. */
async_awaitable async_create_pool(const char *url, size_t size) ASYNC_MUST_USE;

/* pool.acquire(): waits for a connection, first come first served. Give it back with async_db_exit,
 * even if it broke or you have closed it: only that frees its place. A transaction that somebody left
 * open is rolled back then. */
async_awaitable async_pool_acquire(async_pool *pool) ASYNC_MUST_USE;

size_t async_pool_get_size(async_pool *pool);           /* connections that are open */
size_t async_pool_get_idle_size(async_pool *pool);      /* and nobody has borrowed */

/* pool.close(): nobody gets one any more; waits until all were given back, and closes them. */
async_awaitable async_pool_close(async_pool *pool) ASYNC_MUST_USE;
void async_pool_exit(async_pool **pool);

#ifndef ASYNC_RUNTIME
#define async_create_pool(...)              ASYNC_AT(async_create_pool, __VA_ARGS__)
#define async_pool_acquire(...)             ASYNC_AT(async_pool_acquire, __VA_ARGS__)
#define async_pool_get_size(...)            ASYNC_AT(async_pool_get_size, __VA_ARGS__)
#define async_pool_get_idle_size(...)       ASYNC_AT(async_pool_get_idle_size, __VA_ARGS__)
#define async_pool_close(...)               ASYNC_AT(async_pool_close, __VA_ARGS__)
#endif

#endif
