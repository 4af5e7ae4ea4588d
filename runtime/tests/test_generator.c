/* async for and asynchronous generators: rows M04 to M06 of the checklist. */
#include "testing.h"

struct range { long i, n; };

static async_value range_next(void *state)
{
    struct range *range = state;
    if (range->i == range->n)
        async_raise(ASYNC_STOP_ITERATION, "");
    await(async_sleep(1));
    return async_num(++range->i);
}

PROGRAM(over_a_class)
{
    struct range range = { 0, 3 };
    async_for (x, (async_iterator){ range_next, &range })
        say("%ld", x.num);
    say("%g", now());
    return async_none;
}

START_TEST(M04_async_for)
{
    play(async_coro(over_a_class));
    expect("1\n2\n3\n"
           "3\n");
}
END_TEST

static async_value fails_at_two(void *state)
{
    long *i = state;
    if (++*i == 2)
        async_raise(KEY_ERROR, "two");
    return async_num(*i);
}

PROGRAM(passes_errors)
{
    long i = 0;
    async_for (x, (async_iterator){ fails_at_two, &i })
        say("%ld", x.num);
    say("not reached");
    return async_none;
}

START_TEST(M04_other_errors_pass)
{
    play(async_coro(passes_errors));
    expect("1\n"
           "raised KeyError('two')\n");
}
END_TEST

static int calls;

static async_iterator range_of(struct range *range)
{
    calls++;
    return (async_iterator){ range_next, range };
}

PROGRAM(breaks_and_nests)
{
    struct range outer = { 0, 9 };
    calls = 0;
    async_for (x, range_of(&outer)) {
        struct range inner = { 0, 9 };
        async_for (y, range_of(&inner)) {
            if (y.num == 2)
                continue;
            if (y.num == 4)
                break;
            say("%ld %ld", x.num, y.num);
        }
        if (x.num == 2)
            break;
    }
    say("%d iterators, %g", calls, now());
    return async_none;
}

START_TEST(M04_break_just_leaves)
{
    play(async_coro(breaks_and_nests));
    expect("1 1\n1 3\n"
           "2 1\n2 3\n"
           "3 iterators, 10\n");
}
END_TEST

PROGRAM(gen)
{
    async_value v = async_none;
    for (int i = 0; i < 9 && !v.error; i++) {
        v = async_catch(async_sleep(1));
        if (!v.error)
            v = async_yield_value(async_num(i));
    }
    async_value interrupted = async_catch(async_sleep(1));
    say("finally %g", now());
    return interrupted.error ? interrupted : v;
}

PROGRAM(closes)
{
    async_iterator g = async_generator(gen);
    long one = await(async_anext(g)).num, two = await(async_anext(g)).num;
    say("%ld %ld %g", one, two, now());
    await(async_aclose(g));
    async_for (x, g)
        say("%ld", x.num);
    say("[]");
    return async_none;
}

START_TEST(M05_asynchronous_generators)
{
    play(async_coro(closes));
    expect("0 1 2\n"
           "finally 3\n"
           "[]\n");
}
END_TEST

static void say_closed(const char **what) { say("%s at %g", *what, now()); }

PROGRAM(one_two)
{
    async_with(say_closed) const char *what = "closed at last";
    async_yield(async_num(1));
    async_yield(async_num(2));
    return async_none;
}

PROGRAM(leaves_it_behind)
{
    async_iterator g = async_generator(one_two);
    async_detach(async_create_task(async_coro(tell, "task", 9)));
    async_for (x, g) {
        say("item %ld", x.num);
        break;
    }
    await(async_sleep(1));
    say("main ends");
    return async_none;
}

START_TEST(M06_leaving_a_generator_behind)
{
    play(async_coro(leaves_it_behind));
    expect("item 1\n"
           "task begins\n"
           "main ends\n"
           "task cancelled\n"
           "closed at last at 1\n");
}
END_TEST

/* -------------------------------------------------------------------------------- corners */

struct count { long from, to; };
static async_value count(void *p)
{
    struct count *args = p;
    for (long i = args->from; i < args->to; i++)
        async_yield(async_num(i));
    return async_none;
}

