/* Coroutine objects: rows C01 to C06 of the checklist. */
#include "testing.h"

static async_value runs(void *p)
{
    (void)p;
    say("running");
    return async_num(1);
}

START_TEST(C01_calling_a_coroutine_function_runs_nothing)
{
    async_coroutine c = async_coro(runs);
    say("%s", async_type_name(c));
    async_value v = run_virtual(c);
    say("%ld", v.num);
    async_coro_close(async_coro(runs));
    say("closed, never ran");
    expect("coroutine\n"
           "running\n"
           "1\n"
           "closed, never ran\n");
}
END_TEST

static async_value forgets(void *p)
{
    async_coroutine forgotten = async_coro(runs);
    say("main ends");
    (void)forgotten;
    return async_ptr(p);
}

START_TEST(C02_a_coroutine_that_is_never_awaited_is_reported)
{
    listen_to_stderr();
    play(async_coro(forgets));
    heard();
    expect("main ends\n"
           "stderr| FILE:N: RuntimeWarning: coroutine 'runs' was never awaited\n");
}
END_TEST

static async_value forgets_one(void *p)
{
    async_coroutine forgotten = async_coro(runs);
    (void)forgotten;
    return async_ptr(p);
}

PROGRAM(has_forgetful_tasks)
{
    for (int i = 0; i < 3; i++)
        async_detach(async_create_task(async_coro(forgets_one)));
    await(async_sleep(1));
    fputs("while the program runs\n", stderr);
    for (int i = 0; i < 2; i++)
        await(async_create_task(async_coro(forgets_one)));
    await(async_sleep(1));
    async_print_tasks(async_get_running_loop());
    return async_none;
}

START_TEST(C02_once_for_each_place_and_while_the_program_runs)
{
    listen_to_stderr();
    play(async_coro(has_forgetful_tasks));
    heard();
    expect("stderr| FILE:N: RuntimeWarning: coroutine 'runs' was never awaited (3 such objects)\n"
           "stderr| while the program runs\n"
           "stderr| 1 task in this loop\n"
           "stderr| task 'Task-1' (has_forgetful_tasks, created at FILE:N), runs\n"
           "stderr| 5 coroutine objects 'runs' made at FILE:N: not awaited\n"
           "stderr| FILE:N: RuntimeWarning: coroutine 'runs' was never awaited (5 such objects)\n");
}
END_TEST

struct hands_out { async_coroutine *to; };
static async_value hands_out(void *p)
{
    *((struct hands_out *)p)->to = async_coro(ret, async_num(7), 0);
    return async_none;
}

PROGRAM(comes_late)
{
    async_coroutine late = NULL;
    async_detach(async_create_task(async_coro(hands_out, &late)));
    await(async_sleep(1));
    say("%ld", await(late).num);
    say("%ld", await(async_create_task(async_coro(ret, async_num(8), 0))).num);
    return async_none;
}

START_TEST(C02_who_comes_late_still_finds_it)
{
    listen_to_stderr();
    play(async_coro(comes_late));
    heard();
    expect("7\n"
           "8\n"
           "stderr| FILE:N: RuntimeWarning: coroutine 'ret' was never awaited\n");
}
END_TEST

PROGRAM(forgets_for_ever)
{
    for (long i = 0; again(&i, 200000);)
        await(async_create_task(async_coro(forgets_one)));
    return async_none;
}

START_TEST(C02_what_is_forgotten_takes_no_memory)
{
    listen_to_stderr();
    play(async_coro(forgets_for_ever));
    heard();
    ck_assert_ptr_eq(strstr(said.text, "constant memory\n"), said.text);
}
END_TEST

static void forgets_outside(void)
{
    async_coroutine forgotten = async_coro(runs);
    (void)forgotten;
    exit(3);
}

enum { MOST_UNUSED = 1 << 20 };
static async_coroutine many[2 * MOST_UNUSED];

/* The loop looks at them whenever it has nothing else to do. */
PROGRAM(keeps_too_many)
{
    for (long i = 0; i < 2 * MOST_UNUSED; i++) {
        many[i] = async_coro(ret, async_num(i), 0);
        if (i % (MOST_UNUSED / 8) == 0)
            await(async_sleep(1));
    }
    say("%ld", await(many[MOST_UNUSED + 1]).num);
    say("%ld", await(many[2 * MOST_UNUSED - 1]).num);
    say("%s", async_catch(many[0]).message);
    return async_none;
}

START_TEST(C02_of_more_than_a_million_the_oldest_are_given_up)
{
    listen_to_stderr();
    play(async_coro(keeps_too_many));
    heard();
    ck_assert_ptr_eq(strstr(said.text, "1048577\n2097151\nawait at"), said.text);
    ck_assert_ptr_nonnull(strstr(said.text, ": this handle is too old"));
    ck_assert_ptr_nonnull(strstr(said.text, "was never awaited (2097150 such objects)\n"));
}
END_TEST

