/* async_run and async_main: rows R01 to R04 of the checklist, and deadlocks. */
#include "testing.h"

struct runs_another { async_coroutine coro; };
static async_value runs_another(void *p)
{
    async_value v = async_run(((struct runs_another *)p)->coro);
    say("%s", words_of(v.message, "cannot be called from a running event loop"));
    async_cancel(async_current_task());
    await(async_sleep(0));
    return async_none;
}

START_TEST(R01_run_makes_runs_and_closes_a_loop)
{
    async_value v = run_virtual(async_coro(ret, async_num(5), 0));
    say("%ld", v.num);
    play(async_coro(bad, key_error("k"), 0));
    play(async_coro(runs_another, async_coro(ret, async_num(1), 0)));
    v = run_virtual(NULL);
    say("%s", v.error == ENOMEM ? "ENOMEM" : repr(v));
    say("%s", yes(async_get_running_loop() == NULL));
    expect("5\n"
           "raised KeyError('k')\n"
           "cannot be called from a running event loop\n"
           "raised CancelledError()\n"
           "ENOMEM\n"
           "True\n");
}
END_TEST

static async_value slow(void *p)
{
    async_value v = async_catch(async_sleep(99));
    await(async_sleep(2));
    say("cleaned at %g", now());
    (void)p;
    return v;
}

static async_value leaves_slow(void *p)
{
    async_task task = async_create_task(async_coro(slow));
    await(async_sleep(1));
    say("main ends at %g", now());
    (void)task, (void)p;
    return async_num(5);
}

START_TEST(R02_what_is_left_is_cancelled_and_waited_for)
{
    async_value v = run_virtual(async_coro(leaves_slow));
    say("run returned %ld", v.num);
    expect("main ends at 1\n"
           "cleaned at 3\n"
           "run returned 5\n");
}
END_TEST

static async_value stubborn(void *p)
{
    if (async_catch(async_sleep(99)).error) {
        await(async_sleep(5));
        say("stubborn ends at %g", now());
    }
    return async_ptr(p);
}

static async_value leaves_stubborn(void *p)
{
    async_task a = async_create_task(async_coro(stubborn));
    async_task b = async_create_task(async_coro(spoil, key_error("k")));
    await(async_sleep(1));
    (void)a, (void)b, (void)p;
    return async_num(5);
}

START_TEST(R03_errors_during_that_clean_up_are_reported)
{
    listen_to_stderr();
    async_value v = run_virtual(async_coro(leaves_stubborn));
    say("run returned %ld", v.num);
    heard();
    expect("stubborn ends at 6\n"
           "run returned 5\n"
           "stderr| unhandled exception during async_run() shutdown: task 'Task-3' (spoil, created "
           "at FILE:N): Error: k\n");
}
END_TEST

static async_value leaves_spinning(void *p)
{
    async_task t = async_create_task(async_coro(spin, "t", 5));
    await(async_sleep(0));
    say("main ends");
    (void)t;
    return async_ptr(p);
}

START_TEST(R04_one_more_iteration_after_main)
{
    play(async_coro(leaves_spinning));
    expect("t 0\n"
           "main ends\n"
           "t 1\n");
}
END_TEST

static void main_that_fails(void)
{
    _exit(async_main(async_coro(bad, value_error("x"), 0)));
}

static void main_that_exits(void)
{
    _exit(async_main(async_coro(bad, async_exit(7), 0)));
}

static void main_that_is_interrupted(void)
{
    _exit(async_main(async_coro(bad, async_error(ASYNC_KEYBOARD_INTERRUPT, NULL), 0)));
}

static async_value child_exits(void *p)
{
    async_task child = async_create_task(async_coro(bad, async_exit(8), 1));
    await(async_sleep(9));
    (void)child;
    return async_ptr(p);
}

static void main_whose_child_exits(void) { _exit(async_main(async_coro(child_exits))); }

static async_value interrupted_with_text(void *p)
{
    (void)p;
    return async_error(ASYNC_KEYBOARD_INTERRUPT, async_strf("%d", 42));
}

START_TEST(L13_the_text_of_an_interrupt_outlives_its_task)
{
    play(async_coro(interrupted_with_text));
    expect("raised KeyboardInterrupt('42')\n");
}
END_TEST

static void main_that_is_well(void) { _exit(async_main(async_coro(ret, async_num(5), 0))); }

START_TEST(async_main_gives_the_exit_status)
{
    in_child(main_that_is_well);
    in_child(main_that_fails);
    in_child(main_that_exits);
    in_child(main_whose_child_exits);
    in_child(main_that_is_interrupted);
    expect("exit status 0\n"
           "exit status 1\n"
           "stderr| ValueError: x\n"
           "exit status 7\n"
           "exit status 8\n"
           "exit status 130\n");
}
END_TEST

static async_task first, second;
struct awaits { async_awaitable *x; };
static async_value awaits(void *p)
{
    await(*((struct awaits *)p)->x);
    return async_none;
}

static async_value deadlocks(void *p)
{
    async_future never = async_create_future();
    first = async_create_task_named(async_coro(awaits, &second), "first");
    second = async_create_task_named(async_coro(awaits, &first), "second");
    await(never);
    return async_ptr(p);
}

static void main_that_deadlocks(void) { _exit(async_main(async_coro(deadlocks))); }

static void main_without_descriptors(void)
{
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 3, 3 });
    _exit(async_main(async_coro(deadlocks)));
}

START_TEST(a_loop_needs_descriptors)
{
    if (RUNNING_ON_VALGRIND)                    /* where there are more than the limit says */
        return;
    in_child(main_without_descriptors);
    expect("exit status 1\n"
           "stderr| Too many open files: no event loop can be made: Too many open files\n");
}
END_TEST

START_TEST(a_deadlock_is_reported_with_every_task_and_the_cycle)
{
    in_child(main_that_deadlocks);
    const char *cycle = strstr(said.text, "<- on a cycle");
    bool reported = !strncmp(said.text, "exit status 1\nstderr| Deadlock: ", 32)
        && strstr(said.text, "(deadlocks, created at FILE:N)")
        && strstr(said.text, "task 'first' (awaits, created at FILE:N)")
        && strstr(said.text, "waits at FILE:N for task 'second' (awaits") && cycle
        && strstr(cycle + 1, "<- on a cycle");
    if (!reported)
        ck_abort_msg("%s", said.text);
}
END_TEST

MAIN("run",
     TEST(R01_run_makes_runs_and_closes_a_loop)
     TEST(R02_what_is_left_is_cancelled_and_waited_for)
     TEST(R03_errors_during_that_clean_up_are_reported)
     TEST(R04_one_more_iteration_after_main)
     TEST(L13_the_text_of_an_interrupt_outlives_its_task)
     TEST(async_main_gives_the_exit_status)
     TEST(a_loop_needs_descriptors)
     TEST(a_deadlock_is_reported_with_every_task_and_the_cycle))
