/* The event loop: rows L01 to L16 of the checklist, but L11 (threads). */
#include "testing.h"

static async_loop *new_loop(void)
{
    setenv("ASYNC_CLOCK", "virtual", 1);
    return async_new_event_loop();
}

static void run_forever(async_loop *loop)
{
    async_value v = async_loop_run_forever(loop);
    if (v.error)
        say("left with %s", repr(v));
}

START_TEST(L01_run_until_complete_returns_the_result_or_raises_the_error)
{
    async_loop *loop = new_loop();
    async_value v = async_loop_run_until_complete(loop, async_coro(ret, async_num(5), 0));
    say("%ld %s %s", v.num, yes(async_loop_is_running(loop)), yes(async_loop_is_closed(loop)));
    v = async_loop_run_until_complete(loop, async_coro(bad, value_error("x"), 0));
    say("raised %s", repr(v));
    v = async_loop_run_until_complete(loop, async_coro(ret, async_num(6), 0));
    say("%ld", v.num);
    async_loop_close(loop);
    expect("5 False False\n"
           "raised ValueError('x')\n"
           "6\n");
}
END_TEST

START_TEST(L02_stop_while_run_until_complete_waits)
{
    async_loop *loop = new_loop();
    async_task task = async_loop_create_task(loop, async_coro(ret, async_num(7), 0.02));
    async_loop_call_soon(loop, stop_it, loop);
    async_value v = async_loop_run_until_complete(loop, task);
    say("%s %s", words_of(v.message, "Event loop stopped before Future completed."),
        yes(async_done(task)));
    v = async_loop_run_until_complete(loop, task);
    say("%ld", v.num);
    async_loop_close(loop);
    expect("Event loop stopped before Future completed. False\n"
           "7\n");
}
END_TEST

static async_value say_and_stop(void *text)
{
    async_loop_stop(async_get_running_loop());
    return say_text(text);
}

struct next { const char *now, *then; };
static async_value say_and_schedule(void *p)
{
    struct next *next = p;
    if (next->now)
        say("%s", next->now);
    call_soon(say_text, next->then);
    return async_none;
}

START_TEST(L03_stop_lets_the_current_iteration_finish)
{
    async_loop *loop = new_loop();
    struct next b = { "b", "c" }, d = { NULL, "d" };
    async_loop_call_soon(loop, say_and_stop, "a");
    async_loop_call_soon(loop, say_and_schedule, &b);
    async_loop_call_later(loop, 10, say_text, "later");
    run_forever(loop);
    say("stopped");
    async_loop_call_soon(loop, say_and_schedule, &d);
    async_loop_stop(loop);
    run_forever(loop);
    say("stopped again");
    async_loop_close(loop);
    expect("a\n"
           "b\n"
           "stopped\n"
           "c\n"
           "stopped again\n");
}
END_TEST

START_TEST(L04_call_soon_is_first_in_first_out)
{
    async_loop *loop = new_loop();
    const char *texts[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++)
        async_loop_call_soon(loop, say_text, (void *)texts[i]);
    say("scheduled");
    async_loop_call_soon(loop, stop_it, loop);
    run_forever(loop);
    async_loop_close(loop);
    expect("scheduled\n"
           "a\n"
           "b\n"
           "c\n");
}
END_TEST

struct chain { const char *tag; int left; };
static async_value chain(void *p)
{
    struct chain *chained = p;
    say("%s %d", chained->tag, chained->left);
    if (chained->left--)
        call_soon(chain, chained);
    return async_none;
}

START_TEST(L05_what_a_callback_schedules_runs_in_the_next_iteration)
{
    async_loop *loop = new_loop();
    struct chain a = { "a", 2 }, b = { "b", 2 };
    async_loop_call_soon(loop, chain, &a);
    async_loop_call_soon(loop, chain, &b);
    async_loop_call_later(loop, 0.05, stop_it, loop);
    run_forever(loop);
    async_loop_close(loop);
    expect("a 2\n"
           "b 2\n"
           "a 1\n"
           "b 1\n"
           "a 0\n"
           "b 0\n");
}
END_TEST

