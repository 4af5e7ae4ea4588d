/* watch.c - what comes from outside of the loop: descriptors that are ready, signals, other threads.
 *
 * All of it becomes a callback like any other, in the ready queue, in its turn. */
#include "core/callback.h"
#include "core/context.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/poll.h"
#include "core/report.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum kind { READER, WRITER, SIGNAL };

struct watcher {
    struct part part;               /* of its loop */
    struct job job;
    struct watch *watch;            /* the loop's part */
    async_loop *loop;
    enum kind kind;
    int number;                     /* of the descriptor or signal */
    async_fn *fn;
    void *arg;
    struct context *context;        /* of who added it, in which each call begins */
};

/* The function may remove the watcher. */
static void run(struct job *job)
{
    struct watcher *watcher = container_of(job, struct watcher, job);
    callback_call(watcher->loop, watcher->fn, watcher->arg, context_keep(watcher->context), NULL);
}

/* A signal belongs to one loop, that of the last who asked in this thread. Two threads cannot share one. */
static pthread_mutex_t owning = PTHREAD_MUTEX_INITIALIZER;
static struct { async_loop *loop; pthread_t thread; const char *place; } owners[_NSIG];

static void disown(int number)
{
    pthread_mutex_lock(&owning);
    owners[number].loop = NULL;
    pthread_mutex_unlock(&owning);
}

static void end(struct watcher *watcher)
{
    list_remove(&watcher->part.link);
    unwatch(&watcher->watch);
    context_release(watcher->context);
    free(watcher);
}

static void close_watcher(struct part *part)
{
    struct watcher *watcher = container_of(part, struct watcher, part);
    if (watcher->kind == SIGNAL)
        disown(watcher->number);
    end(watcher);
}

static struct watcher *find(async_loop *loop, enum kind kind, int number)
{
    list_each(link, &loop->parts) {
        struct watcher *watcher = container_of(link, struct watcher, part.link);
        if (watcher->part.close == close_watcher && watcher->kind == kind && watcher->number == number)
            return watcher;
    }
    return NULL;
}

static bool forget(async_loop *loop, enum kind kind, int number, const char *caller)
{
    struct watcher *watcher = find(loop_given(loop, caller), kind, number);
    if (watcher)
        close_watcher(&watcher->part);
    return watcher;
}

/* Takes the signal from whatever loop of this thread has it; the error if one of another thread has. */
static async_value own(async_loop *loop, int number)
{
    pthread_mutex_lock(&owning);
    async_loop *owner = owners[number].loop;
    const char *place = owners[number].place;
    bool foreign = owner && !pthread_equal(owners[number].thread, pthread_self());
    if (!foreign) {
        owners[number].loop = loop;
        owners[number].thread = pthread_self();
        owners[number].place = async_here;
    }
    pthread_mutex_unlock(&owning);
    if (foreign)
        return async_error(ASYNC_RUNTIME_ERROR, async_strf(
            "signal %d belongs to the loop of another thread, which asked for it at %s", number, place));
    if (owner)
        end(find(owner, SIGNAL, number));
    return async_none;
}

static async_value add(async_loop *loop, enum kind kind, int number, async_fn *fn, void *arg, const char *caller)
{
    if (loop_given(loop, caller)->closed)
        return async_error(ASYNC_RUNTIME_ERROR, "Event loop is closed");
    if (kind != SIGNAL && fcntl(number, F_GETFD) < 0)
        return async_error(EBADF, "there is no such descriptor to watch");
    struct watcher *watcher = calloc(1, sizeof *watcher);
    async_value no_memory = async_error(ENOMEM, "no memory to watch a descriptor or signal");
    async_value v = !watcher ? no_memory : kind == SIGNAL ? own(loop, number) : async_none;
    if (v.error) {
        free(watcher);
        return v;
    }
    *watcher = (struct watcher){ .part.close = close_watcher, .job.run = run, .loop = loop, .kind = kind,
                                 .number = number, .fn = fn, .arg = arg };
    watcher->watch = kind == SIGNAL ? watch_signal(loop, number, &watcher->job)
                                    : watch_fd(loop, number, kind == WRITER, true, &watcher->job);
    if (!watcher->watch) {
        if (kind == SIGNAL)
            disown(number);
        free(watcher);
        return no_memory;
    }
    if (kind != SIGNAL) {           /* own() did */
        watch_is_foreign(watcher->watch);
        forget(loop, kind, number, caller);
    }
    watcher->context = context_copy();
    loop_has(loop, &watcher->part);
    return async_none;
}

async_value async_loop_add_reader(async_loop *loop, int fd, async_fn *fn, void *arg)
{
    return add(loop, READER, fd, fn, arg, __func__);
}

async_value async_loop_add_writer(async_loop *loop, int fd, async_fn *fn, void *arg)
{
    return add(loop, WRITER, fd, fn, arg, __func__);
}

async_value async_loop_add_signal_handler(async_loop *loop, int number, async_fn *fn, void *arg)
{
    struct sigaction now;
    if (number == SIGKILL || number == SIGSTOP || sigaction(number, NULL, &now) != 0)
        return async_error(ASYNC_RUNTIME_ERROR, number == SIGKILL ? "sig 9 cannot be caught"
                                                                  : "this signal cannot be caught");
    return add(loop, SIGNAL, number, fn, arg, __func__);
}

bool async_loop_remove_reader(async_loop *loop, int fd) { return forget(loop, READER, fd, __func__); }
bool async_loop_remove_writer(async_loop *loop, int fd) { return forget(loop, WRITER, fd, __func__); }

bool async_loop_remove_signal_handler(async_loop *loop, int number)
{
    return forget(loop, SIGNAL, number, __func__);
}

/* ------------------------------------------------------------------------ other threads */

struct posted {
    struct errand errand;
    async_loop *loop;
    async_fn *fn;
    void *arg;
    struct context *context;        /* of who called, perhaps in another thread */
};

static void run_posted(struct errand *errand)
{
    struct posted posted = *container_of(errand, struct posted, errand);
    free(container_of(errand, struct posted, errand));
    callback_call(posted.loop, posted.fn, posted.arg, posted.context, NULL);
}

static void drop_posted(struct errand *errand)
{
    struct posted *posted = container_of(errand, struct posted, errand);
    context_release(posted->context);
    free(posted);
}

async_value async_loop_call_soon_threadsafe(async_loop *loop, async_fn *fn, void *arg)
{
    loop_given(loop, __func__);
    struct posted *posted = malloc(sizeof *posted);
    if (!posted)
        return async_error(ENOMEM, "no memory for a callback");
    *posted = (struct posted){ errand_new(run_posted, drop_posted), loop, fn, arg, context_copy() };
    if (loop_running == loop) {             /* our own thread: the same queue as call_soon */
        loop_ready(loop, &posted->errand.job);
    } else if (!poll_post(loop, &posted->errand.job)) {
        drop_posted(&posted->errand);
        return async_error(ASYNC_RUNTIME_ERROR, "Event loop is closed");
    }
    return async_none;
}
