/* Subprocesses: rows P01 to P03 of the checklist. */
#include "testing.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static async_subprocess *process;

/* Does posix_spawn tell of a missing program? Not to valgrind, if that knows no pidfd_open, and not in an emulator,
 * where a child has a memory of its own. */
static bool is_told(void)
{
    long fd = syscall(434, getpid(), 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && !emulated();
}

#define SH(command, pipes) await(async_create_subprocess_shell(command, pipes)).ptr
#define ALL_PIPES (ASYNC_PIPE_STDIN | ASYNC_PIPE_STDOUT | ASYNC_PIPE_STDERR)

PROGRAM(communicates)
{
    const char *out, *err;
    process = SH("tr a-z A-Z; echo oops >&2; exit 3", ALL_PIPES);
    say("%d", async_subprocess_returncode(process) == ASYNC_RUNNING);
    async_value v = await(async_subprocess_communicate(process, "hello\n", &out, &err));
    say("%s%s%ld %ld", out, err, v.num, async_subprocess_returncode(process));
    return async_none;
}

START_TEST(P01_communicate)
{
    play(async_coro(communicates));
    expect("1\n"
           "HELLO\n"
           "oops\n"
           "3 3\n");
}
END_TEST

static const char *const sleeper[] = { "sleep", "1000", NULL };

PROGRAM(signals)
{
    process = await(async_create_subprocess_exec(sleeper, 0)).ptr;
    async_task a = async_create_task(async_subprocess_wait(process));
    async_task b = async_create_task(async_subprocess_wait(process));
    await(async_sleep(0));
    async_subprocess_terminate(process);
    long first = await(a).num, second = await(b).num;
    say("%ld %ld %s", first, second, yes(async_subprocess_returncode(process) == -SIGTERM));
    say("%ld", await(async_subprocess_wait(process)).num);
    say("%s", repr(async_subprocess_kill(process)));
    return async_none;
}

PROGRAM(is_missing)
{
    const char *const missing[] = { "no-such-program-here", NULL };
    long before = open_descriptors();
    async_value v = async_catch(async_create_subprocess_exec(missing, ALL_PIPES));
    say("%d %s", v.error == ENOENT, v.message);
    v = async_catch(async_create_subprocess_exec((const char *const[]){ "/etc/passwd", NULL }, 0));
    say("%d", v.error == EACCES);
    say("%ld descriptors more", open_descriptors() - before);
    return async_none;
}

START_TEST(P02_signals)
{
    play(async_coro(signals));
    expect("-15 -15 True\n"
           "-15\n"
           "None\n");
}
END_TEST

START_TEST(P02_missing_programs)
{
    if (!is_told())
        return;
    play(async_coro(is_missing));
    expect("1 starting no-such-program-here: ENOENT\n"
           "1\n"
           "0 descriptors more\n");
}
END_TEST

PROGRAM(gives_up_waiting)
{
    process = await(async_create_subprocess_exec(sleeper, 0)).ptr;
    async_value v = async_catch(async_wait_for(async_subprocess_wait(process), 0.05));
    say("%s %d", async_error_name(v.error), async_subprocess_returncode(process) == ASYNC_RUNNING);
    async_subprocess_kill(process);
    say("%ld", await(async_subprocess_wait(process)).num);
    return async_none;
}

START_TEST(P03_cancelling_wait_does_not_kill)
{
    async_value v = run_real(async_coro(gives_up_waiting));
    say("%s", repr(v));
    expect("TimeoutError 1\n"
           "-9\n"
           "None\n");
}
END_TEST

/* ---------------------------------------------------------------------------------- pipes */

PROGRAM(sends_much)
{
    enum { MUCH = 2000000 };
    const char *out;
    char *text = async_alloc(MUCH + 1);
    memset(text, 'x', MUCH);
    process = SH("cat", ASYNC_PIPE_STDIN | ASYNC_PIPE_STDOUT);
    async_value v = await(async_subprocess_communicate(process, text, &out, NULL));
    say("%ld %s", v.num, yes(strcmp(text, out) == 0));
    return async_none;
}

START_TEST(much_goes_in_and_comes_out)
{
    play(async_coro(sends_much));
    expect("0 True\n");
}
END_TEST

PROGRAM(is_ignored)
{
    enum { MUCH = 1000000 };
    const char *out;
    char *text = async_alloc(MUCH + 1);
    memset(text, 'x', MUCH);
    process = SH("exec <&-; echo done", ASYNC_PIPE_STDIN | ASYNC_PIPE_STDOUT);
    async_value v = await(async_subprocess_communicate(process, text, &out, NULL));
    say("%ld %s", v.num, out);
    process = SH("exec <&-; echo ready; read nothing", ASYNC_PIPE_STDIN | ASYNC_PIPE_STDOUT);
    await(async_stream_readline(async_subprocess_stdout(process), NULL));
    async_stream *input = async_subprocess_stdin(process);
    v = async_stream_puts(input, "x");
    if (!v.error)
        v = async_catch(async_stream_drain(input));
    say("%s", words_of(v.message, "is broken: EPIPE"));
    await(async_subprocess_wait(process));
    return async_none;
}

START_TEST(a_child_that_ignores_its_input_is_no_signal)
{
    play(async_coro(is_ignored));
    expect("0 done\n\n"
           "is broken: EPIPE\n");
}
END_TEST

PROGRAM(talks)
{
    process = SH("while read line; do echo got $line; done", ASYNC_PIPE_STDIN | ASYNC_PIPE_STDOUT);
    async_stream *in = async_subprocess_stdin(process), *out = async_subprocess_stdout(process);
    const char *lines[] = { "one\n", "two\n" };
    for (int i = 0; i < 2; i++) {
        async_stream_puts(in, lines[i]);
        await(async_stream_drain(in));
        say("%s", await(async_stream_readline(out, NULL)).str);
    }
    say("%s", async_catch(async_stream_read(in, 1, NULL)).message);
    say("%s", async_stream_puts(out, "x").message);
    say("%s", yes(async_subprocess_stderr(process) == NULL));
    async_stream_write_eof(in);
    say("%s", yes(async_stream_is_closing(in)));            /* there is nothing else to close, as in asyncio */
    say("'%s'", await(async_stream_readline(out, NULL)).str);
    say("%ld", await(async_subprocess_wait(process)).num);
    async_stream_close(in);
    await(async_stream_wait_closed(in));
    return async_none;
}

START_TEST(line_by_line)
{
    play(async_coro(talks));
    expect("got one\n\n"
           "got two\n\n"
           "this stream is for writing only\n"
           "the stream is closed for writing\n"
           "True\n"
           "True\n"
           "''\n"
           "0\n");
}
END_TEST

PROGRAM(cancels_communicate)
{
    const char *out = NULL;
    process = SH("echo begun; exec sleep 1000", ASYNC_PIPE_STDIN | ASYNC_PIPE_STDOUT);
    async_awaitable all = async_subprocess_communicate(process, "x", &out, NULL);
    async_value v = async_catch(async_wait_for(all, 0.05));
    say("%s", async_error_name(v.error));
    async_subprocess_kill(process);
    v = await(async_subprocess_communicate(process, NULL, &out, NULL));
    say("%ld", v.num);
    return async_none;
}

START_TEST(communicate_may_be_given_up)
{
    async_value v = run_real(async_coro(cancels_communicate));
    say("%s", repr(v));
    expect("TimeoutError\n"
           "-9\n"
           "None\n");
}
END_TEST

/* ------------------------------------------------------------------------------ many, and none */

struct echoes { long number; };
static async_value echoes(void *p)
{
    char wanted[32];
    const char *out, *command = async_strf("echo %ld; exit %ld", ((struct echoes *)p)->number,
                                           ((struct echoes *)p)->number % 7);
    async_subprocess *child = SH(command, ASYNC_PIPE_STDOUT);
    async_value v = await(async_subprocess_communicate(child, NULL, &out, NULL));
    snprintf(wanted, sizeof wanted, "%ld\n", ((struct echoes *)p)->number);
    return async_num(strcmp(out, wanted) == 0 && v.num == ((struct echoes *)p)->number % 7);
}

PROGRAM(many)
{
    enum { MANY = 30 };
    async_awaitable calls[MANY];
    async_value got[MANY];
    long right = 0;
    for (long i = 0; i < MANY; i++)
        calls[i] = async_coro(echoes, i);
    await(async_gather_list(got, calls, MANY, false));
    for (int i = 0; i < MANY; i++)
        right += got[i].num;
    say("%ld of %d", right, MANY);
    return async_none;
}

START_TEST(many_children_at_once)
{
    long before = open_descriptors();
    play(async_coro(many));
    say("%ld descriptors more", open_descriptors() - before);
    say("%s", children_left());
    expect("30 of 30\n"
           "0 descriptors more\n"
           "no child left\n");
}
END_TEST

static async_value starts_and_ends(void *p)
{
    async_value v = await(async_create_subprocess_exec(sleeper, 0));
    return async_set_result(*(async_future *)p, async_num(async_subprocess_pid(v.ptr)));
}

struct leaves { async_future pid; };
static async_value leaves(void *p) { return starts_and_ends(&((struct leaves *)p)->pid); }

static bool is_there(pid_t pid) { return kill(pid, 0) == 0; }

PROGRAM(leaves_child)
{
    async_future f = async_create_future();
    async_detach(async_create_task(async_coro(leaves, f)));
    pid_t pid = await(f).num;
    for (int i = 0; i < 200; i++)               /* until its record is used again */
        await(async_create_task(async_coro(nothing)));
    say("%s", is_there(pid) ? "still there" : "gone");
    return async_none;
}

PROGRAM(ends_before_child)
{
    process = await(async_create_subprocess_exec(sleeper, 0)).ptr;
    return async_num(async_subprocess_pid(process));
}

START_TEST(a_child_goes_with_its_record)
{
    play(async_coro(leaves_child));
    async_value v = run_virtual(async_coro(ends_before_child));
    say("%s", is_there(v.num) ? "still there" : "gone");
    async_loop *loop = async_new_event_loop();
    v = async_loop_run_until_complete(loop, async_coro(ends_before_child));
    say("%s", is_there(v.num) ? "still there" : "gone");
    async_loop_close(loop);
    say("%s", is_there(v.num) ? "still there" : "gone");
    expect("gone\n"
           "gone\n"
           "still there\n"
           "gone\n");
}
END_TEST

PROGRAM(is_reaped_by_others)
{
    process = SH("exit 3", 0);
    waitpid(async_subprocess_pid(process), NULL, 0);
    say("%ld", await(async_subprocess_wait(process)).num);
    return async_none;
}

/* As on a kernel before 5.3. Where this is refused the test goes the other way, and has to end the same. */
static void without_pidfd(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 434, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* A thread waits for the child, and the run for its threads. */
START_TEST(a_child_that_a_thread_waits_for_goes_with_its_run)
{
    without_pidfd();
    async_value v = run_virtual(async_coro(ends_before_child));
    say("%s", is_there(v.num) ? "still there" : "gone");
    expect("gone\n");
}
END_TEST

START_TEST(a_status_that_somebody_else_took)
{
    play(async_coro(is_reaped_by_others));
    expect("255\n");
}
END_TEST

PROGRAM(counts_time)
{
    async_task timer = async_create_task(async_sleep(1000));
    await(async_sleep(0));
    process = SH("sleep 0.05", 0);
    say("%ld at %g", await(async_subprocess_wait(process)).num, now());
    await(timer);
    say("%g", now());
    return async_none;
}

START_TEST(virtual_time_waits_for_it)
{
    play(async_coro(counts_time));
    expect("0 at 0\n"
           "1000\n");
}
END_TEST

PROGRAM(runs_many)
{
    long before = open_descriptors();
    for (int i = 0; i < 20; i++) {
        process = SH("echo $PPID", ASYNC_PIPE_STDOUT | ASYNC_PIPE_STDERR);
        await(async_subprocess_communicate(process, NULL, NULL, NULL));
        process = SH("echo $PPID", ASYNC_PIPE_STDOUT);
        await(async_stream_read(async_subprocess_stdout(process), 0, NULL));
        await(async_subprocess_wait(process));
    }
    say("%ld descriptors more", open_descriptors() - before);
    return async_none;
}

START_TEST(pipes_close_at_their_end)
{
    play(async_coro(runs_many));
    expect("0 descriptors more\n");
}
END_TEST

/* --------------------------------------------------------------------------- what it starts with */

struct look { const char *command; int pipes; async_subprocess_options options; };
static async_value look(void *p)
{
    struct look *args = p;
    const char *out = "", *err = "";
    async_subprocess *child =
        await(async_create_subprocess_shell_with(args->command, args->pipes, args->options)).ptr;
    await(async_subprocess_communicate(child, NULL, &out, &err));
    say("%s%s", out ? out : "", err ? err : "");
    return async_none;
}

PROGRAM(starts_elsewhere)
{
    const char *const env[] = { "COLOUR=red", NULL };
    int leak = fcntl(1, F_DUPFD, 77);           /* without O_CLOEXEC */
    const char *is_open = async_strf("if [ -e /dev/fd/%d ]; then echo open; else echo closed; fi", leak);
    sigset_t usual, blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    await(async_coro(look, "pwd", ASYNC_PIPE_STDOUT, { .cwd = "/" }));
    await(async_coro(look, "echo $COLOUR $HOME", ASYNC_PIPE_STDOUT, { .env = env }));
    await(async_coro(look, is_open, ASYNC_PIPE_STDOUT, { 0 }));
    await(async_coro(look, is_open, ASYNC_PIPE_STDOUT, { .keep_fds = true }));
    await(async_coro(look, "echo one; echo two >&2", ASYNC_PIPE_STDOUT | ASYNC_STDERR_TO_STDOUT, { 0 }));
    await(async_coro(look, "cat; echo gone >&2", ASYNC_DEVNULL_STDIN | ASYNC_DEVNULL_STDERR, { 0 }));
    sigprocmask(SIG_BLOCK, &blocked, &usual);
    await(async_coro(look, "grep SigBlk /proc/self/status", ASYNC_PIPE_STDOUT, { 0 }));
    sigprocmask(SIG_SETMASK, &usual, NULL);
    close(leak);
    return async_none;
}

START_TEST(where_and_with_what_it_starts)
{
    play(async_coro(starts_elsewhere));
    expect("/\n\n"
           "red\n\n"
           "closed\n\n"
           "open\n\n"
           "one\ntwo\n\n"
           "\n"
           "SigBlk:\t0000000000000000\n\n");
}
END_TEST

START_TEST(a_folder_that_is_not_there)
{
    if (!is_told())
        return;
    play(async_coro(look, "true", 0, { .cwd = "/no/such" }));
    expect("raised ENOENT('starting true in /no/such: ENOENT')\n");
}
END_TEST

static async_subprocess *long_gone;

PROGRAM(starts_one)
{
    long_gone = await(async_create_subprocess_shell("true", 0)).ptr;
    return async_none;
}

PROGRAM(asks_too_late)
{
    async_detach(async_create_task(async_coro(starts_one)));        /* what it started goes with it */
    for (int i = 0; i < 200; i++)
        await(async_create_task(async_coro(nothing)));
    async_value v = async_catch(async_subprocess_communicate(long_gone, NULL, NULL, NULL));
    ck_assert_ptr_nonnull(v.message);
    ck_assert_ptr_nonnull(strstr(v.message, "async_subprocess_communicate at "));
    ck_assert_ptr_nonnull(strstr(v.message, "too old"));
    return async_none;
}

START_TEST(communicate_with_one_that_is_gone_is_an_error)
{
    play(async_coro(asks_too_late));
    expect("");
}
END_TEST

MAIN("subprocess",
     TEST(P01_communicate)
     TEST(P02_signals)
     TEST(P02_missing_programs)
     TEST(P03_cancelling_wait_does_not_kill)
     TEST(much_goes_in_and_comes_out)
     TEST(a_child_that_ignores_its_input_is_no_signal)
     TEST(line_by_line)
     TEST(communicate_may_be_given_up)
     TEST(communicate_with_one_that_is_gone_is_an_error)
     TEST(many_children_at_once)
     TEST(a_child_goes_with_its_record)
     TEST(a_child_that_a_thread_waits_for_goes_with_its_run)
     TEST(a_status_that_somebody_else_took)
     TEST(pipes_close_at_their_end)
     TEST(virtual_time_waits_for_it)
     TEST(where_and_with_what_it_starts)
     TEST(a_folder_that_is_not_there))
