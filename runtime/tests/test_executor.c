/* Blocking calls in threads: rows E01 and E02 of the checklist. Threads meet at gates, so that
 * nothing here depends on how long anything takes. */
#define _GNU_SOURCE
#include "testing.h"
#include <pthread.h>

/* A thread stops at a gate until it is opened, or until so many have come. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int came, passed, wanted;
    bool open;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 1 << 30, false };

static void pass_gate(void)
{
    pthread_mutex_lock(&gate.mutex);
    if (++gate.came >= gate.wanted)
        gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    while (!gate.open)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    gate.passed++;
    pthread_mutex_unlock(&gate.mutex);
}

static void open_gate(void)
{
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.mutex);
}

static int at_gate(void)
{
    pthread_mutex_lock(&gate.mutex);
    int came = gate.came;
    pthread_mutex_unlock(&gate.mutex);
    return came;
}

/* Waits until so many threads stand at the gate. Work under way holds virtual time: this spins. */
struct crowd { int size; };
static async_value crowd(void *p)
{
    while (at_gate() < ((struct crowd *)p)->size)
        await(async_sleep(0));
    return async_none;
}

struct divide { double by; };
static async_value divide(void *p)
{
    double by = ((struct divide *)p)->by;
    pass_gate();
    return by ? async_real(10 / by) : async_error(ZERO_DIVISION_ERROR, "division by zero");
}

static async_value divide_here(void *by) { return divide(&(struct divide){ *(double *)by }); }

PROGRAM(divides)
{
    double by = 0.4;
    async_value got[3];
    async_loop *loop = async_get_running_loop();
    gate.wanted = 2;                /* neither ends before both have begun */
    await(async_gather(got, async_to_thread(divide, 0.4),
                       async_loop_run_in_executor(loop, divide_here, &by),
                       async_coro(tell, "loop", 0)));
    say("%g %g %s", got[0].real, got[1].real, got[2].str);
    async_value v = async_catch(async_to_thread(divide, 0));
    say("%s", v.message);
    return async_none;
}

START_TEST(E01_blocking_calls_go_to_threads)
{
    play(async_coro(divides));
    expect("loop begins\n"
           "loop ends\n"
           "25 25 loop\n"
           "division by zero\n");
}
END_TEST

static async_value waits_at_gate(void *p)
{
    pass_gate();
    return async_ptr(p);
}

static async_value waits_and_says(void *p)
{
    pass_gate();
    say("thread ends");
    return async_ptr(p);
}

PROGRAM(cancels)
{
    async_task t = async_create_task(async_to_thread(waits_and_says));
    await(async_coro(crowd, 1));
    async_cancel(t);
    await(wait_all(t));
    say("cancelled %s", yes(async_cancelled(t)));
    open_gate();
    return async_none;
}

START_TEST(E02_cancelling_does_not_stop_a_thread)
{
    play(async_coro(cancels));
    say("run returned");
    expect("cancelled True\n"
           "thread ends\n"
           "run returned\n");
}
END_TEST

PROGRAM(times_out)
{
    async_value v = async_catch(async_wait_for(async_to_thread(waits_at_gate), 0));
    say("%s, came %d", async_error_name(v.error), at_gate());
    return async_none;
}

START_TEST(with_no_time_at_all_it_never_begins)
{
    play(async_coro(times_out));
    expect("TimeoutError, came 0\n");
}
END_TEST

/* -------------------------------------------------------------------------------- results */

static async_value makes_text(void *p)
{
    const char *lost = async_strf("%s that nobody asks for", "text");
    (void)lost;
    return async_str(async_strf("made in a thread of %s", *(const char **)p));
}

struct makes_error { int number; };
static async_value makes_error(void *p)
{
    int number = ((struct makes_error *)p)->number;
    return async_error(EIO, async_strf("error %d", number));
}

struct text_of { const char *whose; };
static async_value text_of(void *p)
{
    const char *whose = ((struct text_of *)p)->whose;
    return await(async_loop_run_in_executor(async_get_running_loop(), makes_text, &whose));
}

PROGRAM(takes_text)
{
    async_value v = await(async_create_task(async_coro(text_of, "ours")));
    say("%s", v.str);
    v = async_catch(async_to_thread(makes_error, 7));
    say("%d %s", v.error == EIO, v.message);
    async_value both[2];
    await(async_gather_exceptions(both, async_to_thread(makes_error, 8),
                                  async_to_thread(makes_error, 9)));
    say("%s, %s", both[0].message, both[1].message);
    return async_str(v.message);
}

START_TEST(text_that_a_thread_made_goes_to_who_awaits_it)
{
    async_value v = run_virtual(async_coro(takes_text));
    say("%s", v.str);
    expect("made in a thread of ours\n"
           "1 error 7\n"
           "error 8, error 9\n"
           "error 7\n");
}
END_TEST

PROGRAM(forgets)
{
    const char *whose = "nobody";
    async_future f = async_loop_run_in_executor(async_get_running_loop(), makes_text, &whose);
    while (!async_done(f))
        await(async_sleep(0));
    struct makes_error ten = { 10 };
    async_future e = async_loop_run_in_executor(async_get_running_loop(), makes_error, &ten);
    while (!async_done(e))
        await(async_sleep(0));
    return async_none;
}

