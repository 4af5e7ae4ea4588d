/* TaskGroup: rows K01 to K09 of the checklist. */
#include "testing.h"

/* repr(group.exceptions), a tuple; a group in it as Python's repr() of an ExceptionGroup. */
static const char *errors_in(async_value group)
{
    static char texts[4][1000];
    static unsigned next;
    char *text = texts[next++ % 4];
    async_value parts[8];
    size_t count = async_group_errors(group, parts, 8), length = 1;
    strcpy(text, "(");
    for (size_t i = 0; i < count && i < 8; i++) {
        const char *part = parts[i].error == ASYNC_GROUP
            ? async_strf("ExceptionGroup%s", errors_in(parts[i])) : repr(parts[i]);
        length += sprintf(text + length, "%s%s", i ? ", " : "", part);
    }
    strcpy(text + length, ")");
    return text;
}

/* t.cancelled() or t.exception().exceptions */
static const char *end_of(async_task t)
{
    if (async_cancelled(t))
        return "True";
    async_value v = async_exception(t);
    return v.error == ASYNC_GROUP ? errors_in(v) : repr(v);
}

static async_task member;

struct more { async_taskgroup *group; };
static async_value more(void *p)
{
    struct more *args = p;
    await(async_sleep(1));
    async_cancel(member);
    async_taskgroup_create_task(args->group, async_coro(tell, "grandchild", 1));
    return async_none;
}

PROGRAM(waits_for_its_tasks)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_task a = async_taskgroup_create_task(tg, async_coro(ret, async_num(1), 1));
    async_task c = member = async_taskgroup_create_task(tg, async_coro(tell, "c", 9));
    async_taskgroup_create_task(tg, async_coro(more, tg));
    say("body ends %g", now());
    await(async_taskgroup_join(tg));
    say("%ld %s %g", async_result(a).num, yes(async_cancelled(c)), now());
    return async_none;
}

START_TEST(K01_the_block_waits_for_its_tasks)
{
    play(async_coro(waits_for_its_tasks));
    expect("body ends 0\n"
           "c begins\n"
           "c cancelled\n"
           "grandchild begins\n"
           "grandchild ends\n"
           "1 True 2\n");
}
END_TEST

PROGRAM(fails)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, value_error("x"), 1));
    async_taskgroup_create_task(tg, async_coro(tell, "sibling", 9));
    await(async_coro(tell, "body", 9));
    return await(async_taskgroup_join(tg));
}

PROGRAM(one_fails)
{
    async_value v = async_catch(async_coro(fails));
    if (v.error == ASYNC_GROUP)
        say("%s %s %g %d", v.message, errors_in(v), now(), async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(K02_a_failing_task_cancels_its_siblings_and_the_body)
{
    play(async_coro(one_fails));
    expect("body begins\n"
           "sibling begins\n"
           "sibling cancelled\n"
           "body cancelled\n"
           "unhandled errors in a TaskGroup (1 sub-exception) (ValueError('x')) 1 0\n");
}
END_TEST

PROGRAM(two_fail)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(spoil, key_error("1")));
    async_taskgroup_create_task(tg, async_coro(bad, value_error("2"), 1));
    async_taskgroup_create_task(tg, async_coro(tell, "s", 9));
    return await(async_taskgroup_join(tg));
}

PROGRAM(in_their_order)
{
    async_value v = async_catch(async_coro(two_fail));
    say("%s", errors_in(v));
    return async_none;
}

START_TEST(K03_errors_are_collected_in_the_order_in_which_tasks_ended)
{
    play(async_coro(in_their_order));
    expect("s begins\n"
           "s cancelled\n"
           "(ValueError('2'), KeyError('1'))\n");
}
END_TEST

PROGRAM(body_fails)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(tell, "t", 9));
    await(async_sleep(1));
    async_raise(ZERO_DIVISION_ERROR, "division by zero");
}

PROGRAM(error_in_the_body)
{
    async_value v = async_catch(async_coro(body_fails));
    if (v.error == ASYNC_GROUP)
        say("%s %g", errors_in(v), now());
    return async_none;
}

START_TEST(K04_an_error_in_the_body)
{
    play(async_coro(error_in_the_body));
    expect("t begins\n"
           "t cancelled\n"
           "(ZeroDivisionError('division by zero')) 1\n");
}
END_TEST

struct owner { async_coroutine c; };
static async_value owner(void *p)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, ((struct owner *)p)->c);
    return await(async_taskgroup_join(tg));
}

