/* Cancellation: rows X01 to X16 of the checklist. */
#include "testing.h"

static async_value before_start(void *p)
{
    async_task t = async_create_task(async_coro(tell, "never", 0));
    bool asked = async_cancel(t);
    say("%s %s", yes(asked), yes(async_done(t)));
    async_value v = async_catch(t);
    if (v.error == ASYNC_CANCELLED)
        say("cancelled %s", yes(async_cancelled(t)));
    async_task u = async_create_task(async_coro(spin, "u", 9));
    await(async_sleep(0));
    await(async_sleep(0));
    async_cancel(u);
    await(wait_all(u));
    return async_ptr(p);
}

START_TEST(X01_cancelled_before_it_starts_the_body_never_runs)
{
    play(async_coro(before_start));
    expect("True False\n"
           "cancelled True\n"
           "u 0\n"
           "u 1\n");
}
END_TEST

static async_value while_waiting(void *p)
{
    async_task t = async_create_task(async_coro(tell, "t", 100));
    await(async_sleep(1));
    bool asked = async_cancel(t);
    say("%s %s %s", yes(asked), yes(async_done(t)), yes(async_cancelled(t)));
    async_value v = async_catch(t);
    if (v.error == ASYNC_CANCELLED)
        say("awaiter sees it at %g %s", now(), yes(async_cancelled(t)));
    return async_ptr(p);
}

START_TEST(X02_cancelled_while_it_waits)
{
    play(async_coro(while_waiting));
    expect("t begins\n"
           "True False False\n"
           "t cancelled\n"
           "awaiter sees it at 1 True\n");
}
END_TEST

static async_value finished_before(void *p)
{
    async_task a = async_create_task(async_coro(ret, async_num(1), 0));
    async_task b = async_create_task(async_coro(tell, "b", 9));
    await(async_sleep(1));
    bool asked = async_cancel(a);
    say("%s %ld %s %d", yes(asked), async_result(a).num, yes(async_cancelled(a)),
        async_cancelling(a));
    bool once = async_cancel(b), twice = async_cancel(b);
    say("%s %s %d", yes(once), yes(twice), async_cancelling(b));
    await(wait_all(b));
    asked = async_cancel(b);
    say("%s %d", yes(asked), async_cancelling(b));
    return async_ptr(p);
}

START_TEST(X03_cancel_of_a_finished_task)
{
    play(async_coro(finished_before));
    expect("b begins\n"
           "False 1 False 0\n"
           "True True 2\n"
           "b cancelled\n"
           "False 2\n");
}
END_TEST

static async_value catches_twice(void *p)
{
    for (int i = 0; i < 2; i++) {
        async_value v = async_catch(async_sleep(5));
        if (v.error)
            say("caught %d %d", i, async_cancelling(async_current_task()));
        else
            say("slept %d", i);
    }
    return async_ptr(p);
}

static async_value asked_twice(void *p)
{
    async_task t = async_create_task(async_coro(catches_twice));
    await(async_sleep(1));
    async_cancel(t);
    async_cancel(t);
    await(t);
    say("end %g %s", now(), yes(async_cancelled(t)));
    return async_ptr(p);
}

START_TEST(X04_asked_twice_in_one_iteration_one_error)
{
    play(async_coro(asked_twice));
    expect("caught 0 2\n"
           "slept 1\n"
           "end 6 False\n");
}
END_TEST

static async_value swallows_twice(void *p)
{
    (void)p;
    for (int i = 0; i < 2; i++)
        if (async_catch(async_sleep(100)).error == ASYNC_CANCELLED)
            say("swallowed %d", i);
    return async_none;
}

static async_value swallowing(void *p)
{
    async_task t = async_create_task(async_coro(swallows_twice));
    await(async_sleep(1));
    async_cancel(t);
    await(async_sleep(1));
    async_cancel(t);
    async_value v = await(t);
    say("%s %s %d %g", v.ptr ? "?" : "None", yes(async_cancelled(t)), async_cancelling(t), now());
    return async_ptr(p);
}

START_TEST(X05_swallowing)
{
    play(async_coro(swallowing));
    expect("swallowed 0\n"
           "swallowed 1\n"
           "None False 2 2\n");
}
END_TEST

