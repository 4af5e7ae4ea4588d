/* condition.c - asyncio.Condition: wait until somebody says that something has changed.
 *
 * wait() gives the lock up while it waits and has it again before it returns, also when it is
 * cancelled, so that the block around it always leaves with the lock held. A notification that
 * reached a task which is then cancelled is passed on (since Python 3.13). */
#include "sync/lock.h"
#include "core/coro.h"

static void drop(struct object *object)
{
    object_unpin(&((struct condition *)object)->lock->object);
}

static const struct future_type condition_type = { .name = "Condition", .drop = drop };

struct condition *condition_new(struct lock *lock)
{
    if (!lock) {
        async_lock *own = async_lock_new();
        lock = own ? object_find((struct async_ticket *)own) : NULL;
        if (!lock)
            return NULL;
    }
    struct condition *condition = primitive_new(struct condition, &condition_type);
    if (!condition)
        return NULL;
    condition->lock = lock;
    object_pin(&lock->object);
    waitq_init(&condition->waitq, &condition->object);
    return condition;
}

async_value condition_wait(struct condition *condition)
{
    struct waiter waiter;
    if (!condition->lock->locked)
        return async_error(ASYNC_RUNTIME_ERROR, "cannot wait on un-acquired lock");
    lock_release(condition->lock);
    async_value v = waitq_wait(&condition->waitq, &waiter), again;
    while ((again = lock_acquire(condition->lock)).error == ASYNC_CANCELLED)
        v = again;
    if (again.error)
        v = again;
    if (v.error)
        condition_notify(condition, 1);
    return v;
}

void condition_notify(struct condition *condition, size_t count)
{
    while (count-- && waitq_wake_next(&condition->waitq))
        ;
}

/* ------------------------------------------------------------------ what async.h offers */

async_condition *async_condition_new(async_lock *lock)
{
    struct condition *condition = condition_new(
        lock ? object_of(lock, &lock_type, __func__, NULL) : NULL);
    return condition ? (async_condition *)object_ticket(&condition->object) : NULL;
}

static async_value acquire(void *condition) { return lock_acquire(((struct condition *)condition)->lock); }

async_awaitable async_condition_acquire(async_condition *condition)
{
    return coro_on(condition, &condition_type, acquire, __func__);
}

async_value async_condition_release(async_condition *x)
{
    struct condition *condition = object_fit(x, &condition_type);
    return condition ? lock_release(condition->lock) : report_misuse(x, __func__);
}

bool async_condition_locked(async_condition *x)
{
    struct condition *condition = object_of(x, &condition_type, __func__, NULL);
    return condition->lock->locked;
}

static async_value wait(void *condition) { return condition_wait(condition); }

async_awaitable async_condition_wait(async_condition *condition)
{
    return coro_on(condition, &condition_type, wait, __func__);
}

struct wait_until {
    async_condition *condition;
    async_predicate_fn *predicate;
    void *arg;
};

static async_value wait_for(void *p)
{
    struct wait_until args = *(struct wait_until *)p;
    async_value v = async_none;
    in_use struct condition *condition = primitive_use(args.condition, &condition_type, "async_condition_wait_for", &v);
    while (!v.error && !args.predicate(args.arg))
        v = condition_wait(condition);
    return v;
}

async_awaitable async_condition_wait_for(async_condition *condition, async_predicate_fn *predicate,
                                         void *arg)
{
    return coro_make(wait_for, "async_condition_wait_for",
                     &(struct wait_until){ condition, predicate, arg }, sizeof(struct wait_until));
}

async_value async_condition_notify(async_condition *x, size_t count)
{
    struct condition *condition = object_fit(x, &condition_type);
    if (!condition)
        return report_misuse(x, __func__);
    if (!condition->lock->locked)
        return async_error(ASYNC_RUNTIME_ERROR, "cannot notify on un-acquired lock");
    condition_notify(condition, count);
    return async_none;
}

async_value async_condition_notify_all(async_condition *condition)
{
    return async_condition_notify(condition, SIZE_MAX);
}

void async_condition_exit(async_condition **condition) { async_condition_release(*condition); }
