/* slow_queries.c - ten slow queries, one after the other and all at once.
 *
 * Python twin:
 *     async def slow_query(pool):
 *         async with pool.acquire() as db:
 *             await db.fetch("SELECT pg_sleep(0.2)")
 *     async with asyncpg.create_pool(url, max_size=10) as pool:
 *         await asyncio.gather(*[slow_query(pool) for _ in range(10)]) */
#include "async.h"
#include "postgres.h"
#include "sqlite.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QUERIES 10
#define SECONDS 0.3

/* The real time: the database has no virtual clock. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

struct slow_query { async_pool *pool; };
static async_value slow_query(void *p)
{
    struct slow_query *args = p;
    async_with(async_db_exit) async_db *db = await(async_pool_acquire(args->pool)).ptr;
    return await(async_db_execute(db, "SELECT pg_sleep($1)", SECONDS));
}

struct measure { const char *url; size_t size; };
static async_value measure(void *p)
{
    struct measure *args = p;
    async_awaitable queries[QUERIES];
    async_with(async_pool_exit) async_pool *pool =
        await(async_create_pool(args->url, args->size)).ptr;
    for (int i = 0; i < QUERIES; i++)
        queries[i] = async_coro(slow_query, pool);
    double start = now();
    await(async_gather_list(NULL, queries, QUERIES, false));
    printf("%2zu connection%s the time of %d\n", args->size, args->size == 1 ? ": " : "s:",
           (int)((now() - start) / SECONDS));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    const char *url = getenv("DATABASE_URL");
    if (!url)
        url = "sqlite:file:/slow?vfs=memdb";    /* in memory, one for all connections */
    printf("%d queries, each of which takes %g s:\n", QUERIES, SECONDS);
    await(async_coro(measure, url, 1));
    await(async_coro(measure, url, 5));
    await(async_coro(measure, url, 10));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
