/* debug.c - asyncio's debug mode, see debug.h.
 *
 * Around each job that the loop runs we look at the clock. What has to be said about the job is noted
 * before it runs, for afterwards it may be gone. A watchdog thread looks on: when a job is still
 * running after half a second, nobody else can say so. It asks the loop's thread for its stack by a
 * signal; the handler only collects return addresses, and the watchdog names and prints them. */
#define _GNU_SOURCE
#include "debug/debug.h"
#include "core/callback.h"
#include "core/coro.h"
#include "core/loop.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/task.h"
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#else
static int backtrace(void **frames, int most) { (void)frames; (void)most; return 0; }
#endif

#define SLOW 0.1                    /* seconds; loop.slow_callback_duration */
#define BLOCKED 0.5                 /* seconds, after which the watchdog barks */
#define WATCH_EVERY 50              /* milliseconds */
#define MOST_FRAMES 40
#define ORIGIN 400                  /* characters of a chain of creators */
#define ASK SIGURG                  /* ignored by default, and by debuggers */

struct birth {                      /* about the object with this number */
    uint64_t ticket;
    double since;                   /* its last step */
    char *origin;                   /* by whom it was made */
    async_value raised;             /* the error that it left a function with, and where it first did */
    const char *raised_at;
};

struct debug {
    struct observer observer;       /* what the loop knows of us */
    async_loop *loop;
    double slow;
    struct birth *notes;            /* by number of record */
    size_t room;
    pthread_t thread, watchdog;     /* of the loop; ours */
    bool watched;
    atomic_bool ending;
    atomic_llong started;           /* when the job that runs began, in ns; 0: none */
    pthread_mutex_t mutex;          /* guards subject */
    char subject[768];              /* what runs, and since which await */
};

static struct debug *debug_of(const async_loop *loop)
{
    return loop && loop->debug ? container_of(loop->debug, struct debug, observer) : NULL;
}

/* --------------------------------------------------------------------------- who made what */

static struct birth *note_of(const struct object *object)
{
    struct debug *debug = debug_of(object->future.loop);
    if (!debug || object_number(object) >= debug->room)
        return NULL;
    struct birth *note = &debug->notes[object_number(object)];
    return note->ticket == object->ticket || (object->was && note->ticket == object->was) ? note : NULL;
}

static const char *origin(const struct object *object)
{
    struct birth *note = note_of(object);
    return note && note->origin ? note->origin : "";
}

double debug_waits_since(const struct object *object)
{
    struct birth *note = note_of(object);
    return note ? note->since : -1;
}

static const char *raised_at(const struct object *object, async_value error)
{
    struct birth *note = note_of(object);
    return note && note->raised.error == error.error && note->raised.message == error.message
           ? note->raised_at : NULL;
}

/* Passed on from function to function it stays the same error, raised where the innermost was left. */
static void raised(async_value error, const char *place)
{
    struct task *task = task_current();
    struct birth *note = task ? note_of(&task->coro.object) : NULL;
    if (!note || raised_at(&task->coro.object, error))
        return;
    note->raised = error;
    note->raised_at = place;
}

static bool make_room(struct debug *debug, size_t number)
{
    if (number < debug->room)
        return true;
    size_t room = (number + 1) * 2;
    struct birth *notes = realloc(debug->notes, room * sizeof *notes);
    if (!notes)
        return false;
    memset(notes + debug->room, 0, (room - debug->room) * sizeof *notes);
    debug->notes = notes;
    debug->room = room;
    return true;
}

static void born(struct object *object)
{
    char text[REPORT_TEXT], origin[ORIGIN];
    struct task *maker = task_current();
    struct debug *debug = debug_of(object->future.loop);
    if (!make_room(debug, object_number(object)))
        return;
    struct birth *note = &debug->notes[object_number(object)];
    free(note->origin);
    *note = (struct birth){ .ticket = object->ticket, .since = clock_to_seconds(loop_now(debug->loop)) };
    if (!maker)
        return;
    snprintf(origin, sizeof origin, " by %.*s", ORIGIN - 5, report_describe(&maker->coro.object, text));
    note->origin = strdup(origin);
}

