/* as_completed: rows A01 and A02 of the checklist. It gives tasks, as Python's does to async for. */
#include "testing.h"

PROGRAM(in_order)
{
    async_awaitable list[] = {
        async_coro(ret, async_str("slow"), 3),
        async_coro(bad, key_error("k"), 2),
        async_coro(ret, async_str("quick"), 1),
    };
    async_for (task, async_as_completed(list, 3, ASYNC_NO_TIMEOUT)) {
        async_value v = async_catch(task.ptr);
        say("%s %g", v.error ? repr(v) : v.str, now());
    }
    async_task a = async_create_task(async_coro(ret, async_str("a"), 2));
    async_for (task, async_as_completed(&a, 1, ASYNC_NO_TIMEOUT))
        say("%s %s", async_result(task.ptr).str, yes(task.ptr == a));
    return async_none;
}

START_TEST(A01_as_completed_gives_results_in_the_order_of_completion)
{
    play(async_coro(in_order));
    expect("quick 1\n"
           "KeyError('k') 2\n"
           "slow 3\n"
           "a True\n");
}
END_TEST

PROGRAM(duplicates)
{
    async_task t = async_create_task(async_coro(ret, async_str("t"), 1));
    async_coroutine c = async_coro(ret, async_str("c"), 2);
    async_awaitable list[] = { t, c, t, c };
    async_for (task, async_as_completed(list, 4, ASYNC_NO_TIMEOUT))
        say("%s", async_result(task.ptr).str);
    async_for (task, async_as_completed(NULL, 0, 1))
        say("of nothing: %p", task.ptr);
    return async_none;
}

START_TEST(A01_duplicates_collapse)
{
    play(async_coro(duplicates));
    expect("t\nc\n");
}
END_TEST

PROGRAM(with_a_timeout)
{
    async_task t = async_create_task(async_coro(tell, "t", 5));
    async_awaitable list[] = { t, async_create_task(async_coro(ret, async_str("a"), 1)) };
    async_iterator iterator = async_as_completed(list, 2, 2);
    for (int i = 0; i < 2; i++) {
        async_value v = async_catch(async_anext(iterator));
        if (v.error == ASYNC_TIMEOUT)
            say("timeout %g %s", now(), yes(async_done(t)));
        else
            say("%s", async_result(v.ptr).str);
    }
    await(t);
    return async_none;
}

START_TEST(A02_as_completed_with_a_timeout)
{
    play(async_coro(with_a_timeout));
    expect("t begins\n"
           "a\n"
           "timeout 2 False\n"
           "t ends\n");
}
END_TEST

PROGRAM(all_late)
{
    async_awaitable list[] = { async_coro(ret, async_num(1), 5), async_coro(ret, async_num(2), 6) };
    async_iterator iterator = async_as_completed(list, 2, 2);
    for (int i = 0; i < 4; i++) {
        async_value v = async_catch(async_anext(iterator));
        say("%s %g", async_error_name(v.error), now());
    }
    return async_none;
}

START_TEST(A02_each_late_one_is_a_timeout)
{
    play(async_coro(all_late));
    expect("TimeoutError 2\n"
           "TimeoutError 2\n"
           "StopAsyncIteration 2\n"
           "StopAsyncIteration 2\n");
}
END_TEST

PROGRAM(leaves_by_timeout)
{
    async_awaitable list[] = { async_coro(ret, async_num(1), 1), async_coro(ret, async_num(2), 6) };
    async_for (task, async_as_completed(list, 2, 2))
        say("%ld", async_result(task.ptr).num);
    say("not reached");
    return async_none;
}

START_TEST(A02_the_timeout_leaves_the_function)
{
    play(async_coro(leaves_by_timeout));
    expect("1\n"
           "raised TimeoutError('')\n");
}
END_TEST

PROGRAM(ends)
{
    count_turns();
    return async_none;
}

PROGRAM(hops)
{
    async_coroutine list[] = { async_coro(ends) };
    await(async_anext(async_as_completed(list, 1, ASYNC_NO_TIMEOUT)));
    say("as_completed: after an end +%u", turns);
    return async_none;
}

START_TEST(iterations_of_as_completed)
{
    play(async_coro(hops));
    expect("as_completed: after an end +2\n");
}
END_TEST

struct consumer { const char *tag; async_iterator iterator; };
static async_value consumer(void *p)
{
    struct consumer *args = p;
    async_for (task, args->iterator)
        say("%s got %ld at %g", args->tag, async_result(task.ptr).num, now());
    say("%s at the end", args->tag);
    return async_none;
}

