/* lock.c - asyncio.Lock: one holder at a time, first come first served.
 *
 * release() frees the lock and wakes the first in line, but does not hand it over: until that task
 * resumes the lock is free, and yet nobody overtakes, because acquire() queues whenever somebody
 * waits. A waiter that is cancelled after it was woken wakes the next one, so no wake-up is lost. */
#include "sync/lock.h"
#include "core/coro.h"
#include "core/task.h"

static const struct holder *holder(struct object *object)
{
    struct lock *lock = (struct lock *)object;
    return lock->locked ? &lock->taken : NULL;
}

const struct future_type lock_type = { .name = "Lock", .holder = holder, .describe = holder_describe };

static void take(struct lock *lock, const char *place)
{
    lock->locked = true;
    holder_note(&lock->taken, place);
}

async_value lock_acquire(struct lock *lock)
{
    struct waiter waiter;
    if (!lock->locked && waitq_all_cancelled(&lock->waitq)) {
        take(lock, async_here);
        return async_none;
    }
    async_value v = waitq_wait(&lock->waitq, &waiter);
    if (!v.error)
        take(lock, task_current()->waiting_at);
    else if (!lock->locked)
        waitq_wake_first(&lock->waitq);
    return v;
}

async_value lock_release(struct lock *lock)
{
    if (!lock->locked)
        return async_error(ASYNC_RUNTIME_ERROR, "Lock is not acquired.");
    lock->locked = false;
    waitq_wake_first(&lock->waitq);
    return async_none;
}

/* ------------------------------------------------------------------ what async.h offers */

async_lock *async_lock_new(void)
{
    struct lock *lock = primitive_new(struct lock, &lock_type);
    if (!lock)
        return NULL;
    waitq_init(&lock->waitq, &lock->object);
    return (async_lock *)object_ticket(&lock->object);
}

static async_value acquire(void *lock) { return lock_acquire(lock); }

async_awaitable async_lock_acquire(async_lock *lock) { return coro_on(lock, &lock_type, acquire, __func__); }

async_value async_lock_release(async_lock *x)
{
    struct lock *lock = object_fit(x, &lock_type);
    return lock ? lock_release(lock) : report_misuse(x, __func__);
}

bool async_lock_locked(async_lock *lock)
{
    return ((struct lock *)object_of(lock, &lock_type, __func__, NULL))->locked;
}

void async_lock_exit(async_lock **lock) { async_lock_release(*lock); }