static async_value say_timer(void *delay)
{
    say("timer %g at %g", *(double *)delay, now());
    return async_none;
}

static async_value three_timers(void *p)
{
    static double delays[] = { 3, 1, 2 };
    for (int i = 0; i < 3; i++)
        call_later(delays[i], say_timer, &delays[i]);
    await(async_sleep(5));
    return async_ptr(p);
}

START_TEST(L06_call_later_runs_by_deadline_not_by_creation)
{
    play(async_coro(three_timers));
    expect("timer 1 at 1\n"
           "timer 2 at 2\n"
           "timer 3 at 3\n");
}
END_TEST

static async_value say_at(void *p)
{
    say("at %g", now());
    return async_ptr(p);
}

static async_value no_delay(void *p)
{
    async_loop *loop = async_get_running_loop();
    call_later(-5, say_text, "negative");
    call_soon(say_text, "soon");
    call_later(0, say_text, "zero");
    async_handle handle = async_loop_call_at(loop, async_loop_time(loop) + 2, say_at, p);
    say("%g", async_handle_when(handle));
    call_soon(say_text, "soon 2");
    say("main");
    await(async_sleep(0));
    say("main again");
    await(async_sleep(3));
    return async_none;
}

START_TEST(L07_a_delay_of_zero_or_less_means_the_next_iteration)
{
    play(async_coro(no_delay));
    expect("2\n"
           "main\n"
           "soon\n"
           "soon 2\n"
           "main again\n"
           "negative\n"
           "zero\n"
           "at 2\n");
}
END_TEST

static async_value say_due(void *text)
{
    say("timer %s", (char *)text);
    struct next after = { NULL, text };
    return say_and_schedule(&after);
}

static async_value wakes_late(void *p)
{
    async_loop *loop = async_get_running_loop();
    double now = async_loop_time(loop);
    async_loop_call_at(loop, now + 0.03, say_due, "0.03");
    async_loop_call_at(loop, now + 0.01, say_due, "0.01");
    async_loop_call_at(loop, now + 0.02, say_due, "0.02");
    usleep(50 * 1000);
    say("woke late");
    await(async_sleep(0.01));
    return async_ptr(p);
}

START_TEST(L08_all_timers_that_are_due_go_to_the_ready_queue_in_one_go)
{
    async_value v = run_real(async_coro(wakes_late));
    ck_assert_int_eq(v.error, 0);
    expect("woke late\n"
           "timer 0.01\n"
           "timer 0.02\n"
           "timer 0.03\n"
           "0.01\n"
           "0.02\n"
           "0.03\n");
}
END_TEST

static async_value equal_deadlines(void *p)
{
    async_loop *loop = async_get_running_loop();
    double when = async_loop_time(loop) + 1;
    static const char *texts[] = { "0", "1", "2", "3", "4", "5", "6", "7" };
    for (int i = 0; i < 8; i++)
        async_loop_call_at(loop, when, say_text, (void *)texts[i]);
    await(async_sleep(2));
    return async_ptr(p);
}

/* A deliberate difference: Python's heap gives 0, 2, 1, 3. */
START_TEST(L09_equal_deadlines_are_first_come_first_served)
{
    play(async_coro(equal_deadlines));
    expect("0\n1\n2\n3\n4\n5\n6\n7\n");
}
END_TEST

static async_value real_deadlines(void *p)
{
    await(async_gather(NULL, async_coro(tell, "a", 0.01), async_coro(tell, "b", 0.01),
                       async_coro(tell, "c", 0.01), async_coro(tell, "d", 0.01)));
    return async_ptr(p);
}

START_TEST(L09_deadlines_made_one_after_the_other_on_the_real_clock)
{
    async_value v = run_real(async_coro(real_deadlines));
    ck_assert_int_eq(v.error, 0);
    expect("a begins\nb begins\nc begins\nd begins\n"
           "a ends\nb ends\nc ends\nd ends\n");
}
END_TEST

static async_value cancel_handle(void *handle)
{
    async_handle_cancel(*(async_handle *)handle);
    return async_none;
}