PROGRAM(counts)
{
    long sum = 0;
    async_for (x, async_generator(count, .from = 1, .to = 101))
        sum += x.num;
    say("%ld", sum);
    return async_none;
}

START_TEST(a_generator_made_in_the_loop_itself)
{
    play(async_coro(counts));
    expect("5050\n");
}
END_TEST

PROGRAM(closed_every_way)
{
    async_iterator never_begun = async_generator(one_two), over = async_generator(count, 0, 1);
    async_iterator begun = async_generator(one_two);
    for (int i = 0; i < 2; i++) {
        await(async_aclose(never_begun));
        async_value v = async_catch(async_anext(never_begun));
        say("%s", async_error_name(v.error));
    }
    async_for (x, over)
        say("%ld", x.num);
    for (int i = 0; i < 2; i++)
        await(async_aclose(over));
    await(async_anext(begun));
    for (int i = 0; i < 2; i++)
        await(async_aclose(begun));
    return async_none;
}

START_TEST(closed_twice_before_it_began_and_after_its_end)
{
    play(async_coro(closed_every_way));
    expect("StopAsyncIteration\n"
           "StopAsyncIteration\n"
           "0\n"
           "closed at last at 0\n");
}
END_TEST

PROGRAM(fails)
{
    async_yield(async_num(1));
    async_raise(KEY_ERROR, "k");
}

PROGRAM(reads_a_failing_one)
{
    async_iterator g = async_generator(fails);
    for (int i = 0; i < 3; i++) {
        async_value v = async_catch(async_anext(g));
        say("%s", v.error ? repr(v) : "1");
    }
    return async_none;
}

START_TEST(an_error_ends_a_generator)
{
    play(async_coro(reads_a_failing_one));
    expect("1\n"
           "KeyError('k')\n"
           "StopAsyncIteration('')\n");
}
END_TEST

PROGRAM(stubborn)
{
    async_yield(async_num(1));
    return async_none;
}

PROGRAM(ignores_its_end)
{
    for (long i = 0; i < 2; i++) {
        async_value v = async_yield_value(async_num(i));
        (void)v;
    }
    return async_none;
}

PROGRAM(closes_a_stubborn_one)
{
    async_iterator g = async_generator(ignores_its_end), h = async_generator(stubborn);
    await(async_anext(g));
    async_value v = async_catch(async_aclose(g));
    say("%s", repr(v));
    await(async_anext(h));
    v = async_catch(async_anext(h));
    say("%s", repr(v));
    return async_none;
}

START_TEST(a_generator_that_ignores_its_end)
{
    play(async_coro(closes_a_stubborn_one));
    expect("RuntimeError('async generator ignored GeneratorExit')\n"
           "StopAsyncIteration('')\n");
}
END_TEST

struct reads { const char *tag; async_iterator g; };
static async_value reads(void *p)
{
    struct reads *args = p;
    async_value v = async_catch(async_anext(args->g));
    if (v.error)
        say("%s: %s", args->tag, repr(v));
    else
        say("%s: %ld", args->tag, v.num);
    return async_none;
}

PROGRAM(two_at_once)
{
    async_iterator g = async_generator(gen);
    await(async_gather(NULL, async_coro(reads, "a", g), async_coro(reads, "b", g)));
    async_task c = async_create_task(async_coro(reads, "c", g));
    await(async_sleep(0));
    async_value v = async_catch(async_aclose(g));
    say("%s", repr(v));
    await(c);
    await(async_aclose(g));
    return async_none;
}

START_TEST(asked_by_two_tasks_at_once)
{
    play(async_coro(two_at_once));
    expect("b: RuntimeError('anext(): asynchronous generator is already running')\n"
           "a: 0\n"
           "RuntimeError('aclose(): asynchronous generator is already running')\n"
           "c: 1\n"
           "finally 3\n");
}
END_TEST

PROGRAM(passed_around)
{
    async_iterator g = async_generator(count, 0, 4);
    for (int i = 0; i < 5; i++)
        await(async_create_task(async_coro(reads, i % 2 ? "odd" : "even", g)));
    return async_none;
}

START_TEST(each_value_asked_for_by_another_task)
{
    play(async_coro(passed_around));
    expect("even: 0\n"
           "odd: 1\n"
           "even: 2\n"
           "odd: 3\n"
           "even: StopAsyncIteration('')\n");
}
END_TEST

