/* run_coroutine_threadsafe: row E03 of the checklist. */
#include "testing.h"
#include <pthread.h>
#include <stdatomic.h>

static async_loop *loop;
static atomic_bool began, ended;

static void wait_until(atomic_bool *flag)
{
    while (!*flag)
        usleep(1000);
}

struct says { const char *tag; };
static async_value says(void *p)
{
    say("%s begins", ((struct says *)p)->tag);
    began = true;
    async_value v = async_catch(async_sleep(1000));
    if (v.error == ASYNC_CANCELLED)
        say("%s cancelled", ((struct says *)p)->tag);
    ended = true;
    return v;
}

static async_value made_at(void *place)
{
    const char *there = async_get_task_info(async_current_task()).created_at;
    return async_num(strcmp(there, *(const char **)place) == 0);
}

struct made_at { const char *place; };
static async_value worker(void *p)
{
    (void)p;
    async_concurrent *f = async_run_coroutine_threadsafe(loop, ret, async_num(5), 0.01);
    say("%ld", async_concurrent_result(f, ASYNC_NO_TIMEOUT).num);
    async_concurrent_free(f);
    f = async_run_coroutine_threadsafe(loop, bad, key_error("k"), 0);
    say("%s", repr(async_concurrent_result(f, ASYNC_NO_TIMEOUT)));
    async_concurrent_free(f);
    f = async_run_coroutine_threadsafe(loop, made_at, ASYNC_HERE);
    say("%s", yes(async_concurrent_result(f, ASYNC_NO_TIMEOUT).num));
    async_concurrent_free(f);
    f = async_run_coroutine_threadsafe(loop, says, "task");
    wait_until(&began);
    bool ok = async_concurrent_cancel(f);
    async_value v = async_concurrent_result(f, ASYNC_NO_TIMEOUT);
    say("%s %s", yes(ok), async_error_name(v.error));
    async_concurrent_free(f);
    return async_none;
}

PROGRAM(works)
{
    loop = async_get_running_loop();
    return await(async_to_thread(worker));
}

START_TEST(E03_run_coroutine_threadsafe)
{
    async_value v = run_real(async_coro(works));
    say("%s", repr(v));
    expect("5\n"
           "KeyError('k')\n"
           "True\n"
           "task begins\n"
           "task cancelled\n"
           "True CancelledError\n"
           "None\n");
}
END_TEST

static async_value impatient(void *p)
{
    (void)p;
    async_concurrent *f = async_run_coroutine_threadsafe(loop, says, "task");
    wait_until(&began);
    double limits[] = { 0.01, 0, -1.5 };
    for (int i = 0; i < 3; i++)
        say("%s", repr(async_concurrent_result(f, limits[i])));
    bool first = async_concurrent_cancel(f);
    async_value v = async_concurrent_result(f, 1e300);
    say("%s %s", yes(first), async_error_name(v.error));
    say("%s", yes(async_concurrent_cancel(f)));
    say("%s", async_error_name(async_concurrent_result(f, 0).error));
    async_concurrent_free(f);
    return async_none;
}

PROGRAM(waits_impatiently)
{
    loop = async_get_running_loop();
    return await(async_to_thread(impatient));
}

START_TEST(a_result_may_be_waited_for_with_a_limit)
{
    async_value v = run_real(async_coro(waits_impatiently));
    say("%s", repr(v));
    expect("task begins\n"
           "TimeoutError('')\n"
           "TimeoutError('')\n"
           "TimeoutError('')\n"
           "task cancelled\n"
           "True CancelledError\n"
           "False\n"
           "CancelledError\n"
           "None\n");
}
END_TEST

static async_value makes_text(void *p)
{
    (void)p;
    await(async_sleep(0));
    return async_str(async_strf("%d years", 42));
}

static async_value fails_with_text(void *p)
{
    (void)p;
    return async_error(EIO, async_strf("disk %d", 7));
}