static async_value cancelled_handles(void *p)
{
    static async_handle h1, h2;
    call_soon(cancel_handle, &h1);
    h1 = call_soon(say_text, "no");
    h2 = call_soon(say_text, "yes");
    async_handle timer = call_later(1, say_text, "no timer");
    async_handle_cancel(timer);
    async_handle_cancel(timer);
    await(async_sleep(2));
    say("%s", yes(async_handle_cancelled(h2)));
    async_handle_cancel(h2);
    say("%s %s %s", yes(async_handle_cancelled(h1)), yes(async_handle_cancelled(timer)),
        yes(async_handle_cancelled(h2)));
    return async_ptr(p);
}

START_TEST(L10_a_cancelled_handle_never_runs)
{
    play(async_coro(cancelled_handles));
    expect("yes\n"
           "False\n"
           "True True True\n");
}
END_TEST

static async_value zero(void *p)
{
    (void)p;
    return async_error(ASYNC_VALUE_ERROR, "division by zero");
}

static void handler(async_loop *loop, const char *message, async_value error, async_awaitable x)
{
    say("handler: %s: %s %s %s", message, repr(error), yes(loop == async_get_running_loop()),
        yes(x != NULL));
}

static async_value failing_callbacks(void *p)
{
    async_loop *loop = async_get_running_loop();
    call_soon(zero, NULL);
    call_soon(say_text, "next");
    await(async_sleep(0));
    say("main goes on");
    async_loop_set_exception_handler(loop, handler);
    call_soon(zero, NULL);
    await(async_sleep(0));
    async_loop_set_exception_handler(loop, NULL);
    call_soon(zero, NULL);
    await(async_sleep(0));
    say("end");
    return async_ptr(p);
}

START_TEST(L12_an_error_in_a_callback_does_not_stop_the_loop)
{
    listen_to_stderr();
    play(async_coro(failing_callbacks));
    heard();
    expect("next\n"
           "main goes on\n"
           "handler: Exception in callback: ValueError('division by zero') True True\n"
           "end\n"
           "stderr| Exception in callback: Handle (made at FILE:N): ValueError: division by zero\n"
           "stderr| Exception in callback: Handle (made at FILE:N): ValueError: division by zero\n");
}
END_TEST

static async_value quit(void *p)
{
    (void)p;
    return async_exit(3);
}

static async_value interrupt(void *p)
{
    (void)p;
    return async_error(ASYNC_KEYBOARD_INTERRUPT, NULL);
}

START_TEST(L13_exit_and_ctrl_c_leave_the_loop_at_once)
{
    async_loop *loop = new_loop();
    async_loop_call_soon(loop, say_text, "a");
    async_loop_call_soon(loop, quit, NULL);
    async_loop_call_soon(loop, say_text, "b");
    async_loop_call_soon(loop, interrupt, NULL);
    async_loop_call_soon(loop, say_text, "c");
    async_value v = async_loop_run_forever(loop);
    say("left with %s %ld", async_error_name(v.error), v.num);
    run_forever(loop);
    async_loop_call_soon(loop, stop_it, loop);
    run_forever(loop);
    async_loop_close(loop);
    expect("a\n"
           "left with SystemExit 3\n"
           "b\n"
           "left with KeyboardInterrupt()\n"
           "c\n");
}
END_TEST

START_TEST(L13_raised_in_a_task_too)
{
    async_loop *loop = new_loop();
    async_task task = async_loop_create_task(loop, async_coro(bad, async_exit(4), 0));
    async_loop_call_later(loop, 0, say_text, "the rest of the batch");
    async_value v = async_loop_run_until_complete(loop, async_coro(ret, async_none, 5));
    say("left with %s %ld", async_error_name(v.error), v.num);
    v = async_exception(task);
    say("task: %s %ld", async_error_name(v.error), v.num);
    v = async_loop_run_until_complete(loop, async_coro(nothing));
    ck_assert_int_eq(v.error, 0);
    listen_to_stderr();
    async_loop_close(loop);             /* with the first main still asleep: row D03 */
    heard();
    expect("the rest of the batch\n"
           "left with SystemExit 4\n"
           "task: SystemExit 4\n"
           "stderr| Task was destroyed but it is pending! task 'Task-2' (ret, created at FILE:N), "
           "waiting at FILE:N\n");
}
END_TEST