PROGRAM(cancels_the_consumer)
{
    async_iterator g = async_generator(gen);
    async_task t = async_create_task(async_coro(reads, "t", g));
    await(async_sleep(0.5));
    async_cancel(t);                        /* the generator's await gets it */
    await(t);
    async_value v = async_catch(async_anext(g));
    say("%s", repr(v));
    return async_none;
}

START_TEST(a_consumer_that_is_cancelled)
{
    play(async_coro(cancels_the_consumer));
    expect("finally 1.5\n"
           "t: CancelledError()\n"
           "StopAsyncIteration('')\n");
}
END_TEST

PROGRAM(numbers_of_numbers)
{
    async_for (x, async_generator(count, 1, 4))
        async_for (y, async_generator(count, 0, x.num))
            async_yield(async_num(10 * x.num + y.num));
    return async_none;
}

PROGRAM(nested)
{
    async_for (x, async_generator(numbers_of_numbers))
        say("%ld", x.num);
    return async_none;
}

START_TEST(generators_in_generators)
{
    play(async_coro(nested));
    expect("10\n20\n21\n30\n31\n32\n");
}
END_TEST

PROGRAM(closed_by_with)
{
    async_with(async_aclose_exit) async_iterator g = async_generator(one_two);
    async_for (x, g)
        return x;
    return async_none;
}

PROGRAM(leaves_with)
{
    async_value v = await(async_coro(closed_by_with));
    say("%ld", v.num);
    return async_none;
}

START_TEST(closed_by_async_with)
{
    play(async_coro(leaves_with));
    expect("closed at last at 0\n"
           "1\n");
}
END_TEST

PROGRAM(reads_in_a_timeout)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(2.5);
    async_for (x, async_generator(gen))
        say("%ld", x.num);
    return async_none;
}

START_TEST(async_for_in_a_timeout)
{
    play(async_coro(reads_in_a_timeout));
    expect("0\n1\n"
           "finally 3.5\n"
           "raised TimeoutError('')\n");
}
END_TEST

PROGRAM(yields_in_a_timeout)
{
    async_with(async_timeout_exit) async_timeout_scope *cm = async_timeout(1);
    async_yield(async_num(1));
    await(async_sleep(9));
    return async_none;
}

PROGRAM(reads_one_with_a_timeout)
{
    async_iterator g = async_generator(yields_in_a_timeout);
    await(async_anext(g));
    async_value v = async_catch(async_anext(g));
    say("%s %g", repr(v), now());
    return async_none;
}

START_TEST(a_timeout_in_a_generator)
{
    play(async_coro(reads_one_with_a_timeout));
    expect("TimeoutError('') 1\n");
}
END_TEST

PROGRAM(yields_outside)
{
    async_yield(async_num(1));
    return async_none;
}

PROGRAM(misuses)
{
    async_value v = async_catch(async_coro(yields_outside));
    say("%s", async_error_name(v.error));
    struct range range = { 0, 1 };
    v = async_catch(async_aclose((async_iterator){ range_next, &range }));
    say("%s", repr(v));
    return async_none;
}

START_TEST(yield_outside_of_a_generator)
{
    play(async_coro(misuses));
    expect("RuntimeError\n"
           "TypeError('only a generator can be closed')\n");
}
END_TEST

/* What next leaves its own function with says nothing about the function around the loop. */
static void say_leaving(int *unused)
{
    (void)unused;
    say("leaving with %s", repr(async_leaving()));
}

PROGRAM(ends_its_loop)
{
    async_with(say_leaving) int held = 0;
    struct range range = { 0, 1 };
    async_for (x, (async_iterator){ range_next, &range })
        say("%ld", x.num);
    return async_str("fine");
}

PROGRAM(in_a_block)
{
    async_value v = await(async_coro(ends_its_loop));
    say("%s", v.str);
    return async_none;
}

START_TEST(an_iterator_that_ends_in_a_block)
{
    play(async_coro(in_a_block));
    expect("1\n"
           "leaving with None\n"
           "fine\n");
}
END_TEST