static async_value reads_text(void *p)
{
    (void)p;
    async_concurrent *f = async_run_coroutine_threadsafe(loop, makes_text);
    async_concurrent *g = async_run_coroutine_threadsafe(loop, fails_with_text);
    say("%s", async_concurrent_result(f, ASYNC_NO_TIMEOUT).str);
    say("%s", repr(async_concurrent_result(g, ASYNC_NO_TIMEOUT)));
    say("%s", async_concurrent_result(f, 0).str);
    async_concurrent_free(f);
    async_concurrent_free(g);
    async_concurrent_free(NULL);
    return async_none;
}

PROGRAM(sends_text)
{
    loop = async_get_running_loop();
    return await(async_to_thread(reads_text));
}

START_TEST(text_in_the_outcome_lasts_until_it_is_freed)
{
    play(async_coro(sends_text));
    expect("42 years\n"
           "Input/output error('disk 7')\n"
           "42 years\n");
}
END_TEST

/* A thread with a loop of its own: what the other loop's task owned must not be taken for ours. */
static async_value owns(void *p)
{
    (void)p;
    async_queue *queue = async_queue_new(0);
    return async_queue_put_nowait(queue, async_num(1));
}

PROGRAM(has_its_own)
{
    async_queue *queues[8];
    for (int i = 0; i < 8; i++)
        queues[i] = async_queue_new(0);
    async_concurrent *f = async_run_coroutine_threadsafe(loop, owns);
    say("%s", repr(async_concurrent_result(f, ASYNC_NO_TIMEOUT)));
    async_concurrent_free(f);
    for (int i = 0; i < 8; i++)
        await(async_queue_put(queues[i], async_num(i)));
    return async_none;
}

static async_value runs_its_own(void *p)
{
    (void)p;
    return async_run(async_coro(has_its_own));
}

static async_value worker_with_loop(void *p)
{
    return runs_its_own(p);
}

PROGRAM(serves_other_loop)
{
    loop = async_get_running_loop();
    return await(async_to_thread(worker_with_loop));
}

START_TEST(what_a_task_owns_stays_with_its_loop)
{
    play(async_coro(serves_other_loop));
    expect("None\n");
}
END_TEST

static async_value forgets(void *p)
{
    (void)p;
    async_concurrent_free(async_run_coroutine_threadsafe(loop, says, "task"));
    wait_until(&began);
    return async_none;
}

PROGRAM(is_left_with_it)
{
    loop = async_get_running_loop();
    return await(async_to_thread(forgets));
}

START_TEST(freed_before_the_end_it_still_runs)
{
    play(async_coro(is_left_with_it));
    expect("task begins\n"
           "task cancelled\n");
}
END_TEST

/* ------------------------------------------------------------------------- loops that close */

static void *submit_two(void *p)
{
    async_concurrent **futures = p;
    futures[0] = async_run_coroutine_threadsafe(loop, says, "first");
    futures[1] = async_run_coroutine_threadsafe(loop, says, "second");
    return NULL;
}

static void from_another_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    pthread_create(&thread, NULL, fn, arg);
    pthread_join(thread, NULL);
}

static void say_both(async_concurrent *futures[2])
{
    for (int i = 0; i < 2; i++) {
        say("%s", repr(async_concurrent_result(futures[i], ASYNC_NO_TIMEOUT)));
        say("%s", yes(async_concurrent_cancel(futures[i])));
        async_concurrent_free(futures[i]);
    }
}

START_TEST(a_loop_may_close_before_it_has_begun)
{
    async_concurrent *futures[2];
    loop = async_new_event_loop();
    from_another_thread(submit_two, futures);
    async_concurrent_cancel(futures[1]);
    async_loop_close(loop);
    say_both(futures);
    from_another_thread(submit_two, futures);
    say_both(futures);
    expect("RuntimeError('Event loop is closed')\n"
           "False\n"
           "RuntimeError('Event loop is closed')\n"
           "False\n"
           "RuntimeError('Event loop is closed')\n"
           "False\n"
           "RuntimeError('Event loop is closed')\n"
           "False\n");
}
END_TEST

PROGRAM(lets_them_begin)
{
    await(async_sleep(0));
    await(async_sleep(0));
    return async_none;
}

