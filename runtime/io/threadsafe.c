/* threadsafe.c - asyncio.run_coroutine_threadsafe: another thread has the loop run a coroutine.
 *
 * The two threads share one struct, a concurrent future: the loop's side fills it in and signals, the
 * other side waits. Both hold a reference; whoever lets go last frees it. Coroutine objects belong to
 * the thread that makes them, so what travels is the call, and the object is made in the loop's. */
#include "core/context.h"
#include "core/coro.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/task.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct async_concurrent {
    struct errand start, cancel;    /* what we ask the loop to do */
    async_loop *loop;
    struct task *task;              /* pinned; the loop's alone, as are the jobs */
    struct errand done;             /* in the task's list of waiters */
    async_call call;
    const char *place;              /* of the call */
    struct context *context;        /* of the calling thread, for the task */

    pthread_mutex_t mutex;          /* guards what follows */
    pthread_cond_t finished;
    unsigned references;
    bool is_done, cancel_asked;
    async_value outcome;
    struct memory memory;           /* text in the outcome */
    _Alignas(max_align_t) char args[];
};

static void let_go(async_concurrent *future)
{
    pthread_mutex_lock(&future->mutex);
    bool last = --future->references == 0;
    pthread_mutex_unlock(&future->mutex);
    if (!last)
        return;
    memory_free(&future->memory);
    context_release(future->context);
    pthread_mutex_destroy(&future->mutex);
    pthread_cond_destroy(&future->finished);
    free(future);
}

/* The loop's side has nothing more to do with it. */
static void finish(async_concurrent *future, async_value outcome, struct memory *memory)
{
    pthread_mutex_lock(&future->mutex);
    future->outcome = outcome;
    if (memory)
        memory_move(&future->memory, memory);
    future->is_done = true;
    pthread_cond_broadcast(&future->finished);
    pthread_mutex_unlock(&future->mutex);
    let_go(future);
}

/* The loop closes before the task has ended: it never will. */
static void abandon(async_concurrent *future)
{
    if (future->task)
        object_unpin(&future->task->coro.object);
    future->task = NULL;
    finish(future, async_error(ASYNC_RUNTIME_ERROR, "Event loop is closed"), NULL);
}

/* In the loop's thread, as are all errands. */
static void task_done(struct errand *errand)
{
    async_concurrent *future = container_of(errand, async_concurrent, done);
    struct task *task = future->task;
    object_retire(&task->coro.object, TAKEN);
    memory_abandon(&task->memory);
    memory_drop_objects(&task->memory);
    future->task = NULL;
    finish(future, task->coro.object.future.outcome, &task->memory);
    object_unpin(&task->coro.object);
}

static void drop_done(struct errand *errand)
{
    async_concurrent *future = container_of(errand, async_concurrent, done);
    if (future->task->coro.object.future.state == PENDING)
        abandon(future);
    else
        task_done(errand);
}

static void start(struct errand *errand)
{
    async_concurrent *future = container_of(errand, async_concurrent, start);
    async_value error;
    struct context *before = context_enter(future->context);
    future->context = NULL;
    async_note(future->place);
    async_coroutine coro = async_coro_new(future->call);
    struct task *task = coro ? task_start(future->loop, coro, NULL, "async_run_coroutine_threadsafe",
                                          &error) : NULL;
    context_leave(before);
    if (!task) {
        finish(future, async_error(ENOMEM, "no memory for the task"), NULL);
        return;
    }
    future->task = task;
    future->done = errand_new(task_done, drop_done);
    object_pin(&task->coro.object);
    list_append(&task->coro.object.future.waiters, &future->done.job.link);
}

static void drop_start(struct errand *errand) { abandon(container_of(errand, async_concurrent, start)); }

static void cancel(struct errand *errand)
{
    async_concurrent *future = container_of(errand, async_concurrent, cancel);
    if (future->task)
        future_cancel(&future->task->coro.object.future, NULL);
    let_go(future);
}

static void drop_cancel(struct errand *errand) { let_go(container_of(errand, async_concurrent, cancel)); }

/* -------------------------------------------------------------- what the other thread calls */

async_concurrent *async_run_threadsafe_call(async_loop *loop, async_call call)
{
    loop_given(loop, __func__);
    async_concurrent *future = calloc(1, sizeof *future + call.size);
    if (!future)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&future->mutex, NULL);
    pthread_cond_init(&future->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    future->references = 2;
    future->loop = loop;
    future->call = call;
    future->place = async_here;
    future->context = context_copy();
    if (call.size)
        future->call.args = memcpy(future->args, call.args, call.size);
    future->start = errand_new(start, drop_start);
    if (!poll_post(loop, &future->start.job))
        abandon(future);
    return future;
}

async_value async_concurrent_result(async_concurrent *future, double timeout)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    bool limited = timeout < 1e9;           /* seconds: longer than that is for ever */
    int64_t ns = limited ? until.tv_nsec + clock_from_seconds(timeout < 0 ? 0 : timeout) : 0;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = limited ? ns % 1000000000 : until.tv_nsec;
    int status = 0;
    pthread_mutex_lock(&future->mutex);
    while (!future->is_done && status == 0)
        status = limited ? pthread_cond_timedwait(&future->finished, &future->mutex, &until)
                         : pthread_cond_wait(&future->finished, &future->mutex);
    async_value v = future->is_done ? future->outcome : async_error(ASYNC_TIMEOUT, "");
    pthread_mutex_unlock(&future->mutex);
    return v;
}

bool async_concurrent_cancel(async_concurrent *future)
{
    pthread_mutex_lock(&future->mutex);
    bool runs = !future->is_done, ask = runs && !future->cancel_asked;
    if (ask) {
        future->cancel_asked = true;
        future->references++;
    }
    pthread_mutex_unlock(&future->mutex);
    if (ask) {
        future->cancel = errand_new(cancel, drop_cancel);
        if (!poll_post(future->loop, &future->cancel.job))
            let_go(future);
    }
    return runs;
}

void async_concurrent_free(async_concurrent *future)
{
    if (future)
        let_go(future);
}
