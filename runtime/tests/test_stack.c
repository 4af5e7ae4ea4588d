/* The stacks that tasks run on: overflow ends in a sentence, a hundred thousand are fine. */
#include "testing.h"
#include "core/stack.h"
#include <fenv.h>

#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

/* Calls itself until the stack is used up. */
static long dig(long depth)
{
    volatile char room[1000];
    room[depth % 1000] = (char)depth;
    return depth < 0 ? 0 : dig(depth + 1) + room[depth % 1000];
}

static async_value digs(void *p)
{
    await(async_sleep(0));
    say("%ld", dig(0));
    return async_ptr(p);
}

static void overflows(void) { _exit(async_main(async_coro(digs))); }

static async_value starts_digging(void *p)
{
    async_task other = async_create_task(async_sleep(1));
    await(async_create_task_named(async_coro(digs), "digger"));
    (void)other;
    return async_ptr(p);
}

static void overflows_in_task(void) { _exit(async_main(async_coro(starts_digging))); }

/* A large array in one frame would step over the guard, if the compiler did not look on its way. Of
 * each kind, with others' stacks all around. */
#define ARRAY(name, declaration) \
    static async_value name(void *p) \
    { \
        declaration; \
        __asm__ volatile("" : : "r"(large) : "memory");   /* or a compiler keeps only what we use */ \
        large[0] = 1; \
        await(async_sleep(0)); \
        __asm__ volatile("" : : "r"(large) : "memory"); \
        return async_num(p && large[0]); \
    }
static volatile size_t megabyte = 1 << 20;
ARRAY(of_276_KiB, char large[276 << 10])
ARRAY(of_400_KiB, char large[400 << 10])
ARRAY(of_646_KiB, char large[646 << 10])
ARRAY(of_1_MiB, char large[1 << 20])
ARRAY(of_8_MiB, char large[8 << 20])
ARRAY(of_any_length, char large[megabyte])
ARRAY(by_alloca, char *large = __builtin_alloca(megabyte))

struct among { async_fn *fn; const char *name; int before, after; };
static async_value among(void *p)
{
    struct among *args = p;
    async_task others[40];
    for (int i = 0; i < args->before; i++)
        others[i] = async_create_task(async_sleep(1));
    async_task large = async_create_task(async_coro_new((async_call){ args->fn, args->name, NULL, 0 }));
    for (int i = args->before; i < args->before + args->after; i++)
        others[i] = async_create_task(async_sleep(1));
    async_set_name(large, "large");
    await(large);
    await(async_gather_list(NULL, others, args->before + args->after, false));
    return async_none;
}

static struct among how;
static void overflows_at_a_stroke(void)
{
    _exit(async_main(async_coro(among, how.fn, how.name, how.before, how.after)));
}

static void overflows_among(async_fn *fn, const char *name)
{
    char text[300];
    snprintf(text, sizeof text,
             "SIGSEGV\n"
             "stderr| Stack overflow: task 'large' (%s) needs more than the 256 KiB that a task has. Endless "
             "recursion, or a large local array: use async_alloc() or malloc() for that.\n", name);
    for (int before = 0; before <= 40; before += 20) {
        how = (struct among){ fn, name, before, 40 - before };
        in_child(overflows_at_a_stroke);
        expect(text);
    }
}

START_TEST(an_overflow_ends_in_a_sentence)
{
    if (WITH_ASAN || RUNNING_ON_VALGRIND)       /* they have sentences of their own */
        return;
    in_child(overflows);
    in_child(overflows_in_task);
#define SENTENCE "(digs) needs more than the 256 KiB that a task has. Endless recursion, or a " \
                 "large local array: use async_alloc() or malloc() for that.\n"
    expect("SIGSEGV\n"
           "stderr| Stack overflow: task 'Task-1' " SENTENCE
           "SIGSEGV\n"
           "stderr| Stack overflow: task 'digger' " SENTENCE);
}
END_TEST

