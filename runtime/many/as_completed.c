/* as_completed.c - asyncio.as_completed: the tasks in the order in which they end.
 *
 * Each task gets a job of ours that moves it to the list of those that are done; async_anext takes
 * the first one off that list, or waits in line for it. */
#include "core/coro.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"
#include <stdlib.h>

struct completion;

struct entry {
    struct job done;
    struct list link;               /* among those done and not given out */
    struct completion *completion;
    struct future *future;          /* pinned */
};

struct completion {
    struct object object;
    struct entry *entries;
    struct list done;
    struct waitq waitq;             /* tasks in anext */
    struct timer timer;
    size_t count, unfinished, left; /* in all; not done; not given out */
    bool timed_out;
};

static void drop(struct object *object)
{
    struct completion *completion = (struct completion *)object;
    loop_timer_stop(object->future.loop, &completion->timer);
    for (size_t i = 0; i < completion->count; i++) {
        list_remove(&completion->entries[i].done.link);
        object_unpin(future_object(completion->entries[i].future));
    }
    free(completion->entries);
}

static const struct future_type completion_type = { .name = "as_completed", .drop = drop };

static void one_done(struct job *job)
{
    struct entry *entry = container_of(job, struct entry, done);
    struct completion *completion = entry->completion;
    list_append(&completion->done, &entry->link);
    if (--completion->unfinished == 0) {
        loop_timer_stop(completion->object.future.loop, &completion->timer);
        object_retire(&completion->object, UNTAKEN);      /* also if nobody reads it to its end */
    }
    waitq_serve_next(&completion->waitq);
}

static void time_is_up(struct job *job)
{
    struct completion *completion = container_of(job, struct completion, timer.job);
    completion->timed_out = true;
    for (size_t i = 0; i < completion->count; i++)
        list_remove(&completion->entries[i].done.link);
    object_retire(&completion->object, UNTAKEN);
    waitq_serve_all(&completion->waitq);
}

static async_value next(void *state)
{
    async_value v;
    struct waiter waiter;
    if (object_over(state))
        return async_error(ASYNC_STOP_ITERATION, "");
    in_use struct completion *completion = primitive_use(state, &completion_type, "async_anext", &v);
    if (!completion)
        return v;
    if (completion->left == 0) {
        object_retire(&completion->object, TAKEN);
        return async_error(ASYNC_STOP_ITERATION, "");
    }
    completion->left--;             /* our turn, even if we are cancelled before it comes */
    while (list_empty(&completion->done) && !completion->timed_out) {
        v = waitq_wait(&completion->waitq, &waiter);
        if (v.error) {
            if (!list_empty(&completion->done) && waiter_woken(&waiter))
                waitq_serve_next(&completion->waitq);
            return v;
        }
    }
    if (list_empty(&completion->done))
        return async_error(ASYNC_TIMEOUT, "");
    struct list *first = completion->done.next;
    list_remove(first);
    return async_ptr(object_ticket(future_object(container_of(first, struct entry, link)->future)));
}

/* Tasks for all, each once. */
static async_value collect(struct completion *completion, const async_awaitable *list, size_t count)
{
    async_value error = async_none;
    for (size_t i = 0; i < count; i++) {
        struct future *future = task_ensure_listed(loop_running, list, i, "async_as_completed", &error);
        if (!future)
            return error;
        if (future_object(future)->listed) {        /* it stood there before */
            object_unpin(future_object(future));
            continue;
        }
        future_object(future)->listed = true;
        struct entry *entry = &completion->entries[completion->count++];
        *entry = (struct entry){ .done.run = one_done, .completion = completion, .future = future };
        list_init(&entry->link);
        future_then(future, loop_running, &entry->done);
    }
    return async_none;
}

async_iterator async_as_completed(const async_awaitable *list, size_t count, double timeout)
{
    async_loop *loop = loop_given(loop_running, __func__);
    async_iterator iterator = { next, NULL };
    struct completion *completion = object_make(struct completion, &completion_type, loop);
    if (!completion)
        return iterator;
    completion->timer.job.run = time_is_up;
    list_init(&completion->timer.job.link);
    list_init(&completion->done);
    waitq_init(&completion->waitq, &completion->object);
    completion->entries = malloc((count + 1) * sizeof *completion->entries);
    async_value v = completion->entries ? collect(completion, list, count) : async_error(ENOMEM, NULL);
    for (size_t i = 0; i < completion->count; i++)
        future_object(completion->entries[i].future)->listed = false;
    if (v.error && v.error != ENOMEM)           /* NULL in the list is what had no memory */
        report_abort(v);
    completion->unfinished = completion->left = completion->count;
    bool limited = completion->count && timeout < ASYNC_NO_TIMEOUT;
    if (v.error || (limited && !loop_timer_start(loop, &completion->timer, clock_after(&loop->clock, timeout)))) {
        object_free(&completion->object);
        return iterator;
    }
    if (!completion->count)
        object_retire(&completion->object, UNTAKEN);
    iterator.state = object_ticket(&completion->object);
    return iterator;
}