struct run_both { async_loop *loop, *other; };
static async_value run_both(void *p)
{
    struct run_both *args = p;
    const char *other = "Cannot run the event loop while another loop is running";
    async_value v = async_loop_run_until_complete(args->loop, NULL);
    say("%s", words_of(v.message, "This event loop is already running"));
    v = async_loop_run_until_complete(args->other, NULL);
    say("%s", words_of(v.message, other));
    v = async_loop_run_forever(args->other);
    say("%s", words_of(v.message, other));
    say("%s", yes(async_get_running_loop() == args->loop));
    return async_none;
}

static void stops_outside(void) { async_loop_stop(async_get_running_loop()); }

START_TEST(L14_a_call_that_needs_a_loop_says_so)
{
    in_child(stops_outside);
    ck_assert_ptr_nonnull(strstr(said.text, "async_loop_stop at"));
    ck_assert_ptr_nonnull(strstr(said.text, "no running event loop"));
}
END_TEST

START_TEST(L14_loops_do_not_nest)
{
    async_loop *a = new_loop(), *b = new_loop();
    async_value v = async_loop_run_until_complete(a, async_coro(run_both, a, b));
    ck_assert_int_eq(v.error, 0);
    async_loop_close(a);
    async_loop_close(b);
    say("%s", yes(async_get_running_loop() == NULL));
    expect("This event loop is already running\n"
           "Cannot run the event loop while another loop is running\n"
           "Cannot run the event loop while another loop is running\n"
           "True\n"
           "True\n");
}
END_TEST

static async_value close_running(void *p)
{
    async_value v = async_loop_close(async_get_running_loop());
    say("%s", words_of(v.message, "Cannot close a running event loop"));
    return async_ptr(p);
}

static async_loop *closed;
static void calls_soon(void) { async_loop_call_soon(closed, say_text, "never"); }
static void calls_later(void) { async_loop_call_later(closed, 1, say_text, "never"); }

static void creates(void)
{
    async_task task = async_loop_create_task(closed, async_coro(nothing));
    say("%p", (void *)task);
}

static void runs_in_a_thread(void)
{
    async_future future = async_loop_run_in_executor(closed, say_text, "never");
    say("%p", (void *)future);
}

static async_value has_no_threads(void *unused)
{
    await(async_loop_shutdown_default_executor(closed));
    return async_ptr(unused);
}

START_TEST(L15_a_closed_loop_refuses_work)
{
    closed = new_loop();
    async_value v = async_loop_run_until_complete(closed, async_coro(close_running));
    ck_assert_int_eq(v.error, 0);
    async_loop_call_soon(closed, say_text, "never");
    async_loop_call_later(closed, 1, say_text, "never");
    for (int i = 0; i < 2; i++) {
        v = async_loop_close(closed);
        ck_assert_int_eq(v.error, 0);
    }
    expect("Cannot close a running event loop\n");
    expect_abort(calls_soon, "Event loop is closed");
    expect_abort(calls_later, "Event loop is closed");
    expect_abort(creates, "Event loop is closed");
    expect_abort(runs_in_a_thread, "Event loop is closed");
    play(async_coro(has_no_threads));
    v = async_loop_run_forever(closed);
    say("%s %s", words_of(v.message, "Event loop is closed"), yes(async_loop_is_closed(closed)));
    expect("Event loop is closed True\n");
}
END_TEST

START_TEST(a_closed_loop_is_not_the_next_one)
{
    async_loop *first = new_loop();
    async_loop_close(first);
    for (int i = 0; i < 100; i++) {
        async_loop *next = new_loop();
        async_loop_close(first);
        if (async_loop_is_closed(next))
            say("closed the next one");
        async_loop_close(next);
    }
    say("%s", yes(async_loop_is_closed(first)));
    expect("True\n");
}
END_TEST

static async_value busy(void *p)
{
    for (;;)
        await(async_sleep(0));
    return async_ptr(p);
}

