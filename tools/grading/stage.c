/* stage.c - see stage.h. What it writes, one line each, times in seconds since the start:
 *
 *     ready                       all is set up; the student's code comes next
 *     shown OFFSET TIME           what stands in the output before OFFSET was printed by TIME
 *     task KIND TIME NAME         KIND: created, started, cancelled, finished
 *     woke TIME                   nothing was ready any more, and the first timer due was this one
 *     run TIME                    stage_run: the main task ended; what follows is the closing of
 *                                 its loop, which cancels what is left
 *     result NAME KIND TEXT       KIND: text, number, error, nowhere
 *     blocked CALL SECONDS ADDRESS    a call that would have stopped the whole loop; it did not
 *     hogged NAME                 a step of this task computes and computes; its frames follow
 *     elsewhere SECONDS           the same call in another thread, where it may wait
 *     stuck NAME, busy NAME, overtime NAME, clock NAME    we gave up: no await for too long, no progress
 *                                 in time, over an hour, or not the time that we know; NAME: of the
 *                                 task, or - in none
 *     crash SIGNAL NAME, frame ADDRESS...     inside exercise.so, innermost first
 *     end NONCE OFFSET            the run is complete. Whoever exits early cannot say this.
 *
 * The nonce comes through descriptor 4. We take it before any code of the student's runs.
 *
 * Started without a word it is no run yet. It waits, and for each message with words and files a copy of the
 * process goes on and is the run, as if it had been started with them.
 *
 * Started with "*" it is many runs, whose words come through descriptor 0, a line for each, behind a number. Of all of
 * them nothing is written down but that they began and that they ended: it is AddressSanitizer who looks at them, for
 * which each process is dear. */
#define _GNU_SOURCE
#include "stage_parts.h"
#include "core/hooks.h"
#include "core/stack.h"
#include <dirent.h>
#include <fcntl.h>
#include <link.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef WITH_ASAN
#include <sanitizer/lsan_interface.h>
#endif

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#else                           /* then we name no place */
static int backtrace(void **frames, int most)
{
    (void)frames, (void)most;
    return 0;
}
#endif

#define REPORT 3
#define NONCE 4
#define NONCE_PAGE 65536        /* of the largest kind */
#define AN_HOUR 3600.0
#define MOST_STEPS 1000000      /* without time passing */
#define MOST_CPU 2000           /* milliseconds, of the loop's thread */
#define HOG 250                 /* in one step of a task */
#define TICK 50                 /* how often we look */
#define MOST_EVENTS 2000

static char *nonce;
static int report = REPORT;
static char **words;
static int word_count;
static bool is_copy;            /* of one that waits for the next run */
static double begin;            /* what the virtual clock says at the start */
static double now;              /* since then */
static long shown = -1;         /* the offset last reported */
static long steps;              /* since time passed */
static long events, wakes;
static char current[64] = "-";  /* the task that runs */
static bool running;            /* inside stage_run, and the main task has not ended */
static async_task main_task;
static async_loop *main_loop;   /* in which that runs */
static async_task closing[16];  /* tasks that the runtime makes to close a loop */
static int closing_count;
static double cancelled_at;     /* @SECONDS in front of the part: what is run is cancelled then; 0: not */
static char **beside;           /* the words behind a +, of another call at the same time */
static int beside_count;
static async_coroutine waiting; /* for that one: stage_run has it, and main() makes the other */
static char *runs;              /* those that come after this one; NULL: it is the only one */
static uintptr_t base;          /* where the submission was loaded */
static pid_t loops_thread;
static _Thread_local bool watched;      /* this is that thread: the loop of another has a clock of its own */

/* --------------------------------------------------------------------------- the report */

/* In a way in which the C library never writes: whoever has it print into our descriptor gets EPERM. */
static bool put(const char *text, size_t length)
{
    struct iovec part = { (char *)text, length };
    return syscall(SYS_pwritev2, report, &part, 1, -1L, -1L, 0) == (long)length;
}

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
    char text[4096];
    va_list args;
    if (runs)
        return;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    if (length > (int)sizeof text - 2)
        length = sizeof text - 2;
    text[length++] = '\n';
    if (!put(text, length))
        _exit(4);
}

