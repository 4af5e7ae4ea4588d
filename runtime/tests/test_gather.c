/* gather: rows G01 to G10 of the checklist. */
#include "testing.h"

static async_value in_order(void *p)
{
    async_value r[3];
    await(async_gather(r, async_coro(tell, "a", 3), async_coro(tell, "b", 1),
                       async_coro(ret, async_num(5), 2)));
    say("[%s, %s, %ld] %g", r[0].str, r[1].str, r[2].num, now());
    return async_ptr(p);
}

START_TEST(G01_results_in_the_order_of_the_arguments)
{
    play(async_coro(in_order));
    expect("a begins\n"
           "b begins\n"
           "b ends\n"
           "a ends\n"
           "[a, b, 5] 3\n");
}
END_TEST

static async_value first_error(void *p)
{
    async_future g = async_gather(NULL, async_coro(tell, "a", 3),
                                  async_coro(bad, value_error("x"), 1),
                                  async_coro(bad, key_error("later"), 2));
    async_value v = async_catch(g);
    if (v.error == ASYNC_VALUE_ERROR)
        say("caught %s at %g %s", v.message, now(), yes(async_cancel(g)));
    await(async_sleep(5));
    say("end");
    return async_ptr(p);
}

START_TEST(G02_the_first_error_goes_out_at_once_the_others_run_on)
{
    listen_to_stderr();
    play(async_coro(first_error));
    heard();                                    /* nothing: later errors count as retrieved */
    expect("a begins\n"
           "caught x at 1 False\n"
           "a ends\n"
           "end\n");
}
END_TEST

static async_value with_exceptions(void *p)
{
    async_value r[3];
    async_task c = async_create_task(async_sleep(9));
    call_later(1, cancel_it, c);
    await(async_gather_exceptions(r, async_coro(ret, async_num(1), 3),
                                  async_coro(bad, value_error("x"), 1), c));
    say("[%ld, %s, %s] %g", r[0].num, repr(r[1]), repr(r[2]), now());
    return async_ptr(p);
}

START_TEST(G03_return_exceptions)
{
    play(async_coro(with_exceptions));
    expect("[1, ValueError('x'), CancelledError()] 3\n");
}
END_TEST

