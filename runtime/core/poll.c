/* poll.c - libev, which waits for files, signals and other threads on behalf of the loop. The only
 * file that knows it.
 *
 * Whatever happens out there makes a job ready; the loop runs it in its turn. Other threads leave
 * theirs in a list under a mutex and wake libev; everything else belongs to the loop's thread. The
 * mutex is one for all loops, since another thread may hold on to a loop that is being closed. */
#include "core/poll.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/reserve.h"
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_AGAIN 0.01             /* seconds: how often we look at what the system does not watch for us */

static pthread_mutex_t posting = PTHREAD_MUTEX_INITIALIZER;

struct poll {
    struct list jobs;               /* from other threads; guarded by `posting`, as is ... */
    bool refuses;                   /* further jobs: the loop is being closed */
    struct ev_loop *ev;
    struct list refused;            /* watches that the system has no room for */
    struct list unseen;             /* of a program's own descriptors, since we last looked outside */
    ev_timer again;                 /* runs while there are any: looks at them */
    ev_async wake;                  /* ends libev's wait, from any thread or signal handler */
    atomic_bool posted;             /* there are jobs, or an interrupt */
    atomic_bool interrupt;          /* Ctrl-C came */
    atomic_bool tree_wanted;        /* SIGUSR1 came */
};

/* All of it but `link` in one line of the cache, for a server has thousands. */
struct __attribute__((aligned(64))) watch {
    union {
        ev_watcher any;             /* its data: the job */
        ev_io io;
        ev_signal signal;
    };
    async_loop *loop;
    bool is_signal, resting;
    bool holds_clock;               /* what it waits for is under way: virtual time must not jump */
    struct list link;               /* among the unseen, or those that were refused */
};

static struct job *job_of(const struct watch *watch) { return watch->any.data; }

static void on_wake(struct ev_loop *ev, ev_async *wake, int events);

static void on_alarm(struct ev_loop *ev, ev_timer *alarm, int events)
{
    (void)ev, (void)alarm, (void)events;    /* it only had to end the wait */
}

/* libev finds out that the system refuses a watch just before it waits, and would wait all the same. */
static void before_waiting(struct ev_loop *ev)
{
    if (ev_pending_count(ev))
        ev_async_send(ev, &((struct poll *)ev_userdata(ev))->wake);
}

/* What libev cannot do without, and nobody can mend: it would end the program with words of its own. */
static void on_failure(const char *what)
{
    fflush(stdout);
    fprintf(stderr, "The event loop cannot go on, for the system refuses to wait for it: %s: %s. Has the "
                    "program closed descriptors that are not its own?\n", what, strerror(errno));
    abort();
}

/* What libev may use here, for it ends the program where it needs a descriptor and there is none, and
 * never hears of another thread where epoll takes no more. 0: there are no descriptors. */
static unsigned backends(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int spare[2];
    if (pipe(spare) < 0)
        return 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool works = epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, spare[0], &event) == 0;
    if (epoll >= 0)
        close(epoll);
    close(spare[0]);
    close(spare[1]);
    return works ? EVBACKEND_EPOLL | EVBACKEND_POLL : EVBACKEND_POLL;
}

struct poll *poll_new(async_loop *loop)
{
    unsigned usable = backends();
    if (!usable)
        return NULL;
    ev_set_allocator(reserve_realloc);
    ev_set_syserr_cb(on_failure);
    struct poll *poll = calloc(1, sizeof *poll);
    if (!poll || !(poll->ev = ev_loop_new(usable))) {
        free(poll);
        return NULL;
    }
    list_init(&poll->jobs);
    list_init(&poll->refused);
    list_init(&poll->unseen);
    ev_timer_init(&poll->again, on_alarm, 0, LOOK_AGAIN);
    ev_async_init(&poll->wake, on_wake);
    poll->wake.data = loop;
    ev_async_start(poll->ev, &poll->wake);
    ev_set_userdata(poll->ev, poll);
    ev_set_loop_release_cb(poll->ev, before_waiting, NULL);
    return poll;
}