START_TEST(C02_also_one_that_was_made_outside_of_any_loop)
{
    in_child(forgets_outside);
    expect("exit status 3\n"
           "stderr| FILE:N: RuntimeWarning: coroutine 'runs' was never awaited\n");
}
END_TEST

struct first_words { async_awaitable x; const char *words; };
static async_value first_words(void *p)     /* awaits x; says if its error contains the words */
{
    struct first_words *args = p;
    async_value v = async_catch(args->x);
    say("%s: %s", async_error_name(v.error),
        v.error && strstr(v.message, args->words) ? args->words : v.message);
    return async_none;
}

static async_value awaits_twice(void *p)
{
    async_coroutine c = async_coro(ret, async_num(1), 0);
    say("%ld", await(c).num);
    await(async_coro(first_words, c, "cannot reuse already awaited coroutine"));
    async_coroutine d = async_coro(ret, async_num(2), 1);
    async_task t = async_create_task_named(async_wait_for(d, 9), "t");
    await(async_sleep(0.5));
    await(async_coro(first_words, d, "coroutine is being awaited already"));
    say("%ld", await(t).num);
    return async_ptr(p);
}

START_TEST(C03_a_coroutine_can_be_awaited_once)
{
    play(async_coro(awaits_twice));
    expect("1\n"
           "RuntimeError: cannot reuse already awaited coroutine\n"
           "RuntimeError: coroutine is being awaited already\n"
           "2\n");
}
END_TEST

static async_value inner_in(void *p)
{
    say("inner in %s %zu", name_of(async_current_task()), async_all_tasks(NULL, 0));
    return async_ptr(p);
}

static async_value calls_inner(void *p)
{
    call_soon(say_text, "loop turn");
    await(async_coro(inner_in));
    await(async_coro(inner_in));
    say("still no loop turn");
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(C04_await_of_a_coroutine_is_a_plain_call)
{
    play(async_coro(calls_inner));
    expect("inner in Task-1 1\n"
           "inner in Task-1 1\n"
           "still no loop turn\n"
           "loop turn\n");
}
END_TEST

static void finally(int *unused)
{
    (void)unused;
    async_value v = async_catch(async_sleep(1));
    say("inner finally at %g", now());
    (void)v;
}

static async_value tries(void *p)
{
    async_with(finally) int level = 0;
    (void)level;
    await(async_coro(bad, key_error("k"), 1));
    return async_ptr(p);
}

static async_value catches(void *p)
{
    async_value v = async_catch(async_coro(tries));
    say("caught %s at %g", repr(v), now());
    return async_ptr(p);
}

START_TEST(C05_errors_cross_await_like_calls)
{
    play(async_coro(catches));
    expect("inner finally at 2\n"
           "caught KeyError('k') at 2\n");
}
END_TEST

static async_value sleepers(void *p)
{
    await(async_gather(NULL, async_coro(spin, "zero", 3), async_coro(spin, "yield", 3)));
    async_value v = await(async_sleep_result(2, async_str("value")));
    double when = now();
    async_value negative = await(async_sleep(-1));
    say("%s %g %s", v.str, when, negative.ptr ? "?" : "None");
    say("%g", now());
    return async_ptr(p);
}

START_TEST(C06_sleep)
{
    play(async_coro(sleepers));
    expect("zero 0\n"
           "yield 0\n"
           "zero 1\n"
           "yield 1\n"
           "zero 2\n"
           "yield 2\n"
           "value 2 None\n"
           "2\n");
}
END_TEST

struct big { char text[200]; long number; };
static async_value big(void *p)
{
    struct big *args = p;
    await(async_sleep(0));
    return async_num(args->text[199] + args->number);
}

static async_value copies(void *p)
{
    struct big mine = { .number = 40 };
    mine.text[199] = 2;
    async_coroutine c = async_coro_new((async_call){ big, "big", &mine, sizeof mine });
    mine.text[199] = 99;
    mine.number = 99;
    say("%ld", await(async_create_task(c)).num);
    say("%ld", await(async_coro(big, .number = 7)).num);
    return async_ptr(p);
}

START_TEST(arguments_are_copied_when_the_object_is_made)
{
    play(async_coro(copies));
    expect("42\n"
           "7\n");
}
END_TEST

MAIN("coro",
     TEST(C01_calling_a_coroutine_function_runs_nothing)
     TEST(C02_a_coroutine_that_is_never_awaited_is_reported)
     TEST(C02_once_for_each_place_and_while_the_program_runs)
     TEST(C02_who_comes_late_still_finds_it)
     TEST(C02_what_is_forgotten_takes_no_memory) TEST(C02_of_more_than_a_million_the_oldest_are_given_up)
     TEST(C02_also_one_that_was_made_outside_of_any_loop)
     TEST(C03_a_coroutine_can_be_awaited_once)
     TEST(C04_await_of_a_coroutine_is_a_plain_call)
     TEST(C05_errors_cross_await_like_calls)
     TEST(C06_sleep)
     TEST(arguments_are_copied_when_the_object_is_made))
