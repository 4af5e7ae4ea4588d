/* Random programs that keep every handle too long: in global places, from which any task takes any of them, in any
 * state, for anything that asks about states or waits. What they print is not looked at. They must end, and the
 * sanitizers and valgrind, under which this runs as well, must find nothing. One program again, with what it
 * prints: SEED=17 COUNT=1. */
#include "testing.h"
#include <fcntl.h>
#include <stdint.h>

#define PLACES 16

static uint64_t state;
static long left;                               /* deeds */
static bool threads;                            /* a loop's idle ones would keep another from seeing its deadlock */
static async_awaitable tasks[PLACES], futures[PLACES];
static async_handle handles[PLACES];
static async_iterator generators[PLACES];
static async_timeout_scope *scopes[PLACES];
static async_taskgroup *groups[PLACES];
static async_queue *queues[PLACES];
static async_lock *locks[PLACES];
static async_event *events[PLACES];
static async_loop *loops[4];
static const async_contextvar variable = { "variable", .initial = { .num = 0 } };

static long below(long n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (long)(state % (uint64_t)n);
}

#define ANY(places) places[below(PLACES)]

/* A task or future, or NULL. */
static async_awaitable anything(void) { return below(2) ? ANY(tasks) : ANY(futures); }
static async_value some_text(void) { return below(2) ? async_num(below(9)) : async_text("text %ld", below(99)); }
static async_value some_error(void)
{
    return async_error(ASYNC_USER_ERROR, below(2) ? "literal" : async_strf("error %ld", below(99)));
}

struct acts { long depth; };
static async_value acts(void *p);
static async_value deed(long depth);
static async_coroutine another(long depth) { return async_coro(acts, depth + 1); }

/* ------------------------------------------------------------------------------ what else may run */

static async_value callback(void *arg)
{
    async_awaitable x = anything();
    switch (below(6)) {
    case 0: return some_error();
    case 1: if (x) async_cancel(x); break;
    case 2: if (x && !async_done(x)) async_set_result(x, some_text()); break;
    case 3: ANY(tasks) = async_create_task(another(3)); break;
    }
    return async_ptr(arg);
}

static async_value when_done(async_future x, void *arg) { return callback(x ? arg : NULL); }

static void leaves(const int *unused)
{
    (void)unused;
    if (below(2))
        (void)async_catch(async_sleep((double)below(3)));
    if (below(4) == 0)
        async_leave_with(some_error());
}

struct yields { long count; };
static async_value yields(void *p)
{
    async_with(leaves) int left_by = 0;
    for (long i = 0; i < ((struct yields *)p)->count; i++) {
        if (below(3) == 0)
            await(async_sleep((double)below(2)));
        async_yield(some_text());
    }
    return async_none;
}

static async_value in_thread(void *p) { return *(char *)p ? async_none : async_text("from a thread"); }

/* -------------------------------------------------------------------------------------- deeds */

#define DO(what) do { async_value done_ = (what); if (done_.error) return async_leave(done_); } while (0)

static async_value waits(long depth)
{
    async_awaitable x = anything(), some[4];
    async_value got[4];
    size_t count = 0;
    for (int i = 0; i < 4; i++)
        if ((some[count] = anything()))
            count++;
    switch (below(9)) {
    case 0: await(async_sleep((double)below(3))); break;
    case 1: (void)async_catch(x); break;
    case 2: (void)async_catch(async_wait_for(x, (double)below(4))); break;
    case 3: ANY(futures) = async_shield(x); break;
    case 4: ANY(futures) = async_gather_list(NULL, some, count, below(2)); break;
    case 5: (void)async_catch(async_gather_list(got, some, count, below(2))); break;
    case 6: (void)async_catch(async_gather(got, another(depth), another(depth), async_sleep(1))); break;
    case 7: (void)async_catch(async_wait(some, count, (double)below(3), (enum async_return_when)below(3))); break;
    case 8: if (threads) (void)async_catch(async_to_thread(in_thread)); break;
    }
    return async_none;
}

static async_value asks(long depth)
{
    async_awaitable x = anything();
    switch (below(10)) {
    case 0: ANY(tasks) = async_create_task(another(depth)); break;
    case 1: ANY(tasks) = async_create_task_eager(another(depth)); break;
    case 2: async_detach(async_create_task(another(depth))); break;
    case 3: ANY(futures) = async_create_future(); break;
    case 4: async_cancel_msg(x, below(2) ? NULL : async_strf("because %ld", below(9))); break;
    case 5: async_set_result(ANY(futures), some_text()); break;
    case 6: async_set_exception(ANY(futures), some_error()); break;
    case 7: (void)async_done(x); break;
    case 8: if (x && !async_done(x)) async_keep(x); break;
    case 9: if (x && !async_done(x)) async_add_done_callback(x, when_done, NULL); break;
    }
    return async_none;
}

static async_value calls(long depth)
{
    async_loop *loop = async_get_running_loop();
    (void)depth;
    switch (below(4)) {
    case 0: ANY(handles) = async_loop_call_later(loop, (double)below(5), callback, NULL); break;
    case 1: ANY(handles) = async_loop_call_soon(loop, callback, NULL); break;
    case 2: async_handle_cancel(ANY(handles)); break;
    case 3: if (below(9) == 0) async_loop_stop(loop); break;
    }
    return async_none;
}

