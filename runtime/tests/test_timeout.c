/* wait_for and timeout: rows O01 to O16 of the checklist. */
#include "testing.h"

/* ------------------------------------------------------------------------------- wait_for */

PROGRAM(in_time)
{
    async_value v = await(async_wait_for(async_coro(ret, async_num(1), 2), 5));
    say("%ld %g", v.num, now());
    v = async_catch(async_wait_for(async_coro(bad, value_error("x"), 1), 5));
    say("%s %g", v.message, now());
    v = await(async_wait_for(async_coro(ret, async_num(2), 100), ASYNC_NO_TIMEOUT));
    say("%ld %g", v.num, now());
    return async_none;
}

START_TEST(O01_wait_for_in_time)
{
    play(async_coro(in_time));
    expect("1 2\n"
           "x 3\n"
           "2 103\n");
}
END_TEST

PROGRAM(slow)
{
    async_value v = async_catch(async_sleep(9));
    await(async_sleep(3));
    say("cleaned at %g", now());
    return v;
}

PROGRAM(too_late)
{
    async_value v = async_catch(async_wait_for(async_coro(slow), 1));
    say("timeout at %g %s '%s'", now(), yes(v.error == ASYNC_TIMEOUT), v.message);
    return async_none;
}

START_TEST(O02_wait_for_too_late)
{
    play(async_coro(too_late));
    expect("cleaned at 4\n"
           "timeout at 4 True ''\n");
}
END_TEST

PROGRAM(no_time)
{
    async_task t = async_create_task(async_coro(ret, async_str("done"), 0));
    await(async_sleep(1));
    async_value v = await(async_wait_for(t, 0));
    say("%s", v.str);
    for (int d = 0; d >= -1; d--) {
        v = async_catch(async_wait_for(async_coro(tell, "never", 0), d));
        if (v.error == ASYNC_TIMEOUT)
            say("timeout %g", now());
    }
    return async_none;
}

START_TEST(O03_wait_for_with_a_timeout_of_zero_or_less)
{
    play(async_coro(no_time));
    expect("done\n"
           "timeout 1\n"
           "timeout 1\n");
}
END_TEST

PROGRAM(cancelled_wait_for)
{
    async_task t = async_create_task(async_wait_for(async_coro(tell, "inner", 9), 5));
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    say("%s %g", yes(async_cancelled(t)), now());
    return async_none;
}

START_TEST(O04_cancelling_wait_for)
{
    play(async_coro(cancelled_wait_for));
    expect("inner begins\n"
           "inner cancelled\n"
           "True 1\n");
}
END_TEST

PROGRAM(swallows)
{
    async_value v = async_catch(async_sleep(9));
    if (v.error == ASYNC_CANCELLED)
        await(async_sleep(2));
    return async_str("kept");
}

