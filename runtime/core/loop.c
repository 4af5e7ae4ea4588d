/* loop.c - see loop.h. */
#include "core/loop.h"
#include "core/hooks.h"
#include "core/poll.h"
#include "core/stack.h"
#include <stdlib.h>

#define GLANCE (50 * 1000)      /* ns: while tasks keep us busy we look outside about this often, */
#define MOST_TURNS 64           /* but not for every turn, which may take less than the look */
#define LONG (1000 * 1000000)    /* ns: who waits for longer has time to tidy up first */

int64_t loop_now(async_loop *loop) { return clock_read(&loop->clock); }

bool loop_timer_start(async_loop *loop, struct timer *timer, int64_t when)
{
    list_init(&timer->job.link);
    timer->deadline = when;
    return timers_insert(&loop->timers, timer);
}

void loop_timer_stop(async_loop *loop, struct timer *timer)
{
    timers_remove(&loop->timers, timer);
    list_remove(&timer->job.link);
}

bool loop_leave_with(async_loop *loop, async_value error)
{
    if (error.error != ASYNC_KEYBOARD_INTERRUPT && error.error != ASYNC_SYSTEM_EXIT)
        return false;
    loop->left_with = error;
    return true;
}

/* ---------------------------------------------------------------- what has to be given back */

void errand_run(struct job *job)
{
    struct errand *errand = container_of(job, struct errand, job);
    errand->run(errand);
}

struct errand *errand_of(struct job *job)
{
    return job->run == errand_run ? container_of(job, struct errand, job) : NULL;
}

void loop_drop(struct list *jobs)
{
    while (!list_empty(jobs)) {
        struct errand *errand = errand_of(container_of(list_pop(jobs), struct job, link));
        if (errand)
            errand->drop(errand);
    }
}

struct part *loop_part(async_loop *loop, void (*close)(struct part *part), size_t size)
{
    list_each(link, &loop->parts)
        if (container_of(link, struct part, link)->close == close)
            return container_of(link, struct part, link);
    struct part *part = calloc(1, size);
    if (!part)
        return NULL;
    part->close = close;
    loop_has(loop, part);
    return part;
}

void loop_close_parts(async_loop *loop, bool only_processes)
{
    list_each(link, &loop->parts) {
        struct part *part = container_of(link, struct part, link);
        if (only_processes && !part->is_process)
            continue;
        list_remove(link);
        part->close(part);
    }
}

/* --------------------------------------------------------------------------- one turn */

/* Waits for the outside, until the deadline if there is one. */
static void wait_outside(async_loop *loop, const struct timer *next)
{
    poll_wait(loop->poll, next ? clock_to_seconds(next->deadline - loop_now(loop)) : ASYNC_NO_TIMEOUT);
}

/* Before a virtual clock jumps: has a client, or the other end of a connection within this process,
 * sent something? The kernel may need a moment to hand it over. */
static bool something_comes(async_loop *loop)
{
    if (loop->listening)
        poll_wait(loop->poll, 0.001);
    return !list_empty(&loop->ready);
}

/* Nothing is ready: sleeps until something happens. False if nothing ever can. */
static bool wait(async_loop *loop)
{
    loop->look(loop, loop->timers.root ? loop->timers.root->deadline : INT64_MAX);
    struct timer *next = loop->timers.root;
    if (next && next->deadline == INT64_MAX)
        next = NULL;                /* due never */
    if (!list_empty(&loop->ready))  /* by who was told of an error */
        return true;
    if (!next || next->deadline - loop->clock.now >= LONG)
        stack_trim();
    if (poll_called(loop->poll)) {
        poll_wait(loop->poll, 0);
    } else if (loop->watched) {     /* real work is under way: it holds a virtual clock back */
        wait_outside(loop, loop->clock.is_virtual ? NULL : next);
    } else if (!next && !loop->listening && !poll_has_threads(loop->threads)
               && !poll_called(loop->poll)) {     /* by a thread that is gone since */
        return false;
    } else if (next && loop->clock.is_virtual && !something_comes(loop)) {
        if (next->deadline > loop->clock.now)
            hook_value(time_passes, clock_to_seconds(next->deadline));
        clock_jump(&loop->clock, next->deadline);
    } else if (list_empty(&loop->ready)) {
        wait_outside(loop, next);
    }
    loop_now(loop);
    return true;
}

/* Something is ready: looks at the clock and the outside without waiting, unless turns are so
 * short that we can put it off. */
static void glance(async_loop *loop)
{
    if (++loop->unpolled <= loop->patience)
        return;
    int64_t before = loop->clock.now, now = loop_now(loop);
    loop->unpolled = 0;
    loop->patience = now - before > GLANCE ? 0 : loop->patience * 2 + 1;
    if (loop->patience >= MOST_TURNS)
        loop->patience = MOST_TURNS - 1;
    loop->look(loop, now);
    if (loop->watched || loop->listening || poll_called(loop->poll))
        poll_wait(loop->poll, 0);
}

static void collect_due(async_loop *loop)
{
    struct timer *timer;
    while ((timer = loop->timers.root) && timer->deadline <= loop->clock.now) {
        timers_remove(&loop->timers, timer);
        if (list_empty(&timer->job.link))       /* else it is ready already, by what it waited for */
            loop_ready(loop, &timer->job);
        hook_value(timer, clock_to_seconds(timer->deadline));
    }
}

static void run_batch(async_loop *loop)
{
    list_splice(&loop->batch, &loop->ready);
    if (loop->shuffle.on)
        shuffle_list(&loop->shuffle, &loop->batch);
    hook_value(turn, loop);
    while (!list_empty(&loop->batch)) {
        struct job *job = container_of(list_pop(&loop->batch), struct job, link);
        __builtin_prefetch(loop->batch.next->next);
        if (__builtin_expect(loop->debug != NULL, 0))
            loop->debug->run(loop, job);
        else
            job->run(job);
        if (loop->left_with.error) {        /* what is left runs when the loop is run again */
            list_splice(&loop->batch, &loop->ready);
            list_splice(&loop->ready, &loop->batch);
        }
    }
}

async_value loop_run(async_loop *loop)
{
    async_value how = async_none;
    async_loop *outer = loop_running;
    loop_running = loop;
    loop->running = true;
    loop->left_with = async_none;
    loop->deadlocked = false;
    do {
        if (!list_empty(&loop->ready) || loop->stopping)
            glance(loop);
        else if (!wait(loop))
            how = async_error(ASYNC_DEADLOCK, "nothing is ready and nothing can become ready");
        collect_due(loop);
        run_batch(loop);
        if (loop->left_with.error)
            how = loop->left_with;
    } while (!loop->stopping && !how.error);
    loop->stopping = false;
    loop->running = false;
    loop_running = outer;
    return how;
}