struct cancels_itself { async_task done; };
static async_value cancels_itself(void *p)
{
    struct cancels_itself *args = p;
    async_cancel(async_current_task());
    say("still running");
    await(args->done);
    say("done future is no suspension");
    await(async_sleep(0));
    say("never");
    return async_none;
}

static async_value oneself(void *p)
{
    async_task done = async_create_task(async_coro(ret, async_num(1), 0));
    await(done);
    async_task t = async_create_task(async_coro(cancels_itself, done));
    await(wait_all(t));
    say("%s", yes(async_cancelled(t)));
    return async_ptr(p);
}

START_TEST(X06_cancelling_oneself)
{
    play(async_coro(oneself));
    expect("still running\n"
           "done future is no suspension\n"
           "True\n");
}
END_TEST

struct ends_cancelled { async_value outcome; };
static async_value ends_cancelled(void *p)
{
    async_cancel(async_current_task());
    return ((struct ends_cancelled *)p)->outcome;
}

static async_value in_the_last_step(void *p)
{
    async_task a = async_create_task(async_coro(ends_cancelled, async_num(1)));
    async_task b = async_create_task(async_coro(ends_cancelled, key_error("k")));
    await(wait_all(a, b));
    say("%s %s %s", yes(async_cancelled(a)), yes(async_cancelled(b)), repr(async_exception(b)));
    return async_ptr(p);
}

START_TEST(X07_cancelled_in_the_very_step_that_returns)
{
    play(async_coro(in_the_last_step));
    expect("True False KeyError('k')\n");
}
END_TEST

static async_value answered(void *p)
{
    async_task t = async_create_task(async_coro(spoil, key_error("cleanup")));
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    say("%s %s", yes(async_cancelled(t)), repr(async_exception(t)));
    return async_ptr(p);
}

START_TEST(X08_another_error_during_cancellation)
{
    play(async_coro(answered));
    expect("False KeyError('cleanup')\n");
}
END_TEST

static async_value cleans_slowly(void *p)
{
    async_value v = async_catch(async_sleep(9));
    await(async_sleep(2));
    say("inner cleaned at %g", now());
    (void)p;
    return v;
}

static async_value task_awaits_task(void *p)
{
    async_task i = async_create_task(async_coro(cleans_slowly));
    async_task o = async_create_task(async_wait_for(i, ASYNC_NO_TIMEOUT));
    await(async_sleep(1));
    async_cancel(o);
    await(wait_all(o));
    say("outer %s inner %s %g", yes(async_cancelled(o)), yes(async_cancelled(i)), now());
    return async_ptr(p);
}

START_TEST(X09_cancelling_a_task_that_awaits_a_task)
{
    play(async_coro(task_awaits_task));
    expect("inner cleaned at 3\n"
           "outer True inner True 3\n");
}
END_TEST

static async_value keeps(void *p)
{
    async_value v = async_catch(async_sleep(9));
    (void)p;
    return v.error == ASYNC_CANCELLED ? async_str("kept") : v;
}

struct outer { async_task inner; };
static async_value outer(void *p)
{
    async_value v = await(((struct outer *)p)->inner);
    say("outer got %s %d", v.str, async_cancelling(async_current_task()));
    return v;
}

static async_value inner_swallows(void *p)
{
    async_task i = async_create_task(async_coro(keeps));
    async_task o = async_create_task(async_coro(outer, i));
    await(async_sleep(1));
    async_cancel(o);
    async_value v = await(o);
    say("%s %s", v.str, yes(async_cancelled(o)));
    return async_ptr(p);
}

START_TEST(X10_the_inner_task_swallows_the_outer_one_never_hears_of_it)
{
    play(async_coro(inner_swallows));
    expect("outer got kept 1\n"
           "kept False\n");
}
END_TEST

struct waiter { const char *tag; async_future future; };
static async_value waiter(void *p)
{
    struct waiter *args = p;
    if (async_catch(args->future).error == ASYNC_CANCELLED)
        say("%s sees CancelledError, asked: %d", args->tag,
            async_cancelling(async_current_task()));
    return async_none;
}

static async_value two_awaiters(void *p)
{
    async_future f = async_create_future();
    async_task a = async_create_task(async_coro(waiter, "a", f));
    async_task b = async_create_task(async_coro(waiter, "b", f));
    await(async_sleep(1));
    async_cancel(a);
    say("%s", yes(async_cancelled(f)));
    await(wait_all(a, b));
    return async_ptr(p);
}