/* Text of the student's for the report: on one line, whatever is in it. */
static const char *plain(const char *from, char *to, size_t size)
{
    size_t n = 0;
    for (; *from && n + 5 < size; from++) {
        unsigned char c = *from;
        if (c < ' ' || c == '\\' || c == 127)
            n += sprintf(to + n, "\\x%02x", c);
        else
            to[n++] = c;
    }
    to[n] = 0;
    return to;
}

static void say_shown(void)
{
    fflush(stdout);
    long offset = lseek(1, 0, SEEK_CUR);
    if (offset != shown)
        say("shown %ld %.9f", offset, now);
    shown = offset;
}

__attribute__((noreturn))
static void give_up(const char *why)
{
    say_shown();
    say("%s %s", why, current);
    _exit(3);
}

/* ------------------------------------------------------------------- what the hooks see */

static const char *name_of(async_task task, char *text, size_t size)
{
    const char *place = async_here;         /* asking for the name must not change it */
    plain(async_get_name(task), text, size);
    async_here = place;
    return text;
}

static bool is_students(async_task task)
{
    for (int i = 0; i < closing_count; i++)
        if (closing[i] == task)
            return false;
    return task != main_task;
}

static void event(const char *kind, async_task task)
{
    char name[64];
    if (watched && is_students(task) && events++ < MOST_EVENTS)
        say("task %s %.9f %s", kind, now, name_of(task, name, sizeof name));
}

static void on_created(async_task task)
{
    if (!watched)
        return;
    if (!main_task)
        main_task = task;
    else if (!running && closing_count < 16)
        closing[closing_count++] = task;
    event("created", task);
}

static void on_started(async_task task)
{
    if (watched && task == main_task)
        main_loop = async_get_running_loop();
    event("started", task);
}

static void on_cancelled(async_task task) { event("cancelled", task); }

/* Time passes when we hear of it. Who knows how a loop looks in memory may have set its clock. */
static void check_clock(void)
{
    if (running && async_get_running_loop() == main_loop && fabs(async_loop_time(main_loop) - begin - now) > 1e-6)
        give_up("clock");
}

static void on_suspended(async_task task)
{
    (void)task;
    if (!watched)
        return;
    check_clock();
    strcpy(current, "-");
}

static void on_resumed(async_task task)
{
    if (!watched)
        return;
    name_of(task, current, sizeof current);
    if (++steps > MOST_STEPS)
        give_up("busy");
}

static void on_finished(async_task task)
{
    if (!watched)
        return;
    check_clock();
    strcpy(current, "-");
    event("finished", task);
    if (task == main_task && running) {
        say("run %.9f", now);
        say_shown();
        running = false;
    }
}

static void on_time_passes(double time)
{
    double seconds = time - begin;
    if (!watched)
        return;
    say_shown();
    if (seconds > now)
        steps = 0;
    if (running && wakes++ < MOST_EVENTS)
        say("woke %.9f", seconds);
    now = seconds;
    if (now > AN_HOUR)
        give_up("overtime");
}

static struct async_hooks hooks = {
    .created = on_created, .started = on_started, .suspended = on_suspended,
    .resumed = on_resumed, .finished = on_finished, .cancelled = on_cancelled,
    .time_passes = on_time_passes,
};

/* ------------------------------------------------------------------- calls that block */

static void blocked(const char *call, double seconds, void *caller)
{
    if (getpid() != loops_thread)               /* in a process of its own it may */
        return;
    if (syscall(SYS_gettid) != loops_thread)    /* in a thread, too */
        say("elsewhere %.9f", seconds);
    else
        say("blocked %s %.9f %#lx", call, seconds, (unsigned long)((uintptr_t)caller - base));
}

static double in_seconds(const struct timespec *t) { return t->tv_sec + t->tv_nsec / 1e9; }

/* libc's, but they only make a note: the grader would have to wait for them, too. */
unsigned sleep(unsigned seconds)
{
    blocked("sleep", seconds, __builtin_return_address(0));
    return 0;
}

int usleep(useconds_t microseconds)
{
    blocked("usleep", microseconds / 1e6, __builtin_return_address(0));
    return 0;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)left;
    blocked("nanosleep", in_seconds(wanted), __builtin_return_address(0));
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
                    struct timespec *left)
{
    (void)clock, (void)flags, (void)left;
    blocked("clock_nanosleep", in_seconds(wanted), __builtin_return_address(0));
    return 0;
}