/* ------------------------------------------------------------------------------ slow steps */

static void report_slow(const char *subject, double seconds, const char *from, const char *to)
{
    fflush(stdout);
    fprintf(stderr, "Executing %s took %.3f seconds%s%s%s%s. Nothing else ran meanwhile\n", subject, seconds,
            from ? ", from " : "", from ? from : "", to ? " to " : "", to ? to : "");
}

static void run_watched(async_loop *loop, struct job *job)
{
    struct debug *debug = debug_of(loop);
    struct task *task = task_of_job(job);
    const char *from = task ? task->waiting_at ? task->waiting_at : task->coro.object.place : NULL;
    struct object *object = task ? &task->coro.object : callback_of_job(job);
    char text[REPORT_TEXT];
    const char *subject = object ? report_describe(object, text) : "a callback of the runtime";
    pthread_mutex_lock(&debug->mutex);
    snprintf(debug->subject, sizeof debug->subject, "%s%s%s", subject, from ? ", since " : "",
             from ? from : "");
    pthread_mutex_unlock(&debug->mutex);
    if (task)
        object_pin(&task->coro.object);
    debug->thread = pthread_self();
    long long start = clock_of_machine();
    atomic_store(&debug->started, start);
    job->run(job);
    double seconds = (clock_of_machine() - start) / 1e9;
    if (debug_of(loop) != debug) {          /* the job has switched it off */
        if (task)
            object_unpin(&task->coro.object);
        return;
    }
    atomic_store(&debug->started, 0);
    loop->look(loop, loop->clock.now);
    bool ended = task && task->coro.object.future.state != PENDING;
    if (seconds >= debug->slow)
        report_slow(subject, seconds, from, !task ? NULL : ended ? "its end" : task->waiting_at);
    struct birth *note = task ? note_of(&task->coro.object) : NULL;
    if (note)
        note->since = clock_to_seconds(loop_now(loop));
    if (task)
        object_unpin(&task->coro.object);
}

static void check_thread(async_loop *loop, const char *caller)
{
    if (loop->running && !pthread_equal(debug_of(loop)->thread, pthread_self()))
        report_abort(report_refused(ASYNC_RUNTIME_ERROR, caller, "Non-thread-safe operation invoked on "
                                    "an event loop other than the current one. From another thread "
                                    "use async_loop_call_soon_threadsafe()"));
}

/* ------------------------------------------------------------------------------- watchdog */

static struct {
    void *frames[MOST_FRAMES];
    atomic_int count;               /* -1: not answered yet */
} answer;

static void on_ask(int number)
{
    (void)number;
    atomic_store(&answer.count, backtrace(answer.frames, MOST_FRAMES));
}

#define INLINED " (inlined by) "

/* "busy at /home/ada/x.c:12 (discriminator 2)", without the runtime's own part of the stack, and the
 * path as one would type it. */
static void print_frame(char *line)
{
    char *at = strstr(line, " at "), *discriminator = strstr(line, " (discriminator"), here[1024];
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, INLINED, strlen(INLINED)) == 0)
        line += strlen(INLINED);
    if (discriminator)
        *discriminator = '\0';
    if (!at || (strstr(at, "/runtime/") && !strstr(at, "/runtime/tests/")) || strstr(at, "??"))
        return;
    *at = '\0';
    at += 4;
    size_t length = getcwd(here, sizeof here) ? strlen(here) : 0;
    if (length && strncmp(at, here, length) == 0 && at[length] == '/')
        at += length + 1;
    fprintf(stderr, "    %s at %s\n", line, at);
}

