/* async_run, Runner and Ctrl-C: row N02 of the checklist. The interrupts are real signals, in
 * processes of their own. */
#include "testing.h"
#include <signal.h>

static async_value press_ctrl_c(void *p)
{
    raise(SIGINT);
    return async_ptr(p);
}

/* Like a program that a shell has started: Ctrl-C is nobody's yet, not even libcheck's. */
static void in_shell(void (*fn)(void))
{
    signal(SIGINT, SIG_DFL);
    in_child(fn);
}

/* Text that a child writes to stderr, which in_child() writes down. */
static void tell_parent(const char *text) { fprintf(stderr, "%s\n", text); }

static async_value lives(void *p)
{
    call_later(0.1, press_ctrl_c, p);
    tell_parent("main begins");
    async_value v = async_catch(async_sleep(9));
    if (v.error == ASYNC_CANCELLED)
        tell_parent("main cancelled");
    return v;
}

static void runs_and_tells(void)
{
    async_value v = run_virtual(async_coro(lives));
    tell_parent(repr(v));
}

START_TEST(N02_ctrl_c_cancels_main)
{
    in_shell(runs_and_tells);
    expect("exit status 0\n"
           "stderr| main begins\n"
           "stderr| main cancelled\n"
           "stderr| KeyboardInterrupt('')\n");
}
END_TEST

static void clean_up(const char **what)
{
    async_value v = async_catch(async_sleep(0.5));
    tell_parent(v.error ? "not cleaned" : *what);
}

static async_value helps(void *p)
{
    async_with(clean_up) const char *what = "cleaned up behind the other task";
    await(async_sleep(99));
    return async_ptr(p);
}

static async_value leaves_clean(void *p)
{
    async_with(clean_up) const char *what = "cleaned up behind main";
    async_detach(async_create_task(async_coro(helps)));
    call_later(0.1, press_ctrl_c, p);
    await(async_sleep(9));
    return async_none;
}

static void main_with_clean_ups(void) { exit(async_main(async_coro(leaves_clean))); }

START_TEST(N02_clean_ups_run_and_the_status_is_130)
{
    in_shell(main_with_clean_ups);
    expect("exit status 130\n"
           "stderr| cleaned up behind main\n"
           "stderr| cleaned up behind the other task\n");
}
END_TEST

static async_value swallows(void *p)
{
    async_value v = async_catch(async_coro(lives));
    tell_parent(async_error_name(v.error));
    await(async_sleep(1));
    return async_ptr(p);
}

static void main_that_swallows(void) { exit(async_main(async_coro(swallows))); }

START_TEST(N02_a_main_that_swallows_it_returns_normally)
{
    in_shell(main_that_swallows);
    expect("exit status 0\n"
           "stderr| main begins\n"
           "stderr| main cancelled\n"
           "stderr| CancelledError\n");
}
END_TEST

static async_value takes_twice(void *p)
{
    call_later(0.1, press_ctrl_c, p);
    call_later(0.2, press_ctrl_c, p);
    async_value v = async_catch(async_sleep(9));
    tell_parent(async_error_name(v.error));
    await(async_sleep(9));
    tell_parent("never comes here");
    return async_none;
}

static void main_that_is_slow_to_end(void) { exit(async_main(async_coro(takes_twice))); }

START_TEST(N02_a_second_one_ends_the_process_at_once)
{
    in_shell(main_that_is_slow_to_end);
    expect("Interrupt\n"
           "stderr| CancelledError\n");
}
END_TEST

/* From outside: a parent that waits until the child is ready, then signals it while it sleeps. */
static async_value sleeps(void *p)
{
    tell_parent("ready");
    await(async_sleep(1000));
    return async_ptr(p);
}

START_TEST(N02_it_wakes_a_sleeping_loop)
{
    int ends[2], status = 0;
    char text[32] = "";
    if (pipe(ends))
        ck_abort_msg("no pipe");
    unsetenv("ASYNC_CLOCK");
    signal(SIGINT, SIG_DFL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        exit(async_main(async_coro(sleeps)));
    }
    close(ends[1]);
    say("%d", read(ends[0], text, sizeof text - 1) > 0 && strstr(text, "ready") ? 1 : 0);
    usleep(20000);
    kill(child, SIGINT);
    waitpid(child, &status, 0);
    say("exit status %d", WEXITSTATUS(status));
    expect("1\n"
           "exit status 130\n");
}
END_TEST

static async_value ends_first(void *p)
{
    raise(SIGINT);                  /* it comes too late for this main */
    return async_ptr(p);
}

static void next_main(void)
{
    async_runner *runner = async_runner_new();
    async_value v = async_runner_run(runner, async_coro(ends_first));
    tell_parent(repr(v));
    v = async_runner_run(runner, async_coro(ret, async_num(1), 1));
    tell_parent(repr(v));
    async_runner_close(runner);
}

START_TEST(a_late_ctrl_c_does_not_hit_the_next_main)
{
    in_shell(next_main);
    expect("exit status 0\n"
           "stderr| None\n"
           "stderr| None\n");
}
END_TEST

static async_value hears(void *p)
{
    tell_parent(p);
    return async_none;
}

