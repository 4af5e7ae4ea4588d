/* tour.h - a walk through what the fuzz language has no words for, for the tests with faults.
 *
 * Names, contexts, generators, as_completed, growing queues and tables, barriers that break, threads, files,
 * signals, Runner, reports of things forgotten, a deadlock. Whatever fails on the way is
 * passed over: a tour only has to come to its end. */
#ifndef FUZZ_TOUR_H
#define FUZZ_TOUR_H

#include "async.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MANY 300                /* more than a chunk of records or stacks holds */
#define TRY(x) do { async_value tried_ = async_catch(x); (void)tried_; } while (0)

struct add { long a, b; const char *long_enough[6]; };      /* too large to lie in the object */

static async_value add(void *p)
{
    struct add *args = p;
    await(async_sleep(args->b / 1000.0));
    char *text = async_alloc(10);
    if (text)
        text[0] = 'x';
    const char *sum = async_strf("%ld", args->a + args->b);
    return async_str(sum ? sum : "?");
}

static async_value fail(void *p)
{
    (void)p;
    await(async_sleep(0.001));
    async_raise(ASYNC_VALUE_ERROR, async_strf("it %s", "fails"));
}

struct count { long to; };

static async_value count(void *p)
{
    struct count *args = p;
    for (long i = 0; i < args->to; i++) {
        await(async_sleep(0));
        async_yield(async_num(i));
    }
    return async_none;
}

static async_value tour_generators(void *p)
{
    (void)p;
    async_with(async_aclose_exit) async_iterator early = async_generator(count, .to = 5);
    async_for (value, early)
        if (value.num == 2)
            break;
    async_iterator all = async_generator(count, .to = 3);
    async_for (value, all)
        await(async_sleep(0));
    async_iterator forgotten = async_generator(count, .to = 3);
    TRY(async_anext(forgotten));
    return async_none;
}

static async_value tour_tasks(void *p)
{
    (void)p;
    async_task list[3];
    for (int i = 0; i < 3; i++)
        list[i] = async_create_task_named(async_coro(add, .a = i, .b = 3 - i), "adder");
    async_set_name(list[0], "first");
    printf("%s\n", async_get_name(list[0]));
    async_cancel_msg(list[0], "not needed");
    async_detach(async_create_task(async_coro(fail)));
    async_iterator ended = async_as_completed(list, 3, 0.002);
    for (async_value one; !(one = async_catch(async_anext(ended))).error;)
        TRY(one.ptr);
    async_handle_cancel(async_loop_call_later(async_get_running_loop(), 1, fail, NULL));
    TRY(async_coro(fail));
    async_coroutine never = async_coro(add, .a = 1);
    async_task failing = async_create_task(async_coro(fail));
    await(async_sleep(0.01));
    (void)never, (void)failing;
    return async_none;
}

static async_value when_done(async_future x, void *arg)
{
    (void)x;
    return async_str(arg);
}

static async_contextvar variable = { "variable", .initial = { .str = "-" } };

static async_value set_twice(void *p)
{
    async_contextvar_set(&variable, async_text("%p", p));
    async_with(async_token_exit) async_token token = async_contextvar_set(&variable, async_text("inside"));
    return async_contextvar_get(&variable);
}

static async_value tour_contexts(void *p)
{
    (void)p;
    TRY(async_coro(set_twice));
    TRY(async_create_task(async_coro(set_twice)));
    async_loop_call_soon(async_get_running_loop(), set_twice, NULL);
    async_future future = async_create_future();
    if (future && !async_add_done_callback(future, when_done, NULL).error)
        async_set_result(future, async_num(1));
    TRY(async_to_thread(set_twice));
    return async_contextvar_get(&variable);
}

static async_value tour_many(void *p)
{
    (void)p;
    static async_awaitable list[MANY];
    static async_value results[MANY];
    for (int i = 0; i < MANY; i++)
        list[i] = async_coro(add, .a = i, .b = i % 3);
    TRY(async_gather_list(results, list, MANY, true));
    async_queue *queues[] = { async_queue_new(0), async_priority_queue_new(0, NULL) };
    for (int k = 0; k < 2; k++) {
        for (int i = 0; queues[k] && i < 50; i++)
            async_queue_put_nowait(queues[k], async_num(i * 7 % 50));
        for (int i = 0; queues[k] && i < 20; i++)
            TRY(async_queue_get(queues[k]));
        if (queues[k])
            async_queue_shutdown(queues[k], k);
    }
    return async_none;
}