PROGRAM(owner_is_cancelled)
{
    for (int i = 0; i < 2; i++) {
        async_coroutine c = i == 0 ? async_coro(tell, "child", 9)
                                   : async_coro(spoil, key_error("k"));
        async_task t = async_create_task(async_coro(owner, c));
        await(async_sleep(1));
        async_cancel(t);
        await(wait_all(t));
        say("%s", end_of(t));
    }
    return async_none;
}

START_TEST(K05_cancelling_the_owner)
{
    play(async_coro(owner_is_cancelled));
    expect("child begins\n"
           "child cancelled\n"
           "True\n"
           "(KeyError('k'))\n");
}
END_TEST

static void attempt(async_taskgroup *tg)
{
    async_task t = async_taskgroup_create_task(tg, async_coro(tell, "never", 0));
    say("%s", repr(async_exception(t)));
}

PROGRAM(adds_while_it_fails)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, value_error("x"), 1));
    async_value v = async_catch(async_sleep(9));
    attempt(tg);
    return v;
}

PROGRAM(adds_too_late)
{
    async_taskgroup *tg = async_taskgroup_enter();
    await(async_taskgroup_join(tg));
    attempt(tg);
    async_value v = async_catch(async_coro(adds_while_it_fails));
    say("%s", errors_in(v));
    return async_none;
}

START_TEST(K06_when_tasks_cannot_be_added)
{
    play(async_coro(adds_too_late));
    expect("RuntimeError('TaskGroup is finished')\n"
           "RuntimeError('TaskGroup is shutting down')\n"
           "(ValueError('x'))\n");
}
END_TEST

PROGRAM(inner_group)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, value_error("deep"), 1));
    return await(async_taskgroup_join(tg));
}

PROGRAM(outer_group)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(inner_group));
    async_taskgroup_create_task(tg, async_coro(tell, "s", 9));
    return await(async_taskgroup_join(tg));
}

PROGRAM(nested)
{
    async_value v = async_catch(async_coro(outer_group));
    say("%s %g", errors_in(v), now());
    return async_none;
}

START_TEST(K07_nested_groups)
{
    play(async_coro(nested));
    expect("s begins\n"
           "s cancelled\n"
           "(ExceptionGroup(ValueError('deep'))) 1\n");
}
END_TEST

PROGRAM(exits)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(tell, "s", 9));
    await(async_sleep(1));
    return async_leave(async_exit(3));
}

PROGRAM(exit_from_the_body)
{
    async_value v = async_catch(async_coro(exits));
    say("%s %ld", async_error_name(v.error), v.num);
    return async_none;
}

START_TEST(K08_KeyboardInterrupt_and_SystemExit_come_out_bare)
{
    play(async_coro(exit_from_the_body));
    expect("s begins\n"
           "s cancelled\n"
           "SystemExit 3\n");
}
END_TEST

PROGRAM(group_with_an_error)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, key_error("k"), 1));
    await(async_sleep(9));
    return await(async_taskgroup_join(tg));
}

PROGRAM(both)
{
    if (async_catch(async_coro(group_with_an_error)).error == ASYNC_GROUP)
        say("group error, asked: %d", async_cancelling(async_current_task()));
    await(async_sleep(1));
    say("went on %g", now());
    return async_none;
}

PROGRAM(fails_while_cancelled)
{
    async_task t = async_create_task(async_coro(both));
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    say("%s", yes(async_cancelled(t)));
    return async_none;
}

START_TEST(K09_a_child_fails_while_the_owner_is_being_cancelled)
{
    play(async_coro(fails_while_cancelled));
    expect("group error, asked: 1\n"
           "True\n");
}
END_TEST

/* ------------------------------------------------------------------------- hops and corners */

PROGRAM(ends)
{
    count_turns();
    return async_none;
}

PROGRAM(hops)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(ends));
    await(async_taskgroup_join(tg));
    say("TaskGroup exit: after the last end +%u", turns);
    return async_none;
}

START_TEST(iterations_of_a_task_group)
{
    play(async_coro(hops));
    expect("TaskGroup exit: after the last end +2\n");
}
END_TEST

PROGRAM(returns_early)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(tell, "a", 9));
    async_taskgroup_create_task(tg, async_coro(tell, "b", 9));
    await(async_sleep(1));
    return async_str("early");
}

PROGRAM(returns_early_beside_a_failure)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(spoil, key_error("k")));
    async_taskgroup_create_task(tg, async_coro(spoil, value_error("v")));
    await(async_sleep(1));
    return async_str("early");
}