static async_value listens(void *p)
{
    async_loop *loop = async_get_running_loop();
    async_loop_add_signal_handler(loop, SIGINT, hears, "heard by a handler of main's own");
    raise(SIGINT);
    await(async_sleep(1));
    return async_ptr(p);
}

static async_value hears_still(void *p)
{
    raise(SIGINT);
    await(async_sleep(1));
    return async_ptr(p);
}

static void main_with_handler(void)
{
    async_runner *runner = async_runner_new();
    tell_parent(repr(async_runner_run(runner, async_coro(listens))));
    tell_parent(repr(async_runner_run(runner, async_coro(hears_still))));
    async_runner_close(runner);
    raise(SIGINT);
}

START_TEST(a_handler_of_mains_own_comes_first)
{
    in_shell(main_with_handler);
    expect("Interrupt\n"
           "stderr| heard by a handler of main's own\n"
           "stderr| None\n"
           "stderr| heard by a handler of main's own\n"
           "stderr| None\n");
}
END_TEST

static void ignores(void)
{
    signal(SIGINT, SIG_IGN);
    tell_parent(repr(run_virtual(async_coro(hears_still))));
    tell_parent(signal(SIGINT, SIG_DFL) == SIG_IGN ? "still ignored" : "not ignored any more");
}

START_TEST(what_ignores_ctrl_c_goes_on_ignoring_it)
{
    in_shell(ignores);
    expect("exit status 0\n"
           "stderr| None\n"
           "stderr| still ignored\n");
}
END_TEST

/* -------------------------------------------------------------------------------- Runner */

static async_future common;

PROGRAM(makes_future)
{
    common = async_create_future();
    async_detach(async_create_task(async_coro(tell, "left", 99)));
    await(async_sleep(1));
    return async_num(1);
}

PROGRAM(sets_future)
{
    async_set_result(common, async_num(2));
    await(async_sleep(1));
    return await(common);
}

START_TEST(several_mains_run_in_one_loop)
{
    async_runner *runner = async_runner_new();
    async_loop *loop = async_runner_get_loop(runner);
    async_value v = async_runner_run(runner, async_coro(makes_future));
    say("%ld at %g", v.num, async_loop_time(loop));
    v = async_runner_run(runner, async_coro(sets_future));
    say("%ld at %g", v.num, async_loop_time(loop));
    v = async_runner_run(runner, async_coro(bad, key_error("k"), 0));
    say("%s", repr(v));
    say("%s", yes(async_get_running_loop() == NULL));
    v = async_runner_close(runner);
    say("%s", repr(v));
    expect("left begins\n"
           "1 at 1\n"
           "2 at 2\n"
           "KeyError('k')\n"
           "True\n"
           "left cancelled\n"
           "None\n");
}
END_TEST

struct runs { async_runner *runner; };
static async_value runs(void *p)
{
    async_value v = async_runner_run(((struct runs *)p)->runner, async_coro(nothing));
    say("%s", words_of(v.message, "cannot be called from a running event loop"));
    return async_none;
}

START_TEST(a_runner_does_not_nest)
{
    async_runner *runner = async_runner_new();
    async_value v = async_runner_run(runner, async_coro(runs, runner));
    say("%s", repr(v));
    async_runner_close(runner);
    expect("cannot be called from a running event loop\n"
           "None\n");
}
END_TEST

START_TEST(an_unused_runner_may_be_closed)
{
    async_runner *runner = async_runner_new();
    say("%s", repr(async_runner_close(runner)));
    expect("None\n");
}
END_TEST

START_TEST(a_closed_runner_is_closed_for_good)
{
    async_runner *runner = async_runner_new();
    async_loop *loop = async_runner_get_loop(runner);
    play(async_coro(nothing));
    async_runner_close(runner);
    async_runner *next = async_runner_new();
    say("%s %s", repr(async_runner_close(runner)), repr(async_loop_close(loop)));
    say("%s", words_of(async_runner_run(runner, async_coro(nothing)).message, "the Runner is closed"));
    say("%s", yes(async_loop_is_closed(async_runner_get_loop(runner))));
    say("%s", repr(async_runner_run(next, async_coro(nothing))));
    async_runner_close(next);
    expect("None None\n"
           "the Runner is closed\n"
           "True\n"
           "None\n");
}
END_TEST

START_TEST(many_runs_take_no_descriptors)
{
    long before = open_descriptors();
    for (int i = 0; i < 300; i++)
        play(async_coro(nothing));
    say("%ld", open_descriptors() - before);
    expect("0\n");
}
END_TEST

MAIN("runner",
     TEST(N02_ctrl_c_cancels_main)
     TEST(N02_clean_ups_run_and_the_status_is_130)
     TEST(N02_a_main_that_swallows_it_returns_normally)
     TEST(N02_a_second_one_ends_the_process_at_once)
     TEST(N02_it_wakes_a_sleeping_loop)
     TEST(a_late_ctrl_c_does_not_hit_the_next_main)
     TEST(a_handler_of_mains_own_comes_first)
     TEST(what_ignores_ctrl_c_goes_on_ignoring_it)
     TEST(several_mains_run_in_one_loop)
     TEST(a_runner_does_not_nest)
     TEST(an_unused_runner_may_be_closed)
     TEST(a_closed_runner_is_closed_for_good)
     TEST(many_runs_take_no_descriptors))
