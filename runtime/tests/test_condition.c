/* Condition: rows S05 to S09 of the checklist. */
#include "testing.h"

static async_condition *c;

struct waiter { const char *tag; };
static async_value waiter(void *p)
{
    await(async_condition_acquire(c));
    async_with(async_condition_exit) async_condition *held = c;
    await(async_condition_wait(c));
    say("%s woke %s", ((struct waiter *)p)->tag, yes(async_condition_locked(c)));
    return async_none;
}

PROGRAM(notifies)
{
    c = async_condition_new(NULL);
    async_task ws[3];
    for (int i = 0; i < 3; i++)
        ws[i] = async_create_task(async_coro(waiter, (const char *[]){ "a", "b", "c" }[i]));
    await(async_sleep(1));
    {
        await(async_condition_acquire(c));
        async_with(async_condition_exit) async_condition *held = c;
        async_condition_notify(c, 2);
        say("notified");
        await(async_sleep(1));
        say("releasing");
    }
    await(async_sleep(1));
    say("[%s, %s, %s]", yes(async_done(ws[0])), yes(async_done(ws[1])), yes(async_done(ws[2])));
    await(async_condition_acquire(c));
    async_condition_notify_all(c);
    async_condition_release(c);
    return await(async_wait(ws, 3, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
}

START_TEST(S05_condition_wait_and_notify)
{
    play(async_coro(notifies));
    expect("notified\n"
           "releasing\n"
           "a woke True\n"
           "b woke True\n"
           "[True, True, False]\n"
           "c woke True\n");
}
END_TEST

PROGRAM(without_the_lock)
{
    async_lock *k = async_lock_new();
    c = async_condition_new(k);
    say("%s", async_catch(async_condition_wait(c)).message);
    say("%s", async_condition_notify(c, 1).message);
    say("%s", async_condition_notify_all(c).message);
    await(async_lock_acquire(k));
    async_condition_notify(c, 1);
    say("shared lock %s", yes(async_condition_locked(c)));
    return async_none;
}

START_TEST(S06_condition_without_the_lock)
{
    play(async_coro(without_the_lock));
    expect("cannot wait on un-acquired lock\n"
           "cannot notify on un-acquired lock\n"
           "cannot notify on un-acquired lock\n"
           "shared lock True\n");
}
END_TEST

static const char *box;

static bool has_something(void *arg) { return *(const char **)arg != NULL; }

PROGRAM(consumer)
{
    await(async_condition_acquire(c));
    async_with(async_condition_exit) async_condition *held = c;
    await(async_condition_wait_for(c, has_something, &box));
    say("got %s %g", box, now());
    return async_none;
}

PROGRAM(waits_for)
{
    c = async_condition_new(NULL);
    box = NULL;
    async_task t = async_create_task(async_coro(consumer));
    await(async_sleep(1));
    {
        await(async_condition_acquire(c));
        async_with(async_condition_exit) async_condition *held = c;
        async_condition_notify(c, 1);
        say("nothing there yet");
    }
    await(async_sleep(1));
    await(async_condition_acquire(c));
    box = "item";
    async_condition_notify(c, 1);
    async_condition_release(c);
    await(t);
    await(async_condition_acquire(c));
    await(async_condition_wait_for(c, has_something, &box));
    say("at once %g", now());
    return async_none;
}

START_TEST(S07_condition_wait_for)
{
    play(async_coro(waits_for));
    expect("nothing there yet\n"
           "got item 2\n"
           "at once 2\n");
}
END_TEST

PROGRAM(tells_when_out)
{
    await(async_condition_acquire(c));
    async_with(async_condition_exit) async_condition *held = c;
    async_value v = async_catch(async_condition_wait(c));
    say("out at %g locked %s", now(), yes(async_condition_locked(c)));
    return v;
}

PROGRAM(cancelled_wait)
{
    c = async_condition_new(NULL);
    async_task w = async_create_task(async_coro(tells_when_out));
    await(async_sleep(1));
    await(async_condition_acquire(c));
    async_cancel(w);
    await(async_sleep(2));
    say("release %g", now());
    async_condition_release(c);
    await(wait_all(w));
    say("%s %s", yes(async_cancelled(w)), yes(async_condition_locked(c)));
    return async_none;
}

START_TEST(S08_a_cancelled_wait_holds_the_lock_when_CancelledError_arrives)
{
    play(async_coro(cancelled_wait));
    expect("release 3\n"
           "out at 3 locked True\n"
           "True False\n");
}
END_TEST

PROGRAM(cancelled_twice)
{
    c = async_condition_new(NULL);
    async_task w = async_create_task(async_coro(tells_when_out));
    await(async_sleep(1));
    await(async_condition_acquire(c));
    for (int i = 0; i < 3; i++) {
        async_cancel(w);                    /* the later ones while it waits for the lock */
        await(async_sleep(1));
    }
    async_condition_release(c);
    await(wait_all(w));
    say("%s %s", yes(async_cancelled(w)), yes(async_condition_locked(c)));
    return async_none;
}

START_TEST(S08_cancelled_again_while_it_waits_for_the_lock)
{
    play(async_coro(cancelled_twice));
    expect("out at 4 locked True\n"
           "True False\n");
}
END_TEST

PROGRAM(notified_then_cancelled)
{
    c = async_condition_new(NULL);
    async_task a = async_create_task(async_coro(waiter, "a"));
    async_task b = async_create_task(async_coro(waiter, "b"));
    await(async_sleep(1));
    {
        await(async_condition_acquire(c));
        async_with(async_condition_exit) async_condition *held = c;
        async_condition_notify(c, 1);
        async_cancel(a);
    }
    await(async_sleep(1));
    say("%s %s", yes(async_cancelled(a)), yes(async_done(b)));
    return async_none;
}

START_TEST(S09_condition_notified_then_cancelled)
{
    play(async_coro(notified_then_cancelled));
    expect("b woke True\n"
           "True True\n");
}
END_TEST

PROGRAM(notifies_once)
{
    await(async_condition_acquire(c));
    count_turns();
    async_condition_notify(c, 1);
    async_condition_release(c);
    return async_none;
}

PROGRAM(notifies_and_holds)
{
    await(async_condition_acquire(c));
    async_condition_notify(c, 1);
    await(async_sleep(1));
    count_turns();
    async_condition_release(c);
    return async_none;
}

PROGRAM(hops)
{
    c = async_condition_new(NULL);
    await(async_condition_acquire(c));
    async_task t = async_create_task(async_coro(notifies_once));
    await(async_condition_wait(c));
    say("Condition.wait: after notify, lock released in that step +%u", turns);
    await(t);
    await(async_sleep(1));
    t = async_create_task(async_coro(notifies_and_holds));
    await(async_condition_wait(c));
    say("Condition.wait: after the release, lock held longer +%u", turns);
    return await(t);
}

START_TEST(iterations_of_a_condition)
{
    play(async_coro(hops));
    expect("Condition.wait: after notify, lock released in that step +1\n"
           "Condition.wait: after the release, lock held longer +1\n");
}
END_TEST

PROGRAM(answers)
{
    await(async_condition_acquire(c));
    async_with(async_condition_exit) async_condition *held = c;
    for (;;) {
        await(async_condition_wait(c));
        async_condition_notify(c, 1);
    }
}

PROGRAM(many)
{
    c = async_condition_new(NULL);
    async_task t = async_create_task(async_coro(answers));
    await(async_sleep(0));
    await(async_condition_acquire(c));
    for (long i = 0; again(&i, 500000);) {
        async_condition_notify(c, 1);
        await(async_condition_wait(c));
    }
    async_condition_release(c);
    async_cancel(t);
    await(wait_all(t));
    await(async_condition_acquire(c));
    for (long i = 0; again(&i, 300000);)
        async_catch(async_wait_for(async_condition_wait(c), 1));
    return async_none;
}

START_TEST(many_waits_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\nconstant memory\n");
}
END_TEST

MAIN("condition",
     TEST(S05_condition_wait_and_notify)
     TEST(S06_condition_without_the_lock)
     TEST(S07_condition_wait_for)
     TEST(S08_a_cancelled_wait_holds_the_lock_when_CancelledError_arrives)
     TEST(S08_cancelled_again_while_it_waits_for_the_lock)
     TEST(S09_condition_notified_then_cancelled)
     TEST(iterations_of_a_condition)
     TEST(many_waits_take_constant_memory))
