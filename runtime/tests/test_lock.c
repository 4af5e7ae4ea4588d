/* Lock: rows S01 to S03 of the checklist. */
#include "testing.h"

static async_lock *k;

PROGRAM(holds_and_fails)
{
    await(async_lock_acquire(k));
    async_with(async_lock_exit) async_lock *held = k;
    say("held %s", yes(async_lock_locked(k)));
    async_raise(ZERO_DIVISION_ERROR, "division by zero");
}

PROGRAM(basics)
{
    k = async_lock_new();
    call_soon(say_text, "loop turn");
    await(async_lock_acquire(k));
    async_lock_release(k);
    say("%s", async_lock_release(k).message);
    if (async_catch(async_coro(holds_and_fails)).error == ZERO_DIVISION_ERROR)
        say("free again %s", yes(!async_lock_locked(k)));
    return async_none;
}

START_TEST(S01_lock)
{
    play(async_coro(basics));
    expect("Lock is not acquired.\n"
           "held True\n"
           "free again True\n"
           "loop turn\n");
}
END_TEST

struct user { const char *tag; double seconds; };
static async_value user(void *p)
{
    struct user *args = p;
    await(async_lock_acquire(k));
    async_with(async_lock_exit) async_lock *held = k;
    say("%s has it %g", args->tag, now());
    if (args->seconds)
        await(async_sleep(args->seconds));
    return async_none;
}

PROGRAM(no_overtaking)
{
    k = async_lock_new();
    await(async_lock_acquire(k));
    async_task a = async_create_task(async_coro(user, "a", 1));
    async_task b = async_create_task(async_coro(user, "b", 1));
    await(async_sleep(1));
    async_lock_release(k);
    say("released %s", yes(async_lock_locked(k)));
    await(async_lock_acquire(k));
    say("main has it %g", now());
    async_lock_release(k);
    return await(wait_all(a, b));
}

START_TEST(S02_lock_first_come_first_served_no_overtaking)
{
    play(async_coro(no_overtaking));
    expect("released False\n"
           "a has it 1\n"
           "b has it 2\n"
           "main has it 3\n");
}
END_TEST

PROGRAM(cancelled_waiters)
{
    k = async_lock_new();
    await(async_lock_acquire(k));
    async_task a = async_create_task(async_coro(user, "a", 0));
    async_task b = async_create_task(async_coro(user, "b", 0));
    async_task c = async_create_task(async_coro(user, "c", 0));
    await(async_sleep(1));
    async_cancel(a);
    await(async_sleep(1));
    async_lock_release(k);
    async_cancel(b);                        /* b was woken but has not resumed */
    await(wait_all(a, b, c));
    say("%s %s %s", yes(async_cancelled(a)), yes(async_cancelled(b)), yes(async_lock_locked(k)));
    return async_none;
}

START_TEST(S03_lock_cancelled_waiters)
{
    play(async_coro(cancelled_waiters));
    expect("c has it 2\n"
           "True True False\n");
}
END_TEST

PROGRAM(releases)
{
    count_turns();
    return async_lock_release(k);
}

PROGRAM(hops)
{
    k = async_lock_new();
    await(async_lock_acquire(k));
    async_task t = async_create_task(async_coro(releases));
    await(async_lock_acquire(k));
    say("Lock.acquire: after release +%u", turns);
    return await(t);
}

START_TEST(iterations_of_a_lock)
{
    play(async_coro(hops));
    expect("Lock.acquire: after release +1\n");
}
END_TEST

PROGRAM(cancelled_in_the_block)
{
    k = async_lock_new();
    async_task t = async_create_task(async_coro(user, "t", 9));
    async_task u = async_create_task(async_coro(user, "u", 0));
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t, u));
    say("%s %s", yes(async_cancelled(t)), yes(async_lock_locked(k)));
    return async_none;
}

START_TEST(a_cancelled_holder_releases)
{
    play(async_coro(cancelled_in_the_block));
    expect("t has it 0\n"
           "u has it 1\n"
           "True False\n");
}
END_TEST

