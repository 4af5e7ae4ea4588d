/* Handles: the four rules at the top of async.h, what misuse is told, and that memory is constant
 * over a million of everything. */
#include "testing.h"
#include "core/object.h"
#include <malloc.h>

/* Awaits x; says the error it gets and where its sentence differs from the one that is wanted. */
struct tries { async_awaitable x; const char *wanted; };
static async_value tries(void *p)
{
    struct tries *args = p;
    char text[2048];
    async_value v = async_catch(args->x);
    mask(text, v.error && v.message ? v.message : "nothing");
    say("%s: %s", async_error_name(v.error), strstr(text, args->wanted) ? args->wanted : text);
    return async_none;
}

#define complain(x, wanted) await(async_coro(tries, x, wanted))

/* Does the handle still answer? */
static bool answers(async_task x)
{
    async_value v = async_result(x);
    return !(v.error == ASYNC_RUNTIME_ERROR && v.message && strstr(v.message, "too old"));
}

static async_value make_and_take(long count)
{
    for (long i = 0; i < count; i++)
        await(async_create_task(async_coro(nothing)));
    return async_none;
}

/* -------------------------------------------------------------------- rule 2: coroutines */

static async_value used_up(void *p)
{
    async_coroutine awaited = async_coro(nothing), made = async_coro(nothing),
                    gathered = async_coro(nothing), closed = async_coro(nothing),
                    waited = async_coro(nothing), shielded = async_coro(nothing);
    await(awaited);
    complain(awaited, "cannot reuse already awaited coroutine: coroutine 'nothing' (made at "
                      "FILE:N)");
    complain(async_gather(NULL, awaited), "async_gather at FILE:N in task 'Task-1': cannot reuse");
    async_task task = async_create_task(made);
    complain(made, "cannot reuse already awaited coroutine: it has become task 'Task-2' (nothing, "
                   "created at FILE:N); use the handle of that task");
    await(async_gather(NULL, gathered));
    complain(gathered, "it has become task 'Task-3'");
    await(async_wait_for(waited, 9));
    complain(waited, "cannot reuse already awaited coroutine");
    await(async_shield(shielded));
    complain(shielded, "it has become task");
    async_coro_close(closed);
    complain(closed, "this handle is too old");
    await(task);
    return async_ptr(p);
}

START_TEST(rule_2_a_coroutine_object_is_used_up_by_the_first_use)
{
    play(async_coro(used_up));
    expect("RuntimeError: cannot reuse already awaited coroutine: coroutine 'nothing' (made at "
           "FILE:N)\n"
           "RuntimeError: async_gather at FILE:N in task 'Task-1': cannot reuse\n"
           "RuntimeError: cannot reuse already awaited coroutine: it has become task 'Task-2' "
           "(nothing, created at FILE:N); use the handle of that task\n"
           "RuntimeError: it has become task 'Task-3'\n"
           "RuntimeError: cannot reuse already awaited coroutine\n"
           "RuntimeError: it has become task\n"
           "RuntimeError: this handle is too old\n");
}
END_TEST

static async_value names_place(void *p)
{
    char place[100];
    async_coroutine c = async_coro(nothing); int made = __LINE__;
    await(c);
    async_value v = async_catch(c); int here = __LINE__;
    snprintf(place, sizeof place, "await at %s:%d in task '", __FILE__, here);
    say("%s", yes(!strncmp(v.message, place, strlen(place))));
    snprintf(place, sizeof place, "coroutine 'nothing' (made at %s:%d)", __FILE__, made);
    say("%s", yes(strstr(v.message, place) != NULL));
    return async_ptr(p);
}

START_TEST(a_sentence_names_the_task_the_file_and_the_line)
{
    play(async_coro(names_place));
    expect("True\n"
           "True\n");
}
END_TEST

/* ------------------------------------------------------------------- rules 1 and 3: age */

static async_value ages(void *p)
{
    async_task old = async_create_task(async_coro(ret, async_num(1), 0));
    await(old);
    make_and_take(60);
    say("%s %ld", yes(answers(old)), await(old).num);
    make_and_take(1000);
    say("%s", yes(answers(old)));
    complain(old, "what it stood for was used up or collected long ago");
    return async_ptr(p);
}

