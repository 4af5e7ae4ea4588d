/* wait.c - asyncio.wait: until the first, the first error, or all are done, or time is up.
 *
 * Each task's list of waiters gets a job of ours that counts. Nothing is cancelled and no error is
 * raised, whatever the tasks end with. Two turns pass between the deciding end and our return, and
 * what ends in between counts as done. */
#include "core/coro.h"
#include "core/loop.h"
#include "core/memory.h"
#include "debug/report.h"
#include "core/task.h"

struct wait {
    async_task *tasks;
    size_t count;
    double timeout;
    enum async_return_when return_when;
};

struct watch {                      /* on one of the tasks */
    struct job done;
    struct future *future;          /* pinned */
    struct vigil *vigil;
};

struct vigil {                      /* of the task that waits; on its stack */
    struct future over;
    struct timer timer;
    struct watch *watches;          /* one a task */
    size_t count, unfinished;
    enum async_return_when return_when;
};

static void members(struct future *future, void (*visit)(struct future *, void *), void *arg)
{
    struct vigil *vigil = container_of(future, struct vigil, over);
    for (size_t i = 0; i < vigil->count; i++)
        visit(vigil->watches[i].future, arg);
}

static const struct future_type vigil_type = {
    .name = "async_wait", .cancel = future_cancel_plain, .members = members, .unnamed = true
};

static void time_is_up(struct job *job)
{
    future_set(&container_of(job, struct vigil, timer.job)->over, async_none);
}

static void one_done(struct job *job)
{
    struct watch *watch = container_of(job, struct watch, done);
    struct vigil *vigil = watch->vigil;
    bool failed = watch->future->state == FINISHED && watch->future->outcome.error;
    vigil->unfinished--;
    if (vigil->unfinished == 0 || vigil->return_when == ASYNC_FIRST_COMPLETED
        || (vigil->return_when == ASYNC_FIRST_EXCEPTION && failed)) {
        loop_timer_stop(vigil->over.loop, &vigil->timer);
        future_set(&vigil->over, async_none);
    }
}

/* Those that are done to the front, each part in its former order; gives how many are done. */
static async_value part(async_task *tasks, struct watch *watches, size_t count, async_task *kept)
{
    size_t done = 0;
    for (int pending = 0; pending < 2; pending++)
        for (size_t i = 0; i < count; i++)
            if ((watches[i].future->state == PENDING) == pending)
                kept[done++] = tasks[i];
    done = 0;
    for (size_t i = 0; i < count; i++) {
        tasks[i] = kept[i];
        done += watches[i].future->state != PENDING;
    }
    return async_num(done);
}

/* Pins every task and checks that it is one. */
static async_value look_up(const struct wait *args, struct watch *watches, struct vigil *vigil)
{
    async_value error;
    for (size_t i = 0; i < args->count; i++) {
        struct future *future = future_known(args->tasks[i], "async_wait", &error);
        if (!future) {
            while (i--)
                object_unpin(future_object(watches[i].future));
            return error;
        }
        watches[i] = (struct watch){ { .run = one_done }, future, vigil };
        list_init(&watches[i].done.link);
        object_pin(future_object(future));
    }
    return async_none;
}

static async_value keep_vigil(const struct wait *args, struct watch *watches, async_task *kept)
{
    async_loop *loop = loop_running;
    struct vigil vigil = { .watches = watches, .count = args->count, .unfinished = args->count,
                           .return_when = args->return_when };
    async_value v = look_up(args, watches, &vigil);
    if (v.error)
        return v;
    vigil.timer.job.run = time_is_up;
    list_init(&vigil.timer.job.link);
    future_init(&vigil.over, &vigil_type, loop);
    if (args->timeout < ASYNC_NO_TIMEOUT
        && !loop_timer_start(loop, &vigil.timer, clock_after(&loop->clock, args->timeout)))
        v = async_error(ENOMEM, "no memory for a timer");
    for (size_t i = 0; i < args->count && !v.error; i++) {
        struct future *future = watches[i].future;
        list_append(future->state == PENDING ? &future->waiters : &loop->ready,
                    &watches[i].done.link);
    }
    if (!v.error)
        v = task_wait(&vigil.over);
    loop_timer_stop(loop, &vigil.timer);
    for (size_t i = 0; i < args->count; i++)
        list_remove(&watches[i].done.link);
    if (!v.error)
        v = part(args->tasks, watches, args->count, kept);
    for (size_t i = 0; i < args->count; i++)
        object_unpin(future_object(watches[i].future));
    return v;
}

static async_value wait(void *p)
{
    struct wait *args = p;
    if (!task_current())
        return report_no_task();
    if (args->count == 0)
        return async_error(ASYNC_VALUE_ERROR, "Set of Tasks/Futures is empty.");
    if (args->return_when < ASYNC_FIRST_COMPLETED || args->return_when > ASYNC_ALL_COMPLETED)
        return async_error(ASYNC_VALUE_ERROR, "Invalid return_when value");
    struct memory *ours = memory_here();        /* so that nothing leaks if we never come back */
    struct watch *watches = memory_get(ours, args->count * sizeof *watches);
    async_task *kept = memory_get(ours, args->count * sizeof *kept);
    async_value v = async_error(ENOMEM, "no memory for async_wait");
    if (watches && kept)
        v = keep_vigil(args, watches, kept);
    memory_give_back(watches);
    memory_give_back(kept);
    return v;
}

async_awaitable async_wait(async_task *tasks, size_t count, double timeout,
                           enum async_return_when return_when)
{
    return coro_make(wait, "async_wait", &(struct wait){ tasks, count, timeout, return_when },
                     sizeof(struct wait));
}