START_TEST(a_loop_may_close_before_the_end)
{
    async_concurrent *futures[2];
    listen_to_stderr();
    loop = async_new_event_loop();
    from_another_thread(submit_two, futures);
    async_loop_run_until_complete(loop, async_coro(lets_them_begin));
    async_loop_close(loop);
    say_both(futures);
    heard();
    expect("first begins\n"
           "second begins\n"
           "RuntimeError('Event loop is closed')\n"
           "False\n"
           "RuntimeError('Event loop is closed')\n"
           "False\n"
           "stderr| Task was destroyed but it is pending! task 'Task-2' (says, created at FILE:N), "
           "waiting at FILE:N\n"
           "stderr| Task was destroyed but it is pending! task 'Task-3' (says, created at FILE:N), "
           "waiting at FILE:N\n");
}
END_TEST

struct submits { async_concurrent **futures; };
static async_value submits(void *p)
{
    from_another_thread(submit_two, ((struct submits *)p)->futures);
    await(async_sleep(1));
    return async_none;
}

START_TEST(async_run_cancels_them_at_its_end)
{
    async_concurrent *futures[2];
    async_value v = async_none;
    loop = NULL;
    async_runner *runner = async_runner_new();
    loop = async_runner_get_loop(runner);
    v = async_runner_run(runner, async_coro(submits, futures));
    say("%s", repr(v));
    async_runner_close(runner);
    say_both(futures);
    expect("first begins\n"
           "second begins\n"
           "None\n"
           "first cancelled\n"
           "second cancelled\n"
           "CancelledError()\n"
           "False\n"
           "CancelledError()\n"
           "False\n");
}
END_TEST

/* -------------------------------------------------------------------------------- many */

enum { THREADS = 4, CALLS = 300 };

static async_value calls_often(void *p)
{
    long sum = 0;
    (void)p;
    for (long i = 0; i < CALLS; i++) {
        async_concurrent *f = async_run_coroutine_threadsafe(loop, ret, async_num(i), 0);
        if (i % 3 == 0)
            async_concurrent_cancel(f);
        async_value v = async_concurrent_result(f, ASYNC_NO_TIMEOUT);
        if (!v.error)
            sum += v.num == i;
        else if (v.error == ASYNC_CANCELLED && i % 3 == 0)
            sum++;
        async_concurrent_free(f);
    }
    return async_num(sum);
}

PROGRAM(serves_many)
{
    async_value sums[THREADS];
    loop = async_get_running_loop();
    await(async_gather(sums, async_to_thread(calls_often), async_to_thread(calls_often),
                       async_to_thread(calls_often), async_to_thread(calls_often)));
    for (int i = 0; i < THREADS; i++)
        say("%ld", sums[i].num);
    return async_none;
}

START_TEST(many_threads_call_often)
{
    play(async_coro(serves_many));
    expect("300\n300\n300\n300\n");
}
END_TEST

/* A thread of the program's own: nothing is set and nothing is watched, and yet it is no deadlock. */
static async_value answer(void *future)
{
    async_set_result(future, async_num(3));
    return async_none;
}

static void *think(void *future)
{
    usleep(20000);
    async_loop_call_soon_threadsafe(loop, answer, future);
    return NULL;
}

PROGRAM(asks_a_thread)
{
    pthread_t thread;
    loop = async_get_running_loop();
    async_future future = async_create_future();
    pthread_create(&thread, NULL, think, future);
    long answered = await(future).num;
    pthread_join(thread, NULL);
    say("%ld", answered);
    return async_none;
}

START_TEST(a_thread_of_our_own_may_answer_on_any_clock)
{
    run_virtual(async_coro(asks_a_thread));
    run_real(async_coro(asks_a_thread));
    expect("3\n3\n");
}
END_TEST

MAIN("threadsafe",
     TEST(E03_run_coroutine_threadsafe)
     TEST(a_result_may_be_waited_for_with_a_limit)
     TEST(text_in_the_outcome_lasts_until_it_is_freed)
     TEST(what_a_task_owns_stays_with_its_loop)
     TEST(freed_before_the_end_it_still_runs)
     TEST(a_loop_may_close_before_it_has_begun)
     TEST(a_loop_may_close_before_the_end)
     TEST(async_run_cancels_them_at_its_end)
     TEST(many_threads_call_often)
     TEST(a_thread_of_our_own_may_answer_on_any_clock))
