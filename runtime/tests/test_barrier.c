/* Barrier: rows S12 and S13 of the checklist. */
#include "testing.h"

static async_barrier *b;

struct party { const char *tag; double seconds; };
static async_value party(void *p)
{
    struct party *args = p;
    for (int i = 0; i < 2; i++) {
        await(async_sleep(args->seconds));
        say("%s arrives %g", args->tag, now());
        long index = await(async_barrier_wait(b)).num;
        say("%s passes %ld %g", args->tag, index, now());
    }
    return async_none;
}

PROGRAM(two_parties)
{
    b = async_barrier_new(2);
    await(async_gather(NULL, async_coro(party, "x", 1), async_coro(party, "y", 2)));
    say("%ld %s", async_barrier_n_waiting(b), yes(async_barrier_broken(b)));
    return async_none;
}

START_TEST(S12_barrier)
{
    play(async_coro(two_parties));
    expect("x arrives 1\n"
           "y arrives 2\n"
           "y passes 1 2\n"
           "x passes 0 2\n"
           "x arrives 3\n"
           "y arrives 4\n"
           "y passes 1 4\n"
           "x passes 0 4\n"
           "0 False\n");
}
END_TEST

PROGRAM(broken)
{
    b = async_barrier_new(3);
    async_task x = async_create_task(async_barrier_wait(b));
    async_task y = async_create_task(async_barrier_wait(b));
    await(async_sleep(1));
    async_cancel(x);
    await(async_sleep(1));
    async_value v[3];
    await(async_gather(v, y, async_barrier_wait(b), async_barrier_wait(b)));
    say("[%ld, %ld, %ld]", v[0].num, v[1].num, v[2].num);
    for (int i = 0; i < 2; i++) {
        async_task t = async_create_task(async_barrier_wait(b));
        await(async_sleep(1));
        await(i == 0 ? async_barrier_reset(b) : async_barrier_abort(b));
        await(wait_all(t));
        say("%s", async_exception(t).message);
    }
    v[0] = async_catch(async_barrier_wait(b));
    if (v[0].error == ASYNC_BROKEN_BARRIER) {
        say("%s %s", v[0].message, yes(async_barrier_broken(b)));
        await(async_barrier_reset(b));
        say("%s", yes(async_barrier_broken(b)));
    }
    return async_none;
}

START_TEST(S13_barrier_reset_abort_cancel)
{
    play(async_coro(broken));
    expect("[1, 1, 2]\n"
           "Abort or reset of barrier\n"
           "Abort or reset of barrier\n"
           "Barrier aborted True\n"
           "False\n");
}
END_TEST

PROGRAM(arrives_last)
{
    count_turns();
    return await(async_barrier_wait(b));
}

PROGRAM(hops)
{
    b = async_barrier_new(2);
    async_task t = async_create_task(async_coro(arrives_last));
    await(async_barrier_wait(b));
    say("Barrier.wait: after the last arrival +%u", turns);
    return await(t);
}

START_TEST(iterations_of_a_barrier)
{
    play(async_coro(hops));
    expect("Barrier.wait: after the last arrival +1\n");
}
END_TEST

PROGRAM(alone)
{
    b = async_barrier_new(1);
    for (int i = 0; i < 2; i++) {
        long index = await(async_barrier_wait(b)).num;
        say("%ld", index);
    }
    say("%s", async_barrier_new(0) ? "made" : "NULL");
    return async_none;
}

START_TEST(a_barrier_for_one_never_waits)
{
    play(async_coro(alone));
    expect("0\n0\nNULL\n");
}
END_TEST

PROGRAM(maker)
{
    b = async_barrier_new(2);
    return async_none;
}

PROGRAM(owner_ends)
{
    async_detach(async_create_task(async_coro(maker)));
    await(async_sleep(0));
    async_task x = async_create_task(async_barrier_wait(b));
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_coro(nothing)));
    async_cancel(x);
    await(wait_all(x));
    say("%s", yes(async_cancelled(x)));
    return async_none;
}

START_TEST(waited_for_while_its_owner_ends)
{
    play(async_coro(owner_ends));
    expect("True\n");
}
END_TEST

PROGRAM(meets_for_ever)
{
    for (;;)
        await(async_barrier_wait(b));
}

PROGRAM(many)
{
    b = async_barrier_new(2);
    async_detach(async_create_task(async_coro(meets_for_ever)));
    for (long i = 0; again(&i, 300000);)
        await(async_barrier_wait(b));
    return async_none;
}

START_TEST(many_meetings_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\n");
}
END_TEST

MAIN("barrier",
     TEST(S12_barrier)
     TEST(S13_barrier_reset_abort_cancel)
     TEST(iterations_of_a_barrier)
     TEST(a_barrier_for_one_never_waits)
     TEST(waited_for_while_its_owner_ends)
     TEST(many_meetings_take_constant_memory))
