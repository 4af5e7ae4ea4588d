/* wait: rows W01 to W08 of the checklist. */
#include "testing.h"

#define wait_for_tasks(tasks, timeout, when) \
    async_wait(tasks, sizeof(tasks) / sizeof *(tasks), timeout, when)

static async_value all_completed(void *p)
{
    async_task a = async_create_task(async_coro(ret, async_num(1), 2));
    async_task b = async_create_task(async_coro(bad, value_error("x"), 1));
    async_task tasks[] = { a, b };
    long done = await(wait_for_tasks(tasks, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED)).num;
    say("%s %g %s", yes(done == 2 && tasks[0] == a && tasks[1] == b), now(),
        repr(async_exception(b)));
    return async_ptr(p);
}

START_TEST(W01_all_completed)
{
    play(async_coro(all_completed));
    expect("True 2 ValueError('x')\n");
}
END_TEST

static async_value first_completed(void *p)
{
    async_task tasks[] = { async_create_task(async_coro(tell, "a", 2)),
                           async_create_task(async_coro(tell, "b", 1)),
                           async_create_task(async_coro(tell, "c", 3)) };
    async_task a = tasks[0], b = tasks[1], c = tasks[2];
    long done = await(wait_for_tasks(tasks, ASYNC_NO_TIMEOUT, ASYNC_FIRST_COMPLETED)).num;
    say("%ld ['%s'] %g %s", done, async_result(tasks[0]).str, now(),
        yes(tasks[0] == b && tasks[1] == a && tasks[2] == c));
    await(wait_for_tasks(tasks, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    say("%g", now());
    return async_ptr(p);
}

START_TEST(W02_first_completed)
{
    play(async_coro(first_completed));
    expect("a begins\n"
           "b begins\n"
           "c begins\n"
           "b ends\n"
           "1 ['b'] 1 True\n"
           "a ends\n"
           "c ends\n"
           "3\n");
}
END_TEST

static async_value first_exception(void *p)
{
    async_task b = async_create_task(async_sleep(9));
    async_task c = async_create_task(async_coro(bad, key_error(NULL), 3));
    async_task d = async_create_task(async_coro(ret, async_num(4), 5));
    async_task tasks[] = { d, async_create_task(async_coro(ret, async_num(1), 1)), b, c };
    call_later(2, cancel_it, b);
    long done = await(wait_for_tasks(tasks, ASYNC_NO_TIMEOUT, ASYNC_FIRST_EXCEPTION)).num;
    say("%ld %g %s %s", done, now(), repr(async_exception(c)), yes(tasks[3] == d));
    return async_ptr(p);
}

START_TEST(W03_first_exception)
{
    play(async_coro(first_exception));
    expect("3 3 KeyError() True\n");
}
END_TEST

static async_value times_out(void *p)
{
    async_task a = async_create_task(async_coro(ret, async_num(1), 1));
    async_task b = async_create_task(async_coro(tell, "b", 5));
    async_task tasks[] = { b, a };
    long done = await(wait_for_tasks(tasks, 2, ASYNC_ALL_COMPLETED)).num;
    say("%ld %s %s %g", done, yes(tasks[0] == a), yes(tasks[1] == b), now());
    const char *tag = await(b).str;
    say("%s %g", tag, now());
    return async_ptr(p);
}

START_TEST(W04_timeout)
{
    play(async_coro(times_out));
    expect("b begins\n"
           "1 True True 2\n"
           "b ends\n"
           "b 5\n");
}
END_TEST

static async_value cancels_wait(void *p)
{
    async_task t = async_create_task(async_coro(tell, "t", 3));
    async_task tasks[] = { t };
    async_task w = async_create_task(
        wait_for_tasks(tasks, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    await(async_sleep(1));
    async_cancel(w);
    await(wait_all(w));
    say("waiter cancelled %s", yes(async_cancelled(w)));
    await(t);
    return async_ptr(p);
}

START_TEST(W05_cancelling_a_wait)
{
    play(async_coro(cancels_wait));
    expect("t begins\n"
           "waiter cancelled True\n"
           "t ends\n");
}
END_TEST

static async_value refuses(void *p)
{
    async_task t = async_create_task(async_coro(ret, async_num(1), 0));
    async_coroutine c = async_coro(ret, async_num(2), 0);
    async_task none[1], coroutine[] = { t, c }, one[] = { t }, twice[] = { t, t };
    say("%s", repr(async_catch(async_wait(none, 0, 1, ASYNC_ALL_COMPLETED))));
    async_value v = async_catch(wait_for_tasks(coroutine, 1, ASYNC_ALL_COMPLETED));
    say("%s %s", async_error_name(v.error), yes(strstr(v.message, "is not a task") != NULL));
    v = async_catch(wait_for_tasks(one, 1, (enum async_return_when)-1));
    say("%s", repr(v));
    async_coro_close(c);
    say("%ld", await(wait_for_tasks(twice, 1, ASYNC_ALL_COMPLETED)).num);
    return async_ptr(p);
}

START_TEST(W06_what_wait_refuses)
{
    play(async_coro(refuses));
    expect("ValueError('Set of Tasks/Futures is empty.')\n"
           "TypeError True\n"
           "ValueError('Invalid return_when value')\n"
           "2\n");                             /* an array, no set: each place counts */
}
END_TEST

static async_value both_done(void *p)
{
    async_task tasks[] = { async_create_task(async_coro(ret, async_num(1), 0)),
                           async_create_task(async_coro(ret, async_num(2), 0)) };
    long done = await(wait_for_tasks(tasks, ASYNC_NO_TIMEOUT, ASYNC_FIRST_COMPLETED)).num;
    say("%ld %ld", done, 2 - done);
    return async_ptr(p);
}

START_TEST(W07_done_holds_everything_that_is_done_when_the_waiter_resumes)
{
    play(async_coro(both_done));
    expect("2 0\n");
}
END_TEST

static async_value child(void *p)
{
    await(async_sleep(0));
    say("child ends");
    return async_ptr(p);
}

static async_value two_iterations(void *p)
{
    async_task c = async_create_task(async_coro(child));
    async_task s = async_create_task(async_coro(spin, "iteration", 6));
    await(wait_all(c));
    say("main resumed");
    await(wait_all(c));
    say("again");
    await(s);
    return async_ptr(p);
}

START_TEST(W08_wait_costs_two_iterations)
{
    play(async_coro(two_iterations));
    expect("iteration 0\n"
           "child ends\n"
           "iteration 1\n"
           "iteration 2\n"
           "main resumed\n"
           "iteration 3\n"
           "iteration 4\n"
           "again\n"
           "iteration 5\n");
}
END_TEST

static async_value turn_counter(void *p)
{
    count_turns();
    return async_ptr(p);
}

static async_value after_timer(void *p)
{
    async_task tasks[] = { async_create_task(async_sleep(9)) };
    call_later(1, turn_counter, NULL);          /* the same deadline as the wait's, and before it */
    long done = await(wait_for_tasks(tasks, 1, ASYNC_ALL_COMPLETED)).num;
    say("%ld +%u", done, turns);
    return async_ptr(p);
}

START_TEST(iterations_of_wait_after_its_timer)
{
    play(async_coro(after_timer));
    expect("0 +1\n");
}
END_TEST

static async_task elsewhere;
PROGRAM(waits_for_foreign)
{
    async_value v = async_catch(wait_all(elsewhere));
    say("%s %s", async_error_name(v.error), strstr(v.message, "the future belongs"));
    return async_none;
}

START_TEST(a_future_of_another_loop_cannot_be_waited_for)
{
    async_loop *other = async_new_event_loop();
    elsewhere = async_loop_create_future(other);
    play(async_coro(waits_for_foreign));
    async_loop_close(other);
    expect("ValueError the future belongs to a different loop\n");
}
END_TEST

MAIN("wait",
     TEST(W01_all_completed)
     TEST(W02_first_completed)
     TEST(W03_first_exception)
     TEST(W04_timeout)
     TEST(W05_cancelling_a_wait)
     TEST(W06_what_wait_refuses)
     TEST(W07_done_holds_everything_that_is_done_when_the_waiter_resumes)
     TEST(W08_wait_costs_two_iterations)
     TEST(iterations_of_wait_after_its_timer)
     TEST(a_future_of_another_loop_cannot_be_waited_for))