START_TEST(X11_cancelling_one_awaiter_cancels_what_it_awaits_for_all)
{
    play(async_coro(two_awaiters));
    expect("True\n"
           "a sees CancelledError, asked: 1\n"
           "b sees CancelledError, asked: 0\n");
}
END_TEST

static async_value says_message(void *p)
{
    async_value v = async_catch(async_sleep(9));
    say("inside %s", repr(v));
    (void)p;
    return v;
}

static async_value with_message(void *p)
{
    char why[] = "why";
    async_task t = async_create_task(async_coro(says_message));
    await(async_sleep(1));
    async_cancel_msg(t, why);
    why[0] = 'X';                               /* it was copied */
    async_value v = async_catch(t);
    say("awaiter %s", repr(v));
    return async_ptr(p);
}

START_TEST(X12_message)
{
    play(async_coro(with_message));
    expect("inside CancelledError('why')\n"
           "awaiter CancelledError('why')\n");
}
END_TEST

static async_value cleans_up(void *p)
{
    async_value v = async_catch(async_sleep(9));
    if (async_catch(async_sleep(5)).error)
        say("clean-up interrupted at %g", now());
    else
        say("cleaned");
    (void)p;
    return v;
}

static async_value cancelled_again(void *p)
{
    async_task t = async_create_task(async_coro(cleans_up));
    await(async_sleep(1));
    async_cancel(t);
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    async_task u = async_create_task(async_coro(cleans_up));
    await(async_sleep(1));
    async_cancel(u);
    await(wait_all(u));
    say("%s %s %g", yes(async_cancelled(t)), yes(async_cancelled(u)), now());
    return async_ptr(p);
}

START_TEST(X13_clean_up_may_await_and_may_be_cancelled_again)
{
    play(async_coro(cancelled_again));
    expect("clean-up interrupted at 2\n"
           "cleaned\n"
           "True True 8\n");
}
END_TEST

struct gets { async_future future; };
static async_value gets(void *p)
{
    async_value v = await(((struct gets *)p)->future);
    say("got %s", v.str);
    return async_none;
}

static async_value in_between(void *p)
{
    async_future f = async_create_future();
    async_task t = async_create_task(async_coro(gets, f));
    await(async_sleep(1));
    async_set_result(f, async_str("value"));
    bool asked = async_cancel(t);
    say("%s", yes(asked));
    await(wait_all(t));
    say("%s %s", yes(async_cancelled(t)), async_result(f).str);
    return async_ptr(p);
}

START_TEST(X14_cancel_arrives_between_the_event_and_the_wake_up)
{
    play(async_coro(in_between));
    expect("True\n"
           "True value\n");
}
END_TEST

static async_value takes_back(void *p)
{
    async_task t = async_current_task();
    async_cancel(t);
    async_cancel(t);
    if (async_catch(async_sleep(1)).error == ASYNC_CANCELLED) {
        int asked = async_cancelling(t), one = async_uncancel(t), none = async_uncancel(t);
        say("%d %d %d %d", asked, one, none, async_uncancel(t));
    }
    async_cancel(t);
    async_uncancel(t);
    async_value v = async_catch(async_sleep(1));
    say("%s", v.error ? "cancelled anyway" : "taken back");
    return async_ptr(p);
}

START_TEST(X15_uncancel)
{
    play(async_coro(takes_back));
    expect("2 1 0 0\n"
           "taken back\n");
}
END_TEST

static async_value raised_by_hand(void *p)
{
    async_task t = async_create_task(async_coro(bad, async_error(ASYNC_CANCELLED, "by hand"), 0));
    await(wait_all(t));
    say("%s %d %s", yes(async_cancelled(t)), async_cancelling(t), repr(async_result(t)));
    return async_ptr(p);
}

START_TEST(X16_raised_by_hand_it_ends_the_task_as_cancelled_too)
{
    play(async_coro(raised_by_hand));
    expect("True 0 CancelledError('by hand')\n");
}
END_TEST

static async_task ring[3];
struct link { int next; };
static async_value link_of(void *p)
{
    async_value v = async_catch(ring[((struct link *)p)->next]);
    return v;
}

static void make_ring(int length, async_fn *fn)
{
    for (int i = 0; i < length; i++) {
        struct link next = { (i + 1) % length };
        ring[i] = async_create_task(async_coro_new((async_call){ fn, "link", &next, sizeof next }));
    }
}