PROGRAM(two_consumers)
{
    async_awaitable list[4];
    for (int i = 0; i < 4; i++)
        list[i] = async_coro(ret, async_num(i), i);
    async_iterator iterator = async_as_completed(list, 4, ASYNC_NO_TIMEOUT);
    async_task cancelled = async_create_task(async_coro(consumer, "x", iterator));
    async_task one = async_create_task(async_coro(consumer, "y", iterator));
    async_task other = async_create_task(async_coro(consumer, "z", iterator));
    await(async_sleep(0.5));
    async_cancel(cancelled);
    await(async_sleep(3));
    async_cancel(other);
    await(wait_all(one, other, cancelled));
    return async_none;
}

/* Who waits has a turn already, which is gone when it is cancelled; the others don't get it. */
START_TEST(several_consumers_share_one_iterator)
{
    play(async_coro(two_consumers));
    expect("x got 0 at 0\n"
           "y got 1 at 1\n"
           "y at the end\n"
           "z got 2 at 2\n"
           "z at the end\n");
}
END_TEST

PROGRAM(one_for_two)
{
    async_awaitable list[] = { async_coro(ret, async_num(7), 1) };
    async_iterator iterator = async_as_completed(list, 1, ASYNC_NO_TIMEOUT);
    await(async_gather(NULL, async_coro(consumer, "x", iterator),
                       async_coro(consumer, "y", iterator)));
    return async_none;
}

START_TEST(a_consumer_too_many)
{
    play(async_coro(one_for_two));
    expect("y at the end\n"
           "x got 7 at 1\n"
           "x at the end\n");
}
END_TEST

static async_iterator left_behind;

PROGRAM(makes_and_ends)
{
    async_awaitable list[] = { async_coro(ret, async_num(1), 5), async_coro(ret, async_num(2), 6) };
    left_behind = async_as_completed(list, 2, 3);
    return async_none;
}

PROGRAM(outlives)
{
    await(async_create_task(async_coro(makes_and_ends)));   /* we inherit it */
    async_for (task, left_behind)
        say("%ld", async_result(task.ptr).num);
    return async_none;
}

START_TEST(an_iterator_is_inherited_by_who_awaits_its_maker)
{
    play(async_coro(outlives));
    expect("raised TimeoutError('')\n");
}
END_TEST

PROGRAM(breaks)
{
    async_awaitable list[] = { async_coro(tell, "a", 1), async_coro(tell, "b", 2) };
    async_for (task, async_as_completed(list, 2, ASYNC_NO_TIMEOUT)) {
        say("first: %s", async_result(task.ptr).str);
        break;
    }
    return async_none;
}

START_TEST(left_early_the_others_run_on)
{
    play(async_coro(breaks));
    expect("a begins\nb begins\n"
           "a ends\n"
           "first: a\n"
           "b cancelled\n");            /* by async_run, when main has ended */
}
END_TEST

PROGRAM(three_at_a_time)
{
    async_awaitable list[3];
    for (int i = 0; i < 3; i++)
        list[i] = async_coro(ret, async_num(i), 0);
    async_for (task, async_as_completed(list, 3, 9))
        await((async_task)task.ptr);
    return async_none;
}

PROGRAM(many)
{
    for (long i = 0; again(&i, 100000);)
        await(async_create_task(async_coro(three_at_a_time)));
    return async_none;
}

PROGRAM(many_in_one_task)
{
    for (long i = 0; again(&i, 100000);)
        await(async_coro(three_at_a_time));
    return async_none;
}

START_TEST(many_in_tasks_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\n");
}
END_TEST

START_TEST(many_in_one_task_take_constant_memory)
{
    play(async_coro(many_in_one_task));
    expect("constant memory\n");
}
END_TEST

MAIN("as_completed",
     TEST(A01_as_completed_gives_results_in_the_order_of_completion)
     TEST(A01_duplicates_collapse)
     TEST(A02_as_completed_with_a_timeout)
     TEST(A02_each_late_one_is_a_timeout)
     TEST(A02_the_timeout_leaves_the_function)
     TEST(iterations_of_as_completed)
     TEST(several_consumers_share_one_iterator)
     TEST(a_consumer_too_many)
     TEST(an_iterator_is_inherited_by_who_awaits_its_maker)
     TEST(left_early_the_others_run_on)
     TEST(many_in_tasks_take_constant_memory)
     TEST(many_in_one_task_take_constant_memory))