/* Those that the submission calls; the loop's own are what they were. Who is ready need not wait. */
int __wrap_poll(struct pollfd *files, nfds_t count, int milliseconds);
int __wrap_poll(struct pollfd *files, nfds_t count, int milliseconds)
{
    int ready = poll(files, count, 0);
    if (ready == 0 && milliseconds != 0)
        blocked("poll", milliseconds < 0 ? INFINITY : milliseconds / 1e3, __builtin_return_address(0));
    return ready;
}

int __wrap_select(int count, fd_set *in, fd_set *out, fd_set *odd, struct timeval *wait);
int __wrap_select(int count, fd_set *in, fd_set *out, fd_set *odd, struct timeval *wait)
{
    double seconds = wait ? wait->tv_sec + wait->tv_usec / 1e6 : INFINITY;
    int ready = select(count, in, out, odd, &(struct timeval){ 0, 0 });
    if (ready == 0 && seconds > 0)
        blocked("select", seconds, __builtin_return_address(0));
    return ready;
}

/* --------------------------------------------------------------------- crash and no end */

static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
#define CRASHES (int)(sizeof crashes / sizeof crashes[0])
static struct sigaction before[CRASHES];        /* the runtime's own, and the sanitizer's */

static void say_frames(ucontext_t *context)
{
    void *frames[40];
#if defined(__x86_64__)
    say("frame %#lx", (unsigned long)context->uc_mcontext.gregs[REG_RIP] - base + 1);
#elif defined(__aarch64__)
    say("frame %#lx", (unsigned long)context->uc_mcontext.pc - base + 1);
#else
    (void)context;
#endif
    int count = backtrace(frames, 40);
    for (int i = 2; i < count; i++)
        say("frame %#lx", (unsigned long)((uintptr_t)frames[i] - base));
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)info;
    for (int i = 0; i < CRASHES; i++)           /* what follows is theirs: it happens once more */
        sigaction(crashes[i], &before[i], NULL);
    say("crash %d %s", number, current);
    say_frames(context);
    if (number == SIGABRT)
        raise(SIGABRT);
}

/* Each time the loop's thread has used TICK milliseconds of the processor. */
static void on_tick(int number, siginfo_t *info, void *context)
{
    static long ticks, step, in_step;
    (void)number, (void)info;
    in_step = steps == step && *current != '-' ? in_step + 1 : 0;
    step = steps;
    if (in_step == HOG / TICK) {
        say("hogged %s", current);
        say_frames(context);
    }
    if (++ticks < MOST_CPU / TICK)
        return;
    long offset = lseek(1, 0, SEEK_CUR);
    say("shown %ld %.9f", offset, now);
    say("stuck %s", current);
    say_frames(context);
    _exit(3);
}

static bool watch_processor(void)
{
    struct sigaction action = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF };
    struct timespec tick = { 0, TICK * 1000000 };
    timer_t timer;
    event.sigev_notify_thread_id = loops_thread;
    return sigaction(SIGPROF, &action, NULL) == 0 &&
           timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0 &&
           timer_settime(timer, 0, &(struct itimerspec){ tick, tick }, NULL) == 0;
}

static async_value stop_loop(void *loop)
{
    async_loop_stop(loop);
    return async_none;
}

/* Who looks for leaks would find this thread by a number that a copy of us has no more, and so overlook what the
 * student's thread-local variables point to; and for each run would read all of its own memory. So we name what
 * there is to look at: all variables but its own. */
static void name_variables(const struct dl_phdr_info *info)
{
#ifdef WITH_ASAN
    for (int i = 0; i < info->dlpi_phnum && !strstr(info->dlpi_name, "asan"); i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_flags & PF_W)
            __lsan_register_root_region((void *)(info->dlpi_addr + part->p_vaddr), part->p_memsz);
        if (part->p_type == PT_TLS && info->dlpi_tls_data)
            __lsan_register_root_region(info->dlpi_tls_data, part->p_memsz);
    }
#else
    (void)info;
#endif
}

static int look_at_module(struct dl_phdr_info *info, size_t size, void *nothing)
{
    (void)size, (void)nothing;
    if (strstr(info->dlpi_name, "exercise.so"))
        base = info->dlpi_addr;
    name_variables(info);
    return 0;
}

static void watch_signals(void)
{
    void *frame;
    backtrace(&frame, 1);                       /* loads what it needs while that is allowed */
    dl_iterate_phdr(look_at_module, NULL);
    async_loop *loop = async_new_event_loop();  /* its first run sets up the signal stack */
    begin = async_loop_time(loop);
    async_loop_stop(loop);
    async_loop_run_forever(loop);
    async_loop_close(loop);
    struct sigaction action = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &before[i]);
}

