/* loop.c - see loop.h. The only file that knows libev. */
#include "loop.h"
#include "hooks.h"
#include <dirent.h>
#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GLANCE (50 * 1000)      /* ns: while tasks keep us busy we look outside about this often, */
#define MOST_TURNS 64           /* but not for every turn, which may take less than the look */

struct outside {
    pthread_mutex_t mutex;          /* guards jobs; everything else belongs to the loop's thread */
    struct list jobs;
    ev_async wake;                  /* ends libev's wait, from any thread or signal handler */
    atomic_bool posted;             /* there are jobs, or an interrupt */
    atomic_bool interrupt;
};

struct watch {
    async_loop *loop;
    struct job *job;
    bool is_signal;
    union {
        ev_io io;
        ev_signal signal;
    };
};

_Thread_local async_loop *loop_running;
_Thread_local const char *async_here = "?";
const struct async_hooks *async_hooks;
static _Thread_local async_loop *closed_loops;

static void on_wake(struct ev_loop *ev, ev_async *wake, int events);

static void free_closed(void)
{
    while (closed_loops) {
        async_loop *loop = closed_loops;
        closed_loops = loop->next_closed;
        free(loop);
    }
}

/* A new shell, or one that was closed before. */
static async_loop *shell(void)
{
    static bool registered;
    async_loop *loop = closed_loops;
    if (!registered)
        registered = atexit(free_closed) == 0;
    if (!loop)
        return calloc(1, sizeof *loop);
    closed_loops = loop->next_closed;
    memset(loop, 0, sizeof *loop);
    return loop;
}

async_loop *async_new_event_loop(void)
{
    async_loop *loop = shell();
    if (!loop)
        return NULL;
    list_init(&loop->ready);
    list_init(&loop->batch);
    list_init(&loop->tasks);
    list_init(&loop->watchers);
    list_init(&loop->generators);
    clock_init(&loop->clock);
    loop->outside = calloc(1, sizeof *loop->outside);
    loop->ev = loop->outside ? ev_loop_new(EVFLAG_AUTO) : NULL;
    if (!loop->ev) {
        loop_free(loop);
        return NULL;
    }
    list_init(&loop->outside->jobs);
    pthread_mutex_init(&loop->outside->mutex, NULL);
    ev_async_init(&loop->outside->wake, on_wake);
    loop->outside->wake.data = loop;
    ev_async_start(loop->ev, &loop->outside->wake);
    return loop;
}

void loop_free(async_loop *loop)
{
    if (loop->ev) {
        ev_async_stop(loop->ev, &loop->outside->wake);
        ev_loop_destroy(loop->ev);
        pthread_mutex_destroy(&loop->outside->mutex);
    }
    free(loop->outside);
    loop->closed = true;
    loop->next_closed = closed_loops;
    closed_loops = loop;
}

async_loop *async_get_running_loop(void) { return loop_running; }
bool async_loop_is_running(async_loop *loop) { return loop->running; }
bool async_loop_is_closed(async_loop *loop) { return loop->closed; }
void async_loop_stop(async_loop *loop) { loop->stopping = true; }
double async_loop_time(async_loop *loop) { return clock_to_seconds(loop_now(loop)); }
int64_t loop_now(async_loop *loop) { return clock_read(&loop->clock); }

void loop_ready(async_loop *loop, struct job *job) { list_append(&loop->ready, &job->link); }

void loop_timer_start(async_loop *loop, struct timer *timer, int64_t when)
{
    list_init(&timer->job.link);
    timer->deadline = when;
    timers_insert(&loop->timers, timer);
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

/* ------------------------------------------------------------------------ the outside */

static void on_event(struct watch *watch)
{
    if (list_empty(&watch->job->link))          /* else it is ready already */
        loop_ready(watch->loop, watch->job);
}

static void on_io(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev, (void)events;
    on_event(io->data);
}

static void on_signal(struct ev_loop *ev, ev_signal *signal, int events)
{
    (void)ev, (void)events;
    on_event(signal->data);
}

static struct watch *watch_new(async_loop *loop, struct job *job, bool is_signal)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    list_init(&job->link);
    watch->loop = loop;
    watch->job = job;
    watch->is_signal = is_signal;
    return watch;
}

struct watch *loop_watch_fd(async_loop *loop, int fd, bool for_writing, struct job *job)
{
    struct watch *watch = watch_new(loop, job, false);
    if (!watch)
        return NULL;
    ev_io_init(&watch->io, on_io, fd, for_writing ? EV_WRITE : EV_READ);
    watch->io.data = watch;
    ev_io_start(loop->ev, &watch->io);
    loop->watched++;
    return watch;
}