void poll_refuse(struct poll *poll)
{
    pthread_mutex_lock(&posting);
    poll->refuses = true;
    pthread_mutex_unlock(&posting);
}

void poll_free(struct poll *poll)
{
    async_loop *loop = poll->wake.data;
    pthread_mutex_lock(&posting);
    loop->poll = NULL;
    pthread_mutex_unlock(&posting);
    ev_async_stop(poll->ev, &poll->wake);
    ev_loop_destroy(poll->ev);
    free(poll);
}

/* ------------------------------------------------------------------------------ watching */

static void on_event(struct watch *watch, int number)
{
    hook_value(io, number);
    struct job *job = job_of(watch);
    if (list_empty(&job->link))                 /* else it is ready already */
        loop_ready(watch->loop, job);
}

/* The system may have no room for one more to watch (max_user_watches). libev has stopped it then, and
 * we look ourselves, now and then. */
static void refused(struct watch *watch)
{
    struct poll *poll = watch->loop->poll;
    list_append(&poll->refused, &watch->link);
    ev_timer_again(poll->ev, &poll->again);
}

static bool is_ready(const struct watch *watch)
{
    struct pollfd look = { watch->io.fd, watch->io.events & EV_WRITE ? POLLOUT : POLLIN, 0 };
    return poll(&look, 1, 0);
}

static void look_again(struct poll *poll)
{
    list_each(link, &poll->refused) {
        struct watch *watch = container_of(link, struct watch, link);
        if (is_ready(watch))
            on_event(watch, watch->io.fd);
    }
}

static void on_io(struct ev_loop *ev, ev_io *io, int events)
{
    struct watch *watch = container_of(io, struct watch, io);
    if (watch->resting)
        ev_io_stop(ev, io);
    else if (events & EV_ERROR)
        refused(watch);
    else
        on_event(watch, io->fd);
}

static void on_signal(struct ev_loop *ev, ev_signal *signal, int events)
{
    (void)ev, (void)events;
    on_event(container_of(signal, struct watch, signal), -signal->signum);
}

static struct watch *watch_new(async_loop *loop, bool is_signal)
{
    struct watch *watch = aligned_alloc(_Alignof(struct watch), sizeof *watch);
    if (!watch)
        return NULL;
    memset(watch, 0, sizeof *watch);
    list_init(&watch->link);
    watch->loop = loop;
    watch->is_signal = is_signal;
    return watch;
}

static void count(const struct watch *watch, int change)
{
    if (watch->holds_clock)
        watch->loop->watched += change;
    else
        watch->loop->listening += change;
}

void watch_again(struct watch *watch, struct job *job)
{
    list_init(&job->link);
    watch->any.data = job;
    watch->resting = false;
    if (watch->is_signal)
        ev_signal_start(watch->loop->poll->ev, &watch->signal);
    else if (!ev_is_active(&watch->io))
        ev_io_start(watch->loop->poll->ev, &watch->io);
    count(watch, 1);
}

struct watch *watch_fd(async_loop *loop, int fd, bool for_writing, bool holds_clock,
                       struct job *job)
{
    struct watch *watch = watch_new(loop, false);
    if (!watch)
        return NULL;
    ev_io_init(&watch->io, on_io, fd, for_writing ? EV_WRITE : EV_READ);
    watch->holds_clock = holds_clock;
    watch_again(watch, job);
    return watch;
}

struct watch *watch_signal(async_loop *loop, int number, struct job *job)
{
    struct watch *watch = watch_new(loop, true);
    if (!watch)
        return NULL;
    ev_signal_init(&watch->signal, on_signal, number);
    watch_again(watch, job);
    return watch;
}

/* libev stops looking only if something comes meanwhile: most go on before that. */
void watch_rest(struct watch *watch)
{
    if (watch->resting)
        return;
    watch->resting = true;
    list_remove(&watch->link);
    list_remove(&job_of(watch)->link);
    count(watch, -1);
}

