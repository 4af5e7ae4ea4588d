/* wait.c - asyncio.wait: until the first, the first error, or all are done, or time is up.
 *
 * Each task's list of waiters gets a job of ours that counts. Nothing is cancelled and no error is
 * raised, whatever the tasks end with. Two turns pass between the deciding end and our return, and
 * what ends in between counts as done. */
#include "core/coro.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/report.h"
#include "core/task.h"

struct wait {
    async_task *tasks;
    size_t count;
    double timeout;
    enum async_return_when return_when;
};

struct awaited {                    /* on one of the tasks */
    struct job done;
    async_task x;
    struct future *future;          /* pinned */
    struct waiting *waiting;
};

struct waiting {                    /* of the task that waits; on its stack */
    struct future over;
    struct timer timer;
    struct awaited *awaited;        /* one a task */
    size_t count, unfinished;
    enum async_return_when return_when;
};

static void members(struct future *future, void (*visit)(struct future *, void *), void *arg)
{
    struct waiting *waiting = container_of(future, struct waiting, over);
    for (size_t i = 0; i < waiting->count; i++)
        visit(waiting->awaited[i].future, arg);
}

static const struct future_type waiting_type = {
    .name = "async_wait", .cancel = future_cancel_plain, .members = members, .unnamed = true
};

static void time_is_up(struct job *job)
{
    future_set(&container_of(job, struct waiting, timer.job)->over, async_none);
}

static void one_done(struct job *job)
{
    struct awaited *each = container_of(job, struct awaited, done);
    struct waiting *waiting = each->waiting;
    bool failed = each->future->state == FINISHED && each->future->outcome.error;
    waiting->unfinished--;
    if (waiting->unfinished == 0 || waiting->return_when == ASYNC_FIRST_COMPLETED
        || (waiting->return_when == ASYNC_FIRST_EXCEPTION && failed)) {
        loop_timer_stop(waiting->over.loop, &waiting->timer);
        future_set(&waiting->over, async_none);
    }
}

/* Writes those that are done, or those that are not, in their former order; gives where it ended. */
static async_task *list(async_task *tasks, const struct waiting *waiting, bool pending)
{
    for (size_t i = 0; i < waiting->count; i++)
        if ((waiting->awaited[i].future->state == PENDING) == pending)
            *tasks++ = waiting->awaited[i].x;
    return tasks;
}

static async_value wait_for_them(const struct wait *args, struct awaited *awaited)
{
    async_value v = async_none;
    async_loop *loop = loop_running;
    struct waiting waiting = { .awaited = awaited, .unfinished = args->count, .return_when = args->return_when };
    while (waiting.count < args->count) {
        async_task x = args->tasks[waiting.count];
        struct future *future = future_known(x, "async_wait", &v);
        if (future && future->loop != loop)
            v = report_refused(ASYNC_VALUE_ERROR, "async_wait", "the future belongs to a different loop");
        if (v.error)
            break;
        awaited[waiting.count] = (struct awaited){ { .run = one_done }, x, future, &waiting };
        list_init(&awaited[waiting.count++].done.link);
        object_pin(future_object(future));
    }
    waiting.timer.job.run = time_is_up;
    list_init(&waiting.timer.job.link);
    future_init(&waiting.over, &waiting_type, loop);
    if (!v.error && args->timeout < ASYNC_NO_TIMEOUT
        && !loop_timer_start(loop, &waiting.timer, clock_after(&loop->clock, args->timeout)))
        v = async_error(ENOMEM, "no memory for a timer");
    for (size_t i = 0; i < args->count && !v.error; i++)
        future_then(awaited[i].future, loop, &awaited[i].done);
    if (!v.error)
        v = task_wait(&waiting.over);
    loop_timer_stop(loop, &waiting.timer);
    if (!v.error) {
        async_task *first_pending = list(args->tasks, &waiting, false);
        list(first_pending, &waiting, true);
        v = async_num(first_pending - args->tasks);
    }
    for (size_t i = 0; i < waiting.count; i++) {
        list_remove(&awaited[i].done.link);
        object_unpin(future_object(awaited[i].future));
    }
    return v;
}

static async_value wait(void *p)
{
    const struct wait *args = p;
    if (!task_current())
        return report_no_task();
    if (args->count == 0)
        return async_error(ASYNC_VALUE_ERROR, "Set of Tasks/Futures is empty.");
    if (args->return_when < ASYNC_FIRST_COMPLETED || args->return_when > ASYNC_ALL_COMPLETED)
        return async_error(ASYNC_VALUE_ERROR, "Invalid return_when value");
    struct awaited *awaited = async_alloc(args->count * sizeof *awaited);   /* no leak if we never come back */
    if (!awaited)
        return async_error(ENOMEM, "no memory for async_wait");
    async_value v = wait_for_them(args, awaited);
    memory_give_back(awaited);
    return v;
}

async_awaitable async_wait(async_task *tasks, size_t count, double timeout,
                           enum async_return_when return_when)
{
    return coro_make(wait, "async_wait", &(struct wait){ tasks, count, timeout, return_when },
                     sizeof(struct wait));
}
