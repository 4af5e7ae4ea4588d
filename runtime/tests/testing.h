/* testing.h - what the tests of the runtime share.
 *
 * A test is a small program. It writes down what happens with say(), and when its loop is closed
 * expect() compares that with the text that Python prints. Rows of the checklist of asyncio's
 * behaviours give a test its name: T05 is row T05, and its program is that row's program in C.
 *
 * ck_assert_* and expect() leave by longjmp, so they stand in tests only, never in a coroutine. */
#ifndef TESTING_H
#define TESTING_H

#include "async.h"
#include <check.h>
#include <dirent.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* ------------------------------------------------------------------------- what was said */

/* The text with ECONNRESET where it has the C library's words for that, and likewise: how a system
 * words an error is its own affair. Good for the next two calls. */
static inline const char *in_names(const char *text)
{
    static char texts[2][8192];
    static unsigned next;
    const struct { const char *words, *name; } all[] = {
        { strerror(ECONNRESET), "ECONNRESET" }, { strerror(ECONNREFUSED), "ECONNREFUSED" },
        { strerror(EPIPE), "EPIPE" }, { strerror(ENOENT), "ENOENT" }, { strerror(EPROTO), "EPROTO" },
        { strerror(EADDRINUSE), "EADDRINUSE" }, { strerror(EMSGSIZE), "EMSGSIZE" },
        { strerror(ELOOP), "ELOOP" }, { strsignal(SIGSEGV), "SIGSEGV" },
    };
    char *copy = texts[next++ % 2], *to = copy;
    while (*text && to < copy + sizeof texts[0] - 16) {
        size_t i = 0, count = sizeof all / sizeof all[0];
        while (i < count && strncmp(text, all[i].words, strlen(all[i].words)))
            i++;
        if (i < count) {
            to = stpcpy(to, all[i].name);
            text += strlen(all[i].words);
        } else {
            *to++ = *text++;
        }
    }
    *to = 0;
    return copy;
}

static struct {
    char text[16384];
    size_t length;
} said;

/* Python's print(), into the protocol of the test. */
static inline void say(const char *format, ...) ASYNC_PRINTF(1, 2);
static inline void say(const char *format, ...)
{
    char text[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t room = sizeof said.text - said.length;
    size_t length = (size_t)snprintf(said.text + said.length, room, "%s", in_names(text));
    said.length += length + 1 < room ? length : room - 2;
    said.text[said.length++] = '\n';
    said.text[said.length] = 0;
}

/* NULL if exactly that was said, else where the first difference is. Begins a new protocol. */
static inline const char *difference(const char *wanted)
{
    static char why[4000];
    const char *got = said.length ? said.text : "", *line = wanted;
    size_t same = 0, number = 1;
    said.length = 0;
    while (wanted[same] && wanted[same] == got[same])
        if (wanted[same++] == '\n') {
            line = wanted + same;
            number++;
        }
    if (!wanted[same] && !got[same])
        return NULL;
    const char *other = got + (line - wanted);
    snprintf(why, sizeof why,
             "line %zu should be\n    |%.*s|\nbut is\n    |%.*s|\nThe whole:\n%.3000s", number,
             (int)strcspn(line, "\n"), line, (int)strcspn(other, "\n"), other, got);
    return why;
}

#define expect(wanted) \
    do { \
        const char *why_ = difference(wanted); \
        if (why_) \
            ck_abort_msg("%s", why_); \
    } while (0)

static unsigned named_before;       /* how many tasks got a number before this program began */

/* Copies a line with what differs between runs made the same: a place (PATH:LINE) is FILE:N, and
 * Task-1 is the first task of this program. */
static inline void mask(char *to, const char *line)
{
    while (*line) {
        size_t word = strcspn(line, " ,():'\n");
        size_t digits = line[word] == ':' ? strspn(line + word + 1, "0123456789") : 0;
        unsigned number;
        if (digits && word > 2 && line[word - 2] == '.') {
            to += sprintf(to, "FILE:N");
            line += word + 1 + digits;
        } else if (sscanf(line, "Task-%u", &number) == 1) {
            to += sprintf(to, "Task-%u", number - named_before);
            line += word;
        } else {
            memcpy(to, line, word);
            to += word;
            line += word;
            if (*line)
                *to++ = *line++;
        }
    }
    *to = 0;
}

/* Appends what stands in the file, each line masked and behind "stderr| " as in the checklist. A
 * line that valgrind or an emulator added is left out. */
static inline void say_stderr(FILE *file)
{
    char line[4096], masked[8192];
    rewind(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        mask(masked, line);
        if (*line && strncmp(line, "==", 2) && strncmp(line, "qemu: ", 6))
            say("stderr| %s", masked);
    }
}

static struct {
    FILE *file;
    int before;
} ear;

/* From listen() to heard() stderr goes into the protocol: all of it, when heard() is called. */
static inline void listen_to_stderr(void)
{
    ear.file = tmpfile();
    ear.before = dup(2);
    dup2(fileno(ear.file), 2);
}

static inline void heard(void)
{
    fflush(stderr);
    dup2(ear.before, 2);
    close(ear.before);
    say_stderr(ear.file);
    fclose(ear.file);
}

/* Calls fn in a process of its own; writes down how that ended and what it put on stderr. */
static inline void in_child(void (*fn)(void))
{
    FILE *file = tmpfile();
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        dup2(fileno(file), 2);
        fn();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        say("%s", WTERMSIG(status) == SIGABRT ? "aborted" : strsignal(WTERMSIG(status)));
    else
        say("exit status %d", WEXITSTATUS(status));
    say_stderr(file);
    fclose(file);
}

/* fn aborts, and stderr has these words. */
#define expect_abort(fn, words) \
    do { \
        in_child(fn); \
        said.length = 0; \
        if (strncmp(said.text, "aborted\n", 8) || !strstr(said.text, words)) \
            ck_abort_msg("should abort with\n    %s\nbut did\n%.3000s", words, said.text); \
    } while (0)

/* The words if the text has them, else all of it: sentences say more than a test wants to see. */
static inline const char *words_of(const char *text, const char *words)
{
    return text && strstr(in_names(text), words) ? words : text;
}

/* ----------------------------------------------------------------------- Python's words */

enum { KEY_ERROR = ASYNC_USER_ERROR, ZERO_DIVISION_ERROR };

static inline async_value key_error(const char *message) { return async_error(KEY_ERROR, message); }

static inline async_value value_error(const char *message)
{
    return async_error(ASYNC_VALUE_ERROR, message);
}

/* repr() of an error: "KeyError('k')"; "None" if it is none. Good for the next eight calls. */
static inline const char *repr(async_value v)
{
    static char texts[8][512];
    static unsigned next;
    char *text = texts[next++ % 8];
    const char *name = v.error == KEY_ERROR ? "KeyError"
                     : v.error == ZERO_DIVISION_ERROR ? "ZeroDivisionError"
                     : async_error_name(v.error);
    if (!v.error)
        return "None";
    if (v.message)
        snprintf(text, sizeof texts[0], "%s('%s')", name, v.message);
    else
        snprintf(text, sizeof texts[0], "%s()", name);
    return text;
}

static inline const char *yes(bool b) { return b ? "True" : "False"; }
static inline double now(void) { return async_loop_time(async_get_running_loop()); }

/* A task's name, with Task-1 for the first one of this program. */
static inline const char *name_of(async_task task)
{
    static char texts[8][32];
    static unsigned next;
    unsigned number;
    const char *name = async_get_name(task);
    if (sscanf(name, "Task-%u", &number) != 1)
        return name;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "Task-%u", number - named_before);
    return text;
}

