/* shield: rows H01 to H03 of the checklist. */
#include "testing.h"

static async_task a, b, c;

PROGRAM(shielded)
{
    return await(async_shield(a));
}

PROGRAM(shielded_in_gather)
{
    return await(async_gather(NULL, async_shield(b), c));
}

PROGRAM(keeps_a_cancel_out)
{
    a = async_create_task(async_coro(tell, "a", 3));
    b = async_create_task(async_coro(tell, "b", 3));
    c = async_create_task(async_coro(tell, "c", 3));
    async_task o = async_create_task(async_coro(shielded));
    async_task o2 = async_create_task(async_coro(shielded_in_gather));
    await(async_sleep(1));
    async_cancel(o);
    async_cancel(o2);
    await(wait_all(o, o2));
    say("%s %s %g", yes(async_cancelled(o)), yes(async_cancelled(o2)), now());
    const char *of_a = await(a).str, *of_b = await(b).str;
    say("%s %s %g", of_a, of_b, now());
    return async_none;
}

START_TEST(H01_shield_keeps_a_cancel_from_the_inner_task)
{
    play(async_coro(keeps_a_cancel_out));
    expect("a begins\n"
           "b begins\n"
           "c begins\n"
           "c cancelled\n"
           "True True 1\n"
           "a ends\n"                   /* Python's heap has b first here, see row L09 */
           "b ends\n"
           "a b 3\n");
}
END_TEST

PROGRAM(passes_the_rest)
{
    async_value v = await(async_shield(async_coro(ret, async_num(1), 1)));
    say("%ld", v.num);
    async_future f = async_create_future();
    async_set_result(f, async_num(2));
    say("%s", yes(async_shield(f) == f));
    v = async_catch(async_shield(async_coro(bad, key_error("k"), 0)));
    say("%s", repr(v));
    async_task t = async_create_task(async_sleep(9));
    call_later(1, cancel_it, t);
    v = async_catch(async_shield(t));
    if (v.error == ASYNC_CANCELLED)
        say("CancelledError, asked: %d", async_cancelling(async_current_task()));
    return async_none;
}

START_TEST(H02_shield_passes_everything_else)
{
    play(async_coro(passes_the_rest));
    expect("1\n"
           "True\n"
           "KeyError('k')\n"
           "CancelledError, asked: 0\n");
}
END_TEST

PROGRAM(abandons)
{
    async_future inner = async_shield(async_coro(bad, value_error("lost"), 2));
    async_task o = async_create_task(async_wait_for(inner, ASYNC_NO_TIMEOUT));
    await(async_sleep(1));
    async_cancel(o);
    await(wait_all(o));
    await(async_sleep(3));
    say("end");
    return async_none;
}

START_TEST(H03_an_abandoned_inner_task_still_reports_its_exception)
{
    listen_to_stderr();
    play(async_coro(abandons));
    heard();
    const char *report = strstr(said.text, "stderr| Task exception was never retrieved");
    ck_assert_ptr_nonnull(report);
    ck_assert_msg(strstr(report, "bad") && strstr(report, "ValueError: lost"), "%s", report);
    ck_assert_ptr_null(strstr(report + 1, "stderr|"));
    said.text[report - said.text] = 0;
    expect("end\n");
}
END_TEST

PROGRAM(ends)
{
    count_turns();
    return async_none;
}

PROGRAM(sleeps_shielded)
{
    return async_catch(async_shield(async_sleep(9)));
}

PROGRAM(hops)
{
    await(async_shield(async_coro(ends)));
    say("shield: after the inner end +%u", turns);
    async_task t = async_create_task(async_coro(sleeps_shielded));
    await(async_sleep(1));
    count_turns();
    async_cancel(t);
    async_catch(t);
    say("cancel a task in shield(sleep): +%u", turns - 1);      /* and one from it to us */
    return async_none;
}

START_TEST(iterations_of_shield)
{
    play(async_coro(hops));
    expect("shield: after the inner end +2\n"
           "cancel a task in shield(sleep): +1\n");
}
END_TEST

PROGRAM(inner_is_read)
{
    async_task t = async_create_task(async_coro(bad, key_error("k"), 1));
    async_future first = async_shield(t), second = async_shield(t), third = async_shield(first);
    async_value v = async_catch(third);
    say("%s %s", repr(v), yes(async_done(first)));
    v = async_catch(second);
    say("%s %s", repr(v), repr(async_exception(t)));
    return async_none;
}

START_TEST(one_task_behind_three_shields)
{
    play(async_coro(inner_is_read));
    expect("KeyError('k') True\n"
           "KeyError('k') KeyError('k')\n");
}
END_TEST

PROGRAM(shields_text)
{
    return async_str(async_strf("%d from afar", 42));
}

PROGRAM(text_comes_through)
{
    async_future shield = async_shield(async_coro(shields_text));
    async_value v = await(shield);
    say("%s", v.str);
    return async_none;
}

START_TEST(text_of_the_inner_task_lives_on)
{
    play(async_coro(text_comes_through));
    expect("42 from afar\n");
}
END_TEST

PROGRAM(cancels_and_forgets)
{
    for (int i = 0; i < 100; i++) {
        async_future shield = async_shield(async_coro(nothing));
        async_cancel(shield);
        say("%s", yes(async_cancelled(shield)));
        said.length = 0;
    }
    async_future shield = async_shield(async_sleep(99));
    say("%s", async_type_name(shield));
    return async_none;
}

START_TEST(shields_left_behind)
{
    play(async_coro(cancels_and_forgets));
    expect("Future\n");
}
END_TEST

PROGRAM(many_shields)
{
    for (long i = 0; again(&i, 1000000);)
        await(async_shield(async_coro(nothing)));
    async_task t = async_create_task(async_sleep(1e9));
    for (long i = 0; again(&i, 500000);) {
        async_value v = async_catch(async_wait_for(async_shield(t), 1));
        if (v.error != ASYNC_TIMEOUT)
            say("%s", repr(v));
    }
    for (long i = 0; again(&i, 1000000);) {
        async_cancel(async_shield(t));
        await(async_sleep(0));
    }
    return async_none;
}

START_TEST(many_shields_take_constant_memory)
{
    play(async_coro(many_shields));
    expect("constant memory\nconstant memory\nconstant memory\n");
}
END_TEST

MAIN("shield",
     TEST(H01_shield_keeps_a_cancel_from_the_inner_task)
     TEST(H02_shield_passes_everything_else)
     TEST(H03_an_abandoned_inner_task_still_reports_its_exception)
     TEST(iterations_of_shield)
     TEST(one_task_behind_three_shields)
     TEST(text_of_the_inner_task_lives_on)
     TEST(shields_left_behind)
     TEST(many_shields_take_constant_memory))