/* ------------------------------------------------------------------------ begin and end */

/* The nonce lies in a page of its own that nobody can read until the end, and the report out of the
 * reach of a wrong number and of another program in our place. */
static bool take_nonce(void)
{
    struct rlimit files = { 0, 0 };
    getrlimit(RLIMIT_NOFILE, &files);
    nonce = mmap(NULL, NONCE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    report = fcntl(REPORT, F_DUPFD_CLOEXEC, files.rlim_cur / 2 < 200 ? files.rlim_cur / 2 : 200);
    return nonce != MAP_FAILED && report >= 0 && read(NONCE, nonce, 32) == 32 && close(REPORT) == 0 &&
           close(NONCE) == 0 && mprotect(nonce, NONCE_PAGE, PROT_NONE) == 0;
}

/* What stands in front of the part says when it is cancelled; what stands behind a + is left for another call. */
static void part_words(void)
{
    if (word_count && *words[0] == '@') {
        cancelled_at = strtod(*words++ + 1, NULL);
        word_count--;
    }
    for (int i = 0; i < word_count; i++)
        if (strcmp(words[i], "+") == 0) {
            beside = words + i + 1;
            beside_count = word_count - i - 1;
            word_count = i;
        }
}

/* The next message: its length, and 4 files. Whoever sends them ends us by being gone. */
static size_t receive(char *text, size_t size, int *files)
{
    char control[CMSG_SPACE(4 * sizeof(int))];
    struct iovec part = { text, size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof control };
    ssize_t length = recvmsg(REPORT, &message, 0);
    struct cmsghdr *with = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!with || with->cmsg_len != CMSG_LEN(4 * sizeof(int)))
        _exit(2);
    memcpy(files, CMSG_DATA(with), 4 * sizeof(int));
    return length;
}

/* The tables of records, and of those that were cancelled: copies of them cost less than to make them anew. */
static void make_tables(void)
{
    static async_event *lasting;                /* as long as one record is in use, the tables stay */
    async_loop *loop = async_new_event_loop();
    lasting = async_event_new();
    async_handle_cancel(async_loop_call_soon(loop, stop_loop, lasting));
    async_loop_close(loop);
}

/* The copy is a child of the grader's as we are, which waits for it and knows what it has used. */
static void wait_for_words(void)
{
    static char text[8192], *list[100];
    int files[4];
    make_tables();
    for (pid_t pid = -1; pid != 0;) {
        size_t length = receive(text, sizeof text, files);
        for (char *word = text; word < text + length; word += strlen(word) + 1)
            list[word_count++] = word;
        pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid != 0) {
            for (int i = 0; i < 4; i++)
                close(files[i]);
            if (pid < 0 || send(REPORT, &pid, sizeof pid, 0) < 0)
                _exit(2);
            word_count = 0;
        }
    }
    words = list;
    is_copy = true;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 4; i++)                 /* they lie above, in this order */
        dup2(files[i], 1 + i);
    close_range(NONCE + 1, ~0U, 0);
}

/* ------------------------------------------------------------------------- many runs in one */

int main(int argc, char **argv);

#define MOST_RUNS (1 << 20)     /* bytes of their words */

static long count_in(const char *directory)
{
    long count = 0;
    DIR *all = opendir(directory);
    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}

/* The words of the first of them become this run's. */
static void take_run(char *text)
{
    static char *list[100];
    char *rest;
    runs = text + strcspn(text, "\n");
    runs += *runs && (*runs = 0, true);
    word_count = 0;
    for (char *word = strtok_r(text, " ", &rest); word && word_count < 100; word = strtok_r(NULL, " ", &rest))
        list[word_count++] = word;
    words = list + 1, word_count--;             /* the first is the number */
}

static void begin_runs(void)
{
    char *text = mmap(NULL, MOST_RUNS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED || read(0, text, MOST_RUNS) >= MOST_RUNS || !stage_keep())
        _exit(2);
    take_run(text);
}

/* All is as it was before the one that has ended; but not with a thread of it that still runs. */
static int next_run(void)
{
    char *text = runs;
    if (count_in("/proc/self/task") != 3 || !stage_restore())       /* . and .. and ours */
        _exit(3);
    take_run(text);
    part_words();
    return main(0, NULL);
}