START_TEST(rule_3_a_handle_answers_until_64_later_ones_were_taken)
{
    play(async_coro(ages));
    expect("True 1\n"
           "False\n"
           "RuntimeError: what it stood for was used up or collected long ago\n");
}
END_TEST

static async_value many_alive(void *p)
{
    static async_task tasks[5000];
    for (int i = 0; i < 5000; i++)
        tasks[i] = async_create_task(async_coro(ret, async_num(i), 1));
    async_value v = await(async_gather_list(NULL, tasks, 5000, false));
    (void)v;
    make_and_take(10);
    long good = 0;
    for (int i = 0; i < 5000; i++)
        good += async_result(tasks[i]).num == i;
    say("%ld", good);
    return async_ptr(p);
}

START_TEST(rule_3_or_as_many_as_were_ever_alive_at_once)
{
    play(async_coro(many_alive));
    expect("5000\n");
}
END_TEST

static async_value keeps(void *p)
{
    async_task task = async_create_task(async_coro(ret, async_num(1), 0));
    async_future future = async_create_future();
    async_keep(task);
    async_keep(task);
    async_keep(future);
    async_set_result(future, async_num(2));
    await(future);
    await(task);
    make_and_take(1000);
    async_release(task);
    make_and_take(1000);
    say("%ld %ld", await(task).num, await(future).num);
    async_release(task);
    make_and_take(1000);
    say("%s %s", yes(answers(task)), yes(answers(future)));
    return async_ptr(p);                    /* future is never released: it goes with its loop */
}

START_TEST(rule_3_or_as_long_as_it_is_kept)
{
    play(async_coro(keeps));
    expect("1 2\n"
           "False True\n");
}
END_TEST

static async_value nobody_asks(void *p)
{
    async_future first = async_create_future();
    async_set_result(first, async_num(1));
    for (int i = 1; i < 65536; i++)
        async_set_result(async_create_future(), async_none);
    make_and_take(1000);
    say("%s", yes(async_done(first)));
    for (int i = 0; i < 65536; i++)
        async_set_result(async_create_future(), async_none);
    say("%s", yes(answers(first)));
    return async_ptr(p);
}

START_TEST(rule_3_done_but_nobody_asked_is_good_for_65536_more)
{
    play(async_coro(nobody_asks));
    expect("True\n"
           "False\n");
}
END_TEST

static async_value unfinished(void *p)
{
    async_future pending = async_create_future();
    make_and_take(1000);
    for (int i = 0; i < 70000; i++)
        async_set_result(async_create_future(), async_none);
    say("%s", yes(async_done(pending)));
    return async_ptr(p);
}

START_TEST(rule_3_what_is_not_done_never_gets_too_old)
{
    play(async_coro(unfinished));
    expect("False\n");
}
END_TEST

static async_awaitable from_before;
static async_value makes_one(void *p)
{
    from_before = async_create_task(async_coro(nothing));
    await(from_before);
    return async_ptr(p);
}

static async_value uses_one(void *p)
{
    complain(from_before, "too old");
    complain((async_awaitable)0x123456789abcdef0, "this is no handle");
    complain((async_awaitable)1, "this is no handle");
    complain((async_awaitable)&p, "this is no handle");
    return async_ptr(p);
}

START_TEST(rule_1_a_handle_of_another_loop_or_none_at_all_is_recognised)
{
    play(async_coro(makes_one));
    play(async_coro(uses_one));
    expect("RuntimeError: too old\n"
           "TypeError: this is no handle\n"
           "TypeError: this is no handle\n"
           "TypeError: this is no handle\n");
}
END_TEST

/* ------------------------------------------------------------- what has ended stays ended */

static async_value tell_done(async_future x, void *expected)
{
    say("called back %s", yes(x == expected));
    return async_none;
}