PROGRAM(wait_for_swallower)
{
    async_value v = await(async_wait_for(async_coro(swallows), 1));
    say("%s %g %d", v.str, now(), async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(O05_the_awaitable_swallows_the_cancellation)
{
    play(async_coro(wait_for_swallower));
    expect("kept 3 0\n");
}
END_TEST

PROGRAM(wait_for_spoiler)
{
    async_value v = async_catch(async_wait_for(async_coro(spoil, key_error("cleanup")), 1));
    say("%s %g", repr(v), now());
    return async_none;
}

START_TEST(O06_the_awaitable_raises_while_it_is_being_cancelled)
{
    play(async_coro(wait_for_spoiler));
    expect("KeyError('cleanup') 1\n");
}
END_TEST

static async_value set_value(void *future)
{
    return async_set_result(future, async_str("value"));
}

struct in_block { async_future f; };
static async_value in_block(void *p)
{
    struct in_block *args = p;
    async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout(1);
    return await(args->f);
}

PROGRAM(both_at_once)
{
    for (int i = 0; i < 2; i++) {
        async_future f = async_create_future();
        call_later(1, set_value, f);
        async_value v = async_catch(i == 0 ? async_wait_for(f, 1) : async_coro(in_block, f));
        if (v.error == ASYNC_TIMEOUT)
            say("TimeoutError, though the future holds %s", async_result(f).str);
    }
    return async_none;
}

START_TEST(O07_done_in_the_same_iteration_as_the_timeout)
{
    play(async_coro(both_at_once));
    expect("TimeoutError, though the future holds value\n"
           "TimeoutError, though the future holds value\n");
}
END_TEST

PROGRAM(wait_for_shield)
{
    async_task t = async_create_task(async_coro(tell, "t", 3));
    async_value v = async_catch(async_wait_for(async_shield(t), 1));
    if (v.error == ASYNC_TIMEOUT)
        say("timeout at %g", now());
    v = await(t);
    say("%s %g", v.str, now());
    return async_none;
}

START_TEST(O08_wait_for_of_a_shield)
{
    play(async_coro(wait_for_shield));
    expect("t begins\n"
           "timeout at 1\n"
           "t ends\n"
           "t 3\n");
}
END_TEST

static async_task parent;

PROGRAM(inner)
{
    say("own task %s %zu", yes(async_current_task() != parent), async_all_tasks(NULL, 0));
    return async_none;
}

PROGRAM(child)
{
    await(async_sleep(0));
    say("child ends");
    return async_none;
}

PROGRAM(which_task)
{
    parent = async_current_task();
    await(async_wait_for(async_coro(inner), 5));
    async_task c = async_create_task(async_coro(child));
    async_task s = async_create_task(async_coro(spin, "iteration", 5));
    await(async_wait_for(c, 9));
    say("main resumed");
    await(s);
    return async_none;
}

START_TEST(O09_in_which_task_and_how_many_iterations)
{
    play(async_coro(which_task));
    expect("own task False 1\n"
           "iteration 0\n"
           "child ends\n"
           "iteration 1\n"
           "main resumed\n"
           "iteration 2\n"
           "iteration 3\n"
           "iteration 4\n");
}
END_TEST

/* -------------------------------------------------------------------------------- timeout */

static async_timeout_scope *scope, *outer, *middle;     /* for a look at them afterwards */

PROGRAM(one_second)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = scope = async_timeout(1);
    async_value v = async_catch(async_sleep(9));
    if (v.error == ASYNC_CANCELLED)
        say("inside: CancelledError %g", now());
    return v;
}

PROGRAM(expires)
{
    async_value v = async_catch(async_coro(one_second));
    say("outside: %s %s %d", async_error_name(v.error), yes(async_timeout_expired(scope)),
        async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(O10_timeout_turns_its_own_cancellation_into_TimeoutError)
{
    play(async_coro(expires));
    expect("inside: CancelledError 1\n"
           "outside: TimeoutError True 0\n");
}
END_TEST

PROGRAM(unexpired)
{
    async_timeout_scope *a, *b, *c;
    {
        async_with(async_timeout_exit) async_timeout_scope *cm = a = async_timeout(2);
        await(async_sleep(1));
    }
    {
        b = async_timeout(ASYNC_NO_TIMEOUT);
        async_with(async_timeout_exit) async_timeout_scope *cm = b;
        await(async_sleep(100));
    }
    {
        async_with(async_timeout_exit) async_timeout_scope *cm = c = async_timeout(1);
        async_value v = async_timeout_reschedule(c, now() + 5);
        if (v.error)
            return v;
        await(async_sleep(3));
    }
    say("%s %s %s %g", yes(async_timeout_expired(a)), yes(async_timeout_expired(b)),
        yes(async_timeout_expired(c)), now());
    say("%s", async_timeout_reschedule(c, 1).message);
    return async_none;
}

START_TEST(O11_timeout_not_reached_disabled_rescheduled)
{
    play(async_coro(unexpired));
    expect("False False False 104\n"
           "Cannot change state of finished Timeout\n");
}
END_TEST

PROGRAM(without_a_wait)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(0);
    say("runs");
    return async_none;
}

PROGRAM(with_a_wait)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(0);
    say("starts");
    await(async_sleep(0));
    say("one more turn?");
    return async_none;
}

PROGRAM(zero)
{
    await(async_coro(without_a_wait));
    if (async_catch(async_coro(with_a_wait)).error == ASYNC_TIMEOUT)
        say("timeout %g", now());
    return async_none;
}

START_TEST(O12_timeout_of_zero)
{
    play(async_coro(zero));
    expect("runs\n"
           "starts\n"
           "timeout 0\n");
}
END_TEST

PROGRAM(inner_block)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = scope = async_timeout(1);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(outer_block)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = outer = async_timeout(3);
    if (async_catch(async_coro(inner_block)).error == ASYNC_TIMEOUT)
        say("inner %g", now());
    await(async_sleep(9));
    return async_none;
}

PROGRAM(nested)
{
    if (async_catch(async_coro(outer_block)).error == ASYNC_TIMEOUT)
        say("outer %g %s %s", now(), yes(async_timeout_expired(outer)),
            yes(async_timeout_expired(scope)));
    return async_none;
}