void stage_open(int argc, char **argv)
{
    if (waiting || runs)
        return;
#ifndef WITH_ASAN                /* which looks for leaks from another process */
    prctl(PR_SET_DUMPABLE, 0);
#endif
    watch_signals();
    stage_confine_writes();
    words = argv + 1;
    word_count = argc - 1;
    if (!word_count)
        wait_for_words();
    loops_thread = getpid();
    watched = true;
    if (!take_nonce() || !watch_processor()) {
        fprintf(stderr, "This program is run by a grader: make grade-N.\n");
        exit(2);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    async_hooks_add(&hooks);
    stage_confine(report);
    say("ready");
    if (word_count == 1 && strcmp(words[0], "*") == 0)
        begin_runs();
    part_words();
}

int stage_close(void)
{
    if (waiting)
        return 0;
    say_shown();
    if (runs && *runs)
        return next_run();
    runs = NULL;
    mprotect(nonce, NONCE_PAGE, PROT_READ);
    say("end %.32s %ld", nonce, shown);
#ifndef WITH_ASAN                /* which looks for leaks now */
    if (is_copy)                /* to tidy up takes a copy of each page; and what is the student's has ended */
        _exit(0);
#endif
    return 0;
}

int stage_words(void) { return word_count; }
const char *stage_word(int i) { return i < word_count ? words[i] : ""; }
bool stage_part(const char *name) { return strcmp(stage_word(0), name) == 0; }
long stage_integer(int i) { return strtol(stage_word(i), NULL, 10); }
double stage_real(int i) { return strtod(stage_word(i), NULL); }

long stage_open_files(void) { return count_in("/proc/self/fd"); }

struct cancelled_later { async_coroutine coro; };
static async_value cancelled_later(void *p)
{
    async_task task = async_create_task(((struct cancelled_later *)p)->coro);
    await(async_sleep(cancelled_at));
    async_cancel(task);
    return async_catch(task);
}

static async_value run_it(async_coroutine coro)
{
    running = true;
    main_task = NULL;
    async_value v = async_run(coro);
    running = false;
    return v;
}

static async_value both[2];

struct at_once { async_coroutine first, second; };
static async_value at_once(void *p)
{
    struct at_once *args = p;
    return async_catch(async_gather_exceptions(both, args->first, args->second));
}

/* An exercise's stage knows nothing of two calls. So while its main() waits here for what the first one
 * gives, it is called once more, with the other words, and makes the second one. */
static async_value run_both(async_coroutine first)
{
    char **kept = words;
    int count = word_count;
    waiting = first;
    words = beside;
    word_count = beside_count;
    beside = NULL;
    main(0, NULL);
    waiting = NULL;
    words = kept;
    word_count = count;
    return both[0];
}

async_value stage_run(async_coroutine coro)
{
    if (beside)
        return run_both(coro);
    if (waiting) {
        async_value v = run_it(async_coro(at_once, waiting, coro));
        return v.error ? v : both[1];
    }
    return run_it(cancelled_at > 0 ? async_coro(cancelled_later, coro) : coro);
}

/* ------------------------------------------------------------------------------ results */

/* A pointer may be anything: the kernel looks at it for us, a byte at a time up to the end. */
static bool is_text(const char *text)
{
    static int ends[2];
    char byte = 1;
    if (!ends[1] && pipe2(ends, O_CLOEXEC) < 0)
        return false;
    for (int i = 0; text && i < 1000 && byte; i++)
        if (write(ends[1], text + i, 1) != 1 || read(ends[0], &byte, 1) != 1)
            return false;
    return text && !byte;
}

void stage_outcome(const char *name, async_value v)
{
    char text[1000] = "";
    if (v.error && is_text(v.message))
        plain(v.message, text, sizeof text);
    say("result %s %s %s%s%s", name, v.error ? "error" : "none",
        v.error ? async_error_name(v.error) : "", *text ? ": " : "", text);
}

void stage_text(const char *name, async_value v)
{
    char text[2000];
    if (v.error)
        stage_outcome(name, v);
    else if (is_text(v.str))
        say("result %s text %s", name, plain(v.str, text, sizeof text));
    else
        say("result %s nowhere %ld", name, v.num);
}

void stage_number(const char *name, async_value v)
{
    if (v.error)
        stage_outcome(name, v);
    else
        say("result %s number %ld", name, v.num);
}
