/* cancel.c - task.cancel: asking a task to end.
 *
 * Asking goes down: a task that awaits something has that cancelled, which then wakes the task with
 * ASYNC_CANCELLED, as any end of what it awaits would. A task that waits for nothing that can be
 * cancelled gets the error when its next step begins (must_cancel). A request is counted, so that
 * timeouts and task groups can tell their own from somebody else's, and take theirs back. */
#include "core/hooks.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/task.h"

/* The task at the end of a chain of tasks that await tasks; each is asked on the way down. A chain
 * may be long, so we don't recurse; and it may bite its own tail, in which case every task on it
 * waits for ever and the one where we notice is the one to be woken. */
static struct task *ask_down(struct task *task, bool *cycle)
{
    struct task *mark = task;
    for (unsigned steps = 0, power = 1;; steps++) {
        task->cancels++;
        hook(cancelled, task);
        struct future *next = task->waiting_on;
        *cycle = false;
        if (!next || next->type != &task_type || next->state != PENDING)
            return task;
        *cycle = task_of(next) == mark;
        if (*cycle)
            return task;
        task = task_of(next);
        if (steps == power) {
            mark = task;
            power *= 2;
        }
    }
}

bool task_cancel(struct future *future, const char *message)
{
    bool cycle;
    if (future->state != PENDING)
        return false;
    struct task *task = ask_down(task_of(future), &cycle);
    message = memory_text(&task->memory, message);      /* goes where the error goes: rule 4 */
    if (!cycle && task->waiting_on && future_cancel(task->waiting_on, message))
        return true;
    task->must_cancel = true;
    task->coro.object.future.outcome.message = message;
    if (cycle) {
        list_remove(&task->step.link);
        loop_ready(future->loop, &task->step);
    }
    return true;
}

int async_cancelling(async_task x)
{
    struct task *task = task_known(x, "async_cancelling");
    return task ? task->cancels : 0;
}

unsigned task_uncancel(struct task *task)
{
    if (task->cancels && --task->cancels == 0)
        task->must_cancel = false;              /* not delivered yet: taken back (since 3.13) */
    return task->cancels;
}

int async_uncancel(async_task x)
{
    struct task *task = task_known(x, "async_uncancel");
    return task ? task_uncancel(task) : 0;
}

bool async_cancel(async_task x) { return async_cancel_msg(x, NULL); }

bool async_cancel_msg(async_task x, const char *message)
{
    struct future *future = future_known(x, "async_cancel", NULL);
    return future_cancel(future, message);
}