START_TEST(so_does_an_array_of_any_size)
{
    if (WITH_ASAN || RUNNING_ON_VALGRIND)
        return;
    overflows_among(of_276_KiB, "of_276_KiB");
    overflows_among(of_400_KiB, "of_400_KiB");
    overflows_among(of_646_KiB, "of_646_KiB");
    overflows_among(of_1_MiB, "of_1_MiB");
    overflows_among(of_8_MiB, "of_8_MiB");
    overflows_among(of_any_length, "of_any_length");
    overflows_among(by_alloca, "by_alloca");
}
END_TEST

static void crashes(void)
{
    async_value v = run_virtual(async_coro(nothing));       /* our handler is there now */
    *(volatile int *)(size_t)v.error = 1;
}

START_TEST(another_crash_is_left_alone)
{
    if (WITH_ASAN || RUNNING_ON_VALGRIND)
        return;
    in_child(crashes);
    expect("SIGSEGV\n");
}
END_TEST

static async_value uses_most(void *p)
{
    char large[STACK_SIZE - STACK_GUARD - 32 * 1024];
    memset(large, 1, sizeof large);
    await(async_sleep(1));
    long sum = 0;
    for (size_t i = 0; i < sizeof large; i++)
        sum += large[i];
    (void)p;
    return async_num(sum);
}

static async_value several_large(void *p)
{
    async_value sums[40];
    async_awaitable tasks[40];
    for (int i = 0; i < 40; i++)
        tasks[i] = async_coro(uses_most);
    await(async_gather_list(sums, tasks, 40, false));
    for (int i = 0; i < 40; i++)
        if (sums[i].num != STACK_SIZE - STACK_GUARD - 32 * 1024)
            say("%ld", sums[i].num);
    return async_ptr(p);
}

START_TEST(nearly_all_of_every_stack_may_be_used)
{
    if (WITH_ASAN)                              /* which adds to every frame */
        return;
    play(async_coro(several_large));
    expect("");
}
END_TEST

static long parked;
struct parks { async_future future; };
static async_value parks(void *p)
{
    parked++;
    await(((struct parks *)p)->future);
    parked--;
    return async_none;
}

struct park { long count; };
static async_value park(void *p)
{
    long count = ((struct park *)p)->count;
    async_future future = async_create_future();
    async_task *tasks = async_alloc((size_t)count * sizeof *tasks);
    for (long i = 0; i < count; i++)
        tasks[i] = async_create_task(async_coro(parks, future));
    await(async_sleep(1));
    say("%s", yes(parked == count));
    async_set_result(future, async_none);
    await(async_gather_list(NULL, tasks, (size_t)count, false));
    say("%ld", parked);
    return async_none;
}

START_TEST(a_hundred_thousand_parked_tasks)
{
    play(async_coro(park, WITH_ASAN || RUNNING_ON_VALGRIND ? 1000 : 100000));
    expect("True\n"
           "0\n");
}
END_TEST

/* Of each wave two tasks stay for a while, the first one and one in the middle. */
static async_value waves(void *p)
{
    long before = pages_in_use(), count = memory_is_hoarded() ? 2000 : 40000;
    for (int wave = 0; wave < 2; wave++) {
        async_future stay = async_create_future(), go = async_create_future();
        async_task *tasks = async_alloc((size_t)count * sizeof *tasks);
        for (long i = 0; i < count; i++)
            tasks[i] = async_create_task(async_coro(parks, i % (count / 2) ? go : stay));
        await(async_sleep(1));
        long most = pages_in_use() - before;
        async_set_result(go, async_none);
        await(async_sleep(0.5));
        await(async_sleep(1));
        long with_two = pages_in_use() - before;
        async_set_result(stay, async_none);
        await(async_gather_list(NULL, tasks, (size_t)count, false));
        await(async_sleep(1));
        long with_none = pages_in_use() - before;
        bool hoards = memory_is_hoarded();
        say("%s %s %s", yes(hoards || most > count), yes(hoards || with_two < count / 2),
            yes(hoards || with_none < count / 4));
    }
    return async_ptr(p);
}

START_TEST(memory_of_those_that_have_ended_goes_back_while_others_run)
{
    play(async_coro(waves));
    expect("True True True\nTrue True True\n");
}
END_TEST

