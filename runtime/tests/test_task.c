/* Tasks: rows T01 to T09 of the checklist, and what becomes of errors nobody asks for: D02, D03. */
#include "testing.h"

static async_value creates(void *p)
{
    async_task t = async_create_task(async_coro(tell, "child", 0));
    say("created %s", yes(async_done(t)));
    say("main goes on");
    await(t);
    say("done");
    return async_ptr(p);
}

START_TEST(T01_a_new_task_starts_in_the_next_iteration)
{
    play(async_coro(creates));
    expect("created False\n"
           "main goes on\n"
           "child begins\n"
           "child ends\n"
           "done\n");
}
END_TEST

static async_value take_turns(void *p)
{
    async_task a = async_create_task(async_coro(spin, "a", 2));
    async_task b = async_create_task(async_coro(spin, "b", 2));
    async_task c = async_create_task(async_coro(spin, "c", 2));
    say("main waits");
    await(wait_all(a, b, c));
    return async_ptr(p);
}

START_TEST(T02_tasks_start_and_resume_in_fifo_order)
{
    play(async_coro(take_turns));
    expect("main waits\n"
           "a 0\n"
           "b 0\n"
           "c 0\n"
           "a 1\n"
           "b 1\n"
           "c 1\n");
}
END_TEST

static async_value outcomes(void *p)
{
    async_task a = async_create_task(async_coro(ret, async_num(1), 0));
    async_task b = async_create_task(async_coro(bad, key_error("2"), 0));
    async_task c = async_create_task(async_coro(tell, "c", 9));
    say("%s", repr(async_result(a)));
    say("%s", repr(async_exception(a)));
    await(async_sleep(1));
    async_cancel(c);
    await(wait_all(c));
    say("%ld %s %s %s %s %s", async_result(a).num, repr(async_exception(a)),
        repr(async_exception(b)), yes(async_cancelled(a)), yes(async_cancelled(c)),
        yes(async_done(c)));
    say("%s %s %s", repr(async_result(b)), repr(async_result(c)), repr(async_exception(c)));
    return async_ptr(p);
}

START_TEST(T03_result_and_exception)
{
    play(async_coro(outcomes));
    expect("InvalidStateError('Result is not set.')\n"
           "InvalidStateError('Exception is not set.')\n"
           "c begins\n"
           "c cancelled\n"
           "1 None KeyError('2') False True True\n"
           "KeyError('2') CancelledError() CancelledError()\n");
}
END_TEST

static async_value names(void *p)
{
    async_task a = async_create_task(async_coro(ret, async_num(1), 0));
    async_task b = async_create_task_named(async_coro(ret, async_num(2), 0), "mine");
    async_task c = async_create_task(async_coro(ret, async_num(3), 0));
    say("%s %s %s %s", name_of(async_current_task()), name_of(a), name_of(b), name_of(c));
    char name[] = "123";
    async_set_name(a, name);
    name[0] = 'X';
    say("'%s'", async_get_name(a));
    await(async_gather(NULL, a, b, c));
    say("%s", async_get_name(b));
    return async_ptr(p);
}

START_TEST(T04_names)
{
    play(async_coro(names));
    expect("Task-1 Task-2 mine Task-3\n"
           "'123'\n"
           "mine\n");
}
END_TEST