PROGRAM(without_join)
{
    async_value v = async_catch(async_coro(returns_early));
    say("%s %g", v.error ? repr(v) : v.str, now());
    v = async_catch(async_coro(returns_early_beside_a_failure));
    say("%s %g", v.error ? errors_in(v) : v.str, now());
    return async_none;
}

START_TEST(left_by_return)
{
    play(async_coro(without_join));
    expect("a begins\n"
           "b begins\n"
           "a ends\n"
           "b ends\n"
           "early 9\n"
           "(KeyError('k'), ValueError('v')) 108\n");
}
END_TEST

PROGRAM(swallows_in_the_body)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, key_error("k"), 1));
    async_value v = async_catch(async_sleep(9));
    say("body: %s", async_error_name(v.error));
    await(async_sleep(1));
    return await(async_taskgroup_join(tg));
}

PROGRAM(body_swallows)
{
    async_value v = async_catch(async_coro(swallows_in_the_body));
    say("%s %g %d", errors_in(v), now(), async_cancelling(async_current_task()));
    await(async_sleep(1));
    return async_none;
}

START_TEST(a_body_that_swallows_the_cancel)
{
    play(async_coro(body_swallows));
    expect("body: CancelledError\n"
           "(KeyError('k')) 2 0\n");
}
END_TEST

PROGRAM(by_hand)
{
    async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, key_error("k"), 1));
    async_value v = async_taskgroup_leave(tg, async_catch(async_sleep(9)));
    say("%s %g", errors_in(v), now());
    v = async_taskgroup_leave(tg, async_num(4));
    say("%ld", v.num);
    tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(nothing));
    v = async_taskgroup_leave(tg, async_catch(async_coro(ret, async_num(5), 1)));
    say("%s %ld %d", repr(v), v.num, async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(a_group_left_by_hand)
{
    play(async_coro(by_hand));
    expect("(KeyError('k')) 1\n"
           "4\n"
           "None 5 0\n");
}
END_TEST

PROGRAM(group_in_a_timeout)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(tell, "t", 9));
    return await(async_taskgroup_join(tg));
}

PROGRAM(timeout_in_a_group)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, key_error("k"), 0.5));
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(return_in_a_timeout)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(tell, "u", 9));
    return async_none;
}

PROGRAM(timeout_in_the_body)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(tell, "v", 9));
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    await(async_sleep(9));
    return async_none;
}

PROGRAM(with_timeouts)
{
    async_value v = async_catch(async_coro(group_in_a_timeout));
    say("%s %g", repr(v), now());
    v = async_catch(async_coro(timeout_in_a_group));
    say("%s %g %d", errors_in(v), now(), async_cancelling(async_current_task()));
    v = async_catch(async_coro(return_in_a_timeout));
    say("%s %g %d", repr(v), now(), async_cancelling(async_current_task()));
    v = async_catch(async_coro(timeout_in_the_body));
    say("%s %g %d", errors_in(v), now(), async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(groups_and_timeouts)
{
    play(async_coro(with_timeouts));
    expect("t begins\n"
           "t cancelled\n"
           "TimeoutError('') 1\n"
           "(KeyError('k')) 1.5 0\n"
           "u begins\n"
           "u cancelled\n"
           "TimeoutError('') 2.5 0\n"
           "v begins\n"
           "v cancelled\n"
           "(TimeoutError('')) 3.5 0\n");
}
END_TEST

PROGRAM(exit_in_a_child)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, async_exit(4), 1));
    async_taskgroup_create_task(tg, async_coro(tell, "s", 9));
    return await(async_taskgroup_join(tg));
}

START_TEST(SystemExit_in_a_child_leaves_the_loop)
{
    listen_to_stderr();                 /* main's own SystemExit, at the shutdown, is reported */
    async_value v = run_virtual(async_coro(exit_in_a_child));
    say("%s %ld", async_error_name(v.error), v.num);
    size_t length = said.length;
    heard();
    said.text[length] = 0;
    expect("s begins\n"
           "s cancelled\n"
           "SystemExit 4\n");
}
END_TEST

PROGRAM(texts)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    for (int i = 0; i < 3; i++)
        async_taskgroup_create_task(
            tg, async_coro(bad, value_error(async_strf("number %d", i)), 1));
    return await(async_taskgroup_join(tg));
}

PROGRAM(in_another_task)
{
    async_task t = async_create_task(async_coro(texts));
    async_value v = async_catch(t);
    say("%s", v.message);
    say("%s", errors_in(v));
    return async_none;
}

