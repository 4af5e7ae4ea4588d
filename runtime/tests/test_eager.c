/* Eager tasks: asyncio.Task(..., eager_start=True) and asyncio.eager_task_factory, and what CPython 3.13 prints
 * for the same programs. */
#include "testing.h"
#include "core/hooks.h"

static async_contextvar var = { "var", .initial = { .num = 0 } };

static int tasks(void) { return (int)async_all_tasks(NULL, 0); }

struct child { int n; bool waits, fails; };
static async_value child(void *p)
{
    struct child *args = p;
    say("%d begins in %s %d %ld", args->n, name_of(async_current_task()), tasks(),
        async_contextvar_get(&var).num);
    async_contextvar_set(&var, async_num(args->n));
    if (args->waits) {
        await(async_sleep(0));
        say("%d goes on", args->n);
    }
    return args->fails ? value_error("") : async_num(args->n);
}

PROGRAM(begins)
{
    async_task a = async_create_task_eager(async_coro(child, 1));
    async_task b = async_create_task_eager(async_coro(child, 2, .waits = true));
    async_task c = async_create_task_eager(async_coro(child, 3, .fails = true));
    say("%s %s %s %s %ld %d", yes(async_done(a)), yes(async_done(b)), yes(async_done(c)),
        name_of(async_current_task()), async_contextvar_get(&var).num, tasks());
    async_add_done_callback(a, say_when_done, "callback");
    say("main waits");
    await(b);
    say("awaited");
    say("%ld", await(a).num);
    say("%s", repr(async_catch(c)));
    return async_none;
}

START_TEST(its_first_step_is_at_once)
{
    play(async_coro(begins));
    expect("1 begins in Task-2 2 0\n"
           "2 begins in Task-3 2 0\n"
           "3 begins in Task-4 3 0\n"
           "True False True Task-1 0 2\n"
           "main waits\n"
           "2 goes on\n"
           "callback\n"
           "awaited\n"
           "1\n"
           "ValueError('')\n");
}
END_TEST

PROGRAM(asks_itself)
{
    async_cancel(async_current_task());
    say("asked");
    await(async_sleep(5));
    say("never");
    return async_none;
}

PROGRAM(asks_itself_and_ends)
{
    async_cancel(async_current_task());
    return async_num(7);
}

struct cancels { async_task task; };
static async_value cancels(void *p)
{
    say("cancelled: %s", yes(async_cancel(((struct cancels *)p)->task)));
    await(async_sleep(5));
    return async_none;
}

PROGRAM(cancelled_on_the_way)
{
    async_task t = async_create_task_eager(async_coro(asks_itself));
    say("%s %d", yes(async_done(t)), async_cancelling(t));
    async_value v = async_catch(t);
    say("%s %s", repr(v), yes(async_cancelled(t)));
    t = async_create_task_eager(async_coro(asks_itself_and_ends));
    say("%s %s", yes(async_done(t)), yes(async_cancelled(t)));
    t = async_create_task_eager(async_coro(cancels, async_current_task()));
    say("main goes on %d", async_cancelling(async_current_task()));
    say("main %s", repr(async_catch(async_sleep(9))));
    say("%s", yes(async_done(t)));
    return async_none;
}

START_TEST(a_cancellation_in_the_first_step)
{
    play(async_coro(cancelled_on_the_way));
    expect("asked\n"
           "False 1\n"
           "CancelledError() True\n"
           "True True\n"
           "cancelled: True\n"
           "main goes on 1\n"
           "main CancelledError()\n"
           "False\n");
}
END_TEST

struct sets { async_future future; };
static async_value sets(void *p)
{
    async_set_result(((struct sets *)p)->future, async_num(5));
    return async_num(6);
}

