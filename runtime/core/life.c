/* life.c - a loop from new_event_loop to close: who looks on is told to it when it is made, and what
 * belongs to it goes with it, in a word if it was still wanted. */
#include "core/context.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/stack.h"
#include "core/task.h"
#include "debug/debug.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_CLOSED 1024

/* What is left of closed loops, of every thread, for they may outlive theirs: so a pointer that a
 * program still has leads to a loop that is closed, and not to the next one. */
static struct {
    async_loop *loops[KEEP_CLOSED]; /* a ring */
    size_t count;                   /* how many were put in */
    pthread_mutex_t mutex;
} closed = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void free_closed(void)
{
    for (size_t i = 0; i < KEEP_CLOSED; i++)
        free(closed.loops[i]);
}

static void keep_closed(async_loop *loop)
{
    pthread_mutex_lock(&closed.mutex);
    if (closed.count == 0)
        atexit(free_closed);
    async_loop **place = &closed.loops[closed.count++ % KEEP_CLOSED];
    free(*place);
    *place = loop;
    pthread_mutex_unlock(&closed.mutex);
}

/* All but the struct, which is marked as closed. */
static void end(async_loop *loop)
{
    debug_set(loop, false);
    timers_free(&loop->timers);
    if (loop->poll)
        poll_free(loop->poll);
    context_release(loop->context);
    loop->closed = true;
    keep_closed(loop);
}

async_loop *async_new_event_loop(void)
{
    async_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    list_init(&loop->ready);
    list_init(&loop->batch);
    list_init(&loop->tasks);
    list_init(&loop->parts);
    list_init(&loop->generators);
    clock_init(&loop->clock);
    shuffle_init(&loop->shuffle);
    loop->look = forgotten_look;
    loop->failed = forgotten_failed;
    loop->unasked = forgotten_lost;
    loop->print = async_print_tasks;
    loop->stuck = report_deadlock;
    const char *debug = getenv("ASYNC_DEBUG");
    loop->poll = poll_new(loop);
    trace_begin(loop);
    if (loop->poll) {
        debug_set(loop, debug && *debug && strcmp(debug, "0"));
        return loop;
    }
    end(loop);
    return NULL;
}

async_loop *async_get_running_loop(void) { return loop_running; }

bool async_loop_is_running(async_loop *loop) { return loop_given(loop, __func__)->running; }
bool async_loop_is_closed(async_loop *loop) { return loop_given(loop, __func__)->closed; }
void async_loop_stop(async_loop *loop) { loop_given(loop, __func__)->stopping = true; }
double async_loop_time(async_loop *loop) { return clock_to_seconds(loop_now(loop_given(loop, __func__))); }

/* ---------------------------------------------------------------------------- its end */

/* First everything is taken off every list, with a word about what is lost, ... */
static void detach(struct object *object, void *loop)
{
    struct task *task = (struct task *)object;
    if (object->future.loop != loop)
        return;
    if (object->future.type == &task_type && object->future.state == PENDING) {
        if (!task->coro.object.future.loop->deadlocked)
            report_pending(object);
        if (task->waiting_on && task->waiting_on->type->forget)
            task->waiting_on->type->forget(task->waiting_on);
        list_remove(&task->step.link);
    }
    loop_drop(&object->future.waiters);
    forgotten_lost(object);
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
    loop_close_parts(loop, false);
    poll_refuse(loop->poll);
    poll_fetch(loop);
    loop_drop(&loop->ready);
    object_each(detach, loop);
    forgotten_say_all(loop);
    object_each(discard, loop);
    end(loop);
    object_release();
    stack_release();
    return async_none;
}
