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

static struct task *task_awaited(const struct task *task)
{
    struct future *future = task->waiting_on;
    return future && future->type == &task_type && future->state == PENDING ? task_of(future) : NULL;
}

/* Each task in a chain of tasks that await tasks is asked. A chain may be long, so we don't recurse; and it may
 * bite its own tail, also by way of a gather that one of its own children awaits: then all of them wait for ever,
 * and the task where we notice is the one to be woken. */
bool task_cancel(struct future *future, const char *message)
{
    struct task *first = task_of(future), *last = first, *next = first;
    size_t asked = 0;
    if (future->state != PENDING)
        return false;
    for (; next && !next->asked; next = task_awaited(last), asked++) {
        last = next;
        last->asked = true;
        last->cancels++;
        hook(cancelled, last);
    }
    message = memory_text(&last->memory, message);      /* goes where the error goes: rule 4 */
    bool handed_on = !next && last->waiting_on && future_cancel(last->waiting_on, message);
    for (struct task *task = first; asked--; task = task_awaited(task))
        task->asked = false;
    if (handed_on)
        return true;
    last->must_cancel = true;
    last->coro.object.future.outcome.message = message;
    if (next) {
        list_remove(&last->step.link);
        loop_ready(future->loop, &last->step);
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