START_TEST(an_error_that_nobody_asks_for_is_reported)
{
    listen_to_stderr();
    play(async_coro(forgets));
    heard();
    expect("stderr| Future exception was never retrieved: Future (made at FILE:N): Input/output "
           "error: error 10\n");
}
END_TEST

struct large { int numbers[100]; };
static async_value large(void *p)
{
    long sum = 0;
    for (int i = 0; i < 100; i++)
        sum += ((struct large *)p)->numbers[i];
    return async_num(sum);
}

PROGRAM(sums)
{
    async_value v = await(async_to_thread(large, .numbers = { [0] = 1, [50] = 2, [99] = 3 }));
    say("%ld", v.num);
    return async_none;
}

START_TEST(arguments_are_copied)
{
    play(async_coro(sums));
    expect("6\n");
}
END_TEST

/* ----------------------------------------------------------------------------- many of them */

struct square { long n; };
static async_value square(void *p)
{
    long n = ((struct square *)p)->n;
    return async_num(n * n);
}

PROGRAM(squares)
{
    enum { MANY = 1000 };
    static async_awaitable calls[MANY];
    static async_value got[MANY];
    long wrong = 0;
    for (long i = 0; i < MANY; i++)
        calls[i] = async_to_thread(square, i);
    await(async_gather_list(got, calls, MANY, false));
    for (long i = 0; i < MANY; i++)
        wrong += got[i].num != i * i;
    say("%ld wrong", wrong);
    return async_none;
}

START_TEST(more_work_than_threads)
{
    play(async_coro(squares));
    expect("0 wrong\n");
}
END_TEST

static long limit(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors + 4 < 32 ? processors + 4 : 32;
}

PROGRAM(as_many_as_may)
{
    enum { MOST = 32 };
    async_awaitable calls[MOST + 1];
    long may = limit();
    await(async_to_thread(square, 1));          /* now one thread is idle */
    for (long i = 0; i <= may; i++)
        calls[i] = async_to_thread(waits_at_gate);
    async_future all = async_gather_list(NULL, calls, may + 1, false);
    await(async_coro(crowd, may));
    for (int i = 0; i < 100; i++)
        await(async_sleep(0));
    say("%s", at_gate() == may ? "all but one have begun" : "too many have begun");
    open_gate();
    await(all);
    say("%s", gate.passed == may + 1 ? "all have run" : "some have not run");
    return async_none;
}

START_TEST(so_many_run_at_once_and_the_others_queue)
{
    play(async_coro(as_many_as_may));
    expect("all but one have begun\n"
           "all have run\n");
}
END_TEST