START_TEST(the_errors_outlive_their_tasks)
{
    play(async_coro(in_another_task));
    expect("unhandled errors in a TaskGroup (3 sub-exceptions)\n"
           "(ValueError('number 0'), ValueError('number 1'), ValueError('number 2'))\n");
}
END_TEST

PROGRAM(forgets_to_leave)
{
    async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, key_error("k"), 1));
    async_taskgroup_create_task(tg, async_coro(tell, "t", 3));
    return async_none;
}

PROGRAM(a_group_is_forgotten)
{
    async_detach(async_create_task(async_coro(forgets_to_leave)));
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_coro(nothing)));
    await(async_sleep(9));
    return async_none;
}

START_TEST(never_left)
{
    listen_to_stderr();
    play(async_coro(a_group_is_forgotten));
    size_t length = said.length;
    heard();
    ck_assert_ptr_nonnull(strstr(said.text + length, "TaskGroup"));
    ck_assert_ptr_nonnull(strstr(said.text + length, "(bad, created at"));
    said.text[length] = 0;
    expect("t begins\n"
           "t ends\n");
}
END_TEST

/* --------------------------------------------------------------------------------- memory */

PROGRAM(one_task)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(nothing));
    return await(async_taskgroup_join(tg));
}

PROGRAM(one_failure)
{
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    async_taskgroup_create_task(tg, async_coro(bad, key_error("k"), 0));
    return await(async_taskgroup_join(tg));
}

PROGRAM(many)
{
    for (long i = 0; again(&i, 1000000);)
        await(async_coro(one_task));
    async_with(async_taskgroup_exit) async_taskgroup *tg = async_taskgroup_enter();
    for (long i = 0; again(&i, 1000000);) {
        async_taskgroup_create_task(tg, async_coro(nothing));
        await(async_sleep(0));
    }
    await(async_taskgroup_join(tg));
    return async_none;
}

START_TEST(many_groups_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\nconstant memory\n");
}
END_TEST

PROGRAM(fails_in_a_task)
{
    return async_catch(async_coro(one_failure));
}

PROGRAM(server)
{
    for (long i = 0; again(&i, 200000);) {      /* who makes a task of it and detaches that */
        async_detach(async_create_task(async_coro(fails_in_a_task)));
        await(async_sleep(0));
        await(async_sleep(0));
    }
    return async_none;
}

static void ignore(async_loop *loop, const char *message, async_value error, async_awaitable x)
{
    (void)loop, (void)message, (void)error, (void)x;
}

PROGRAM(quiet_server)
{
    async_loop_set_exception_handler(async_get_running_loop(), ignore);
    return await(async_coro(server));
}

START_TEST(many_failing_groups_take_constant_memory)
{
    play(async_coro(quiet_server));
    expect("constant memory\n");
}
END_TEST

START_TEST(an_error_of_ones_own_making_has_no_parts)
{
    ck_assert_int_eq(async_group_errors(async_error(ASYNC_GROUP, "mine"), NULL, 0), 0);
}
END_TEST

PROGRAM(has_names)
{
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_task task = async_taskgroup_create_task_named(group, async_coro(nothing), "worker 1");
    say("%s", async_get_name(task));
    await(async_taskgroup_join(group));
    return async_none;
}

START_TEST(tasks_of_a_group_have_names)
{
    play(async_coro(has_names));
    expect("worker 1\n");
}
END_TEST

MAIN("taskgroup",
     TEST(an_error_of_ones_own_making_has_no_parts)
     TEST(K01_the_block_waits_for_its_tasks)
     TEST(K02_a_failing_task_cancels_its_siblings_and_the_body)
     TEST(K03_errors_are_collected_in_the_order_in_which_tasks_ended)
     TEST(K04_an_error_in_the_body)
     TEST(K05_cancelling_the_owner)
     TEST(K06_when_tasks_cannot_be_added)
     TEST(K07_nested_groups)
     TEST(K08_KeyboardInterrupt_and_SystemExit_come_out_bare)
     TEST(K09_a_child_fails_while_the_owner_is_being_cancelled)
     TEST(iterations_of_a_task_group)
     TEST(left_by_return)
     TEST(a_body_that_swallows_the_cancel)
     TEST(a_group_left_by_hand)
     TEST(groups_and_timeouts)
     TEST(SystemExit_in_a_child_leaves_the_loop)
     TEST(the_errors_outlive_their_tasks)
     TEST(never_left)
     TEST(many_groups_take_constant_memory)
     TEST(many_failing_groups_take_constant_memory)
     TEST(tasks_of_a_group_have_names))
