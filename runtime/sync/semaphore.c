/* semaphore.c - asyncio.Semaphore and BoundedSemaphore: at most n at a time.
 *
 * Waking a task gives it its permit at once, so that a task that comes later cannot take it. If
 * the woken task is cancelled before it resumes the permit goes back and on to the next. */
#include "sync/lock.h"
#include "core/coro.h"
#include "core/task.h"

static const struct holder *holder(struct object *object)
{
    struct semaphore *semaphore = (struct semaphore *)object;
    return semaphore->taken.at ? &semaphore->taken : NULL;
}

static const struct future_type semaphore_type = {
    .name = "Semaphore", .holder = holder, .shared = true, .describe = holder_describe
};

static async_semaphore *make(long permits, bool bounded)
{
    if (permits < 0)
        return NULL;
    struct semaphore *semaphore = primitive_new(struct semaphore, &semaphore_type);
    if (!semaphore)
        return NULL;
    semaphore->permits = permits;
    semaphore->bound = bounded ? permits : -1;
    waitq_init(&semaphore->waitq, &semaphore->object);
    return (async_semaphore *)object_ticket(&semaphore->object);
}

async_semaphore *async_semaphore_new(long permits) { return make(permits, false); }
async_semaphore *async_bounded_semaphore_new(long permits) { return make(permits, true); }

static bool locked(const struct semaphore *semaphore)
{
    return semaphore->permits == 0 || !waitq_all_cancelled(&semaphore->waitq);
}

static bool give_to_next(struct semaphore *semaphore)
{
    if (!waitq_wake_next(&semaphore->waitq))
        return false;
    semaphore->permits--;
    return true;
}

static async_value acquire(void *object)
{
    struct semaphore *semaphore = object;
    struct waiter waiter;
    if (!locked(semaphore)) {
        semaphore->permits--;
        holder_note(&semaphore->taken, async_here);
        return async_none;
    }
    async_value v = waitq_wait(&semaphore->waitq, &waiter);
    if (!v.error)
        holder_note(&semaphore->taken, task_current()->waiting_at);
    if (v.error && waiter_woken(&waiter))
        semaphore->permits++;
    while (semaphore->permits > 0 && give_to_next(semaphore))
        ;
    return v;
}

async_awaitable async_semaphore_acquire(async_semaphore *semaphore)
{
    return coro_on(semaphore, &semaphore_type, acquire, __func__);
}

async_value async_semaphore_release(async_semaphore *x)
{
    struct semaphore *semaphore = object_fit(x, &semaphore_type);
    if (!semaphore)
        return report_misuse(x, __func__);
    if (semaphore->bound >= 0 && semaphore->permits >= semaphore->bound)
        return async_error(ASYNC_VALUE_ERROR, "BoundedSemaphore released too many times");
    semaphore->permits++;
    give_to_next(semaphore);
    return async_none;
}

bool async_semaphore_locked(async_semaphore *x)
{
    return locked(object_of(x, &semaphore_type, __func__, NULL));
}

void async_semaphore_exit(async_semaphore **semaphore) { async_semaphore_release(*semaphore); }