PROGRAM(gathers)
{
    async_loop_set_eager_task_factory(async_get_running_loop(), true);
    async_value r[2];
    async_future g = async_gather(r, async_coro(child, 1), async_coro(child, 2));
    say("gathered %s", yes(async_done(g)));
    await(g);
    say("%ld %ld", r[0].num, r[1].num);
    g = async_gather(r, async_coro(child, 1, .waits = true), async_coro(child, 2));
    say("gathered %s", yes(async_done(g)));
    await(g);
    say("%ld %ld", r[0].num, r[1].num);
    async_future future = async_create_future();
    g = async_gather(r, future, async_coro(sets, future));
    say("gathered %s", yes(async_done(g)));
    await(g);
    say("%ld %ld", r[0].num, r[1].num);
    return async_none;
}

START_TEST(gather_of_those_that_are_done_takes_no_turn)
{
    play(async_coro(gathers));
    expect("1 begins in Task-2 2 0\n"
           "2 begins in Task-3 2 0\n"
           "gathered True\n"
           "1 2\n"
           "1 begins in Task-4 2 0\n"
           "2 begins in Task-5 3 0\n"
           "gathered False\n"
           "1 goes on\n"
           "1 2\n"
           "gathered False\n"
           "5 6\n");
}
END_TEST