/* ------------------------------------------------- the prelude of the checklist's programs */

struct ret { async_value value; double seconds; };          /* sleep, return value */
static inline async_value ret(void *p)
{
    struct ret *args = p;
    await(async_sleep(args->seconds));
    return args->value;
}

struct bad { async_value error; double seconds; };          /* sleep, raise error */
static inline async_value bad(void *p)
{
    struct bad *args = p;
    await(async_sleep(args->seconds));
    return args->error;
}

struct spoil { async_value error; };                        /* answers a cancel with error */
static inline async_value spoil(void *p)
{
    struct spoil *args = p;
    async_value v = async_catch(async_sleep(99));
    (void)v;
    return args->error;
}

struct tell { const char *tag; double seconds; };           /* tells its life; returns its tag */
static inline async_value tell(void *p)
{
    struct tell *args = p;
    say("%s begins", args->tag);
    async_value v = async_catch(async_sleep(args->seconds));
    if (v.error) {
        say("%s cancelled", args->tag);
        return v;
    }
    say("%s ends", args->tag);
    return async_str(args->tag);
}

struct spin { const char *tag; int times; };                /* one line per turn of the loop */
static inline async_value spin(void *p)
{
    struct spin *args = p;
    for (int i = 0; i < args->times; i++) {
        say("%s %d", args->tag, i);
        await(async_sleep(0));
    }
    return async_none;
}

static inline async_value nothing(void *p)
{
    (void)p;
    return async_none;
}

/* Callbacks that say their argument. */
static inline async_value say_text(void *text)
{
    say("%s", (const char *)text);
    return async_none;
}

static inline async_value say_when_done(async_future x, void *text)
{
    (void)x;
    return say_text(text);
}

static inline async_handle call_soon(async_fn *fn, const void *arg)
{
    return async_loop_call_soon(async_get_running_loop(), fn, (void *)arg);
}

static inline async_handle call_later(double delay, async_fn *fn, const void *arg)
{
    return async_loop_call_later(async_get_running_loop(), delay, fn, (void *)arg);
}

static inline async_value cancel_it(void *task)             /* a callback: task.cancel */
{
    async_cancel(task);
    return async_none;
}

static inline async_value stop_it(void *loop)               /* a callback: loop.stop */
{
    async_loop_stop(loop);
    return async_none;
}

