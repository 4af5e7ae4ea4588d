/* step.h - from one task straight to the next.
 *
 * Whoever suspends takes the next job of this turn off the queue itself, and if that is the step of a
 * task it switches to that task's stack. Everything else is the loop's business, and we switch to the
 * loop: callbacks, which run on its stack only; the end of a turn, unless the next one may begin on the
 * spot; and, so that nobody has to be told here, whatever happens while somebody listens or debugs. */
#ifndef STEP_H
#define STEP_H

#include "core/hooks.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/stack.h"
#include "core/task.h"

extern _Thread_local void *loop_place;      /* where the loop waits for a task to give it control */

void task_step(struct job *job);            /* what a task's job runs, where the loop runs it */
void task_begin(void);                      /* the bottom of every task's stack */

/* Begins the next turn, if there is nothing to be done between the two: no timer is due, the outside
 * need not be looked at, and nobody has stopped the loop. */
static inline bool loop_next_turn(async_loop *loop)
{
    const struct timer *first = loop->timers.root;
    if (list_empty(&loop->ready) || loop->unpolled >= loop->patience || loop->stopping
        || loop->shuffle.on || (first && first->deadline <= loop->clock.now))
        return false;
    loop->unpolled++;
    list_splice(&loop->batch, &loop->ready);
    return true;
}

/* Does somebody listen or debug? Then each step goes through the loop. */
static inline bool loop_observed(const async_loop *loop)
{
    return __builtin_expect(async_hooks || loop->debug, 0);
}

/* The task whose step is next, taken off the queue; NULL: the loop has to see to what is. A task that
 * has not begun gets a stack: `spare`, where the caller stands, or if that is NULL a new one. */
__attribute__((always_inline)) static inline struct task *task_next(async_loop *loop, void *spare)
{
    if (list_empty(&loop->batch) && !loop_next_turn(loop))
        return NULL;
    struct job *job = container_of(loop->batch.next, struct job, link);
    struct job *later = container_of(job->link.next, struct job, link);
    struct task *next = container_of(job, struct task, step);
    if (__builtin_expect(job->run != task_step, 0))
        return NULL;
    if (!next->stack) {
        if (next->must_cancel || !(next->stack = spare ? spare : stack_take()))
            return NULL;
        if (!spare)
            next->place = switch_prepare(next->stack, task_begin);
    }
    list_pop(&loop->batch);
    /* What a later one needs comes into the cache meanwhile: its stack, one line after the other, and the record
     * after it. Those that end have no time to wait in, and return through all of their frames. */
    for (int i = 0; spare && i < 3 && &later->link != &loop->batch; i++)
        later = container_of(later->link.next, struct job, link);
    const struct task *task = container_of(later, struct task, step);
    bool has_stack = &later->link != &loop->batch && later->run == task_step && task->stack;
    for (int line = 0; has_stack && line < (spare ? 7 : 4); line++)
        __builtin_prefetch((const char *)task->place + 64 * line);
    __builtin_prefetch(later->link.next);
    return next;
}

/* The future is done: whoever waits for it becomes ready. */
__attribute__((always_inline))
static inline void future_wake(struct future *future, enum future_state state, async_value outcome)
{
    future->state = state;
    future->outcome = outcome;
    hook_value(woken, future);
    list_splice(&future->loop->ready, &future->waiters);
}

/* Leaves the stack of the current task; returns when its next step runs: async_none, or
 * ASYNC_CANCELLED if it was asked to end meanwhile and had nothing to pass that on to. */
__attribute__((always_inline)) static inline async_value task_suspend(struct task *task)
{
    async_loop *loop = loop_running;
    struct task *next = NULL;
    if (__builtin_expect(!stack_holds(task->stack), 0))
        report_stepped_over();
    if (loop_observed(loop))
        hook(suspended, task);
    else
        next = task_next(loop, NULL);
    if (next != task) {
        loop->current = next;
        stack_switch(&task->place, next ? next->place : loop_place, false);
    }
    if (__builtin_expect(!task->must_cancel, 1))
        return async_none;
    task->must_cancel = false;
    return async_error(ASYNC_CANCELLED, task->coro.object.future.outcome.message);
}

/* The two ways to wait of task.h, here for those who wait most: each frame between an await and the
 * switch is a return that the processor predicts wrongly. A future given to task_await is of the running
 * loop, and not the task itself. */
__attribute__((always_inline)) static inline async_value task_await(struct task *task, struct future *future)
{
    task->waiting_at = async_here;
    task->waiting_on = future;
    list_append(&future->waiters, &task->step.link);
    if (task->must_cancel && future_cancel(future, task->coro.object.future.outcome.message))
        task->must_cancel = false;
    async_value interrupted = task_suspend(task);
    task->waiting_on = NULL;
    if (future->state == CANCELLED && (interrupted.error || future->type->unnamed))
        return future_take(future); /* the cancel went down to what we waited on, or came from it */
    return interrupted;
}

static inline async_value task_yield(void)
{
    async_loop *loop = loop_running;
    struct task *task = loop ? loop->current : NULL;
    if (!task)
        return report_no_task();
    task->waiting_at = async_here;
    list_append(&loop->ready, &task->step.link);
    return task_suspend(task);
}

/* task_wait, without a call. */
static inline async_value task_wait_here(struct future *future)
{
    struct task *task = task_current();
    if (!task)
        return report_no_task();
    if (__builtin_expect(future != &task->coro.object.future && future->loop == loop_running, 1))
        return task_await(task, future);
    async_value why = report_cannot_wait(task, future), cancelled = task_yield();
    return cancelled.error ? cancelled : why;
}

#endif