struct meet { async_barrier *barrier; };
static async_value meet(void *p)
{
    return async_catch(async_barrier_wait(((struct meet *)p)->barrier));
}

static bool third_time(void *arg) { return ++*(int *)arg > 2; }

static async_value tour_primitives(void *p)
{
    (void)p;
    int times = 0;
    async_barrier *barrier = async_barrier_new(3);
    async_condition *condition = async_condition_new(NULL);
    async_semaphore *semaphore = async_bounded_semaphore_new(1);
    if (!barrier || !condition || !semaphore)
        return async_none;
    async_task one = async_create_task(async_coro(meet, barrier));
    async_task two = async_create_task(async_coro(meet, barrier));
    TRY(async_sleep(0));
    TRY(async_barrier_reset(barrier));
    TRY(async_barrier_abort(barrier));
    TRY(async_gather_list(NULL, (async_awaitable[]){ one, two }, 2, true));
    TRY(async_coro(meet, barrier));
    async_semaphore_release(semaphore);                     /* once too often */
    if (!async_catch(async_condition_acquire(condition)).error) {
        async_with(async_condition_exit) async_condition *held = condition;
        async_condition_notify_all(condition);
        TRY(async_wait_for(async_condition_wait_for(condition, third_time, &times), 0.01));
        (void)held;
    }
    async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout_at(100);
    if (scope)
        async_timeout_reschedule(scope, 0.5);
    await(async_sleep(10));
    return async_none;
}

struct outside {
    async_loop *loop;
    int calls, pipe[2];
};

static async_value from_outside(void *arg)
{
    ((struct outside *)arg)->calls++;
    return async_none;
}

static async_value readable(void *arg)
{
    char byte;
    struct outside *outside = arg;
    outside->calls++;
    if (read(outside->pipe[0], &byte, 1) < 1 || byte == 'b')
        async_loop_remove_reader(outside->loop, outside->pipe[0]);
    return async_none;
}

static void *thread(void *arg)
{
    struct outside *outside = arg;
    async_loop_call_soon_threadsafe(outside->loop, from_outside, outside);
    return write(outside->pipe[1], "ab", 2) == 2 ? NULL : arg;
}

static async_value tour_outside(void *p)
{
    (void)p;
    pthread_t id;
    struct outside outside = { .loop = async_get_running_loop() };
    if (pipe(outside.pipe))
        return async_none;
    bool reads = !async_loop_add_reader(outside.loop, outside.pipe[0], readable, &outside).error;
    bool started = pthread_create(&id, NULL, thread, &outside) == 0;
    if (!async_loop_add_signal_handler(outside.loop, SIGUSR1, from_outside, &outside).error)
        raise(SIGUSR1);
    async_value v = async_none;
    for (int i = 0; i < 40 && outside.calls < 4 && !v.error; i++) {
        v = async_catch(async_sleep(0));
        usleep(reads ? 50 : 0);
    }
    if (started)
        pthread_join(id, NULL);
    v = async_catch(async_sleep(0));                        /* what it posted last */
    async_loop_remove_reader(outside.loop, outside.pipe[0]);
    async_loop_remove_signal_handler(outside.loop, SIGUSR1);
    close(outside.pipe[0]);
    close(outside.pipe[1]);
    return v;
}

static async_value tour_deadlock(void *p)
{
    (void)p;
    async_future never = async_create_future(), failed = async_create_future();
    if (failed)
        async_set_exception(failed, async_error(EIO, "nobody asks"));
    await(async_shield(never));
    return async_none;
}

static const struct {
    const char *name;
    async_fn *fn;
} stops[] = {
    { "generators", tour_generators }, { "tasks", tour_tasks }, { "contexts", tour_contexts },
    { "many", tour_many }, { "primitives", tour_primitives }, { "outside", tour_outside }, { "deadlock", tour_deadlock },
    { "runner", NULL },
};
#define STOPS (sizeof stops / sizeof stops[0])

static async_coroutine stop_at(size_t i)
{
    return async_coro_new((async_call){ .call = stops[i].fn, .name = stops[i].name });
}

/* One stop in a loop of its own; the last one is a loop in which we go to the first four. */
static void tour(size_t stop)
{
    async_value v = async_none;
    setenv("ASYNC_CLOCK", "virtual", 1);
    if (stops[stop].fn) {
        v = async_run(stop_at(stop));
    } else {
        async_runner *runner = async_runner_new();
        for (size_t i = 0; runner && i < 4; i++)
            v = async_runner_run(runner, stop_at(i));
        if (runner)
            v = async_runner_close(runner);
    }
    (void)v;
}

#endif