static void suppress(int *unused)
{
    (void)unused;
    async_leave_with(async_num(7));
}

static async_value next_that_suppresses(void *state)
{
    async_with(suppress) int held = 0;
    if ((*(int *)state)++)
        return async_error(ASYNC_STOP_ITERATION, "");
    async_raise(KEY_ERROR, "suppressed");
}

PROGRAM(reads_suppressed)
{
    int state = 0;
    async_value v = await(async_anext((async_iterator){ next_that_suppresses, &state }));
    say("%ld", v.num);
    return async_num(8);
}

PROGRAM(reads_suppressed_in_main)
{
    async_value v = await(async_coro(reads_suppressed));
    say("%ld", v.num);
    return async_none;
}

START_TEST(an_iterator_with_blocks_of_its_own)
{
    play(async_coro(reads_suppressed_in_main));
    expect("7\n"
           "8\n");
}
END_TEST

PROGRAM(abandons_many)
{
    for (int i = 0; i < 100; i++) {
        async_iterator g = async_generator(one_two);
        if (i % 2)
            await(async_anext(g));
    }
    return async_none;
}

static void shout(const char **what) { say("%s", *what); }

PROGRAM(fails_when_closed)
{
    async_with(shout) const char *what = "cleaned up";
    async_value v = async_yield_value(async_num(1));
    (void)v;
    async_raise(KEY_ERROR, "while closing");
}

PROGRAM(abandons_a_failing_one)
{
    await(async_anext(async_generator(fails_when_closed)));
    return async_none;
}

struct slow_end { double seconds; };
static void ends_slowly(double *seconds)
{
    async_value v = async_catch(async_sleep(*seconds));
    say("%g s of clean-up at %g%s", *seconds, now(), v.error ? " cancelled" : "");
}

static async_value slow_end(void *p)
{
    async_with(ends_slowly) double seconds = ((struct slow_end *)p)->seconds;
    async_yield(async_none);
    return async_none;
}

PROGRAM(abandons_slow_ones)
{
    for (int i = 0; i < 3; i++)
        await(async_anext(async_generator(slow_end, (double[]){ 3, 1, 2 }[i])));
    return async_none;
}

START_TEST(those_left_behind_are_closed_at_once)
{
    play(async_coro(abandons_slow_ones));
    expect("1 s of clean-up at 1\n"
           "2 s of clean-up at 2\n"
           "3 s of clean-up at 3\n");
}
END_TEST

START_TEST(many_left_behind)
{
    play(async_coro(abandons_many));
    ck_assert_int_eq(said.length, 50 * strlen("closed at last at 0\n"));
}
END_TEST

START_TEST(left_behind_and_failing)
{
    listen_to_stderr();
    play(async_coro(abandons_a_failing_one));
    size_t length = said.length;
    heard();
    ck_assert_ptr_nonnull(strstr(said.text, "an error occurred during closing of asynchronous"));
    ck_assert_ptr_nonnull(strstr(said.text, "while closing"));
    said.text[length] = 0;
    expect("cleaned up\n");
}
END_TEST

static async_value naps_and_ends(void *p)
{
    await(async_sleep(5));
    say("ends");
    return async_ptr(p);
}

static async_iterator lent;
static async_value lends(void *p)
{
    lent = async_generator(naps_and_ends);
    await(async_sleep(1));
    return async_ptr(p);
}

PROGRAM(outlives_its_maker)
{
    async_detach(async_create_task(async_coro(lends)));
    await(async_sleep(0));
    async_task consumer = async_create_task(async_anext(lent));
    await(async_sleep(2));
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_sleep(0)));
    say("%s", async_error_name(async_catch(consumer).error));
    return async_none;
}

START_TEST(one_that_another_task_runs_when_its_maker_has_ended)
{
    play(async_coro(outlives_its_maker));
    expect("ends\n"
           "StopAsyncIteration\n");
}
END_TEST

PROGRAM(asks_zeroes)
{
    async_value v = async_catch(async_anext((async_iterator){ NULL, NULL }));
    say("%s", strstr(v.message, "the handle is NULL: it was never set"));
    return async_none;
}