/* Has addr2line name the addresses that lie in the program itself. */
static void print_frames(int count)
{
    char command[MOST_FRAMES * 24 + 64], line[1024];
    Dl_info info, ours;
    int length = snprintf(command, sizeof command, "addr2line -i -f -p -e /proc/%d/exe 2>/dev/null",
                          (int)getpid());
    if (!dladdr((void *)(uintptr_t)on_ask, &ours))
        return;
    for (int i = 2; i < count; i++)         /* past the handler */
        if (dladdr(answer.frames[i], &info) && info.dli_fbase == ours.dli_fbase)
            length += snprintf(command + length, sizeof command - length, " %#zx",
                               (size_t)((char *)answer.frames[i] - (char *)info.dli_fbase) - 1);
    FILE *names = popen(command, "r");
    while (names && fgets(line, sizeof line, names))
        print_frame(line);
    if (names)
        pclose(names);
}

/* The question ends a sleep() of the job, and then another job may run: what is to be said about the
 * one that began at `started` is noted before. */
static void bark(struct debug *debug, long long started)
{
    char subject[sizeof debug->subject];
    pthread_mutex_lock(&debug->mutex);
    strcpy(subject, debug->subject);
    pthread_mutex_unlock(&debug->mutex);
    double seconds = (clock_of_machine() - started) / 1e9;
    atomic_store(&answer.count, -1);
    if (atomic_load(&debug->started) != started || pthread_kill(debug->thread, ASK))
        return;
    struct timespec moment = { 0, 1000000 };
    for (int i = 0; i < 200 && atomic_load(&answer.count) < 0; i++)
        nanosleep(&moment, NULL);
    fprintf(stderr, "Blocked: %s, has been running for %.1f seconds without an await; nothing else can "
                    "run. It is in, innermost first:\n", subject, seconds);
    print_frames(atomic_load(&answer.count));
}

static void *watch_over(void *p)
{
    struct debug *debug = p;
    long long barked_at = 0;
    struct timespec pause = { 0, WATCH_EVERY * 1000000L };
    while (!atomic_load(&debug->ending)) {
        nanosleep(&pause, NULL);
        long long started = atomic_load(&debug->started);
        if (!started || started == barked_at || (clock_of_machine() - started) / 1e9 < BLOCKED)
            continue;
        barked_at = started;
        bark(debug, started);
    }
    return NULL;
}

/* -------------------------------------------------------------------------------- on and off */

static void start_watchdog(struct debug *debug)
{
    struct sigaction action = { .sa_handler = on_ask, .sa_flags = SA_RESTART };
    void *first[1];
    sigset_t all, before;
    debug->watched = backtrace(first, 1) >= 0      /* loads what it needs now, not in a handler */
                     && sigaction(ASK, &action, NULL) == 0;
    if (!debug->watched)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    debug->watched = pthread_create(&debug->watchdog, NULL, watch_over, debug) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (debug->watched)
        atomic_fetch_add(&poll_own_threads, 1);
}

static void end(struct debug *debug)
{
    atomic_store(&debug->ending, true);
    if (debug->watched) {
        pthread_join(debug->watchdog, NULL);
        atomic_fetch_sub(&poll_own_threads, 1);
    }
    for (size_t i = 0; i < debug->room; i++)
        free(debug->notes[i].origin);
    free(debug->notes);
    pthread_mutex_destroy(&debug->mutex);
    free(debug);
}

void debug_set(async_loop *loop, bool on)
{
    if (on == (loop->debug != NULL))
        return;
    if (!on) {
        end(debug_of(loop));
        loop->debug = NULL;
        return;
    }
    struct debug *debug = calloc(1, sizeof *debug);
    if (!debug)
        return;
    debug->observer = (struct observer){ run_watched, born, raised, raised_at, origin, check_thread };
    debug->loop = loop;
    debug->slow = SLOW;
    debug->thread = pthread_self();
    pthread_mutex_init(&debug->mutex, NULL);
    loop->debug = &debug->observer;
    start_watchdog(debug);
}

void async_loop_set_debug(async_loop *loop, bool on)
{
    if (!loop_given(loop, __func__)->closed)
        debug_set(loop, on);
}

bool async_loop_get_debug(async_loop *loop) { return loop_given(loop, __func__)->debug; }

void async_loop_set_slow_callback_duration(async_loop *loop, double seconds)
{
    if (loop_given(loop, __func__)->debug)
        debug_of(loop)->slow = seconds;
}
