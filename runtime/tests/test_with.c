/* async with: rows M01 to M03 of the checklist. */
#include "testing.h"

struct context { int number; };

struct enter { int number; };
static async_value enter(void *p)
{
    struct enter *args = p;
    say("enter %d", args->number);
    await(async_sleep(1));
    struct context *context = async_alloc(sizeof *context);
    context->number = args->number;
    return async_ptr(context);
}

static void leave(struct context **context)
{
    async_value why = async_leaving();
    async_value v = async_catch(async_sleep(1));
    say("exit %d %s%s", (*context)->number, repr(why), v.error ? ", interrupted" : "");
}

PROGRAM(raises_in_two)
{
    async_with(leave) struct context *one = await(async_coro(enter, 1)).ptr;
    async_with(leave) struct context *two = await(async_coro(enter, 2)).ptr;
    async_raise(ASYNC_VALUE_ERROR, "v");
}

PROGRAM(order)
{
    async_value v = async_catch(async_coro(raises_in_two));
    say("outside %s", v.message);
    return async_none;
}

START_TEST(M01_async_with)
{
    play(async_coro(order));
    expect("enter 1\n"
           "enter 2\n"
           "exit 2 ValueError('v')\n"
           "exit 1 ValueError('v')\n"
           "outside v\n");
}
END_TEST

struct way_out { int how; };
static async_value way_out(void *p)
{
    struct way_out *args = p;
    for (int i = 0; i < 2; i++) {
        async_with(leave) struct context *context = await(async_coro(enter, i)).ptr;
        if (args->how == 0)
            break;
        if (args->how == 1)
            return async_str("returned");
        if (args->how == 2)
            continue;
        if (args->how == 3)
            await(async_coro(bad, key_error("awaited"), 0));
    }
    return async_str("at the end");
}

PROGRAM(every_way_out)
{
    for (int how = 0; how < 4; how++) {
        async_value v = async_catch(async_coro(way_out, how));
        say("%s", v.error ? repr(v) : v.str);
    }
    return async_none;
}

START_TEST(M01_every_way_out)
{
    play(async_coro(every_way_out));
    expect("enter 0\nexit 0 None\nat the end\n"
           "enter 0\nexit 0 None\nreturned\n"
           "enter 0\nexit 0 None\nenter 1\nexit 1 None\nat the end\n"
           "enter 0\nexit 0 KeyError('awaited')\nKeyError('awaited')\n");
}
END_TEST

/* M02: the context's number is __aexit__'s answer. */
static void decide(struct context **context)
{
    say("exit %s", async_error_name(async_leaving().error));
    async_leave_with((*context)->number ? async_none : key_error("k"));
}

struct make { int answer; };
static async_value make(void *p)
{
    struct make *args = p;
    struct context *context = async_alloc(sizeof *context);
    context->number = args->answer;
    if (args->answer < 0)
        async_raise(ZERO_DIVISION_ERROR, "division by zero");
    return async_ptr(context);
}

struct use { int answer; };
static async_value use(void *p)
{
    struct use *args = p;
    async_with(decide) struct context *context = await(async_coro(make, args->answer)).ptr;
    async_raise(ASYNC_VALUE_ERROR, "");
}

PROGRAM(decides)
{
    async_value v[3];
    await(async_gather_exceptions(v, async_coro(use, true), async_coro(use, false),
                                  async_coro(use, -1)));
    say("[%s, %s, %s]", repr(v[0]), repr(v[1]), repr(v[2]));
    return async_none;
}

START_TEST(M02_the_exit_decides_about_the_error)
{
    play(async_coro(decides));
    expect("exit ValueError\n"
           "exit ValueError\n"
           "[None, KeyError('k'), ZeroDivisionError('division by zero')]\n");
}
END_TEST

static void suppress(int *unused)
{
    (void)unused;
    async_leave_with(async_none);
}

PROGRAM(inner_suppresses)
{
    async_with(leave) struct context *context = await(async_coro(enter, 1)).ptr;
    async_with(suppress) int held = 0;
    async_raise(ASYNC_VALUE_ERROR, "v");
}

PROGRAM(sees_what_is_left)
{
    async_value v = async_catch(async_coro(inner_suppresses));
    say("outside %s", repr(v));
    return async_none;
}

START_TEST(M02_the_outer_exit_sees_what_the_inner_one_decided)
{
    play(async_coro(sees_what_is_left));
    expect("enter 1\n"
           "exit 1 None\n"
           "outside None\n");
}
END_TEST

