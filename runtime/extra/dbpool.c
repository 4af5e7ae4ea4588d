/* dbpool.c - see dbpool.h.
 *
 * A connection of the pool is idle (in the list, owned by the pool) or borrowed (it pins the pool).
 * Giving it back renews its ticket: whoever still holds the old handle gets a sentence instead of
 * somebody else's connection. As with a semaphore, a task that was woken and then cancelled passes
 * the chance on, and nobody overtakes those who wait. */
#include "dbpool.h"
#include "core/coro.h"
#include "dbdriver.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include <stdlib.h>
#include <string.h>

struct pool {
    struct object object;
    const char *url;                /* allocated */
    size_t size, open;              /* the most there may be; idle, borrowed, or being opened */
    size_t idle_count;
    struct list idle;               /* connections, the one used last first */
    struct waitq waiting;           /* tasks in acquire, and once it is closing, in close */
    bool closing;
};

/* The connection is not the pool's any more. */
static void discard(struct pool *pool, struct db *db)
{
    if (db->link)
        db->driver->close(db);
    list_remove(&db->idle);
    pool->open--;
    object_unpin(&db->object);
}

static void discard_idle(struct pool *pool)
{
    list_each(link, &pool->idle)
        discard(pool, container_of(link, struct db, idle));
    pool->idle_count = 0;
}

static void drop(struct object *object)
{
    struct pool *pool = (struct pool *)object;
    discard_idle(pool);
    free((char *)pool->url);
}

static const struct future_type pool_type = { .name = "Pool", .drop = drop };

static bool available(const struct pool *pool)
{
    return pool->closing || pool->idle_count || pool->open < pool->size;
}

/* Only the first in line is woken: when it is served it wakes the next, if there is more. */
static void serve_next(struct pool *pool)
{
    if (pool->closing)
        waitq_wake_all(&pool->waiting);
    else if (available(pool))
        waitq_wake_first(&pool->waiting);
}

/* ----------------------------------------------------------------------------- borrowing */

/* Until there is something for us: true, or false if the pool is closing, or the error. */
static async_value wait_for_one(struct pool *pool)
{
    struct waiter waiter;
    bool first = waitq_all_cancelled(&pool->waiting);
    while (!first || !available(pool)) {
        async_value v = waitq_wait(&pool->waiting, &waiter);
        if (v.error) {
            if (waiter_woken(&waiter))
                serve_next(pool);
            return v;
        }
        first = true;
    }
    return pool->closing ? async_error(ASYNC_DB_CLOSED, "the pool is closed") : async_none;
}

static struct db *take_idle(struct pool *pool)
{
    while (pool->idle_count) {
        struct db *db = container_of(pool->idle.next, struct db, idle);
        list_remove(&db->idle);
        pool->idle_count--;
        if (db->driver->usable(db))
            return db;
        discard(pool, db);
    }
    return NULL;
}

static async_value open_one(struct pool *pool)
{
    struct db *db = db_new(true);
    if (!db)
        return async_error(ENOMEM, "no memory for a connection");
    pool->open++;
    async_value v = db_open(db, pool->url);
    if (!v.error && db->private)
        v = async_error(ASYNC_VALUE_ERROR, "each connection to this URL has a database of its own, "
                                           "so a pool of them makes no sense: give it a file");
    if (v.error) {
        discard(pool, db);
        serve_next(pool);
    }
    return v.error ? v : async_ptr(db);
}

static async_value acquire(void *object)
{
    struct pool *pool = object;
    if (!task_current())
        return report_no_task();
    async_value v = wait_for_one(pool);
    if (v.error)
        return v;
    struct db *db = take_idle(pool);
    if (!db) {
        if ((v = open_one(pool)).error)
            return v;
        db = v.ptr;
    }
    db->pool = pool;
    object_pin(&pool->object);
    serve_next(pool);
    return async_ptr(object_ticket(&db->object));
}

async_awaitable async_pool_acquire(async_pool *pool) { return coro_on(pool, &pool_type, acquire, __func__); }

async_value db_give_back(struct db *db)
{
    struct pool *pool = db->pool;
    bool cancelled = false;
    db->pool = NULL;
    object_renew(&db->object);
    async_value v = db_settle(db, &cancelled);
    if (v.error || !db->link || pool->closing) {
        discard(pool, db);
    } else {
        pool->idle_count++;
        list_append(pool->idle.next, &db->idle);        /* before the first */
    }
    serve_next(pool);
    object_unpin(&pool->object);
    return cancelled ? async_error(ASYNC_CANCELLED, NULL) : async_none;
}

/* ------------------------------------------------------------------- the pool's own life */

struct creating {
    size_t size;
    char url[];
};

static struct pool *pool_new(const struct creating *args)
{
    const char *url = strdup(args->url);
    struct pool *pool = url ? primitive_new(struct pool, &pool_type) : NULL;
    if (!pool) {
        free((char *)url);
        return NULL;
    }
    pool->url = url;
    pool->size = args->size;
    pool->open = pool->idle_count = 0;
    list_init(&pool->idle);
    waitq_init(&pool->waiting, &pool->object);
    pool->closing = false;
    return pool;
}

static async_value create(void *p)
{
    struct creating *args = p;
    if (!task_current())
        return report_no_task();
    if (!args->size)
        return async_error(ASYNC_VALUE_ERROR, "a pool needs a size of 1 or more");
    struct pool *pool = pool_new(args);
    if (!pool)
        return async_error(ENOMEM, "no memory for a pool");
    object_pin(&pool->object);
    async_value v = open_one(pool);
    if (!v.error) {
        struct db *db = v.ptr;
        list_append(&pool->idle, &db->idle);
        pool->idle_count = 1;
        v = async_ptr(object_ticket(&pool->object));
    }
    object_unpin(&pool->object);
    return v;
}

async_awaitable async_create_pool(const char *url, size_t size)
{
    url = url ? url : "";
    size_t room = sizeof(struct creating) + strlen(url) + 1;
    struct creating *args = malloc(room);
    if (!args)
        return NULL;
    args->size = size;
    strcpy(args->url, url);
    async_awaitable coro = async_coro_new((async_call){ create, "async_create_pool", args, room });
    free(args);
    return coro;
}

static struct pool *find(async_pool *pool, const char *caller)
{
    return object_of(pool, &pool_type, caller, NULL);
}

size_t async_pool_get_size(async_pool *pool) { return find(pool, "async_pool_get_size")->open; }

size_t async_pool_get_idle_size(async_pool *pool)
{
    return find(pool, "async_pool_get_idle_size")->idle_count;
}

static async_value close_pool(void *object)
{
    struct pool *pool = object;
    struct waiter waiter;
    async_value v = async_none;
    pool->closing = true;
    discard_idle(pool);
    waitq_wake_all(&pool->waiting);
    while (pool->open && !v.error)
        v = waitq_wait(&pool->waiting, &waiter);
    return v;
}

async_awaitable async_pool_close(async_pool *pool) { return coro_on(pool, &pool_type, close_pool, __func__); }

void async_pool_exit(async_pool **pool)
{
    async_value v = *pool ? async_catch(async_pool_close(*pool)) : async_none;
    if (v.error)
        async_leave_with(v);
}
