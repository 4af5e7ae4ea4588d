/* task.h - a coroutine with a stack of its own, run step by step by the loop.
 *
 * A step runs the coroutine until it waits. Then exactly one of these holds:
 *   it waits on a future      its job is in that future's list of waiters
 *   it gave up its turn       its job is in the ready queue
 *   it is done                it has no stack any more
 * so that the one job a task has is enough for all its life, and nothing is allocated to wait. */
#ifndef TASK_H
#define TASK_H

#include "core/context.h"
#include "core/coro.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/timer.h"

struct task {
    struct coro coro;               /* it was a coroutine object first; while it is pending, the message of
                                       the outcome is the one for must_cancel, in `memory` */
    void *place;                    /* where its stack was left, for switch_stack */
    struct job step;                /* runs the next step */
    const char *waiting_at;         /* "file:line" of its last await */
    struct future *waiting_on;      /* what it awaits, or NULL */
    void *stack;                    /* top of the stack it is on: its own, or the one of the generator
                                       that it runs; NULL before the first step and when done */
    struct frame *frame;            /* of the innermost coroutine function it is in */
    struct memory memory;           /* what async_alloc gave it */
    char *name;                     /* NULL: "Task-<number>" not yet written */
    struct context *context;        /* its context variables */
    unsigned name_number;
    unsigned cancels : 28;          /* requests: task.cancelling() */
    bool asked : 1;                 /* is on the way that a request takes just now */
    bool must_cancel : 1;           /* the next step gets ASYNC_CANCELLED */
    bool detached : 1;              /* nobody will ask for the outcome */
};

extern const struct future_type task_type;

#define task_of(future_pointer) container_of(future_pointer, struct task, coro.object.future)

/* NULL: none. */
static inline struct task *task_current(void) { return loop_running ? loop_running->current : NULL; }
static inline async_task task_ticket(void)
{
    return task_current() ? object_ticket(&task_current()->coro.object) : NULL;
}

struct task *task_known(async_task x, const char *caller);  /* object_known; NULL also if x is NULL */

/* Makes a coroutine object a task of this loop, in place, and queues its first step. The name is
 * copied; NULL gives it a number. Where x is no such object *error says so, and NULL comes back; or the program
 * ends, where `error` is NULL. */
struct task *task_start(async_loop *loop, async_awaitable x, const char *name, const char *caller,
                        async_value *error);

/* The same for a program that asks for a task: it begins at once if it is to, or where that is how its loop makes
 * tasks, and may be done already. */
struct task *task_create(async_loop *loop, async_awaitable x, const char *name, bool eager, const char *caller,
                         async_value *error);

/* What ensure_future does: a task for a coroutine, any other future as it is; pinned. */
struct future *task_ensure(async_loop *loop, async_awaitable x, const char *caller,
                           async_value *error);

/* The same of the i-th in a list: a coroutine object that stood there before has become a task, which is meant. */
struct future *task_ensure_listed(async_loop *loop, const async_awaitable *list, size_t i, const char *caller,
                                  async_value *error);

/* The only two ways to wait; everything is built on them: until the future is done, and for one
 * turn of the loop (task_yield, in step.h). They return async_none, or ASYNC_CANCELLED if the task was
 * cancelled meanwhile, whatever the future holds, or an error at once where no task runs. */
async_value task_wait(struct future *future);

/* Goes on for good on the stack of the thread that runs the loop. For a process that was forked by a task:
 * nothing comes back to the loop, or to the task. */
_Noreturn void task_leave_stack(void (*entry)(void));

/* Of cancel.c: task_type's way to be cancelled. */
bool task_cancel(struct future *future, const char *message);
unsigned task_uncancel(struct task *task);      /* one request fewer; gives what is left */

struct task *task_of_job(struct job *job);  /* whose step this is, or NULL */

/* "Task-1" or the name it was given. */
const char *task_name(struct task *task);

#endif