START_TEST(O13_nested_timeouts)
{
    play(async_coro(nested));
    expect("inner 1\n"
           "outer 3 True True\n");
}
END_TEST

PROGRAM(three_in_one_function)
{
    async_with(async_timeout_exit) async_timeout_scope *a = outer = async_timeout(9);
    async_with(async_timeout_exit) async_timeout_scope *b = middle = async_timeout(1);
    async_with(async_timeout_exit) async_timeout_scope *c = scope = async_timeout(5);
    await(async_sleep(99));
    return async_none;
}

PROGRAM(middle_expires)
{
    async_value v = async_catch(async_coro(three_in_one_function));
    say("%s %g: %s %s %s", async_error_name(v.error), now(), yes(async_timeout_expired(outer)),
        yes(async_timeout_expired(middle)), yes(async_timeout_expired(scope)));
    return async_none;
}

START_TEST(O13_three_blocks_in_one_function)
{
    play(async_coro(middle_expires));
    expect("TimeoutError 1: False True False\n");
}
END_TEST

PROGRAM(five_seconds)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(5);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(foreign)
{
    async_task t = async_create_task(async_coro(five_seconds));
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    say("%s %g", yes(async_cancelled(t)), now());
    return async_none;
}

START_TEST(O14_someone_elses_cancel_inside_timeout)
{
    play(async_coro(foreign));
    expect("True 1\n");
}
END_TEST

struct block { bool answer; };
static async_value block(void *p)
{
    struct block *args = p;
    async_with(async_timeout_exit) async_timeout_scope *cm = scope = async_timeout_at(1);
    async_value v = async_catch(async_sleep(9));
    if (v.error == ASYNC_CANCELLED && args->answer)
        async_raise(ZERO_DIVISION_ERROR, "division by zero");
    return async_none;
}

static async_value use_block(void *p)
{
    async_value v = async_catch(async_coro(block, ((struct block *)p)->answer));
    say("%s %s", v.error ? repr(v) : "swallowed", yes(async_timeout_expired(scope)));
    return async_none;
}

START_TEST(O15_other_errors_inside_an_expired_block)
{
    struct use_block { bool answer; };
    play(async_coro(use_block, false));
    play(async_coro(use_block, true));
    expect("swallowed True\n"
           "ZeroDivisionError('division by zero') True\n");
}
END_TEST

/* Entered where it is made, so that of the row only the other misuses are left. */
PROGRAM(twice_left)
{
    async_timeout_scope *cm = async_timeout(1);
    async_value v = async_timeout_leave(cm, async_num(5));
    say("%ld", v.num);
    v = async_timeout_leave(cm, async_num(6));
    say("%ld %s", v.num, yes(async_timeout_expired(cm)));
    await(async_sleep(2));
    return async_none;
}

START_TEST(O16_leaving_twice_does_nothing_more)
{
    play(async_coro(twice_left));
    expect("5\n"
           "6 False\n");
}
END_TEST

static void outside_of_a_task(void)
{
    async_timeout_scope *cm = async_timeout(1);
    say("made %p", (void *)cm);
}

START_TEST(O16_outside_of_a_task)
{
    in_child(outside_of_a_task);
    ck_assert_ptr_nonnull(strstr(said.text, "aborted"));
    ck_assert_ptr_nonnull(strstr(said.text, "async_timeout"));
}
END_TEST

/* ------------------------------------------------------------------------- hops and corners */

static async_value start_counting(void *p)
{
    count_turns();
    (void)p;
    return async_none;
}

PROGRAM(ends_now)
{
    count_turns();
    return async_none;
}

PROGRAM(ends_after_a_turn)
{
    await(async_sleep(0));
    count_turns();
    return async_none;
}

PROGRAM(block_of_a_second)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(hops)
{
    await(async_wait_for(async_create_task(async_coro(ends_now)), 5));
    say("wait_for(task): after its end +%u", turns);
    await(async_wait_for(async_coro(ends_after_a_turn), 5));
    say("wait_for(coroutine): after its end +%u", turns);
    await(async_sleep(1));
    call_later(1, start_counting, NULL);
    async_value v = async_catch(async_wait_for(async_create_task(async_sleep(9)), 1));
    say("wait_for(task in a sleep): after the timer +%u %s", turns, async_error_name(v.error));
    await(async_sleep(1));
    call_later(1, start_counting, NULL);
    v = async_catch(async_coro(block_of_a_second));
    say("timeout() block in a sleep: after the timer +%u %s", turns, async_error_name(v.error));
    return async_none;
}

