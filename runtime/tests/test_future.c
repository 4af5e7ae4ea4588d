/* Futures: rows F01 to F06 of the checklist. */
#include "testing.h"

static async_value life(void *p)
{
    async_loop *loop = async_get_running_loop();
    async_future f = async_create_future(), g = async_loop_create_future(loop);
    say("%s %s", yes(async_done(f)), yes(async_cancelled(f)));
    say("%s", repr(async_result(f)));
    async_set_result(f, async_num(3));
    bool done = async_done(f), asked = async_cancel(f);
    say("%s %ld %s %s", yes(done), async_result(f).num, repr(async_exception(f)), yes(asked));
    bool once = async_cancel(g), twice = async_cancel(g);
    say("%s %s %s %s", yes(once), yes(async_done(g)), yes(async_cancelled(g)), yes(twice));
    return async_ptr(p);
}

START_TEST(F01_life_of_a_future)
{
    play(async_coro(life));
    expect("False False\n"
           "InvalidStateError('Result is not set.')\n"
           "True 3 None False\n"
           "True True True False\n");
}
END_TEST

static void say_invalid(async_value v)
{
    if (v.error == ASYNC_INVALID_STATE)
        say("%.13s", v.message);
    else
        say("%s", repr(v));
}

static async_value set_twice(void *p)
{
    async_future f = async_create_future(), g = async_create_future();
    async_set_result(f, async_num(1));
    async_cancel(g);
    for (int i = 0; i < 2; i++) {
        say_invalid(async_set_result(i ? g : f, async_num(2)));
        say_invalid(async_set_exception(i ? g : f, key_error(NULL)));
    }
    say("%ld %s", async_result(f).num, yes(async_cancelled(g)));
    async_value v = async_set_result(async_current_task(), async_num(2));
    say("a task: %s", async_error_name(v.error));
    v = async_set_exception(async_create_future(), async_none);
    say("no error: %s", async_error_name(v.error));
    return async_ptr(p);
}

START_TEST(F02_setting_twice)
{
    play(async_coro(set_twice));
    expect("invalid state\n"
           "invalid state\n"
           "invalid state\n"
           "invalid state\n"
           "1 True\n"
           "a task: RuntimeError\n"
           "no error: TypeError\n");
}
END_TEST

static async_value say_result(async_future x, void *tag)
{
    say("%s %ld", (char *)tag, async_result(x).num);
    return async_none;
}

static async_value callbacks(void *p)
{
    async_future f = async_create_future(), g = async_create_future();
    async_add_done_callback(f, say_result, "a");
    async_add_done_callback(f, say_when_done, "b");
    async_add_done_callback(f, say_result, "a");
    async_set_result(f, async_num(1));
    say("set");
    await(async_sleep(0));
    async_add_done_callback(f, say_when_done, "late");
    say("added");
    await(async_sleep(0));
    async_add_done_callback(g, say_when_done, "also on cancel");
    async_cancel(g);
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(F03_callbacks)
{
    play(async_coro(callbacks));
    expect("set\n"
           "a 1\n"
           "b\n"
           "a 1\n"
           "added\n"
           "late\n"
           "also on cancel\n");
}
END_TEST

static async_value removes(void *p)
{
    async_future f = async_create_future();
    async_add_done_callback(f, say_when_done, "cb");
    async_add_done_callback(f, say_when_done, "cb");
    size_t two = async_remove_done_callback(f, say_when_done);
    say("%zu %zu", two, async_remove_done_callback(f, say_when_done));
    async_add_done_callback(f, say_when_done, "cb");
    async_add_done_callback(f, say_result, "another function");
    async_set_result(f, async_num(1));
    say("%zu", async_remove_done_callback(f, say_when_done));
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(F04_remove_done_callback)
{
    play(async_coro(removes));
    expect("2 0\n"
           "0\n"
           "cb\n"
           "another function 1\n");
}
END_TEST

static async_value divide(async_future x, void *p)
{
    (void)x, (void)p;
    return async_error(ZERO_DIVISION_ERROR, "division by zero");
}

static async_future concerned;
static void handler(async_loop *loop, const char *message, async_value error, async_awaitable x)
{
    (void)loop, (void)message;
    say("handler: %s %s", repr(error), yes(x == concerned));
}

static async_value failing_callback(void *p)
{
    async_loop_set_exception_handler(async_get_running_loop(), handler);
    async_future f = concerned = async_create_future();
    async_add_done_callback(f, divide, NULL);
    async_add_done_callback(f, say_when_done, "next");
    async_set_result(f, async_str("value"));
    say("%s", await(f).str);
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(F05_an_error_in_a_done_callback)
{
    play(async_coro(failing_callback));
    expect("value\n"
           "handler: ZeroDivisionError('division by zero') True\n"
           "next\n");
}
END_TEST

struct waiter { const char *tag; async_awaitable x; };
static async_value waiter(void *p)
{
    struct waiter *args = p;
    async_value v = async_catch(args->x);
    say("%s %s", args->tag, v.error ? repr(v) : v.str);
    return async_none;
}

static async_value several(void *p)
{
    async_future f = async_create_future();
    async_task t = async_create_task(async_coro(bad, key_error("k"), 1));
    async_task a = async_create_task(async_coro(waiter, "a", f));
    async_task b = async_create_task(async_coro(waiter, "b", f));
    async_task c = async_create_task(async_coro(waiter, "c", t));
    async_task d = async_create_task(async_coro(waiter, "d", t));
    await(async_sleep(0));
    async_set_result(f, async_str("v"));
    call_soon(say_text, "queued");
    await(wait_all(a, b, c, d));
    return async_ptr(p);
}

START_TEST(F06_several_awaiters)
{
    play(async_coro(several));
    expect("a v\n"
           "b v\n"
           "queued\n"
           "c KeyError('k')\n"
           "d KeyError('k')\n");
}
END_TEST

static async_value sets(void *future)
{
    count_turns();
    async_set_result(future, async_none);
    return async_none;
}

static async_value awaits_future(void *p)
{
    async_future f = async_create_future();
    call_soon(sets, f);
    await(f);
    say("await a future: +%u", turns);
    return async_ptr(p);
}

START_TEST(iterations_of_a_future)
{
    play(async_coro(awaits_future));
    expect("await a future: +1\n");
}
END_TEST

MAIN("future",
     TEST(F01_life_of_a_future)
     TEST(F02_setting_twice)
     TEST(F03_callbacks)
     TEST(F04_remove_done_callback)
     TEST(F05_an_error_in_a_done_callback)
     TEST(F06_several_awaiters)
     TEST(iterations_of_a_future))