START_TEST(stacks_are_used_again_the_last_one_first)
{
    void *a = stack_take(), *b = stack_take();
    stack_give(a);
    stack_give(b);
    ck_assert_ptr_eq(stack_take(), b);
    ck_assert_ptr_eq(stack_take(), a);
    stack_give(b);
    stack_give(a);
    stack_release();
}
END_TEST

static void *left;

static void goes_at_once(void)
{
    void *nowhere;
    stack_arrived();
    stack_switch(&nowhere, left, true);
}

/* There a stack that is free notes the next one, while whoever gave it back still stands on it. */
START_TEST(the_topmost_word_of_a_stack_belongs_to_no_frame)
{
    void **top = stack_take(), *place = switch_prepare(top, goes_at_once);
    top[-1] = &left;
    stack_switch(&left, place, false);
    ck_assert_ptr_eq(top[-1], &left);
    stack_give(top);
    stack_release();
}
END_TEST

static async_value is_left(void *p)
{
    await(async_sleep(1.5));
    return async_ptr(p);
}

static async_value twice_two(void *p)
{
    await(async_gather(NULL, async_coro(is_left), async_coro(is_left)));
    await(async_gather(NULL, async_coro(is_left), async_coro(is_left)));
    return async_ptr(p);
}

static async_value in_two_seconds(void *p)
{
    say("%s", async_error_name(async_catch(async_wait_for(async_coro(twice_two), 2)).error));
    return async_ptr(p);
}

/* Nothing of the task that stood there before is left to be found: AddressSanitizer would tell. */
START_TEST(a_stack_used_again_is_clean)
{
    play(async_coro(in_two_seconds));
    expect("TimeoutError\n");
}
END_TEST

static int saved;
static async_value counts_floats(void *p)
{
    double sum = 0;
    for (int i = 1; i <= 1000; i++) {
        sum += 1.0 / i;
        await(async_sleep(0));
    }
    saved += sum > 7.4854 && sum < 7.4855;
    return async_ptr(p);
}

static async_value floats(void *p)
{
    await(async_gather(NULL, async_coro(counts_floats), async_coro(counts_floats),
                       async_coro(counts_floats)));
    say("%d", saved);
    return async_ptr(p);
}

START_TEST(a_switch_keeps_what_a_function_computes_with)
{
    saved = 0;
    play(async_coro(floats));
    expect("3\n");
}
END_TEST

static async_value rounds_up(void *p)
{
    fesetround(FE_UPWARD);
    await(async_sleep(0));
    say("I see %s", fegetround() == FE_UPWARD ? "up" : "to nearest");
    fesetround(FE_TONEAREST);
    return async_ptr(p);
}

static async_value looks(void *p)
{
    say("my neighbour sees %s", fegetround() == FE_UPWARD ? "up" : "to nearest");
    fesetround(FE_UPWARD);          /* which swapcontext keeps apart, and our own switches don't */
    return async_ptr(p);
}

static async_value rounding(void *p)
{
    await(async_gather(NULL, async_coro(rounds_up), async_coro(looks)));
    return async_ptr(p);
}

/* As async.h says: like errno it belongs to the thread. */
START_TEST(how_floating_point_rounds_is_the_same_for_all)
{
    if (RUNNING_ON_VALGRIND)
        return;
    play(async_coro(rounding));
    expect("my neighbour sees up\n"
           "I see up\n");
}
END_TEST

MAIN("stack",
     TEST(an_overflow_ends_in_a_sentence)
     TEST(so_does_an_array_of_any_size)
     TEST(another_crash_is_left_alone)
     TEST(nearly_all_of_every_stack_may_be_used)
     TEST(a_hundred_thousand_parked_tasks)
     TEST(memory_of_those_that_have_ended_goes_back_while_others_run)
     TEST(stacks_are_used_again_the_last_one_first)
     TEST(the_topmost_word_of_a_stack_belongs_to_no_frame)
     TEST(a_stack_used_again_is_clean)
     TEST(a_switch_keeps_what_a_function_computes_with)
     TEST(how_floating_point_rounds_is_the_same_for_all))