PROGRAM(timeout_inside)
{
    async_with(leave) struct context *context = await(async_coro(enter, 1)).ptr;
    async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout(1);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(sees_the_timeout)
{
    async_value v = async_catch(async_coro(timeout_inside));
    say("outside %s", repr(v));
    return async_none;
}

START_TEST(M02_the_outer_exit_sees_a_timeout)
{
    play(async_coro(sees_the_timeout));
    expect("enter 1\n"
           "exit 1 TimeoutError('')\n"
           "outside TimeoutError('')\n");
}
END_TEST

struct reraise { bool told; };
static async_value reraise(void *p)
{
    async_with(leave) struct context *context = await(async_coro(enter, 1)).ptr;
    async_value v = async_catch(async_coro(bad, key_error("k"), 0));
    return ((struct reraise *)p)->told ? async_leave(v) : v;
}

PROGRAM(raises_again)
{
    for (int told = 0; told < 2; told++) {
        async_value v = async_catch(async_coro(reraise, told));
        say("outside %s", repr(v));
    }
    return async_none;
}

START_TEST(M02_an_error_raised_again)
{
    play(async_coro(raises_again));
    expect("enter 1\n"
           "exit 1 None\n"             /* it was just a value to return */
           "outside KeyError('k')\n"
           "enter 1\n"
           "exit 1 KeyError('k')\n"
           "outside KeyError('k')\n");
}
END_TEST

static void close_slowly(int *unused)
{
    (void)unused;
    async_value why = async_leaving(), v = async_catch(async_sleep(2));
    say("closed %s %g%s", async_error_name(why.error), now(), v.error ? ", interrupted" : "");
}

PROGRAM(holds)
{
    say("open");
    async_with(close_slowly) int held = 0;
    await(async_sleep(99));
    return async_none;
}

PROGRAM(cancels)
{
    async_task t = async_create_task(async_coro(holds));
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    say("%s %g", yes(async_cancelled(t)), now());
    return async_none;
}

START_TEST(M03_the_exit_runs_when_the_task_is_cancelled)
{
    play(async_coro(cancels));
    expect("open\n"
           "closed CancelledError 3\n"
           "True 3\n");
}
END_TEST

PROGRAM(cancels_again)
{
    async_task t = async_create_task(async_coro(holds));
    for (int i = 0; i < 2; i++) {
        await(async_sleep(1));
        async_cancel(t);
    }
    await(wait_all(t));
    say("%s %g", yes(async_cancelled(t)), now());
    return async_none;
}

START_TEST(cancelled_in_its_exit)
{
    play(async_coro(cancels_again));
    expect("open\n"
           "closed CancelledError 2, interrupted\n"
           "True 2\n");
}
END_TEST

PROGRAM(holds_at_shutdown)
{
    async_detach(async_create_task(async_coro(holds)));
    await(async_sleep(1));
    return async_none;
}

START_TEST(exits_run_and_may_wait_when_main_has_ended)
{
    play(async_coro(holds_at_shutdown));
    expect("open\n"
           "closed CancelledError 3\n");
}
END_TEST

/* An error of an earlier await that was caught is not what the block is left with. */
PROGRAM(catches_then_returns)
{
    async_with(leave) struct context *context = await(async_coro(enter, 1)).ptr;
    async_value v = async_catch(async_coro(bad, key_error("caught"), 0));
    return async_str(v.message);
}

PROGRAM(caught)
{
    async_value v = await(async_coro(catches_then_returns));
    say("%s", v.str);
    return async_none;
}

START_TEST(an_error_that_was_caught_is_not_seen)
{
    play(async_coro(caught));
    expect("enter 1\n"
           "exit 1 None\n"
           "caught\n");
}
END_TEST

static void exit_with_own_coroutines(int *unused)
{
    (void)unused;
    async_value why = async_leaving(), v = async_catch(async_coro(catches_then_returns));
    say("%s, then %s", repr(why), v.str);
    say("still %s", repr(async_leaving()));
}

PROGRAM(exit_that_calls)
{
    async_with(exit_with_own_coroutines) int held = 0;
    async_raise(KEY_ERROR, "outer");
}

START_TEST(an_exit_that_calls_coroutines_with_exits)
{
    play(async_coro(exit_that_calls));
    expect("enter 1\n"
           "exit 1 None\n"
           "KeyError('outer'), then caught\n"
           "still KeyError('outer')\n"
           "raised KeyError('outer')\n");
}
END_TEST

static void count(int *exits) { ++*exits; }

PROGRAM(one_block)
{
    async_with(count) int exits = 0;
    await(async_coro(nothing));
    return async_none;
}

PROGRAM(many)
{
    for (long i = 0; again(&i, 1000000);)
        await(async_coro(one_block));
    return async_none;
}

START_TEST(many_blocks_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\n");
}
END_TEST

MAIN("with",
     TEST(M01_async_with)
     TEST(M01_every_way_out)
     TEST(M02_the_exit_decides_about_the_error)
     TEST(M02_the_outer_exit_sees_what_the_inner_one_decided)
     TEST(M02_the_outer_exit_sees_a_timeout)
     TEST(M02_an_error_raised_again)
     TEST(M03_the_exit_runs_when_the_task_is_cancelled)
     TEST(cancelled_in_its_exit)
     TEST(exits_run_and_may_wait_when_main_has_ended)
     TEST(an_error_that_was_caught_is_not_seen)
     TEST(an_exit_that_calls_coroutines_with_exits)
     TEST(many_blocks_take_constant_memory))
