/* Semaphore and BoundedSemaphore: rows S10 and S11 of the checklist. */
#include "testing.h"

static async_semaphore *m;

struct user { const char *tag; };
static async_value user(void *p)
{
    await(async_semaphore_acquire(m));
    async_with(async_semaphore_exit) async_semaphore *held = m;
    say("%s %g %s", ((struct user *)p)->tag, now(), yes(async_semaphore_locked(m)));
    await(async_sleep(1));
    return async_none;
}

PROGRAM(count_and_order)
{
    async_task us[4];
    m = async_semaphore_new(2);
    for (int i = 0; i < 4; i++)
        us[i] = async_create_task(async_coro(user, (const char *[]){ "a", "b", "c", "d" }[i]));
    await(async_wait(us, 4, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    say("%s", yes(async_semaphore_locked(m)));
    m = async_semaphore_new(0);
    async_detach(async_create_task(async_coro(user, "waiter")));
    await(async_sleep(0));
    async_semaphore_release(m);
    say("%s", yes(async_semaphore_locked(m)));
    await(async_semaphore_acquire(m));
    say("main %g", now());
    return async_none;
}

START_TEST(S10_semaphore_count_and_order)
{
    play(async_coro(count_and_order));
    expect("a 0 False\n"
           "b 0 True\n"
           "c 1 True\n"
           "d 1 True\n"
           "False\n"
           "True\n"
           "waiter 2 True\n"
           "main 3\n");
}
END_TEST

PROGRAM(wrong_counts)
{
    m = async_semaphore_new(0);
    async_task a = async_create_task(async_semaphore_acquire(m));
    async_task b = async_create_task(async_semaphore_acquire(m));
    await(async_sleep(1));
    async_semaphore_release(m);
    async_cancel(a);
    await(b);
    say("%s %s", yes(async_cancelled(a)), yes(async_semaphore_locked(m)));
    say("%s", async_semaphore_new(-1) ? "made" : "Semaphore initial value must be >= 0");
    say("%s", async_semaphore_release(async_bounded_semaphore_new(1)).message);
    return async_none;
}

START_TEST(S11_semaphore_cancelled_waiters_wrong_counts)
{
    play(async_coro(wrong_counts));
    expect("True True\n"
           "Semaphore initial value must be >= 0\n"
           "BoundedSemaphore released too many times\n");
}
END_TEST

PROGRAM(releases)
{
    count_turns();
    return async_semaphore_release(m);
}

PROGRAM(hops)
{
    m = async_semaphore_new(0);
    async_task t = async_create_task(async_coro(releases));
    await(async_semaphore_acquire(m));
    say("Semaphore.acquire: after release +%u", turns);
    return await(t);
}

START_TEST(iterations_of_a_semaphore)
{
    play(async_coro(hops));
    expect("Semaphore.acquire: after release +1\n");
}
END_TEST

PROGRAM(cancelled_in_the_block)
{
    m = async_semaphore_new(1);
    async_task t = async_create_task(async_coro(user, "t"));
    async_task u = async_create_task(async_coro(user, "u"));
    await(async_sleep(0.5));
    async_cancel(t);
    await(wait_all(t, u));
    say("%s %s", yes(async_cancelled(t)), yes(async_semaphore_locked(m)));
    return async_none;
}

START_TEST(a_cancelled_holder_gives_its_permit_back)
{
    play(async_coro(cancelled_in_the_block));
    expect("t 0 True\n"
           "u 0.5 True\n"
           "True False\n");
}
END_TEST

PROGRAM(all_woken_all_cancelled)
{
    async_task waiters[3];
    m = async_semaphore_new(0);
    for (int i = 0; i < 3; i++)
        waiters[i] = async_create_task(async_semaphore_acquire(m));
    await(async_sleep(1));
    for (int i = 0; i < 3; i++) {
        async_semaphore_release(m);
        async_cancel(waiters[i]);
    }
    await(async_wait(waiters, 3, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    int permits = 0;
    for (; !async_semaphore_locked(m); permits++)
        await(async_semaphore_acquire(m));
    say("%d permits", permits);
    return async_none;
}

START_TEST(no_permit_is_lost_with_cancelled_waiters)
{
    play(async_coro(all_woken_all_cancelled));
    expect("3 permits\n");
}
END_TEST

PROGRAM(many)
{
    m = async_bounded_semaphore_new(2);
    for (long i = 0; again(&i, 1000000);) {
        await(async_semaphore_acquire(m));
        async_semaphore_release(m);
    }
    m = async_semaphore_new(0);
    for (long i = 0; again(&i, 300000);)
        async_catch(async_wait_for(async_semaphore_acquire(m), 1));
    return async_none;
}

START_TEST(many_acquires_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\nconstant memory\n");
}
END_TEST

MAIN("semaphore",
     TEST(S10_semaphore_count_and_order)
     TEST(S11_semaphore_cancelled_waiters_wrong_counts)
     TEST(iterations_of_a_semaphore)
     TEST(a_cancelled_holder_gives_its_permit_back)
     TEST(no_permit_is_lost_with_cancelled_waiters)
     TEST(many_acquires_take_constant_memory))