static async_value asks_tasks(void *p)
{
    async_task ended = async_create_task(async_coro(ret, async_num(5), 0));
    async_task cancelled = async_create_task(async_sleep(9));
    await(ended);
    async_cancel(cancelled);
    async_value v = async_catch(cancelled);
    make_and_take(1000);
    complain(async_gather(NULL, ended), "too old");
    say("done %s %s", yes(async_done(ended)), yes(async_done(cancelled)));
    say("cancelled %s %s", yes(async_cancelled(ended)), yes(async_cancelled(cancelled)));
    say("cancel %s, cancelling %d, uncancel %d", yes(async_cancel(ended)), async_cancelling(ended),
        async_uncancel(ended));
    async_task both[] = { async_create_task(async_sleep(1)), ended };
    v = await(async_wait(both, 2, ASYNC_NO_TIMEOUT, ASYNC_FIRST_COMPLETED));
    say("wait %ld %s %g", v.num, yes(both[0] == ended), now());
    say("set_result %s", async_set_result(ended, v).message);
    say("%s", async_get_task_info(ended).done ? "done" : "not done");
    async_add_done_callback(ended, tell_done, ended);
    say("remove %zu", async_remove_done_callback(ended, tell_done));
    async_detach(ended);
    async_set_name(ended, "nobody");
    async_release(ended);
    await(both[1]);
    return async_ptr(p);
}

START_TEST(a_task_that_is_recycled_has_ended)
{
    play(async_coro(asks_tasks));
    expect("RuntimeError: too old\n"
           "done True True\n"
           "cancelled False True\n"
           "cancel False, cancelling 0, uncancel 0\n"
           "wait 1 True 0\n"
           "set_result invalid state: the future is done already\n"
           "done\n"
           "remove 0\n"
           "called back True\n");
}
END_TEST

static async_value asks_handles(void *p)
{
    async_handle fired = call_soon(nothing, NULL), dropped = call_later(9, nothing, NULL),
                 kept = call_later(1, nothing, NULL);
    async_keep(kept);
    async_handle_cancel(dropped);
    make_and_take(1000);
    await(async_sleep(2));
    make_and_take(1000);
    say("%s %s", yes(async_handle_cancelled(fired)), yes(async_handle_cancelled(dropped)));
    async_handle_cancel(fired);                 /* as clean-ups do, long after it was called */
    async_handle_cancel(dropped);
    say("%s %s", yes(async_handle_cancelled(fired)), yes(async_handle_cancelled(dropped)));
    say("%g", async_handle_when(kept));
    async_release(kept);
    return async_ptr(p);
}

START_TEST(so_has_a_callback)
{
    play(async_coro(asks_handles));
    expect("False True\n"
           "True True\n"
           "1\n");
}
END_TEST

static async_value asks_coroutines(void *p)
{
    async_coroutine awaited = async_coro(nothing), closed = async_coro(nothing);
    await(awaited);
    async_coro_close(closed);
    make_and_take(1000);
    async_coro_close(awaited);
    async_coro_close(closed);
    async_coro_close(closed);
    say("fine");
    return async_ptr(p);
}

START_TEST(a_coroutine_object_can_be_closed_at_any_time)
{
    play(async_coro(asks_coroutines));
    expect("fine\n");
}
END_TEST

struct enters { async_timeout_scope **scope; double seconds; };
static async_value enters(void *p)
{
    struct enters *args = p;
    async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout(1);
    *args->scope = scope;
    await(async_sleep(args->seconds));
    return async_none;
}

static async_value asks_scopes(void *p)
{
    async_timeout_scope *left = NULL, *expired = NULL, *other = NULL;
    say("%s", repr(async_catch(async_coro(enters, &left, 0.5))));
    say("%s", repr(async_catch(async_coro(enters, &expired, 2))));
    for (int i = 0; i < 1000; i++) {
        async_value v = async_catch(async_coro(enters, &other, i % 3));
        (void)v;
    }
    say("%s %s", yes(async_timeout_expired(left)), yes(async_timeout_expired(expired)));
    say("%s", async_timeout_reschedule(left, 9).message);
    say("%s", async_timeout_reschedule(expired, 9).message);
    say("%s", repr(async_timeout_leave(expired, async_none)));
    return async_ptr(p);
}

START_TEST(a_scope_has_expired_or_not)
{
    play(async_coro(asks_scopes));
    expect("None\n"
           "TimeoutError('')\n"
           "False True\n"
           "Cannot change state of finished Timeout\n"
           "Cannot change state of expired Timeout\n"
           "None\n");
}
END_TEST

