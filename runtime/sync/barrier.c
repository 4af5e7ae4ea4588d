/* barrier.c - asyncio.Barrier: tasks meet; none goes on before all have come.
 *
 *      FILLING --last one comes--> DRAINING --last one leaves--> FILLING
 *         |  reset() while some wait: RESETTING, until they have left with an error; then FILLING
 *         |  abort(): BROKEN, until reset()
 *
 * As in Python it is a condition under a lock, so the order in which tasks leave is that of the
 * lock: whoever came last never waits and leaves first. */
#include "sync/lock.h"
#include "core/coro.h"

enum state { FILLING, DRAINING, RESETTING, BROKEN };

struct barrier {
    struct object object;
    struct condition *condition;    /* notified at each change of state; pinned */
    long parties, count;            /* needed to pass, and inside now */
    enum state state;
};

static void drop(struct object *object)
{
    object_unpin(&((struct barrier *)object)->condition->object);
}

static const struct future_type barrier_type = { .name = "Barrier", .drop = drop };

static void notify_all(struct barrier *barrier) { condition_notify(barrier->condition, SIZE_MAX); }

/* Waits inside until the barrier is no longer filling. */
static async_value wait_inside(struct barrier *barrier)
{
    async_value v = async_none;
    while (barrier->state == FILLING && !v.error)
        v = condition_wait(barrier->condition);
    if (!v.error && barrier->state != DRAINING)
        v = async_error(ASYNC_BROKEN_BARRIER, "Abort or reset of barrier");
    return v;
}

static async_value pass(struct barrier *barrier)
{
    async_value v = async_none;
    while (barrier->state == DRAINING || barrier->state == RESETTING)
        if ((v = condition_wait(barrier->condition)).error)
            return v;
    if (barrier->state == BROKEN)
        return async_error(ASYNC_BROKEN_BARRIER, "Barrier aborted");
    long index = barrier->count++;
    if (barrier->count == barrier->parties) {
        barrier->state = DRAINING;
        notify_all(barrier);
    } else {
        v = wait_inside(barrier);
    }
    if (--barrier->count == 0) {
        if (barrier->state != BROKEN)
            barrier->state = FILLING;
        notify_all(barrier);
    }
    return v.error ? v : async_num(index);
}

static async_value wait(void *object)
{
    struct barrier *barrier = object;
    async_value v = lock_acquire(barrier->condition->lock);
    if (v.error)
        return v;
    v = pass(barrier);
    lock_release(barrier->condition->lock);
    return v;
}

static async_value change(struct barrier *barrier, enum state state)
{
    async_value v = lock_acquire(barrier->condition->lock);
    if (v.error)
        return v;
    barrier->state = state == RESETTING && barrier->count == 0 ? FILLING : state;
    notify_all(barrier);
    return lock_release(barrier->condition->lock);
}

static async_value reset(void *barrier) { return change(barrier, RESETTING); }
static async_value abort_all(void *barrier) { return change(barrier, BROKEN); }

/* ------------------------------------------------------------------ what async.h offers */

async_barrier *async_barrier_new(long parties)
{
    struct condition *condition = parties < 1 ? NULL : condition_new(NULL);
    struct barrier *barrier = condition ? primitive_new(struct barrier, &barrier_type) : NULL;
    if (!barrier)
        return NULL;
    object_pin(&condition->object);
    barrier->condition = condition;
    barrier->parties = parties;
    return (async_barrier *)object_ticket(&barrier->object);
}

async_awaitable async_barrier_wait(async_barrier *x) { return coro_on(x, &barrier_type, wait, __func__); }
async_awaitable async_barrier_reset(async_barrier *x) { return coro_on(x, &barrier_type, reset, __func__); }
async_awaitable async_barrier_abort(async_barrier *x) { return coro_on(x, &barrier_type, abort_all, __func__); }

long async_barrier_n_waiting(async_barrier *x)
{
    struct barrier *barrier = object_of(x, &barrier_type, __func__, NULL);
    return barrier->state == FILLING ? barrier->count : 0;
}

bool async_barrier_broken(async_barrier *x)
{
    struct barrier *barrier = object_of(x, &barrier_type, __func__, NULL);
    return barrier->state == BROKEN;
}
