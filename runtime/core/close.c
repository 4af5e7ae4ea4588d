/* close.c - loop.close: everything that belongs to a loop goes, in a word if it was still wanted. */
#include "core/waitq.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/poll.h"
#include "debug/forgotten.h"
#include "debug/report.h"
#include "core/stack.h"
#include "core/task.h"

static void clear(struct list *jobs)
{
    future_discard_callbacks(jobs, NULL);
    threadsafe_discard(jobs);
    list_each(link, jobs)
        list_remove(link);
}

/* First everything is taken off every list, with a word about what is lost, ... */
static void detach(struct object *object, void *loop)
{
    struct task *task = (struct task *)object;
    if (object->future.loop != loop)
        return;
    if (object->future.type == &coroutine_type)
        forgotten_coroutine(object);
    if (object->future.type == &task_type && object->future.state == PENDING) {
        if (!task->coro.object.future.loop->deadlocked)
            report_pending(object);
        waitq_forget(task->waiting_on);
        stream_forget(task->waiting_on);
        list_remove(&task->step.link);
    }
    clear(&object->future.waiters);
    forgotten_error(object);
}

/* ... then it is freed, in any order, since nothing is read any more: the pin keeps it from being freed
 * a second time, when its owner goes, or whoever had pinned it. */
static void discard(struct object *object, void *loop)
{
    if (object->future.loop != loop)
        return;
    object->pins++;
    object_free(object);
}

async_value async_loop_close(async_loop *loop)
{
    loop_given(loop, __func__);
    if (loop->closed)
        return async_none;
    if (loop->running)
        return async_error(ASYNC_RUNTIME_ERROR, "Cannot close a running event loop");
    subprocess_close(loop);
    executor_close(loop);
    watch_close(loop);
    poll_refuse(loop->poll);
    poll_fetch(loop);
    watch_discard_posted(&loop->ready);
    clear(&loop->ready);
    object_each(detach, loop);
    forgotten_say_all(loop);
    process_close(loop);
    object_each(discard, loop);
    loop_free(loop);
    object_release();
    stack_release();
    return async_none;
}