START_TEST(iterations_of_wait_for_and_timeout)
{
    play(async_coro(hops));
    expect("wait_for(task): after its end +1\n"
           "wait_for(coroutine): after its end +0\n"
           "wait_for(task in a sleep): after the timer +2 TimeoutError\n"
           "timeout() block in a sleep: after the timer +1 TimeoutError\n");
}
END_TEST

struct leaves { int how; };
static async_value leaves(void *p)
{
    struct leaves *args = p;
    async_with(async_timeout_exit) async_timeout_scope *cm = scope = async_timeout(1);
    switch (args->how) {
    case 0:
        return async_str("plain return");
    case 1:
        async_raise(KEY_ERROR, "raised");
    case 2:
        await(async_coro(bad, key_error("awaited"), 0.5));
    }
    return async_none;
}

PROGRAM(ways_out)
{
    for (int how = 0; how < 3; how++) {
        async_value v = async_catch(async_coro(leaves, how));
        say("%s %s", v.error ? repr(v) : v.str, yes(async_timeout_expired(scope)));
    }
    await(async_sleep(5));                  /* no deadline is left behind */
    say("%g %d", now(), async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(a_block_left_by_return_raise_and_await)
{
    play(async_coro(ways_out));
    expect("plain return False\n"
           "KeyError('raised') False\n"
           "KeyError('awaited') False\n"
           "5.5 0\n");
}
END_TEST

/* A function that goes on behind its block, and is cancelled there by somebody. */
PROGRAM(goes_on_behind_the_block)
{
    {
        async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
        async_value v = async_catch(async_sleep(9));
        say("%s in the block", async_error_name(v.error));
    }
    await(async_sleep(9));
    return async_none;
}

PROGRAM(cancelled_behind)
{
    async_task t = async_create_task(async_coro(goes_on_behind_the_block));
    await(async_sleep(2));
    async_cancel(t);
    await(wait_all(t));
    say("%s %g", yes(async_cancelled(t)), now());
    return async_none;
}

START_TEST(a_cancel_behind_an_expired_block_stays_a_cancel)
{
    play(async_coro(cancelled_behind));
    expect("CancelledError in the block\n"
           "True 2\n");
}
END_TEST

PROGRAM(both_cancel)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(cancelled_by_both)
{
    async_task t = async_create_task(async_coro(both_cancel));
    await(async_sleep(0));
    call_later(1, cancel_it, t);            /* in the same iteration as the deadline, after it */
    await(wait_all(t));
    say("%s %g", yes(async_cancelled(t)), now());
    return async_none;
}

START_TEST(a_cancel_in_the_iteration_of_the_deadline_wins)
{
    play(async_coro(cancelled_by_both));
    expect("True 1\n");
}
END_TEST

PROGRAM(moves_its_deadline)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(ASYNC_NO_TIMEOUT);
    say("%g", async_timeout_when(cm));
    async_timeout_reschedule(cm, 7);
    say("%g", async_timeout_when(cm));
    async_timeout_reschedule(cm, 2);
    async_value v = async_catch(async_sleep(9));
    say("%s %g %s", async_error_name(v.error), now(), async_timeout_reschedule(cm, 99).message);
    return v;
}

START_TEST(a_deadline_is_moved)
{
    play(async_coro(moves_its_deadline));
    expect("inf\n"
           "7\n"
           "CancelledError 2 Cannot change state of expiring Timeout\n"
           "raised TimeoutError('')\n");
}
END_TEST

/* By hand, where the function is to go on: the twin of try around async with. */
PROGRAM(by_hand)
{
    async_timeout_scope *cm = async_timeout(1);
    async_value v = async_timeout_leave(cm, async_catch(async_sleep(9)));
    say("%s %g", async_error_name(v.error), now());
    cm = async_timeout(1);
    v = async_timeout_leave(cm, async_catch(async_coro(ret, async_num(7), 0.5)));
    say("%ld %g", v.num, now());
    return async_none;
}

START_TEST(a_block_left_by_hand)
{
    play(async_coro(by_hand));
    expect("TimeoutError 1\n"
           "7 1.5\n");
}
END_TEST

PROGRAM(forgets_to_leave)
{
    return async_timeout(1) ? async_none : async_error(ENOMEM, "");
}

PROGRAM(a_timeout_is_forgotten)
{
    for (long i = 0; i < 300; i++)
        async_detach(async_create_task(async_coro(forgets_to_leave)));
    for (long i = 0; i < 2000; i++)         /* their records are used again */
        await(async_create_task(async_coro(nothing)));
    async_task tasks[300];
    for (long i = 0; i < 300; i++)
        tasks[i] = async_create_task(async_coro(ret, async_num(i), 3));
    async_value results[300];
    await(async_gather_list(results, tasks, 300, true));
    long cancelled = 0;
    for (long i = 0; i < 300; i++)
        cancelled += results[i].error == ASYNC_CANCELLED;
    say("%ld cancelled", cancelled);
    return async_none;
}

START_TEST(a_block_that_is_never_left)
{
    play(async_coro(a_timeout_is_forgotten));
    expect("0 cancelled\n");
}
END_TEST

PROGRAM(at_once_cancelled)
{
    async_task t = async_create_task(async_coro(spoil, key_error("k")));
    await(async_sleep(1));
    async_task w = async_create_task(async_wait_for(t, 0));
    await(async_sleep(0));
    async_cancel(w);                        /* while it waits for t, which has been cancelled */
    await(wait_all(w, t));
    say("%s %s", yes(async_cancelled(w)), repr(async_exception(t)));
    return async_none;
}

START_TEST(wait_for_zero_cancelled_while_it_waits_for_the_end)
{
    play(async_coro(at_once_cancelled));
    expect("True KeyError('k')\n");
}
END_TEST

/* --------------------------------------------------------------------------------- memory */

PROGRAM(many_wait_fors)
{
    for (long i = 0; again(&i, 1000000);)
        await(async_wait_for(async_coro(nothing), 1));
    for (long i = 0; again(&i, 500000);)
        await(async_wait_for(async_create_task(async_coro(nothing)), 1));
    for (long i = 0; again(&i, 300000);)
        async_catch(async_wait_for(async_sleep(9), 1));
    for (long i = 0; again(&i, 300000);)
        async_catch(async_wait_for(async_create_task(async_sleep(9)), 1));
    return async_none;
}

START_TEST(many_wait_fors_take_constant_memory)
{
    play(async_coro(many_wait_fors));
    expect("constant memory\nconstant memory\nconstant memory\nconstant memory\n");
}
END_TEST

PROGRAM(times_out)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(many_blocks)
{
    for (long i = 0; again(&i, 1000000);) {
        async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    }
    for (long i = 0; again(&i, 300000);)
        async_catch(async_coro(times_out));
    return async_none;
}

START_TEST(many_blocks_take_constant_memory)
{
    play(async_coro(many_blocks));
    expect("constant memory\nconstant memory\n");
}
END_TEST

MAIN("timeout",
     TEST(O01_wait_for_in_time)
     TEST(O02_wait_for_too_late)
     TEST(O03_wait_for_with_a_timeout_of_zero_or_less)
     TEST(O04_cancelling_wait_for)
     TEST(O05_the_awaitable_swallows_the_cancellation)
     TEST(O06_the_awaitable_raises_while_it_is_being_cancelled)
     TEST(O07_done_in_the_same_iteration_as_the_timeout)
     TEST(O08_wait_for_of_a_shield)
     TEST(O09_in_which_task_and_how_many_iterations)
     TEST(O10_timeout_turns_its_own_cancellation_into_TimeoutError)
     TEST(O11_timeout_not_reached_disabled_rescheduled)
     TEST(O12_timeout_of_zero)
     TEST(O13_nested_timeouts)
     TEST(O13_three_blocks_in_one_function)
     TEST(O14_someone_elses_cancel_inside_timeout)
     TEST(O15_other_errors_inside_an_expired_block)
     TEST(O16_leaving_twice_does_nothing_more)
     TEST(O16_outside_of_a_task)
     TEST(iterations_of_wait_for_and_timeout)
     TEST(a_block_left_by_return_raise_and_await)
     TEST(a_cancel_behind_an_expired_block_stays_a_cancel)
     TEST(a_cancel_in_the_iteration_of_the_deadline_wins)
     TEST(a_deadline_is_moved)
     TEST(a_block_left_by_hand)
     TEST(a_block_that_is_never_left)
     TEST(wait_for_zero_cancelled_while_it_waits_for_the_end)
     TEST(many_wait_fors_take_constant_memory)
     TEST(many_blocks_take_constant_memory))