struct watch *loop_watch_signal(async_loop *loop, int number, struct job *job)
{
    struct watch *watch = watch_new(loop, job, true);
    if (!watch)
        return NULL;
    ev_signal_init(&watch->signal, on_signal, number);
    watch->signal.data = watch;
    ev_signal_start(loop->ev, &watch->signal);
    loop->listening++;
    return watch;
}

void loop_unwatch(struct watch *watch)
{
    async_loop *loop = watch->loop;
    if (watch->is_signal) {
        ev_signal_stop(loop->ev, &watch->signal);
        loop->listening--;
    } else {
        ev_io_stop(loop->ev, &watch->io);
        loop->watched--;
    }
    list_remove(&watch->job->link);
    free(watch);
}

void loop_fetch_posted(async_loop *loop)
{
    struct outside *outside = loop->outside;
    atomic_store(&outside->posted, false);
    pthread_mutex_lock(&outside->mutex);
    list_splice(&loop->ready, &outside->jobs);
    pthread_mutex_unlock(&outside->mutex);
}

static void on_wake(struct ev_loop *ev, ev_async *wake, int events)
{
    (void)ev, (void)events;
    async_loop *loop = wake->data;
    loop_fetch_posted(loop);
    if (atomic_exchange(&loop->outside->interrupt, false) && loop->interrupted)
        loop_ready(loop, loop->interrupted);
}

void loop_post(async_loop *loop, struct job *job)
{
    struct outside *outside = loop->outside;
    pthread_mutex_lock(&outside->mutex);
    list_append(&outside->jobs, &job->link);
    pthread_mutex_unlock(&outside->mutex);
    atomic_store(&outside->posted, true);
    ev_async_send(loop->ev, &outside->wake);
}

void loop_interrupt(async_loop *loop)
{
    atomic_store(&loop->outside->interrupt, true);
    atomic_store(&loop->outside->posted, true);
    ev_async_send(loop->ev, &loop->outside->wake);
}

/* Could another thread give us something to run? */
static bool others_run(void)
{
    DIR *threads = opendir("/proc/self/task");
    int count = 0;
    while (threads && readdir(threads))
        count++;
    if (threads)
        closedir(threads);
    return count > 3;               /* ".", ".." and ourselves */
}

/* --------------------------------------------------------------------------- one turn */

static void on_alarm(struct ev_loop *ev, ev_timer *alarm, int events)
{
    (void)ev, (void)alarm, (void)events;    /* it only had to end the wait */
}

/* Lets libev wait for the outside until `deadline`, or as long as it takes if that is NULL. */
static void wait_outside(async_loop *loop, const int64_t *deadline)
{
    ev_timer alarm;
    ev_now_update(loop->ev);
    double seconds = deadline ? clock_to_seconds(*deadline - loop_now(loop)) : 0;
    if (deadline && seconds <= 0) {
        ev_run(loop->ev, EVRUN_NOWAIT);
        return;
    }
    ev_timer_init(&alarm, on_alarm, seconds, 0);
    if (deadline)
        ev_timer_start(loop->ev, &alarm);
    ev_run(loop->ev, EVRUN_ONCE);
    ev_timer_stop(loop->ev, &alarm);
}

/* Nothing is ready: sleeps until something happens. False if nothing ever can. */
static bool wait(async_loop *loop)
{
    struct timer *next = loop->timers.root;
    if (atomic_load(&loop->outside->posted)) {
        ev_run(loop->ev, EVRUN_NOWAIT);
    } else if (loop->watched) {                    /* real work is under way: it holds a virtual clock back */
        wait_outside(loop, next && !loop->clock.is_virtual ? &next->deadline : NULL);
    } else if (!next) {
        if (!loop->listening && !others_run())
            return false;
        wait_outside(loop, NULL);
    } else if (loop->clock.is_virtual) {
        hook_value(time_passes, clock_to_seconds(next->deadline));
        clock_jump(&loop->clock, next->deadline);
    } else {
        wait_outside(loop, &next->deadline);
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
    if (loop->watched || loop->listening || atomic_load(&loop->outside->posted))
        ev_run(loop->ev, EVRUN_NOWAIT);
}

static void collect_due(async_loop *loop)
{
    struct timer *timer;
    while ((timer = loop->timers.root) && timer->deadline <= loop->clock.now) {
        timers_remove(&loop->timers, timer);
        loop_ready(loop, &timer->job);
    }
}

static void run_batch(async_loop *loop)
{
    list_splice(&loop->batch, &loop->ready);
    while (!list_empty(&loop->batch)) {
        struct job *job = container_of(loop->batch.next, struct job, link);
        __builtin_prefetch(job->link.next->next);
        list_remove(&job->link);
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