static async_value await_done(void *p)
{
    async_task t = async_create_task(async_coro(ret, async_str("r"), 0));
    await(async_sleep(1));
    call_soon(say_text, "loop turn");
    const char *once = await(t).str, *twice = await(t).str;
    say("%s %s no loop turn yet", once, twice);
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(T05_await_of_a_finished_task_does_not_suspend)
{
    play(async_coro(await_done));
    expect("r r no loop turn yet\n"
           "loop turn\n");
}
END_TEST

static async_value child(void *p)
{
    await(async_sleep(0));
    say("child ends");
    return async_ptr(p);
}

static async_value awaits_child(void *p)
{
    async_task t = async_create_task(async_coro(child));
    async_task c = async_create_task(async_coro(spin, "iteration", 5));
    await(t);
    say("main resumed");
    await(c);
    return async_ptr(p);
}

START_TEST(T06_an_awaiter_resumes_in_the_iteration_after_the_task_ends)
{
    play(async_coro(awaits_child));
    expect("iteration 0\n"
           "child ends\n"
           "iteration 1\n"
           "main resumed\n"
           "iteration 2\n"
           "iteration 3\n"
           "iteration 4\n");
}
END_TEST

static async_task self;
static async_value selfish(void *p)
{
    call_soon(say_text, "loop turn");
    async_value v = async_catch(self);
    const char *words = strstr(v.message, "Task cannot await on itself:");
    say("%s %.28s", async_error_name(v.error), words ? words : "?");
    return async_ptr(p);
}

static async_value starts_selfish(void *p)
{
    self = async_create_task(async_coro(selfish));
    await(self);
    return async_ptr(p);
}

START_TEST(T07_a_task_may_not_await_itself)
{
    play(async_coro(starts_selfish));
    expect("loop turn\n"                            /* one iteration later */
           "RuntimeError Task cannot await on itself:\n");
}
END_TEST

static async_value say_current(void *p)
{
    say("callback %s", async_current_task() ? "?" : "None");
    return async_ptr(p);
}

static void say_all_tasks(void)
{
    async_task all[8];
    size_t count = async_all_tasks(all, 8);
    char text[200] = "";
    for (size_t i = 0; i < count; i++)
        sprintf(text + strlen(text), "%s'%s'", i ? ", " : "", name_of(all[i]));
    say("[%s]", text);
}

static async_value looks_around(void *p)
{
    call_soon(say_current, NULL);
    async_task a = async_create_task(async_coro(ret, async_num(1), 0));
    async_task b = async_create_task_named(async_coro(ret, async_num(2), 5), "b");
    say_all_tasks();
    await(a);
    say_all_tasks();
    async_cancel(b);
    return async_ptr(p);
}

START_TEST(T08_current_task_and_all_tasks)
{
    play(async_coro(looks_around));
    expect("['Task-1', 'Task-2', 'b']\n"
           "callback None\n"
           "['Task-1', 'b']\n");
    ck_assert_ptr_null(async_current_task());
}
END_TEST

struct waiter { async_task task; };
static async_value waiter(void *p)
{
    await(((struct waiter *)p)->task);
    say("awaiter");
    return async_none;
}

static async_value say_first(async_task t, void *expected)
{
    say("first %s", yes(t == *(async_task *)expected));
    return async_none;
}

static async_value callbacks(void *p)
{
    async_task t = async_create_task(async_coro(ret, async_num(1), 1));
    async_add_done_callback(t, say_first, &t);
    async_task w = async_create_task(async_coro(waiter, t));
    await(async_sleep(0.5));
    async_add_done_callback(t, say_when_done, "last");
    await(w);
    await(async_sleep(0));
    async_add_done_callback(t, say_when_done, "late");
    say("added");
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(T09_done_callbacks_of_a_task)
{
    play(async_coro(callbacks));
    expect("first True\n"
           "awaiter\n"
           "last\n"
           "added\n"
           "late\n");
}
END_TEST

static async_value ends_now(void *p)
{
    await(async_sleep(0));
    count_turns();
    return async_ptr(p);
}

static async_value sleeps(void *p)
{
    await(async_sleep(9));
    return async_ptr(p);
}

static async_value awaits_sleeper(void *p)
{
    await(async_create_task(async_coro(sleeps)));
    return async_ptr(p);
}

static async_value gathers_sleepers(void *p)
{
    await(async_gather(NULL, async_coro(sleeps), async_coro(sleeps)));
    return async_ptr(p);
}

static async_value waits_for_sleeper(void *p)
{
    async_task task = async_create_task(async_coro(sleeps));
    await(wait_all(task));
    return async_ptr(p);
}

static async_value shields_sleeper(void *p)
{
    await(async_shield(async_coro(sleeps)));
    return async_ptr(p);
}

struct notices { async_coroutine coro; const char *what; };
static async_value notices(void *p)     /* awaits; says how many turns after the event it goes on */
{
    struct notices *args = p;
    async_value v = async_catch(args->coro);
    say("%s: +%u%s", args->what, turns, v.error == ASYNC_CANCELLED ? " cancelled" : "");
    return async_none;
}

static async_value cancel_latency(async_coroutine coro, const char *what)
{
    async_task task = async_create_task(async_coro(notices, coro, what));
    await(async_sleep(1));
    count_turns();
    async_cancel(task);
    await(wait_all(task));
    return async_none;
}

static async_value latencies(void *p)
{
    async_task done = async_create_task(async_coro(ends_now));
    await(async_coro(notices, done, "await a task"));
    count_turns();
    await(async_coro(notices, done, "await a done task"));
    cancel_latency(async_coro(sleeps), "cancel sleep");
    cancel_latency(async_coro(awaits_sleeper), "cancel task in sleep");
    cancel_latency(async_coro(gathers_sleepers), "cancel gather");
    cancel_latency(async_coro(waits_for_sleeper), "cancel wait");
    cancel_latency(async_coro(shields_sleeper), "cancel shield");
    return async_ptr(p);
}

START_TEST(iterations_of_tasks_and_cancellation)
{
    play(async_coro(latencies));
    expect("await a task: +1\n"
           "await a done task: +0\n"
           "cancel sleep: +1 cancelled\n"
           "cancel task in sleep: +2 cancelled\n"
           "cancel gather: +3 cancelled\n"
           "cancel wait: +1 cancelled\n"
           "cancel shield: +1 cancelled\n");
}
END_TEST

static async_value abandons(void *p)
{
    async_task a = async_create_task(async_coro(bad, value_error("a"), 0));
    async_task b = async_create_task(async_coro(bad, value_error("b"), 0));
    async_future f = async_create_future();
    async_set_exception(f, key_error("f"));
    await(async_sleep(1));
    say("%s", repr(async_exception(b)));
    say("end");
    (void)a;
    return async_ptr(p);
}

/* Without reference counts a handle is given up when the loop closes, see rule 3 of async.h. */
START_TEST(D02_an_error_that_was_never_retrieved_is_reported)
{
    listen_to_stderr();
    play(async_coro(abandons));
    heard();
    expect("ValueError('b')\n"
           "end\n"
           "stderr| Task exception was never retrieved: task 'Task-2' (bad, created at FILE:N): "
           "ValueError: a\n"
           "stderr| Future exception was never retrieved: Future (made at FILE:N): Error: f\n");
}
END_TEST

PROGRAM(goes_on_long_after)
{
    async_task failed = async_create_task(async_coro(bad, value_error("a"), 0));
    for (int i = 0; i < 3; i++) {
        await(async_sleep(0.7));
        fprintf(stderr, "goes on\n");
    }
    (void)failed;
    return async_none;
}

START_TEST(D02_so_far_it_was_not_retrieved)
{
    listen_to_stderr();
    play(async_coro(goes_on_long_after));
    heard();
    expect("stderr| goes on\n"
           "stderr| Task exception was never retrieved so far: task 'Task-2' (bad, created at FILE:N): "
           "ValueError: a\n"
           "stderr| goes on\n"
           "stderr| goes on\n");
}
END_TEST

static async_value detaches(void *p)
{
    async_detach(async_create_task(async_coro(bad, value_error("a"), 0)));
    async_detach(async_create_task(async_coro(tell, "b", 1)));
    await(async_sleep(2));
    fprintf(stderr, "main goes on\n");
    return async_ptr(p);
}

START_TEST(D02_a_detached_task_reports_at_once)
{
    listen_to_stderr();
    play(async_coro(detaches));
    heard();
    expect("b begins\n"
           "b ends\n"
           "stderr| Task exception was never retrieved: task 'Task-2' (bad, created at FILE:N): "
           "ValueError: a\n"
           "stderr| main goes on\n");
}
END_TEST

START_TEST(D03_a_pending_task_of_a_loop_that_closes_is_reported)
{
    listen_to_stderr();
    async_loop *loop = async_new_event_loop();
    async_task task = async_loop_create_task(loop, async_coro(ret, async_none, 99));
    async_set_name(task, "lost");
    async_loop_run_until_complete(loop, async_sleep(0.01));
    async_loop_close(loop);
    say("end");
    heard();
    expect("end\n"
           "stderr| Task was destroyed but it is pending! task 'lost' (ret, created at FILE:N), "
           "waiting at FILE:N\n");
}
END_TEST

MAIN("task",
     TEST(T01_a_new_task_starts_in_the_next_iteration)
     TEST(T02_tasks_start_and_resume_in_fifo_order)
     TEST(T03_result_and_exception)
     TEST(T04_names)
     TEST(T05_await_of_a_finished_task_does_not_suspend)
     TEST(T06_an_awaiter_resumes_in_the_iteration_after_the_task_ends)
     TEST(T07_a_task_may_not_await_itself)
     TEST(T08_current_task_and_all_tasks)
     TEST(T09_done_callbacks_of_a_task)
     TEST(iterations_of_tasks_and_cancellation)
     TEST(D02_an_error_that_was_never_retrieved_is_reported)
     TEST(D02_so_far_it_was_not_retrieved)
     TEST(D02_a_detached_task_reports_at_once)
     TEST(D03_a_pending_task_of_a_loop_that_closes_is_reported))
