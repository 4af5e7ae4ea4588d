/* A program that was compiled without -fstack-clash-protection (see the Makefile): a large array steps over
 * the guard, onto somebody else's stack or beside all of them. It ends in a sentence where that shows. */
#include "testing.h"
#include "core/stack.h"

#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

#define STEP(size) \
    { \
        char large[size]; \
        __asm__ volatile("" : : "r"(large) : "memory"); \
        large[0] = 1; \
        await(async_sleep(0)); \
        __asm__ volatile("" : : "r"(large) : "memory"); \
        return async_num(p && large[0]); \
    }
static async_value onto_another(void *p) STEP(400 << 10)
static async_value past_all(void *p) STEP(64 << 20)

static async_value generates(void *p) STEP(400 << 10)
static async_value consumes(void *p)
{
    async_iterator numbers = async_generator(generates);
    await(async_anext(numbers));
    return async_ptr(p);
}

struct among { async_fn *fn; };
static async_value among(void *p)
{
    async_task tasks[12];
    for (int i = 0; i < 12; i++)
        tasks[i] = async_create_task(i == 10 ? async_coro_new((async_call){ ((struct among *)p)->fn, "large", NULL, 0 })
                                             : async_sleep(1));
    await(async_gather_list(NULL, tasks, 12, false));
    return async_none;
}

static async_fn *large;
static void runs(void) { _exit(async_main(async_coro(among, large))); }

#define OVERFLOW(name) \
    "stderr| Stack overflow: task '" name "' (large) needs more than the 256 KiB that a task has. Endless " \
    "recursion, or a large local array: use async_alloc() or malloc() for that.\n"
#define TOO_LATE \
    "stderr| It was compiled without -fstack-clash-protection and went on, so that variables of other tasks " \
    "may have been overwritten.\n"

START_TEST(a_step_onto_another_stack_is_noticed_when_it_awaits)
{
    if (WITH_ASAN || RUNNING_ON_VALGRIND)
        return;
    large = onto_another;
    in_child(runs);
    expect("aborted\n" OVERFLOW("Task-12") TOO_LATE);
}
END_TEST

START_TEST(so_is_one_of_a_generator)
{
    if (WITH_ASAN || RUNNING_ON_VALGRIND)
        return;
    large = consumes;
    in_child(runs);
    expect("aborted\n" OVERFLOW("Task-12") TOO_LATE);
}
END_TEST

START_TEST(a_step_past_all_of_them_is_no_wild_pointer)
{
    if (WITH_ASAN || RUNNING_ON_VALGRIND)
        return;
    large = past_all;
    in_child(runs);
    expect("SIGSEGV\n" OVERFLOW("Task-12"));
}
END_TEST

MAIN("unprotected",
     TEST(a_step_onto_another_stack_is_noticed_when_it_awaits)
     TEST(so_is_one_of_a_generator)
     TEST(a_step_past_all_of_them_is_no_wild_pointer))
