/* Times: whole nanoseconds, virtual jumps, and numbers that make no sense. */
#include "testing.h"
#include "core/clock.h"
#include <math.h>

START_TEST(tenths_add_up)
{
    ck_assert_int_eq(clock_from_seconds(0.1) + clock_from_seconds(0.2), clock_from_seconds(0.3));
    ck_assert_int_eq(clock_from_seconds(-1.5), -1500000000);
    ck_assert(clock_to_seconds(2500000000) == 2.5);
}
END_TEST

START_TEST(what_is_too_far_is_clamped)
{
    struct clock clock = { .is_virtual = true };
    ck_assert_int_gt(clock_from_seconds(INFINITY), 9000000000000000000);
    ck_assert_int_lt(clock_from_seconds(-INFINITY), -9000000000000000000);
    ck_assert_int_gt(clock_from_seconds(NAN), 9000000000000000000);
    clock_jump(&clock, clock_from_seconds(1e300));
    ck_assert_int_eq(clock_after(&clock, 1e300), INT64_MAX - 1);
    clock_jump(&clock, 5);
    ck_assert_int_gt(clock.now, 5);                         /* never backwards */
}
END_TEST

START_TEST(the_environment_chooses)
{
    struct clock clock;
    setenv("ASYNC_CLOCK", "virtual", 1);
    clock_init(&clock);
    ck_assert(clock.is_virtual && clock_read(&clock) == 0);
    setenv("ASYNC_CLOCK", "virtual:1000.5", 1);
    clock_init(&clock);
    ck_assert(clock.is_virtual && clock_read(&clock) == 1000500000000);
    setenv("ASYNC_CLOCK", "virtually", 1);
    clock_init(&clock);
    ck_assert(!clock.is_virtual);
    setenv("ASYNC_CLOCK", "real", 1);
    clock_init(&clock);
    ck_assert(!clock.is_virtual && clock_read(&clock) > 0);
    unsetenv("ASYNC_CLOCK");
    clock_init(&clock);
    ck_assert(!clock.is_virtual);
}
END_TEST

static async_value sleeps_long(void *p)
{
    await(async_sleep(1e300));
    await(async_sleep(1e300));
    call_later(-1e300, say_text, "long ago");
    await(async_sleep(-1e300));
    await(async_sleep(0));
    say("%s", repr(async_catch(async_sleep(NAN))));
    return async_ptr(p);
}

START_TEST(a_program_may_ask_for_any_time)
{
    play(async_coro(sleeps_long));
    expect("long ago\n"
           "ValueError('Invalid delay: NaN (not a number)')\n");
}
END_TEST

static async_value adds_up(void *p)
{
    for (int i = 0; i < 10; i++)
        await(async_sleep(0.1));
    say("%s", yes(now() == 1));
    return async_ptr(p);
}

START_TEST(ten_tenths_are_one_second)
{
    play(async_coro(adds_up));
    expect("True\n");
}
END_TEST

MAIN("clock",
     TEST(tenths_add_up)
     TEST(what_is_too_far_is_clamped)
     TEST(the_environment_chooses)
     TEST(a_program_may_ask_for_any_time)
     TEST(ten_tenths_are_one_second))
