/* Event: row S04 of the checklist. */
#include "testing.h"

static async_event *e;

struct waiter { const char *tag; };
static async_value waiter(void *p)
{
    await(async_event_wait(e));
    say("%s woke", ((struct waiter *)p)->tag);
    return async_none;
}

PROGRAM(pulses)
{
    e = async_event_new();
    async_task a = async_create_task(async_coro(waiter, "a"));
    async_task b = async_create_task(async_coro(waiter, "b"));
    async_task c = async_create_task(async_coro(waiter, "c"));
    await(async_sleep(1));
    async_cancel(b);
    async_event_set(e);
    async_event_clear(e);
    say("pulsed %s", yes(async_event_is_set(e)));
    async_task z = async_create_task(async_coro(waiter, "late"));
    await(wait_all(a, b, c));
    say("%s", yes(async_done(z)));
    async_event_set(e);
    call_soon(say_text, "loop turn");
    await(async_event_wait(e));
    say("no suspension");
    return await(z);
}

START_TEST(S04_event)
{
    play(async_coro(pulses));
    expect("pulsed False\n"
           "a woke\n"
           "c woke\n"
           "False\n"
           "no suspension\n"
           "late woke\n"
           "loop turn\n");
}
END_TEST

PROGRAM(sets)
{
    count_turns();
    async_event_set(e);
    return async_none;
}

PROGRAM(hops)
{
    e = async_event_new();
    async_task t = async_create_task(async_coro(sets));
    await(async_event_wait(e));
    say("Event.wait: after set +%u", turns);
    return await(t);
}

START_TEST(iterations_of_an_event)
{
    play(async_coro(hops));
    expect("Event.wait: after set +1\n");
}
END_TEST

PROGRAM(sets_twice_clears_twice)
{
    e = async_event_new();
    async_event_clear(e);
    async_event_set(e);
    async_event_set(e);
    await(async_event_wait(e));
    async_event_clear(e);
    async_value v = async_catch(async_wait_for(async_event_wait(e), 1));
    say("%s %g", async_error_name(v.error), now());
    return async_none;
}

START_TEST(set_and_clear_may_be_repeated)
{
    play(async_coro(sets_twice_clears_twice));
    expect("TimeoutError 1\n");
}
END_TEST

PROGRAM(answers)
{
    for (;;) {
        await(async_event_wait(e));
        async_event_clear(e);
    }
}

PROGRAM(many)
{
    e = async_event_new();
    async_detach(async_create_task(async_coro(answers)));
    for (long i = 0; again(&i, 1000000);) {
        async_event_set(e);
        await(async_sleep(0));
    }
    return async_none;
}

START_TEST(many_waits_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\n");
}
END_TEST

MAIN("event",
     TEST(S04_event)
     TEST(iterations_of_an_event)
     TEST(set_and_clear_may_be_repeated)
     TEST(many_waits_take_constant_memory))