START_TEST(an_iterator_that_was_never_made)
{
    play(async_coro(asks_zeroes));
    expect("the handle is NULL: it was never set, or memory or descriptors ran out when it was made\n");
}
END_TEST

static async_value asks_lent(void *p)
{
    async_value v = async_catch(async_anext(lent)), closed = async_catch(async_aclose(lent));
    say("%s %s %s", async_error_name(v.error), strstr(v.message, "is bound to a different event loop"),
        async_error_name(closed.error));
    return async_ptr(p);
}

static async_value begins_lent(void *p)
{
    say("%ld", await(async_anext(lent)).num);
    return async_ptr(p);
}

static async_value makes_lent(void *p)
{
    lent = async_generator(one_two);
    return async_ptr(p);
}

/* It is of the loop in which it begins, whoever made it. */
START_TEST(one_that_began_in_another_loop)
{
    async_loop *first = async_new_event_loop(), *second = async_new_event_loop();
    async_loop_run_until_complete(first, async_coro(makes_lent));
    async_loop_run_until_complete(second, async_coro(begins_lent));
    async_loop_run_until_complete(first, async_coro(asks_lent));
    async_loop_run_until_complete(second, async_coro(begins_lent));     /* it was not closed */
    async_loop_close(first);
    async_loop_close(second);
    expect("1\n"
           "RuntimeError is bound to a different event loop RuntimeError\n"
           "2\n");
}
END_TEST

static async_value closes_lent(void *unused)
{
    say("%s", async_error_name(async_catch(async_aclose(lent)).error));
    return async_ptr(unused);
}

PROGRAM(is_closed_by_a_callback)
{
    lent = async_generator(one_two);
    say("%ld", await(async_anext(lent)).num);
    async_loop_call_soon(async_get_running_loop(), closes_lent, NULL);
    await(async_sleep(1));
    say("%ld", await(async_anext(lent)).num);
    return async_none;
}

START_TEST(a_callback_is_no_task_to_close_it_in)
{
    play(async_coro(is_closed_by_a_callback));
    expect("1\n"
           "RuntimeError\n"
           "2\n"
           "closed at last at 1\n");
}
END_TEST

/* --------------------------------------------------------------------------------- memory */

PROGRAM(many_steps)
{
    async_iterator g = async_generator(count, 0, 1L << 40);
    for (long i = 0; again(&i, 1000000);)
        await(async_anext(g));
    await(async_aclose(g));
    for (long i = 0; again(&i, 500000);)
        async_for (x, async_generator(count, 0, 2))
            if (x.num < 0)
                return x;
    for (long i = 0; again(&i, 300000);) {
        async_iterator left = async_generator(one_two);
        await(async_aclose(left));
    }
    return async_none;
}

START_TEST(many_steps_and_generators_take_constant_memory)
{
    play(async_coro(many_steps));
    expect("constant memory\nconstant memory\nconstant memory\n");
}
END_TEST

MAIN("generator",
     TEST(M04_async_for)
     TEST(M04_other_errors_pass)
     TEST(M04_break_just_leaves)
     TEST(M05_asynchronous_generators)
     TEST(M06_leaving_a_generator_behind)
     TEST(a_generator_made_in_the_loop_itself)
     TEST(closed_twice_before_it_began_and_after_its_end)
     TEST(an_error_ends_a_generator)
     TEST(a_generator_that_ignores_its_end)
     TEST(asked_by_two_tasks_at_once)
     TEST(each_value_asked_for_by_another_task)
     TEST(a_consumer_that_is_cancelled)
     TEST(generators_in_generators)
     TEST(closed_by_async_with)
     TEST(async_for_in_a_timeout)
     TEST(a_timeout_in_a_generator)
     TEST(yield_outside_of_a_generator)
     TEST(an_iterator_that_ends_in_a_block)
     TEST(an_iterator_with_blocks_of_its_own)
     TEST(those_left_behind_are_closed_at_once)
     TEST(many_left_behind)
     TEST(left_behind_and_failing)
     TEST(one_that_another_task_runs_when_its_maker_has_ended)
     TEST(an_iterator_that_was_never_made)
     TEST(one_that_began_in_another_loop)
     TEST(a_callback_is_no_task_to_close_it_in)
     TEST(many_steps_and_generators_take_constant_memory))