static async_value counts_to_two(void *p)
{
    async_yield(async_num(1));
    async_yield(async_num(2));
    return async_ptr(p);
}

static async_value closes_late(void *p)
{
    async_with(async_aclose_exit) async_iterator numbers = async_generator(counts_to_two);
    async_for (number, numbers)
        say("%ld", number.num);
    make_and_take(1000);
    say("%s", repr(async_catch(async_anext(numbers))));
    return async_ptr(p);
}

static async_value asks_group(void *p)
{
    async_taskgroup *group = async_taskgroup_enter();
    async_taskgroup_create_task(group, async_coro(nothing));
    await(async_taskgroup_join(group));
    await(async_coro(closes_late));
    say("%s", async_catch(async_taskgroup_create_task(group, async_coro(nothing))).message);
    say("%s", repr(async_catch(async_taskgroup_join(group))));
    async_taskgroup_exit(&group);
    return async_ptr(p);
}

START_TEST(a_group_is_finished_and_a_generator_at_its_end)
{
    play(async_coro(asks_group));
    expect("1\n"
           "2\n"
           "StopAsyncIteration('')\n"
           "TaskGroup is finished\n"
           "None\n");
}
END_TEST

/* --------------------------------------------------------------------------------- misuse */

static async_value nulls(void *p)
{
    async_task null = async_create_task(NULL);
    say("%s", null ? "?" : "NULL");
    async_detach(NULL);
    async_coro_close(NULL);
    return async_ptr(p);
}

static async_value awaits_null(void *p)
{
    async_value v = async_catch(NULL);
    say("%s", v.error == ENOMEM ? "ENOMEM" : repr(v));
    v = async_catch(async_gather(NULL, async_coro(nothing), NULL));
    say("%s", v.error == ENOMEM ? "ENOMEM" : repr(v));
    v = async_catch(async_wait_for(NULL, 1));
    say("%s", v.error == ENOMEM ? "ENOMEM" : repr(v));
    v = async_catch(async_shield(NULL));
    say("%s", v.error == ENOMEM ? "ENOMEM" : repr(v));
    v = async_result(NULL);
    say("%s", v.error == ENOMEM ? "ENOMEM" : repr(v));
    return async_ptr(p);
}

START_TEST(null_is_what_running_out_of_memory_looks_like)
{
    play(async_coro(awaits_null));
    expect("ENOMEM\n"
           "ENOMEM\n"
           "ENOMEM\n"
           "ENOMEM\n"
           "ENOMEM\n");
    play(async_coro(nulls));
    expect("NULL\n");
}
END_TEST

static async_value waits_in_callback(void *p)
{
    complain(async_sleep(1), "only a task can wait");
    complain(async_create_future(), "only a task can wait");
    complain(async_wait(&from_before, 1, 1, ASYNC_ALL_COMPLETED), "only a task can wait");
    say("%ld", await(async_coro(ret, async_num(7), 0)).num);
    return async_ptr(p);
}