static async_value cancels_ring(void *p)
{
    make_ring(3, link_of);
    await(async_sleep(1));
    async_cancel(ring[1]);
    await(wait_all(ring[0], ring[1], ring[2]));
    say("%s %s %s", yes(async_cancelled(ring[0])), yes(async_cancelled(ring[1])),
        yes(async_cancelled(ring[2])));
    return async_ptr(p);
}

/* In Python this recursion ends with RecursionError. */
START_TEST(tasks_that_await_each_other_in_a_circle_can_be_cancelled)
{
    play(async_coro(cancels_ring));
    expect("True True True\n");
}
END_TEST

PROGRAM(takes_cancel_of_ring_back)
{
    make_ring(2, link_of);
    await(async_sleep(1));
    async_cancel(ring[1]);
    for (int i = 0; i < 2; i++)
        async_uncancel(ring[i]);
    await(async_sleep(1));
    say("%s %s", yes(async_done(ring[0])), yes(async_done(ring[1])));
    async_cancel(ring[1]);
    await(wait_all(ring[0], ring[1]));
    say("%s %s", yes(async_cancelled(ring[0])), yes(async_cancelled(ring[1])));
    return async_none;
}

START_TEST(and_wait_on_when_that_is_taken_back)
{
    play(async_coro(takes_cancel_of_ring_back));
    expect("False False\n"
           "True True\n");
}
END_TEST

static async_value gathers_other(void *p)
{
    async_value v = async_catch(async_gather(NULL, ring[((struct link *)p)->next]));
    return v;
}

PROGRAM(cancels_ring_of_gathers)
{
    make_ring(2, gathers_other);
    await(async_sleep(1));
    async_cancel(ring[1]);
    await(wait_all(ring[0], ring[1]));
    say("%s %s, asked %d %d times", yes(async_cancelled(ring[0])), yes(async_cancelled(ring[1])),
        async_cancelling(ring[0]), async_cancelling(ring[1]));
    return async_none;
}

START_TEST(so_can_those_that_gather_each_other)
{
    listen_to_stderr();
    play(async_coro(cancels_ring_of_gathers));
    heard();
    expect("True True, asked 1 1 times\n"
           "stderr| Future exception was never retrieved: async_gather (made at FILE:N): CancelledError: \n");
}
END_TEST

struct tower { int height; };
static async_value tower(void *p)
{
    int height = ((struct tower *)p)->height;
    if (!height)
        await(async_sleep(99));
    else
        await(async_create_task(async_coro(tower, height - 1)));
    return async_none;
}

static async_value cancels_tower(void *p)
{
    async_task top = async_create_task(async_coro(tower, 2000));
    await(async_sleep(1));
    async_cancel(top);
    await(wait_all(top));
    say("%s %zu", yes(async_cancelled(top)), async_all_tasks(NULL, 0));
    return async_ptr(p);
}

START_TEST(X09_through_two_thousand_tasks)
{
    play(async_coro(cancels_tower));
    expect("True 1\n");
}
END_TEST

MAIN("cancel",
     TEST(X01_cancelled_before_it_starts_the_body_never_runs)
     TEST(X02_cancelled_while_it_waits)
     TEST(X03_cancel_of_a_finished_task)
     TEST(X04_asked_twice_in_one_iteration_one_error)
     TEST(X05_swallowing)
     TEST(X06_cancelling_oneself)
     TEST(X07_cancelled_in_the_very_step_that_returns)
     TEST(X08_another_error_during_cancellation)
     TEST(X09_cancelling_a_task_that_awaits_a_task)
     TEST(X09_through_two_thousand_tasks)
     TEST(X10_the_inner_task_swallows_the_outer_one_never_hears_of_it)
     TEST(X11_cancelling_one_awaiter_cancels_what_it_awaits_for_all)
     TEST(X12_message)
     TEST(X13_clean_up_may_await_and_may_be_cancelled_again)
     TEST(X14_cancel_arrives_between_the_event_and_the_wake_up)
     TEST(X15_uncancel)
     TEST(X16_raised_by_hand_it_ends_the_task_as_cancelled_too)
     TEST(tasks_that_await_each_other_in_a_circle_can_be_cancelled)
     TEST(and_wait_on_when_that_is_taken_back)
     TEST(so_can_those_that_gather_each_other))