PROGRAM(groups)
{
    async_loop_set_eager_task_factory(async_get_running_loop(), true);
    async_taskgroup *group = async_taskgroup_enter();
    async_task t = async_taskgroup_create_task(group, async_coro(child, 4));
    say("in the block %s", yes(async_done(t)));
    async_taskgroup_create_task(group, async_coro(child, 5, .waits = true));
    await(async_taskgroup_join(group));
    say("left");
    group = async_taskgroup_enter();
    async_task u = async_taskgroup_create_task(group, async_coro(child, 6, .waits = true));
    t = async_taskgroup_create_task(group, async_coro(child, 7, .fails = true));
    say("in the block %s %d", yes(async_done(t)), async_cancelling(async_current_task()));
    t = async_taskgroup_create_task(group, async_coro(child, 8));
    say("%s", repr(async_exception(t)));
    async_value v = async_taskgroup_leave(group, async_catch(async_sleep(0)));
    say("%s", repr(v));
    say("%s %d", yes(async_cancelled(u)), async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(a_group_knows_of_those_that_are_done)
{
    play(async_coro(groups));
    expect("4 begins in Task-2 2 0\n"
           "in the block True\n"
           "5 begins in Task-3 2 0\n"
           "5 goes on\n"
           "left\n"
           "6 begins in Task-4 2 0\n"
           "7 begins in Task-5 3 0\n"
           "in the block True 1\n"
           "RuntimeError('TaskGroup is shutting down')\n"
           "ExceptionGroup('unhandled errors in a TaskGroup (1 sub-exception)')\n"
           "True 0\n");
}
END_TEST

PROGRAM(others)
{
    async_loop_set_eager_task_factory(async_get_running_loop(), true);
    say("%s", yes(async_done(async_shield(async_coro(child, 9)))));
    say("%ld", await(async_wait_for(async_coro(child, 10), 0)).num);
    say("%s", repr(async_catch(async_wait_for(async_coro(child, 11, .waits = true), 0))));
    async_awaitable list[] = { async_coro(child, 12, .waits = true), async_coro(child, 13) };
    async_for (task, async_as_completed(list, 2, ASYNC_NO_TIMEOUT))
        say("%ld", await(task.ptr).num);
    async_loop_set_eager_task_factory(async_get_running_loop(), false);
    async_task t = async_create_task(async_coro(child, 14));
    say("main goes on");
    await(t);
    return async_none;
}

START_TEST(all_that_make_tasks_of_coroutines)
{
    play(async_coro(others));
    expect("9 begins in Task-2 2 0\n"
           "True\n"
           "10 begins in Task-3 2 0\n"
           "10\n"
           "11 begins in Task-4 2 0\n"
           "TimeoutError('')\n"
           "12 begins in Task-5 2 0\n"
           "13 begins in Task-6 3 0\n"
           "12 goes on\n"
           "13\n"
           "12\n"
           "main goes on\n"
           "14 begins in Task-7 2 0\n");
}
END_TEST

static async_value from_callback(void *p)
{
    say("callback begins");
    async_task t = async_create_task_eager(async_coro(child, 1, .waits = true));
    say("callback goes on %s %s", yes(async_done(t)), async_current_task() ? "task" : "None");
    return async_ptr(p);
}

struct nest { int n; };
static async_value nest(void *p)
{
    int n = ((struct nest *)p)->n;
    say("nest %d", n);
    if (n)
        async_detach(async_create_task_eager(async_coro(nest, n - 1)));
    say("nest %d goes on", n);
    await(async_sleep(0));
    say("nest %d ends", n);
    return async_none;
}

PROGRAM(nested)
{
    call_soon(from_callback, NULL);
    call_soon(say_text, "next");
    await(async_sleep(0));
    await(async_sleep(0));
    say("end");
    await(async_create_task_eager(async_coro(nest, 2)));
    return async_none;
}

static const char nested_says[] =
    "callback begins\n"
    "1 begins in Task-2 2 0\n"
    "callback goes on False None\n"
    "next\n"
    "1 goes on\n"
    "end\n"
    "nest 2\n"
    "nest 1\n"
    "nest 0\n"
    "nest 0 goes on\n"
    "nest 1 goes on\n"
    "nest 2 goes on\n"
    "nest 0 ends\n"
    "nest 1 ends\n"
    "nest 2 ends\n";

START_TEST(from_a_callback_and_from_one_another)
{
    play(async_coro(nested));
    expect(nested_says);
}
END_TEST

/* With somebody who listens, or in debug mode, every switch goes by way of the loop. */
START_TEST(the_order_is_the_same_when_somebody_looks_on)
{
    static struct async_hooks nobody;
    async_hooks_add(&nobody);
    play(async_coro(nested));
    expect(nested_says);
    async_hooks_remove(&nobody);
    setenv("ASYNC_DEBUG", "1", 1);
    begin();
    play(async_coro(nested));
    unsetenv("ASYNC_DEBUG");
    expect(nested_says);
}
END_TEST

PROGRAM(exits)
{
    return async_exit(3);
}

PROGRAM(makes_one_that_exits)
{
    async_detach(async_create_task_eager(async_coro(exits)));
    say("%s", repr(async_catch(async_sleep(1))));
    return async_none;
}

START_TEST(an_exit_leaves_the_loop_at_once)
{
    async_value v = run_virtual(async_coro(makes_one_that_exits));
    say("%d %ld", v.error == ASYNC_SYSTEM_EXIT, v.num);
    expect("CancelledError()\n"
           "1 3\n");
}
END_TEST

PROGRAM(makes_from_outside)
{
    say("begins");
    return async_none;
}

START_TEST(a_loop_that_does_not_run_begins_nothing)
{
    async_loop *loop = async_new_event_loop();
    async_loop_set_eager_task_factory(loop, true);
    async_task t = async_loop_create_task(loop, async_coro(makes_from_outside));
    say("made");
    async_loop_run_until_complete(loop, t);
    async_loop_close(loop);
    expect("made\n"
           "begins\n");
}
END_TEST

MAIN("eager",
     TEST(its_first_step_is_at_once)
     TEST(a_cancellation_in_the_first_step)
     TEST(gather_of_those_that_are_done_takes_no_turn)
     TEST(a_group_knows_of_those_that_are_done)
     TEST(all_that_make_tasks_of_coroutines)
     TEST(from_a_callback_and_from_one_another)
     TEST(the_order_is_the_same_when_somebody_looks_on)
     TEST(an_exit_leaves_the_loop_at_once)
     TEST(a_loop_that_does_not_run_begins_nothing))