static async_value lets_callback_wait(void *p)
{
    call_soon(waits_in_callback, NULL);
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(a_callback_cannot_wait)
{
    listen_to_stderr();
    play(async_coro(lets_callback_wait));
    heard();
    expect("RuntimeError: only a task can wait\n"
           "RuntimeError: only a task can wait\n"
           "RuntimeError: only a task can wait\n"
           "stderr| Exception in callback: Handle (made at FILE:N): RuntimeError: await at FILE:N in a callback: only a "
           "task can wait. Start a coroutine with async_run(), or with async_create_task() from "
           "inside the loop, and await there\n");
}
END_TEST

START_TEST(nobody_can_wait_outside_of_a_loop)
{
    async_value v = async_catch(async_sleep(1));
    say("%s %s", async_error_name(v.error), yes(strstr(v.message, "only a task can wait") != NULL));
    v = async_catch(async_coro(ret, async_num(1), 0));
    say("%s", async_error_name(v.error));
    expect("RuntimeError True\n"
           "RuntimeError\n");
}
END_TEST

static async_value awaits_foreign(void *p)
{
    complain(from_before, "in task 'Task-1': the future belongs to a different loop");
    return async_ptr(p);
}

START_TEST(a_future_of_another_loop_cannot_be_awaited)
{
    async_loop *other = async_new_event_loop();
    from_before = async_loop_create_future(other);
    play(async_coro(awaits_foreign));
    async_loop_close(other);
    expect("RuntimeError: in task 'Task-1': the future belongs to a different loop\n");
}
END_TEST

/* Where no error can be returned the sentence ends the program. */
static void misuse(async_fn *fn)
{
    async_value v = run_virtual(async_coro_new((async_call){ fn, "main", NULL, 0 }));
    _exit(v.error != 0);
}

#define MISUSE(name, ...) \
    static async_value name##_in_task(void *p) { __VA_ARGS__; return async_ptr(p); } \
    static void name(void) { misuse(name##_in_task); }

MISUSE(cancels_coroutine, async_cancel(async_coro(nothing)))
MISUSE(names_future, async_set_name(async_create_future(), "x"))
MISUSE(detaches_refused,
       async_taskgroup *group = async_taskgroup_enter();
       await(async_taskgroup_join(group)); async_detach(async_taskgroup_create_task(group, async_coro(nothing))))
MISUSE(makes_task_of_task, (void)!async_create_task(async_current_task()))
MISUSE(makes_task_twice,
       async_coroutine c = async_coro(nothing);
       await(async_create_task(c)); (void)!async_create_task(c))
MISUSE(asks_old_handle,
       async_task old = async_create_task(async_coro(nothing));
       await(old); make_and_take(1000); async_get_name(old))
MISUSE(cancels_rubbish, async_cancel((async_task)&p))
MISUSE(cancels_task_as_handle, async_handle_cancel(async_current_task()))
MISUSE(closes_task, async_coro_close(async_current_task()))
static void makes_task_outside(void) { (void)!async_create_task(async_coro(nothing)); }
static void makes_future_outside(void) { (void)!async_create_future(); }
static void gathers_outside(void) { (void)!async_gather(NULL, async_coro(nothing)); }

START_TEST(misuse_without_a_way_to_return_an_error_aborts_with_a_sentence)
{
    expect_abort(cancels_coroutine,
                 "TypeError: async_cancel at FILE:N in task 'Task-1': coroutine 'nothing' (made at "
                 "FILE:N) is not a task: nothing of it runs yet. async_create_task() makes a task "
                 "of it.");
    expect_abort(names_future, "TypeError: async_set_name at FILE:N in task 'Task-1': this does "
                               "not work on a Future (made at FILE:N).");
    expect_abort(detaches_refused, "TypeError: async_detach at FILE:N in task 'Task-1': this does not work on a "
                                   "Future (made at FILE:N), which holds RuntimeError: TaskGroup is finished.");
    expect_abort(makes_task_of_task,
                 "TypeError: async_create_task at FILE:N in task 'Task-1': a coroutine was "
                 "expected, got task 'Task-1' (main, created at FILE:N), which runs already.");
    expect_abort(makes_task_twice,
                 "RuntimeError: async_create_task at FILE:N in task 'Task-1': cannot reuse already "
                 "awaited coroutine: it has become task 'Task-2' (nothing, created at FILE:N); use "
                 "the handle of that task.");
    expect_abort(asks_old_handle,
                 "RuntimeError: async_get_name at FILE:N in task 'Task-1': this handle is too old");
    expect_abort(cancels_rubbish,
                 "TypeError: async_cancel at FILE:N in task 'Task-1': this is no handle");
    expect_abort(cancels_task_as_handle, "TypeError: async_handle_cancel at FILE:N in task");
    expect_abort(closes_task, "TypeError: async_coro_close at FILE:N in task 'Task-1'");
}
END_TEST

START_TEST(calls_that_need_a_loop_abort_without_one)
{
    expect_abort(makes_task_outside, "RuntimeError: async_create_task at FILE:N outside of any "
                                     "event loop: no running event loop.");
    expect_abort(makes_future_outside, "RuntimeError: async_create_future at FILE:N outside");
    expect_abort(gathers_outside, "RuntimeError: async_gather at FILE:N outside");
}
END_TEST

/* -------------------------------------------------------------------------- constant memory */

static bool is_slow(void)       /* with a memory checker under us, which counts in its own way */
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return true;
#endif
#endif
    return RUNNING_ON_VALGRIND;
}

static long resident(void)      /* in bytes */
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static async_future gone;

static async_value awaits_task(void *p)
{
    await(async_create_task(async_coro(ret, async_ptr(p), 0)));
    return async_none;
}

static async_value awaits_coroutine(void *p)
{
    await(async_coro(ret, async_ptr(p), 0));
    return async_none;
}

static async_value sleeps(void *p)
{
    await(async_sleep(1));
    return async_ptr(p);
}

static async_value gathers(void *p)
{
    async_value results[2];
    await(async_gather(results, async_coro(ret, async_ptr(p), 0), async_coro(nothing)));
    return async_none;
}

static async_value waits(void *p)
{
    async_task first = async_create_task(async_coro(nothing));
    await(wait_all(first, async_create_task(async_coro(nothing))));     /* nobody asks them */
    return async_ptr(p);
}

static async_value waits_for(void *p)
{
    if (async_catch(async_wait_for(async_sleep(2), 1)).error != ASYNC_TIMEOUT)
        say("no timeout");
    await(async_wait_for(async_coro(nothing), 1));
    return async_ptr(p);
}

static async_value shields(void *p)
{
    await(async_shield(async_coro(nothing)));
    return async_ptr(p);
}

static async_value awaits_future(void *p)
{
    async_future future = async_create_future();
    async_add_done_callback(future, say_when_done, "never");
    async_remove_done_callback(future, say_when_done);
    async_set_result(future, async_ptr(p));
    await(future);
    return async_none;
}

static async_value leaves_future(void *p)
{
    gone = async_create_future();
    async_set_result(gone, async_ptr(p));
    return async_none;
}

static async_value detaches(void *p)
{
    async_detach(async_create_task(async_coro(nothing)));
    await(async_sleep(0));
    return async_ptr(p);
}

static async_value leaves_task(void *p)
{
    gone = async_create_task(async_coro(nothing));
    await(async_sleep(0));
    return async_ptr(p);
}

static async_value cancels_sleeper(void *p)
{
    async_task task = async_create_task(async_sleep(9));
    await(async_sleep(0));
    async_cancel_msg(task, NULL);
    async_value v = async_catch(task);
    (void)v;
    return async_ptr(p);
}

static async_value calls_back(void *p)
{
    call_soon(nothing, NULL);
    async_handle_cancel(call_soon(nothing, NULL));
    async_handle_cancel(call_later(1, nothing, NULL));
    call_later(0, nothing, NULL);
    await(async_sleep(0));
    return async_ptr(p);
}

static async_value keeps_and_releases(void *p)
{
    async_task task = async_create_task(async_coro(nothing));
    async_keep(task);
    await(task);
    async_release(task);
    return async_ptr(p);
}

static async_value has_text(void *p)
{
    const char *text = async_strf("%p", p);
    return async_num((long)strlen(text));
}

static async_value detaches_text(void *p)
{
    async_detach(async_create_task(async_coro(has_text)));
    await(async_sleep(0));
    return async_ptr(p);
}

static async_value aclosed(void *p)
{
    async_coro_close(async_coro(ret, async_ptr(p), 0));
    return async_none;
}

/* ------------------------------------------------------ what a wait of the runtime's own leaves */

static uintptr_t record_of(async_awaitable x) { return (uintptr_t)x % (1 << NUMBER_BITS); }

struct waits_here { async_awaitable wait; };
static async_value waits_here(void *p)
{
    struct waits_here *args = p;
    await(args->wait);
    say("woken");
    return async_none;
}

static async_value keeps_no_record(void *p)
{
    async_queue *queue = async_queue_new(0);
    async_awaitable waits[] = { async_sleep(1), async_queue_get(queue) };
    for (int i = 0; i < 2; i++) {
        async_task task = async_create_task(async_coro(waits_here, waits[i]));
        await(async_create_task(async_coro(nothing)));
        async_coroutine next = async_coro(nothing);
        say("%s", yes(record_of(next) == record_of(waits[i])));
        complain(waits[i], "this handle is too old");
        async_coro_close(waits[i]);
        async_coro_close(next);
        if (waits[i] == waits[1])
            async_queue_put_nowait(queue, async_ptr(p));
        await(task);
    }
    return async_none;
}

START_TEST(who_waits_keeps_no_record_of_the_wait)
{
    play(async_coro(keeps_no_record));
    expect("True\nRuntimeError: this handle is too old\nwoken\n"
           "True\nRuntimeError: this handle is too old\nwoken\n");
}
END_TEST

static const struct { const char *name; async_fn *fn; } kinds[] = {
    { "create_task and await", awaits_task }, { "await", awaits_coroutine }, { "sleep", sleeps },
    { "gather", gathers }, { "wait", waits }, { "wait_for", waits_for }, { "shield", shields },
    { "future", awaits_future }, { "a future nobody asks", leaves_future },
    { "a detached task", detaches }, { "a task nobody asks", leaves_task },
    { "cancel", cancels_sleeper }, { "callbacks", calls_back }, { "keep", keeps_and_releases },
    { "text of a detached task", detaches_text }, { "a closed coroutine", aclosed },
};

struct repeats { async_fn *fn; long warm_up, times, heap, resident; };
static async_value repeats(void *p)
{
    struct repeats *args = p;
    for (long i = 0; i < args->warm_up + args->times; i++) {
        if (i == args->warm_up) {
            args->heap = (long)mallinfo2().uordblks;
            args->resident = resident();
        }
        await(async_coro_new((async_call){ args->fn, "fn", NULL, 0 }));
    }
    say("%s", yes((long)mallinfo2().uordblks - args->heap < 4096));
    say("%s", yes(resident() - args->resident < 256 * 1024));
    return async_none;
}

/* The warm-up fills the queues of rule 3. */
START_TEST(memory_is_constant)
{
    long warm_up = is_slow() ? 100 : 70000, times = is_slow() ? 1000 : 200000;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        said.length = 0;
        play(async_coro(repeats, kinds[i].fn, warm_up, times, 0, 0));
        if (!is_slow() && difference("True\nTrue\n"))
            ck_abort_msg("%s: memory grows: %s", kinds[i].name, said.text);
    }
}
END_TEST

static async_task ended, cut_short;
PROGRAM(leaves_two_behind)
{
    ended = async_create_task(async_coro(nothing));
    await(ended);
    cut_short = async_create_task(async_sleep(99));
    return async_none;
}

/* The loop that they were of is closed, and all its records are given back. */
START_TEST(a_task_was_cancelled_or_not_also_when_its_loop_is_closed)
{
    play(async_coro(leaves_two_behind));
    say("%s %s", yes(async_done(ended)), yes(async_cancelled(ended)));
    say("%s %s", yes(async_done(cut_short)), yes(async_cancelled(cut_short)));
    expect("True False\n"
           "True True\n");
}
END_TEST

MAIN("object",
     TEST(rule_1_a_handle_of_another_loop_or_none_at_all_is_recognised)
     TEST(rule_2_a_coroutine_object_is_used_up_by_the_first_use)
     TEST(rule_3_a_handle_answers_until_64_later_ones_were_taken)
     TEST(rule_3_or_as_many_as_were_ever_alive_at_once)
     TEST(rule_3_or_as_long_as_it_is_kept)
     TEST(rule_3_what_is_not_done_never_gets_too_old)
     TEST(rule_3_done_but_nobody_asked_is_good_for_65536_more)
     TEST(a_task_that_is_recycled_has_ended)
     TEST(so_has_a_callback)
     TEST(a_coroutine_object_can_be_closed_at_any_time)
     TEST(a_scope_has_expired_or_not)
     TEST(a_group_is_finished_and_a_generator_at_its_end)
     TEST(a_sentence_names_the_task_the_file_and_the_line)
     TEST(null_is_what_running_out_of_memory_looks_like)
     TEST(a_callback_cannot_wait)
     TEST(nobody_can_wait_outside_of_a_loop)
     TEST(a_future_of_another_loop_cannot_be_awaited)
     TEST(misuse_without_a_way_to_return_an_error_aborts_with_a_sentence)
     TEST(calls_that_need_a_loop_abort_without_one)
     TEST(who_waits_keeps_no_record_of_the_wait)
     TEST(memory_is_constant)
     TEST(a_task_was_cancelled_or_not_also_when_its_loop_is_closed))