PROGRAM(cancels_queued)
{
    long may = limit();
    async_task running[32], queued[10];
    for (long i = 0; i < may; i++)
        running[i] = async_create_task(async_to_thread(waits_at_gate));
    await(async_coro(crowd, may));
    for (int i = 0; i < 10; i++)
        queued[i] = async_create_task(async_to_thread(waits_at_gate));
    await(async_sleep(0));
    for (int i = 0; i < 10; i++)
        async_cancel(queued[i]);
    await(async_wait(queued, 10, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    open_gate();
    await(async_wait(running, may, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    say("%d of %s", at_gate() - (int)may, "those that were queued have run");
    return async_none;
}

START_TEST(work_that_is_cancelled_in_the_queue_never_runs)
{
    play(async_coro(cancels_queued));
    expect("0 of those that were queued have run\n");
}
END_TEST

PROGRAM(cancels_all)
{
    enum { MANY = 200 };
    async_task tasks[MANY];
    for (int round = 0; round < 20; round++) {
        for (long i = 0; i < MANY; i++)
            tasks[i] = async_create_task(async_to_thread(square, i));
        for (int i = 0; i < round; i++)
            await(async_sleep(0));
        for (int i = 0; i < MANY; i++)
            async_cancel(tasks[i]);
        await(async_wait(tasks, MANY, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    }
    say("all ended");
    return async_none;
}

START_TEST(cancels_race_with_ends)
{
    play(async_coro(cancels_all));
    expect("all ended\n");
}
END_TEST

/* --------------------------------------------------------------------------------- the end */

static async_future left;

static async_value hands_over(void *p)
{
    for (int i = 0; i < 100; i++)
        left = async_loop_run_in_executor(async_get_running_loop(), waits_at_gate, p);
    await(async_coro(crowd, limit()));
    return async_none;
}

static void *open_later(void *p)
{
    usleep(20000);
    open_gate();
    return p;
}

START_TEST(a_loop_that_closes_waits_for_its_threads)
{
    pthread_t thread;
    async_loop *loop = async_new_event_loop();
    async_value v = async_loop_run_until_complete(loop, async_coro(hands_over));
    say("%s", repr(v));
    pthread_create(&thread, NULL, open_later, NULL);
    async_loop_close(loop);                 /* what runs ends; what is queued is dropped */
    pthread_join(thread, NULL);
    say("%s", gate.passed == limit() ? "all that had begun have ended" : "some have not ended");
    expect("None\n"
           "all that had begun have ended\n");
}
END_TEST

static async_value is_quick(void *p) { return async_ptr(p); }

static async_value hands_over_quick(void *p)
{
    for (int i = 0; i < 100; i++)
        left = async_loop_run_in_executor(async_get_running_loop(), is_quick, p);
    return async_none;
}

START_TEST(a_loop_may_close_while_results_are_on_their_way)
{
    for (int i = 0; i < 50; i++) {
        async_loop *loop = async_new_event_loop();
        async_loop_run_until_complete(loop, async_coro(hands_over_quick));
        async_loop_close(loop);
    }
    expect("");
}
END_TEST

static async_value waits_for_thread(void *p)
{
    await(async_to_thread(waits_at_gate));
    return async_ptr(p);
}

PROGRAM(leaves_waiting)
{
    async_detach(async_create_task(async_coro(waits_for_thread)));
    return await(async_coro(crowd, 1));
}

static async_value waits_for_all(void *p)
{
    await(async_loop_shutdown_default_executor(async_get_running_loop()));
    return async_ptr(p);
}

PROGRAM(leaves_waiting_for_all)
{
    async_detach(async_create_task(async_coro(waits_for_thread)));
    async_detach(async_create_task(async_coro(waits_for_all)));
    return await(async_coro(crowd, 1));
}

static void leave_behind(async_coroutine main)
{
    pthread_t thread;
    async_loop *loop = async_new_event_loop();
    listen_to_stderr();
    async_loop_run_until_complete(loop, main);
    pthread_create(&thread, NULL, open_later, NULL);
    async_loop_close(loop);
    pthread_join(thread, NULL);
    heard();
    said.length = 0;
    ck_assert_ptr_nonnull(strstr(said.text, "Task was destroyed but it is pending!"));
}

START_TEST(a_task_that_waits_for_a_thread_may_be_left_behind)
{
    leave_behind(async_coro(leaves_waiting));
}
END_TEST

/* It lies on a list of theirs, and they are gone before it is. */
START_TEST(a_task_that_waits_for_all_threads_may_be_left_behind)
{
    leave_behind(async_coro(leaves_waiting_for_all));
}
END_TEST

PROGRAM(many)
{
    for (long i = 0; again(&i, 20000);)
        await(async_to_thread(square, i));
    return async_none;
}

START_TEST(many_calls_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\n");
}
END_TEST

START_TEST(run_in_executor_outside_of_a_task)
{
    async_loop *loop = async_new_event_loop();
    struct square three = { 3 };
    async_future f = async_loop_run_in_executor(loop, square, &three);
    async_value v = async_loop_run_until_complete(loop, f);
    say("%ld", v.num);
    async_loop_close(loop);
    expect("9\n");
}
END_TEST

static async_value large_array(void *p)
{
    volatile char large[1 << 20];
    for (size_t i = 0; i < sizeof large; i += 1024)
        large[i] = p != NULL;
    return async_num(large[1024]);
}

PROGRAM(needs_stack)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);      /* what musl gives a thread */
    pthread_setattr_default_np(&small);
    say("%ld", await(async_to_thread(large_array)).num);
    return async_none;
}

static void runs_large_array(void) { _exit(async_main(async_coro(needs_stack))); }

START_TEST(a_thread_has_the_stack_that_is_promised)
{
    in_child(runs_large_array);
    expect("exit status 0\n");
}
END_TEST

static async_value reads_arguments(void *p) { return async_num(((long *)p)[0] + ((long *)p)[1]); }

PROGRAM(gives_none)
{
    say("%ld", await(async_to_thread(reads_arguments)).num);
    return async_none;
}

START_TEST(without_arguments_a_function_gets_zeroes)
{
    play(async_coro(gives_none));
    expect("0\n");
}
END_TEST

MAIN("executor",
     TEST(E01_blocking_calls_go_to_threads)
     TEST(a_thread_has_the_stack_that_is_promised)
     TEST(E02_cancelling_does_not_stop_a_thread)
     TEST(with_no_time_at_all_it_never_begins)
     TEST(text_that_a_thread_made_goes_to_who_awaits_it)
     TEST(an_error_that_nobody_asks_for_is_reported)
     TEST(arguments_are_copied)
     TEST(more_work_than_threads)
     TEST(so_many_run_at_once_and_the_others_queue)
     TEST(work_that_is_cancelled_in_the_queue_never_runs)
     TEST(cancels_race_with_ends)
     TEST(a_loop_that_closes_waits_for_its_threads)
     TEST(a_loop_may_close_while_results_are_on_their_way)
     TEST(a_task_that_waits_for_a_thread_may_be_left_behind)
     TEST(a_task_that_waits_for_all_threads_may_be_left_behind)
     TEST(many_calls_take_constant_memory)
     TEST(run_in_executor_outside_of_a_task)
     TEST(without_arguments_a_function_gets_zeroes))