static async_value of_nothing(void *p)
{
    call_soon(say_text, "loop turn");
    async_future f = async_gather(NULL);
    bool done = async_done(f);
    await(f);
    say("%s []", yes(done));
    f = async_gather_list(NULL, NULL, 0, true);
    done = async_done(f);
    await(f);
    say("%s []", yes(done));
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(G04_gather_of_nothing)
{
    play(async_coro(of_nothing));
    expect("True []\n"
           "True []\n"
           "loop turn\n");
}
END_TEST

static async_value duplicates(void *p)
{
    async_value r[4];
    async_coroutine c = async_coro(tell, "c", 0);
    async_task t = async_create_task(async_coro(ret, async_num(7), 1));
    await(async_gather(r, c, t, c, t));
    say("['%s', %ld, '%s', %ld]", r[0].str, r[1].num, r[2].str, r[3].num);
    return async_ptr(p);
}

START_TEST(G05_duplicates)
{
    play(async_coro(duplicates));
    expect("c begins\n"
           "c ends\n"
           "['c', 7, 'c', 7]\n");
}
END_TEST

static async_value cancelled_child(void *p)
{
    async_task a = async_create_task(async_coro(tell, "a", 9));
    async_task b = async_create_task(async_coro(tell, "b", 3));
    await(async_sleep(1));
    async_cancel(a);
    async_value v = async_catch(async_gather(NULL, a, b));
    say("%s at %g asked: %d", async_error_name(v.error), now(),
        async_cancelling(async_current_task()));
    await(b);
    return async_ptr(p);
}

START_TEST(G06_a_cancelled_child)
{
    play(async_coro(cancelled_child));
    expect("a begins\n"
           "b begins\n"
           "a cancelled\n"
           "CancelledError at 1 asked: 0\n"
           "b ends\n");
}
END_TEST

static async_value gathers(void *p)
{
    await(async_gather(NULL, async_coro(tell, "a", 9), async_coro(tell, "b", 9),
                       async_coro(ret, async_num(1), 0)));
    return async_ptr(p);
}

static async_value cancels_awaiter(void *p)
{
    async_task t = async_create_task(async_coro(gathers));
    await(async_sleep(1));
    async_cancel(t);
    say("asked");
    await(wait_all(t));
    say("%s", yes(async_cancelled(t)));
    return async_ptr(p);
}

static async_value cancels_gather(void *p)
{
    async_future g = async_gather(NULL, async_coro(tell, "a", 9), async_coro(tell, "b", 9));
    await(async_sleep(1));
    bool asked = async_cancel(g);
    say("asked %s %s", yes(asked), yes(async_done(g)));
    async_value v = async_catch(g);
    say("%s", async_error_name(v.error));
    return async_ptr(p);
}

START_TEST(G07_cancelling_the_awaiter_cancels_every_child)
{
    play(async_coro(cancels_awaiter));
    expect("a begins\n"
           "b begins\n"
           "asked\n"
           "a cancelled\n"
           "b cancelled\n"
           "True\n");
}
END_TEST

START_TEST(G07_cancelling_the_gather_itself)
{
    play(async_coro(cancels_gather));
    expect("a begins\n"
           "b begins\n"
           "asked True False\n"
           "a cancelled\n"
           "b cancelled\n"
           "CancelledError\n");
}
END_TEST

static async_value slow(void *p)
{
    async_value v = async_catch(async_sleep(9));
    await(async_sleep(2));
    say("slow cleaned at %g", now());
    (void)p;
    return v;
}

static async_value gathers_exceptions(void *p)
{
    await(async_gather_exceptions(NULL, async_coro(slow), async_coro(ret, async_num(1), 0)));
    say("never");
    return async_ptr(p);
}

static async_value cancels_with_exceptions(void *p)
{
    async_task t = async_create_task(async_coro(gathers_exceptions));
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    say("%s %g", yes(async_cancelled(t)), now());
    return async_ptr(p);
}

START_TEST(G08_also_with_return_exceptions)
{
    play(async_coro(cancels_with_exceptions));
    expect("slow cleaned at 3\n"
           "True 3\n");
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
    async_task s = async_create_task(async_coro(spin, "iteration", 5));
    await(async_gather(NULL, c));
    say("main resumed");
    await(s);
    return async_ptr(p);
}

START_TEST(G09_gather_costs_two_iterations)
{
    play(async_coro(two_iterations));
    expect("iteration 0\n"
           "child ends\n"
           "iteration 1\n"
           "iteration 2\n"
           "main resumed\n"
           "iteration 3\n"
           "iteration 4\n");
}
END_TEST

static async_value all_done(void *p)
{
    async_value r[2];
    async_task a = async_create_task(async_coro(ret, async_num(1), 0));
    async_task b = async_create_task(async_coro(ret, async_num(2), 0));
    await(wait_all(a, b));
    async_task s = async_create_task(async_coro(spin, "iteration", 3));
    await(async_gather(r, a, b));
    say("[%ld, %ld] main resumed", r[0].num, r[1].num);
    await(s);
    return async_ptr(p);
}

START_TEST(G10_gather_of_tasks_that_are_all_done)
{
    play(async_coro(all_done));
    expect("[1, 2] main resumed\n"
           "iteration 0\n"
           "iteration 1\n"
           "iteration 2\n");
}
END_TEST

static async_value never_awaited(void *p)
{
    {
        async_value gone[2];
        async_future g = async_gather(gone, async_coro(ret, async_num(1), 1),
                                      async_coro(tell, "b", 2));
        (void)g;
    }
    await(async_sleep(3));
    return async_ptr(p);
}

START_TEST(results_of_a_gather_that_nobody_awaits_are_written_nowhere)
{
    play(async_coro(never_awaited));
    expect("b begins\n"
           "b ends\n");
}
END_TEST

static async_value unfit(void *p)
{
    async_coroutine used = async_coro(ret, async_num(1), 0);
    await(used);
    async_value v = async_catch(async_gather(NULL, async_coro(ret, async_num(2), 0), used));
    say("%s %s", async_error_name(v.error),
        yes(strstr(v.message, "cannot reuse already awaited coroutine") != NULL));
    v = async_catch(async_gather(NULL, NULL));
    say("%s %s", v.error == ENOMEM ? "ENOMEM" : "?", yes(strstr(v.message, "NULL") != NULL));
    async_loop *other = async_new_event_loop();
    v = async_catch(async_gather(NULL, async_loop_create_future(other)));
    say("%s %s", async_error_name(v.error), yes(strstr(v.message, "different loop") != NULL));
    async_future theirs = async_loop_create_future(other);
    async_keep(theirs);
    v = async_catch(async_shield(theirs));
    say("%s %s", async_error_name(v.error), yes(strstr(v.message, "different loop") != NULL));
    v = async_catch(async_wait_for(theirs, 0));
    say("%s %s", async_error_name(v.error), yes(strstr(v.message, "different loop") != NULL));
    async_loop_close(other);
    return async_ptr(p);
}

START_TEST(an_argument_that_is_unfit_is_an_error_of_the_gather)
{
    play(async_coro(unfit));
    expect("RuntimeError True\n"
           "ENOMEM True\n"
           "ValueError True\n"
           "ValueError True\n"
           "ValueError True\n");
}
END_TEST

struct fetch { int page; };
static async_value fetch(void *p)
{
    async_raise(ASYNC_VALUE_ERROR, async_strf("page %d is missing", ((struct fetch *)p)->page));
}

static async_value forgets_to_await(void *p)
{
    async_task task = async_create_task(async_coro(fetch, 404));
    async_future gather = async_gather(NULL, task), shield = async_shield(async_coro(fetch, 405));
    await(async_sleep(1));
    return async_ptr(gather == shield ? p : NULL);
}

/* The texts lie in the tasks' memory, which goes with the loop: after the last report. */
START_TEST(H03_the_error_of_a_gather_that_nobody_awaits_is_reported_with_its_text)
{
    listen_to_stderr();
    play(async_coro(forgets_to_await));
    heard();
    expect("stderr| Future exception was never retrieved: async_gather (made at FILE:N): "
           "ValueError: page 404 is missing\n"
           "stderr| Future exception was never retrieved: Future (made at FILE:N): "
           "ValueError: page 405 is missing\n");
}
END_TEST

static async_future refused;
static async_value gathers_nonsense(void *p)
{
    refused = async_gather(NULL, (async_awaitable)&refused);
    return async_ptr(p);
}

PROGRAM(asks_for_it_later)
{
    async_detach(async_create_task(async_coro(gathers_nonsense)));
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_sleep(0)));
    say("%s", strstr(async_catch(refused).message, "this is no handle"));
    return async_none;
}

START_TEST(whose_text_outlives_the_task_that_was_refused)
{
    play(async_coro(asks_for_it_later));
    expect("this is no handle: no call of async.h has given it out\n");
}
END_TEST

MAIN("gather",
     TEST(G01_results_in_the_order_of_the_arguments)
     TEST(G02_the_first_error_goes_out_at_once_the_others_run_on)
     TEST(G03_return_exceptions)
     TEST(G04_gather_of_nothing)
     TEST(G05_duplicates)
     TEST(G06_a_cancelled_child)
     TEST(G07_cancelling_the_awaiter_cancels_every_child)
     TEST(G07_cancelling_the_gather_itself)
     TEST(G08_also_with_return_exceptions)
     TEST(G09_gather_costs_two_iterations)
     TEST(G10_gather_of_tasks_that_are_all_done)
     TEST(H03_the_error_of_a_gather_that_nobody_awaits_is_reported_with_its_text)
     TEST(results_of_a_gather_that_nobody_awaits_are_written_nowhere)
     TEST(an_argument_that_is_unfit_is_an_error_of_the_gather)
     TEST(whose_text_outlives_the_task_that_was_refused))