PROGRAM(twice)
{
    k = async_lock_new();
    await(async_lock_acquire(k));
    async_value v = async_catch(async_wait_for(async_lock_acquire(k), 1));
    say("%s %g", async_error_name(v.error), now());
    await(async_lock_acquire(k));
    return async_none;
}

START_TEST(acquired_twice_waits_for_itself)
{
    listen_to_stderr();
    play(async_coro(twice));
    size_t length = said.length;
    heard();
    ck_assert_ptr_nonnull(strstr(said.text + length, "stderr| Deadlock: "));
    said.text[length] = 0;
    expect("TimeoutError 1\n"
           "raised Deadlock('nothing is ready and nothing can become ready')\n");
}
END_TEST

PROGRAM(maker)
{
    k = async_lock_new();
    await(async_lock_acquire(k));
    return async_none;
}

PROGRAM(after_its_owner)
{
    async_detach(async_create_task(async_coro(maker)));
    await(async_sleep(0));
    async_task t = async_create_task(async_coro(user, "t", 0));
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_coro(nothing)));
    async_value v = async_lock_release(k);
    say("release: %s", async_error_name(v.error));
    async_cancel(t);
    await(wait_all(t));
    return async_none;
}

/* Whoever waits keeps it alive, and nobody else can tell how long: what counts is that nothing
 * crashes and no task is lost. */
START_TEST(waited_for_while_its_owner_ends)
{
    play(async_coro(after_its_owner));
    ck_assert_int_eq(strncmp(said.text, "release: ", 9), 0);
}
END_TEST

PROGRAM(competes)
{
    for (;;) {
        await(async_lock_acquire(k));
        async_lock_release(k);
        await(async_sleep(0));
    }
}

PROGRAM(many)
{
    k = async_lock_new();
    for (long i = 0; again(&i, 1000000);) {
        await(async_lock_acquire(k));
        async_lock_release(k);
    }
    async_task t = async_create_task(async_coro(competes));
    for (long i = 0; again(&i, 1000000);) {
        await(async_lock_acquire(k));
        await(async_sleep(0));
        async_lock_release(k);
    }
    async_cancel(t);
    await(wait_all(t));
    await(async_lock_acquire(k));
    for (long i = 0; again(&i, 300000);)
        async_catch(async_wait_for(async_lock_acquire(k), 1));
    return async_none;
}

START_TEST(many_acquires_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\nconstant memory\nconstant memory\n");
}
END_TEST

static async_lock *others_lock;
static async_value takes_and_goes(void *p)
{
    others_lock = async_lock_new();
    await(async_lock_acquire(others_lock));
    async_keep(async_current_task());
    return async_ptr(p);
}

static async_value wants_others_lock(void *p)
{
    async_value v = async_catch(async_lock_acquire(others_lock));
    say("%s: %s", async_error_name(v.error), v.message);
    return async_ptr(p);
}

/* As in Python only who has to wait is told. */
START_TEST(a_lock_of_another_loop_cannot_be_waited_for)
{
    async_loop *first = async_new_event_loop(), *second = async_new_event_loop();
    async_loop_run_until_complete(first, async_coro(takes_and_goes));
    async_loop_run_until_complete(second, async_coro(wants_others_lock));
    async_loop_close(first);
    async_loop_close(second);
    ck_assert_ptr_nonnull(strstr(said.text, "is bound to a different event loop"));
    ck_assert_ptr_eq(strstr(said.text, "RuntimeError: await at"), said.text);
}
END_TEST

MAIN("lock",
     TEST(S01_lock)
     TEST(S02_lock_first_come_first_served_no_overtaking)
     TEST(S03_lock_cancelled_waiters)
     TEST(iterations_of_a_lock)
     TEST(a_cancelled_holder_releases)
     TEST(acquired_twice_waits_for_itself)
     TEST(waited_for_while_its_owner_ends)
     TEST(many_acquires_take_constant_memory)
     TEST(a_lock_of_another_loop_cannot_be_waited_for))