static async_value iterates(long depth)
{
    async_iterator old = ANY(generators);
    switch (below(4)) {
    case 0: ANY(generators) = async_generator(yields, below(5)); break;
    case 1: if (old.next) (void)async_catch(async_anext(old)); break;
    case 2: if (old.next) (void)async_catch(async_aclose(old)); break;
    case 3: {
        async_with(async_aclose_exit) async_iterator mine = async_generator(yields, below(5));
        ANY(generators) = mine;
        async_for (value, mine)
            if (value.error || below(3) == 0)
                break;
        DO(deed(depth));
        break;
    }
    }
    return async_none;
}

static async_value scopes_and_groups(long depth)
{
    async_timeout_scope *old = ANY(scopes);
    async_taskgroup *group = ANY(groups);
    switch (below(5)) {
    case 0: if (old) (void)async_timeout_expired(old); break;
    case 1: if (old) async_timeout_reschedule(old, (double)below(9)); break;
    case 2: if (group) ANY(tasks) = async_taskgroup_create_task(group, another(depth)); break;
    case 3: {
        async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout((double)below(4));
        ANY(scopes) = scope;
        DO(deed(depth));
        break;
    }
    case 4: {
        async_with(async_taskgroup_exit) async_taskgroup *mine = async_taskgroup_enter();
        ANY(groups) = mine;
        ANY(tasks) = async_taskgroup_create_task(mine, another(depth));
        DO(deed(depth));
        if (below(3))
            await(async_taskgroup_join(mine));
        break;
    }
    }
    return async_none;
}

/* Made by any task, and so gone when that one is. */
static async_value shares(long depth)
{
    async_queue **queue = &ANY(queues);
    async_lock **lock = &ANY(locks);
    async_event **event = &ANY(events);
    *queue = *queue && below(4) ? *queue : async_queue_new(below(3));
    *lock = *lock && below(4) ? *lock : async_lock_new();
    *event = *event && below(4) ? *event : async_event_new();
    switch (below(7)) {
    case 0: (void)async_catch(async_wait_for(async_queue_get(*queue), (double)below(3))); break;
    case 1: (void)async_catch(async_wait_for(async_queue_put(*queue, some_text()), (double)below(3))); break;
    case 2: async_queue_put_nowait(*queue, some_text()); break;
    case 3: async_free(async_strf("%ld", depth)); break;
    case 4: (void)async_catch(async_wait_for(async_event_wait(*event), (double)below(3))); break;
    case 5: {
        async_with(async_token_exit) async_token token = async_contextvar_set(&variable, some_text());
        DO(deed(depth));
        break;
    }
    case 6:
        if (!async_catch(async_lock_acquire(*lock)).error) {
            (void)async_catch(async_sleep((double)below(3)));
            async_lock_release(*lock);
        }
        break;
    }
    return async_none;
}

static async_value deed(long depth)
{
    static async_value (*const deeds[])(long) = { waits, waits, asks, asks, calls, iterates, scopes_and_groups, shares };
    return deeds[below(sizeof deeds / sizeof *deeds)](depth);
}

static async_value acts(void *p)
{
    long depth = ((struct acts *)p)->depth;
    async_with(leaves) int left_by = 0;
    for (long i = below(8); i > 0 && left-- > 0 && depth < 6; i--)
        DO(deed(depth));
    return below(5) ? some_text() : some_error();
}

/* ----------------------------------------------------------------------------------- programs */

PROGRAM(main_task)
{
    for (int i = 0; i < 9; i++)
        ANY(tasks) = async_create_task(async_coro(acts));
    for (int i = 0; i < 40 && left > 0; i++)
        (void)async_catch(below(2) ? async_sleep(1) : async_coro(acts));
    return async_none;
}

/* Several loops, none of which runs for long, and so tasks of one that find what is another's. */
static void in_many_loops(void)
{
    for (int i = 0; i < 12; i++) {
        async_loop **loop = &loops[below(4)];
        if (*loop && below(4) == 0)
            async_loop_close(*loop);
        if (!*loop || async_loop_is_closed(*loop))
            *loop = async_new_event_loop();
        left = 40;
        (void)async_loop_run_until_complete(*loop, below(3) ? async_coro(acts) : async_loop_create_task(*loop, async_coro(acts)));
    }
    for (int i = 0; i < 4; i++)
        if (loops[i])
            async_loop_close(loops[i]);
}

static void in_one_loop(void) { (void)run_virtual(async_coro(main_task)); }

static void run_programs(void (*run)(void))
{
    threads = run == in_one_loop;
    const char *seed = getenv("SEED"), *count = getenv("COUNT");
    long first = seed ? atol(seed) : 1, programs = count ? atol(count) : memory_is_hoarded() ? 100 : 400;
    int before = dup(2), nowhere = open("/dev/null", O_WRONLY);
    if (!seed)
        dup2(nowhere, 2);
    for (long i = first; i < first + programs; i++) {
        state = (uint64_t)i * 0x9E3779B97F4A7C15u | 1;
        left = 300;
        run();
    }
    dup2(before, 2);
    close(before);
    close(nowhere);
}

START_TEST(programs_that_keep_their_handles_too_long)
{
    run_programs(in_one_loop);
}
END_TEST

START_TEST(also_those_of_other_loops)
{
    run_programs(in_many_loops);
}
END_TEST

MAIN("lifetimes",
     TEST(programs_that_keep_their_handles_too_long)
     TEST(also_those_of_other_loops))