/* Counts turns of the loop: call count_turns() right before the event, read `turns` when the waiter
 * goes on. It stops by itself soon, so as not to hold the virtual clock back. */
static unsigned turns;
static inline async_value count_turn(void *p)
{
    if (++turns < 12)
        call_soon(count_turn, p);
    return async_none;
}

static inline void count_turns(void)
{
    turns = 0;
    call_soon(count_turn, NULL);
}

#define COUNT(...) (sizeof((async_awaitable[]){ __VA_ARGS__ }) / sizeof(async_awaitable))

/* wait([tasks...]) */
#define wait_all(...) \
    async_wait((async_task[]){ __VA_ARGS__ }, COUNT(__VA_ARGS__), ASYNC_NO_TIMEOUT, \
               ASYNC_ALL_COMPLETED)

/* ------------------------------------------------------------------------------- memory */

/* An emulator of a processor between us and the kernel? No kernel knows that advice; qemu takes any. */
static inline bool emulated(void)
{
    static _Alignas(4096) char page[4096];
    return madvise(page, sizeof page, 12345) == 0;
}

/* Where an allocator keeps what was freed, or an emulator has our memory and its own, there is nothing to measure,
 * and everything is slow. */
static inline bool memory_is_hoarded(void)
{
    if (emulated())
        return true;
    const char *preloaded = getenv("LD_PRELOAD");
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return true;
#endif
    return preloaded && strstr(preloaded, "vgpreload");
}

static inline long pages_in_use(void)
{
    long all, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &all, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return resident;
}

/* for (long i = 0; again(&i, times);) does something that often, and writes down "constant memory"
 * if the last nine tenths of it took no more memory than there was after the first. (A thread that was
 * started late has an arena of its own; that is what the pages are for.) */
static inline bool again(long *i, long times)
{
    static long pages;
    static size_t bytes;
    if (memory_is_hoarded())
        times = times / 500 + 10;
    bool last = *i == times;
    if (*i == times / 10 || last) {
        struct mallinfo2 heap = mallinfo2();
        bytes = heap.uordblks + heap.hblkhd - bytes * last;
        pages = pages_in_use() - pages * last;
    }
    if (!last)
        return (*i)++, true;
    if (memory_is_hoarded() || ((long)bytes < 65536 && pages < 256))
        say("constant memory");
    else
        say("%ld rounds: %ld bytes, %ld pages more", times - times / 10, (long)bytes, pages);
    return false;
}

static inline long open_descriptors(void)
{
    long count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}

static inline const char *children_left(void)
{
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "no child left" : "a child is left";
}

/* A new folder, beside the program and not in /tmp: what a test that is killed leaves there goes with `make clean`. */
static inline void folder_beside_us(char *path, size_t size)
{
    extern char *program_invocation_name;
    if (snprintf(path, size, "%s.XXXXXX", program_invocation_name) >= (int)size || !mkdtemp(path))
        abort();
}

/* ------------------------------------------------------------------------------- running */

/* The main coroutine function of a program, which takes no arguments. */
#define PROGRAM(name) static async_value name(void *unused __attribute__((unused)))

/* asyncio.run() with the virtual or the real clock. */
static inline async_value run_virtual(async_coroutine coro)
{
    setenv("ASYNC_CLOCK", "virtual", 1);
    return async_run(coro);
}

static inline async_value run_real(async_coroutine coro)
{
    unsetenv("ASYNC_CLOCK");
    async_value v = async_run(coro);
    setenv("ASYNC_CLOCK", "virtual", 1);
    return v;
}

/* Runs a program on the virtual clock; an error that comes out of it is written down. */
static inline void play(async_coroutine coro)
{
    async_value v = run_virtual(coro);
    if (v.error)
        say("raised %s", repr(v));
}

static inline async_value note_name(void *p)
{
    (void)p;
    sscanf(async_get_name(async_current_task()), "Task-%u", &named_before);
    return async_none;
}

/* Before every test. */
static inline void begin(void)
{
    said.length = 0;
    said.text[0] = 0;
    setenv("ASYNC_CLOCK", "virtual", 1);
    async_loop *loop = async_new_event_loop();
    async_loop_run_until_complete(loop, async_coro(note_name));
    async_loop_close(loop);
}

/* The main function of a test file:   MAIN("loop", TEST(L01_...) TEST(L02_...)) */
#define TEST(name) tcase_add_test(tests, name);
#define MAIN(title, list) \
    int main(void) \
    { \
        Suite *suite = suite_create(title); \
        TCase *tests = tcase_create(title); \
        SRunner *runner = srunner_create(suite); \
        tcase_set_timeout(tests, 120); \
        tcase_add_checked_fixture(tests, begin, NULL); \
        list \
        suite_add_tcase(suite, tests); \
        srunner_run_all(runner, CK_NORMAL); \
        int failed = srunner_ntests_failed(runner); \
        srunner_free(runner); \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS; \
    }

#endif