void watch_is_foreign(struct watch *watch)
{
    list_append(&watch->loop->poll->unseen, &watch->link);
}

struct job *watch_job(const struct watch *watch) { return watch->resting ? NULL : job_of(watch); }

void unwatch(struct watch **kept)
{
    struct watch *watch = *kept;
    if (!watch)
        return;
    *kept = NULL;
    watch_rest(watch);
    if (watch->is_signal)
        ev_signal_stop(watch->loop->poll->ev, &watch->signal);
    else
        ev_io_stop(watch->loop->poll->ev, &watch->io);
    free(watch);
}

bool poll_called(struct poll *poll) { return atomic_load(&poll->posted); }

void poll_fetch(async_loop *loop)
{
    struct poll *poll = loop->poll;
    atomic_store(&poll->posted, false);
    pthread_mutex_lock(&posting);
    list_splice(&loop->ready, &poll->jobs);
    pthread_mutex_unlock(&posting);
}

static void on_wake(struct ev_loop *ev, ev_async *wake, int events)
{
    (void)ev, (void)events;
    async_loop *loop = wake->data;
    poll_fetch(loop);
    if (atomic_exchange(&loop->poll->interrupt, false) && loop->interrupted)
        loop_ready(loop, loop->interrupted);
    if (atomic_exchange(&loop->poll->tree_wanted, false))
        loop->print(loop);
}

bool poll_post(async_loop *loop, struct job *job)
{
    pthread_mutex_lock(&posting);
    struct poll *poll = loop->poll;
    bool accepted = poll && !poll->refuses;
    if (accepted) {
        list_append(&poll->jobs, &job->link);
        atomic_store(&poll->posted, true);
        ev_async_send(poll->ev, &poll->wake);
    }
    pthread_mutex_unlock(&posting);
    return accepted;
}

static void call(async_loop *loop, atomic_bool *what)
{
    atomic_store(what, true);
    atomic_store(&loop->poll->posted, true);
    ev_async_send(loop->poll->ev, &loop->poll->wake);
}

void poll_interrupt(async_loop *loop) { call(loop, &loop->poll->interrupt); }
void poll_ask_tree(async_loop *loop) { call(loop, &loop->poll->tree_wanted); }

/* ------------------------------------------------------------------------------- waiting */

atomic_int poll_own_threads;

/* The directory's count of links. Its entries would be less: one that goes while we read hides another. */
static int threads(void)
{
    struct stat task;
    return stat("/proc/self/task", &task) == 0 ? (int)task.st_nlink - 2 : 1;    /* without "." and ".." */
}

static int threads_before_main;     /* one; an emulator of a processor has others of its own */

__attribute__((constructor))
static void count_threads(void) { threads_before_main = threads(); }

bool poll_has_threads(int idle)
{
    return threads() > threads_before_main + idle + atomic_load(&poll_own_threads);
}

/* A program may have closed what it asked us to watch, which would be an assertion of libev's. */
static void check_unseen(struct poll *poll)
{
    list_each(link, &poll->unseen) {
        struct watch *watch = container_of(link, struct watch, link);
        list_remove(link);
        if (fcntl(watch->io.fd, F_GETFD) >= 0)
            continue;
        ev_io_stop(poll->ev, &watch->io);
        refused(watch);
    }
}

void poll_wait(struct poll *poll, double seconds)
{
    ev_timer alarm;
    ev_timer_init(&alarm, on_alarm, seconds, 0);
    if (seconds > 0 && seconds < ASYNC_NO_TIMEOUT) {
        ev_now_update(poll->ev);
        ev_timer_start(poll->ev, &alarm);
    }
    check_unseen(poll);
    ev_run(poll->ev, seconds > 0 ? EVRUN_ONCE : EVRUN_NOWAIT);
    ev_timer_stop(poll->ev, &alarm);
    if (list_empty(&poll->refused))
        ev_timer_stop(poll->ev, &poll->again);
    else
        look_again(poll);
}