static async_value timer_beside_busy(void *p)
{
    async_task task = async_create_task(async_coro(busy));
    await(async_sleep(0.02));
    say("timer fired");
    async_cancel(task);
    await(wait_all(task));
    say("busy task gone %s", yes(async_cancelled(task)));
    return async_ptr(p);
}

START_TEST(L16_busy_tasks_do_not_starve_timers)
{
    async_value v = run_real(async_coro(timer_beside_busy));
    ck_assert_int_eq(v.error, 0);
    expect("timer fired\n"
           "busy task gone True\n");
}
END_TEST

static async_value chained(void *stop)
{
    if (!*(bool *)stop)
        call_soon(chained, stop);
    return async_none;
}

static async_value timer_beside_chain(void *p)
{
    bool stop = false;
    call_soon(chained, &stop);
    await(async_sleep(0.02));
    say("timer fired");
    stop = true;
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(L16_chains_of_callbacks_do_not_starve_timers)
{
    async_value v = run_real(async_coro(timer_beside_chain));
    ck_assert_int_eq(v.error, 0);
    expect("timer fired\n");
}
END_TEST

static async_value turn_counter(void *p)
{
    count_turns();
    return async_ptr(p);
}

static async_value sleepers(void *p)
{
    count_turns();
    await(async_sleep(0));
    say("sleep(0): +%u", turns);
    call_later(1, turn_counter, NULL);      /* the same deadline, and before it */
    await(async_sleep(1));
    say("sleep(d): +%u", turns);
    return async_ptr(p);
}

START_TEST(iterations_of_sleep)
{
    play(async_coro(sleepers));
    expect("sleep(0): +1\n"
           "sleep(d): +1\n");
}
END_TEST

static void notes_and_prints(async_loop *loop, const char *message, async_value error,
                             async_awaitable x)
{
    say("%s: %s", message, repr(error));
    async_loop_default_exception_handler(loop, message, error, x);
}

PROGRAM(calls_the_handler)
{
    async_loop *loop = async_get_running_loop();
    listen_to_stderr();
    async_loop_call_exception_handler(loop, "by default", value_error("one"), NULL);
    async_loop_set_exception_handler(loop, notes_and_prints);
    async_loop_call_exception_handler(loop, "with ours", value_error("two"), async_current_task());
    heard();
    return async_none;
}

START_TEST(the_exception_handler_may_be_called)
{
    play(async_coro(calls_the_handler));
    expect("with ours: ValueError('two')\n"
           "stderr| by default: ValueError: one\n"
           "stderr| with ours: task 'Task-1' (calls_the_handler, created at FILE:N): ValueError: two\n");
}
END_TEST

MAIN("loop",
     TEST(L01_run_until_complete_returns_the_result_or_raises_the_error)
     TEST(L02_stop_while_run_until_complete_waits)
     TEST(L03_stop_lets_the_current_iteration_finish)
     TEST(L04_call_soon_is_first_in_first_out)
     TEST(L05_what_a_callback_schedules_runs_in_the_next_iteration)
     TEST(L06_call_later_runs_by_deadline_not_by_creation)
     TEST(L07_a_delay_of_zero_or_less_means_the_next_iteration)
     TEST(L08_all_timers_that_are_due_go_to_the_ready_queue_in_one_go)
     TEST(L09_equal_deadlines_are_first_come_first_served)
     TEST(L09_deadlines_made_one_after_the_other_on_the_real_clock)
     TEST(L10_a_cancelled_handle_never_runs)
     TEST(L12_an_error_in_a_callback_does_not_stop_the_loop)
     TEST(L13_exit_and_ctrl_c_leave_the_loop_at_once)
     TEST(L13_raised_in_a_task_too)
     TEST(L14_a_call_that_needs_a_loop_says_so)
     TEST(L14_loops_do_not_nest)
     TEST(L15_a_closed_loop_refuses_work)
     TEST(a_closed_loop_is_not_the_next_one)
     TEST(L16_busy_tasks_do_not_starve_timers)
     TEST(L16_chains_of_callbacks_do_not_starve_timers)
     TEST(iterations_of_sleep)
     TEST(the_exception_handler_may_be_called))
