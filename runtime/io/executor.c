/* executor.c - blocking calls in threads: asyncio.to_thread and loop.run_in_executor.
 *
 * A loop has a pool of its own: threads are started when work waits and none is idle, up to a limit,
 * and live until the loop closes. A piece of work goes through four hands, and belongs to one at a
 * time:
 *      queued      in the pool's list, under its mutex; a cancel still takes it out of there
 *      running     a thread's alone
 *      posted      on its way back, in the loop's list of jobs from other threads
 *      delivered   the loop sets the future, unless it was cancelled meanwhile, and frees the work
 * A thread cannot be stopped: cancelling the future only means that nobody looks at the result. */
#include "core/context.h"
#include "core/coro.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_THREADS 32             /* or the number of processors and four, as in Python */
#define THREAD_STACK (8 << 20)      /* promised in async.h, whatever the C library would take */

struct external {                   /* the future of a piece of work */
    struct object object;
    struct memory memory;           /* text that the function made, for whoever takes the result */
    struct work *work;              /* NULL once it is delivered */
};

struct work {
    struct errand errand;           /* delivers it, in the loop's thread */
    struct list link;               /* in the pool's queue */
    struct executor *executor;
    struct external *external;      /* pinned */
    async_fn *fn;
    void *args;
    struct context *context;        /* for async_to_thread, of who awaits it */
    async_value result;
    struct memory memory;
    _Alignas(max_align_t) char room[];  /* a copy of the arguments, for async_to_thread */
};

struct executor {
    struct part part;
    async_loop *loop;
    pthread_mutex_t mutex;          /* guards queue, queued, idle, closing */
    pthread_cond_t something;       /* to do: work, or closing */
    struct list queue;
    unsigned queued;                /* its length */
    unsigned idle;                  /* threads that wait, some perhaps woken by now */
    bool closing;
    unsigned outstanding;           /* not delivered yet; the loop's alone, as all below */
    struct waitq finished;          /* tasks that wait until nothing is outstanding */
    unsigned most;
    pthread_t ids[MOST_THREADS];
};

/* ---------------------------------------------------------------------------- the threads */

static void perform(struct work *work)
{
    memory_of_thread = &work->memory;
    struct context *before = context_enter(work->context);
    work->context = NULL;
    work->result = context_outcome(work->fn(work->args));
    context_leave(before);
    memory_of_thread = NULL;
}

static void *serve(void *p)
{
    struct executor *executor = p;
    pthread_mutex_lock(&executor->mutex);
    for (;;) {
        while (list_empty(&executor->queue) && !executor->closing) {
            executor->idle++;
            pthread_cond_wait(&executor->something, &executor->mutex);
            executor->idle--;
        }
        if (list_empty(&executor->queue))
            break;
        struct work *work = container_of(executor->queue.next, struct work, link);
        list_remove(&work->link);
        executor->queued--;
        pthread_mutex_unlock(&executor->mutex);
        perform(work);
        poll_post(executor->loop, &work->errand.job);
        pthread_mutex_lock(&executor->mutex);
    }
    pthread_mutex_unlock(&executor->mutex);
    return NULL;
}

static bool start_thread(struct executor *executor)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    bool started =
        pthread_create(&executor->ids[executor->loop->threads], &attributes, serve, executor) == 0;
    pthread_attr_destroy(&attributes);
    executor->loop->threads += started;
    return started;
}

/* Puts the work into the queue. False if there is no thread to do it and none can be started. */
static bool submit(struct executor *executor, struct work *work)
{
    pthread_mutex_lock(&executor->mutex);
    list_append(&executor->queue, &work->link);
    bool need = ++executor->queued > executor->idle && executor->loop->threads < executor->most;
    pthread_cond_signal(&executor->something);
    pthread_mutex_unlock(&executor->mutex);
    if ((need && start_thread(executor)) || executor->loop->threads)
        return true;
    list_remove(&work->link);
    executor->queued--;
    return false;
}

/* --------------------------------------------------------------------------- the way back */

static void forget(struct work *work)
{
    struct executor *executor = work->executor;
    struct external *external = work->external;
    external->work = NULL;
    memory_free(&work->memory);
    context_release(work->context);
    free(work);
    executor->loop->watched--;
    if (--executor->outstanding == 0)
        waitq_wake_all(&executor->finished);
    object_unpin(&external->object);
}

static void deliver(struct errand *errand)
{
    struct work *work = container_of(errand, struct work, errand);
    struct external *external = work->external;
    if (external->object.future.state == PENDING) {
        memory_move(&external->memory, &work->memory);
        future_set(&external->object.future, work->result);
    }
    forget(work);
}

static bool cancel(struct future *future, const char *message)
{
    struct external *external = container_of(future, struct external, object.future);
    if (!future_cancel_plain(future, message))
        return false;
    struct work *work = external->work;
    pthread_mutex_lock(&work->executor->mutex);
    bool queued = !list_empty(&work->link);
    list_remove(&work->link);
    work->executor->queued -= queued;
    pthread_mutex_unlock(&work->executor->mutex);
    if (queued)
        forget(work);
    return true;
}

static async_value take(struct object *object)
{
    return memory_inherit(&((struct external *)object)->memory, object->future.outcome);
}

static void drop(struct object *object) { memory_free(&((struct external *)object)->memory); }

static const struct future_type external_type = {
    .name = "Future", .cancel = cancel, .drop = drop, .take = take
};

/* Ends the threads, after what they are doing; drops what nobody waited for. */
static void close_executor(struct part *part)
{
    struct executor *executor = container_of(part, struct executor, part);
    async_loop *loop = executor->loop;
    struct list left;               /* what no thread has begun */
    list_init(&left);
    pthread_mutex_lock(&executor->mutex);
    list_splice(&left, &executor->queue);
    executor->closing = true;
    pthread_cond_broadcast(&executor->something);
    pthread_mutex_unlock(&executor->mutex);
    while (!list_empty(&left)) {
        struct work *work = container_of(left.next, struct work, link);
        future_cancel(&work->external->object.future, NULL);
    }
    for (unsigned i = 0; i < loop->threads; i++)
        pthread_join(executor->ids[i], NULL);
    poll_fetch(loop);
    loop_drop(&loop->ready);        /* what they have posted is delivered */
    pthread_mutex_destroy(&executor->mutex);
    pthread_cond_destroy(&executor->something);
    waitq_serve_all(&executor->finished);     /* it goes before they do */
    free(executor);
}

static struct executor *executor_of(async_loop *loop)
{
    struct executor *executor = (struct executor *)loop_part(loop, close_executor, sizeof *executor);
    if (!executor || executor->loop)
        return executor;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    executor->most = processors > 0 && processors + 4 < MOST_THREADS ? processors + 4 : MOST_THREADS;
    executor->loop = loop;
    pthread_mutex_init(&executor->mutex, NULL);
    pthread_cond_init(&executor->something, NULL);
    list_init(&executor->queue);
    waitq_init(&executor->finished, NULL);
    return executor;
}

/* Hands fn to a thread; its arguments are copied if there is a size. NULL when memory ran out. The user that
 * the context has goes with it. */
static struct external *hand_over(async_loop *loop, async_fn *fn, void *args, size_t size,
                                  struct context *context)
{
    struct executor *executor = executor_of(loop);
    struct work *work = executor ? calloc(1, sizeof *work + size) : NULL;
    struct external *external = work ? object_make(struct external, &external_type, loop) : NULL;
    if (!external) {
        context_release(context);
        free(work);
        return NULL;
    }
    external->work = work;
    *work = (struct work){ .errand = errand_new(deliver, deliver), .executor = executor, .external = external,
                           .fn = fn, .args = args, .context = context };
    if (size)
        work->args = memcpy(work->room, args, size);
    object_pin(&external->object);
    loop->watched++;
    executor->outstanding++;
    if (submit(executor, work))
        return external;
    future_set(&external->object.future, async_error(EAGAIN, "no thread can be started"));
    forget(work);
    return external;
}

/* ------------------------------------------------------------------ what async.h offers */

async_future async_loop_run_in_executor(async_loop *loop, async_fn *fn, void *arg)
{
    if (loop_given(loop, __func__)->closed)
        report_closed();
    struct external *external = hand_over(loop, fn, arg, 0, NULL);
    return external ? object_ticket(&external->object) : NULL;
}

static async_value to_thread(void *p)
{
    struct call *call = p;
    if (!task_current())
        return report_no_task();
    struct external *external = hand_over(loop_running, call->fn, call->args, call->size, context_copy());
    return async_catch(external ? object_ticket(&external->object) : NULL);
}

async_awaitable async_to_thread_call(async_call what) { return coro_with_call(to_thread, what); }

/* ------------------------------------------------------------------------------ the end */

static async_value shut_down(void *p)
{
    async_loop *loop = *(async_loop **)p;
    struct executor *executor = loop->closed ? NULL : executor_of(loop);
    struct waiter waiter;
    return executor && executor->outstanding ? waitq_wait(&executor->finished, &waiter) : async_none;
}

async_awaitable async_loop_shutdown_default_executor(async_loop *loop)
{
    return coro_for(shut_down, async_loop *, loop_given(loop, __func__));
}
