/* Text and memory that belong to a task: rule 4 at the top of async.h. Leaks and early frees are
 * for the memory checkers to find, which run these tests as well. */
#include "testing.h"
#include <malloc.h>

struct greet { const char *name; };
static async_value greet(void *p)
{
    const char *text = async_strf("Hello %s!", ((struct greet *)p)->name);
    await(async_sleep(1));
    return async_str(text);
}

static async_value inherits(void *p)
{
    async_value all[2];
    say("%s", await(async_create_task(async_coro(greet, "task"))).str);
    say("%s", await(async_coro(greet, "coroutine")).str);
    await(async_gather(all, async_coro(greet, "a"), async_coro(greet, "b")));
    say("%s %s", all[0].str, all[1].str);
    say("%s", await(async_wait_for(async_coro(greet, "wait_for"), 9)).str);
    say("%s", await(async_shield(async_coro(greet, "shield"))).str);
    (void)p;
    return async_text("%s %s", all[0].str, "again");
}

START_TEST(rule_4_text_passes_to_whoever_awaits_the_task)
{
    async_value v = run_virtual(async_coro(inherits));
    say("%s", v.str);                           /* its loop is closed; the program owns it now */
    expect("Hello task!\n"
           "Hello coroutine!\n"
           "Hello a! Hello b!\n"
           "Hello wait_for!\n"
           "Hello shield!\n"
           "Hello a! again\n");
}
END_TEST

static async_value fails(void *p)
{
    await(async_sleep(1));
    async_raise(ASYNC_VALUE_ERROR, async_strf("wrong by %d", 3));
    return async_ptr(p);
}

static async_value many_tasks_later(void)
{
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_coro(nothing)));
    return async_none;
}

static async_value catches_all(void *p)
{
    async_value all[2];
    async_value task = async_catch(async_create_task(async_coro(fails)));
    async_value gather = async_catch(async_gather(NULL, async_coro(nothing), async_coro(fails)));
    await(async_gather_exceptions(all, async_coro(nothing), async_coro(fails)));
    async_value waited = async_catch(async_wait_for(async_create_task(async_coro(fails)), 9));
    async_value shielded = async_catch(async_shield(async_coro(fails)));
    async_task tasks[] = { async_create_task(async_coro(fails)) };
    await(wait_all(tasks[0]));
    async_value asked = async_exception(tasks[0]);
    many_tasks_later();
    say("task %s", task.message);
    say("gather %s", gather.message);
    say("return_exceptions %s", all[1].message);
    say("wait_for %s", waited.message);
    say("shield %s", shielded.message);
    say("exception %s", asked.message);
    return async_ptr(p);
}

static async_value fails_in_group(void *p)
{
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_taskgroup_create_task(group, async_coro(fails));
    await(async_taskgroup_join(group));
    return async_ptr(p);
}

static async_value catches_group(void *p)
{
    async_value parts[2], group = async_catch(async_create_task(async_coro(fails_in_group)));
    many_tasks_later();
    size_t count = async_group_errors(group, parts, 2);
    say("%s %zu %s", group.message, count, repr(parts[0]));
    return async_ptr(p);
}

START_TEST(rule_4_so_do_the_errors_of_a_group)
{
    play(async_coro(catches_group));
    expect("unhandled errors in a TaskGroup (1 sub-exception) 1 ValueError('wrong by 3')\n");
}
END_TEST

START_TEST(rule_4_the_text_of_an_error_outlives_the_task_that_made_it)
{
    play(async_coro(catches_all));
    expect("task wrong by 3\n"
           "gather wrong by 3\n"
           "return_exceptions wrong by 3\n"
           "wait_for wrong by 3\n"
           "shield wrong by 3\n"
           "exception wrong by 3\n");
}
END_TEST

static async_value waits_to_be_cancelled(void *p)
{
    await(async_gather(NULL, async_sleep(9), async_sleep(9)));
    return async_ptr(p);
}

static async_value catches_cancel(void *p)
{
    async_task task = async_create_task(async_coro(waits_to_be_cancelled));
    async_task plain = async_create_task(async_sleep(9));
    async_future future = async_create_future();
    await(async_sleep(1));
    async_cancel_msg(task, "gather");
    async_cancel_msg(plain, "task");
    async_cancel_msg(future, "future");
    async_value a = async_catch(task), b = async_catch(plain), c = async_catch(future);
    many_tasks_later();
    say("%s %s %s", repr(a), repr(b), repr(c));
    return async_ptr(p);
}

START_TEST(rule_4_so_does_the_message_of_a_cancel)
{
    play(async_coro(catches_cancel));
    expect("CancelledError('gather') CancelledError('task') CancelledError('future')\n");
}
END_TEST

static async_value hands_on(void *p)
{
    await(async_create_task(async_coro(fails)));
    return async_ptr(p);
}

START_TEST(rule_4_the_text_of_an_error_travels_through_tasks)
{
    play(async_coro(hands_on));
    expect("raised ValueError('wrong by 3')\n");
}
END_TEST

static async_value allocates(void *p)
{
    char *bytes = async_alloc(100000);
    for (int i = 0; i < 100000; i++)
        if (bytes[i])
            say("not zeroed");
    memset(bytes, 'x', 100000);
    await(async_sleep(9));
    return async_ptr(p);
}

static async_value cancels_allocating(void *p)
{
    async_task task = async_create_task(async_coro(allocates));
    await(async_sleep(1));
    async_cancel(task);
    async_value v = async_catch(task);
    say("%s", repr(v));
    await(async_coro(allocates));
    return async_ptr(p);
}

START_TEST(rule_4_memory_does_not_leak_when_an_await_ends_the_coroutine)
{
    play(async_coro(cancels_allocating));
    expect("CancelledError()\n");
}
END_TEST

static async_value deep_types(void *p)
{
    max_align_t *aligned = async_alloc(sizeof *aligned);
    say("%zu", (size_t)aligned % _Alignof(max_align_t));
    say("%s", async_strf("%s", ""));
    say("%zu", strlen(async_strf("%*s", 5000, "x")));
    return async_ptr(p);
}

START_TEST(memory_is_aligned_and_text_has_any_length)
{
    play(async_coro(deep_types));
    expect("0\n"
           "\n"
           "5000\n");
}
END_TEST

START_TEST(outside_of_tasks_memory_belongs_to_the_program)
{
    const char *text = async_strf("%d", 42);
    say("%s", text);
    play(async_coro(nothing));
    say("%s", text);
    expect("42\n42\n");
}
END_TEST

struct makes_text { int blocks; };
static async_value makes_text(void *p)
{
    for (int i = 0; i < ((struct makes_text *)p)->blocks; i++)
        if (!async_strf("%d", i))
            say("no memory");
    return async_none;
}

/* Handing a task's memory on costs the same however much it has. */
static async_value hands_much_on(void *p)
{
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_coro(makes_text, 100)));
    say("%s", async_strf("still fine"));
    return async_ptr(p);
}

START_TEST(rule_4_a_hundred_thousand_texts)
{
    play(async_coro(hands_much_on));
    expect("still fine\n");
}
END_TEST

PROGRAM(tells_for_ever)
{
    for (long i = 0; again(&i, 1000000);) {
        const char *text = async_strf("message %ld", i);
        if (!text || text[0] != 'm')
            say("no text");
        async_free(text);
    }
    async_free(NULL);
    return async_none;
}

START_TEST(rule_4_what_is_given_back_takes_no_memory)
{
    play(async_coro(tells_for_ever));
    expect("constant memory\n");
}
END_TEST

/* ------------------------------------------------------- a task that is asked when others were there before */

static async_task author;

static async_value writes(void *p)
{
    (void)p;
    await(async_sleep(1));
    return async_text("volume %d", 8);
}

static async_value fails_with_text(void *p)
{
    (void)p;
    await(async_sleep(1));
    return async_error(ASYNC_VALUE_ERROR, async_strf("page %d", 9));
}

struct reads { bool gives_back; };
static async_value reads(void *p)
{
    async_value v = async_catch(author);
    say("%s", v.str);
    if (((struct reads *)p)->gives_back)
        async_free(v.str);
    return async_none;
}

static void read_by(async_coroutine book, bool gives_back, bool gathered)
{
    author = async_create_task(book);
    async_keep(author);
    async_detach(async_create_task(async_coro(reads, gives_back)));
    if (gathered)
        (void)!async_gather(NULL, author);
}

PROGRAM(asks_late)
{
    for (int given_back = 0; given_back < 2; given_back++) {
        read_by(async_coro(writes), given_back, false);
        await(async_sleep(2));
        many_tasks_later();
        async_value v = async_catch(author);
        say("%s %s", v.error ? async_error_name(v.error) : "again:", v.str);
    }
    return async_none;
}

START_TEST(rule_4_a_result_has_its_text_for_who_comes_late_unless_that_was_given_back)
{
    play(async_coro(asks_late));
    expect("volume 8\n"
           "again: volume 8\n"
           "volume 8\n"
           "RuntimeError the text, or what else it was, has been given back by async_free\n");
}
END_TEST

PROGRAM(never_asks_gather)
{
    read_by(async_coro(fails_with_text), false, true);
    await(async_sleep(1.5));
    many_tasks_later();
    await(async_sleep(2));
    return async_none;
}

START_TEST(rule_4_so_has_an_error_that_a_gather_got_and_nobody_asks_for)
{
    listen_to_stderr();
    play(async_coro(never_asks_gather));
    heard();
    expect("page 9\n"
           "stderr| Future exception was never retrieved so far: async_gather (made at FILE:N): ValueError: page 9\n");
}
END_TEST

static char some_memory[256];
PROGRAM(frees_what_is_not_ours) { async_free(some_memory + 128); return async_none; }
static void misfrees(void) { run_virtual(async_coro(frees_what_is_not_ours)); }

START_TEST(only_what_came_from_here_can_be_given_back)
{
    expect_abort(misfrees, "ValueError: async_free at FILE:N in task 'Task-1': this is not, or no longer, "
                           "what async_strf or async_alloc gave");
}
END_TEST

/* ------------------------------------------------- handed over by tasks that nobody awaits */

static async_queue *box, *other_box;
static async_future promised;

struct posts { const char *text; };
static async_value posts(void *p)
{
    const char *text = async_strf("about %s", ((struct posts *)p)->text);
    await(async_queue_put(box, async_str(text)));
    async_queue_put_nowait(box, async_str(text + 6));
    if (other_box)
        async_queue_put_nowait(other_box, async_str(text));
    return async_none;
}

static void post(const char *text) { async_detach(async_create_task(async_coro(posts, text))); }

static async_value gets_mail(void *p)
{
    async_value first = await(async_queue_get(box)), second = async_queue_get_nowait(box);
    many_tasks_later();
    say("%s, %s", first.str, second.str);
    return async_ptr(p);
}

PROGRAM(mail)
{
    for (int kind = 0; kind < 3; kind++) {
        box = kind == 0 ? async_queue_new(0) : kind == 1 ? async_lifo_queue_new(0)
                                                         : async_priority_queue_new(0, NULL);
        post("queues");
        many_tasks_later();
        await(async_coro(gets_mail));
    }
    return async_none;
}

START_TEST(rule_4_text_in_a_queue_outlives_a_task_that_nobody_awaits)
{
    play(async_coro(mail));
    expect("about queues, queues\n"
           "queues, about queues\n"
           "about queues, queues\n");
}
END_TEST

PROGRAM(mail_in_two_boxes)
{
    box = async_queue_new(0);
    other_box = async_queue_new(0);
    post("both");
    many_tasks_later();
    await(async_create_task(async_coro(gets_mail)));
    many_tasks_later();
    say("%s", await(async_queue_get(other_box)).str);
    return async_none;
}

START_TEST(rule_4_text_in_two_queues_is_there_for_both)
{
    play(async_coro(mail_in_two_boxes));
    expect("about both, both\n"
           "about both\n");
}
END_TEST

/* put() in a task of its own, which waits for room while the maker of the text ends. */
static async_value puts_and_goes(void *p)
{
    async_detach(async_create_task(async_queue_put(box, async_str(async_strf("%s", "patience")))));
    await(async_sleep(0));
    return async_ptr(p);
}

PROGRAM(mail_that_waits)
{
    box = async_queue_new(1);
    async_queue_put_nowait(box, async_str("full"));
    async_detach(async_create_task(async_coro(puts_and_goes)));
    many_tasks_later();
    async_queue_get_nowait(box);
    many_tasks_later();
    say("%s", async_queue_get_nowait(box).str);
    return async_none;
}

START_TEST(rule_4_text_of_a_put_that_waits_outlives_its_maker)
{
    play(async_coro(mail_that_waits));
    expect("patience\n");
}
END_TEST

/* What is left in queues and futures goes with them, whether the queue was shut down or the loop is closed. */
PROGRAM(mail_that_nobody_gets)
{
    promised = async_create_future();
    async_set_result(promised, async_text("%s", "promised"));
    box = async_queue_new(0);
    post("shut down");
    many_tasks_later();
    async_queue_shutdown(box, true);
    box = async_queue_new(2);
    post("left");
    async_detach(async_create_task_named(async_coro(posts, "in put"), "poster"));
    many_tasks_later();
    return async_num(async_queue_qsize(box));
}

START_TEST(rule_4_text_in_queues_and_futures_goes_with_them)
{
    async_loop *loop = async_new_event_loop();
    async_task main = async_loop_create_task(loop, async_coro(mail_that_nobody_gets));
    say("%ld", async_loop_run_until_complete(loop, main).num);
    listen_to_stderr();
    async_loop_close(loop);
    heard();
    expect("2\n"
           "stderr| Task was destroyed but it is pending! task 'poster' (posts, created at FILE:N), "
           "waiting at FILE:N\n");
}
END_TEST

static async_value promises(void *p)
{
    if (p)
        async_set_result(promised, async_text("kept by %s", "task"));
    return async_none;
}

static async_value is_promised(void *p)
{
    (void)p;
    say("%s", await(promised).str);
    return async_none;
}

PROGRAM(promise)
{
    promised = async_create_future();
    async_keep(promised);
    async_detach(async_create_task(async_coro(promises)));
    many_tasks_later();
    await(async_create_task(async_coro(is_promised)));
    many_tasks_later();
    const char *text = await(promised).str;
    async_release(promised);
    many_tasks_later();
    say("%s", text);
    promised = async_create_future();
    async_set_exception(promised, async_error(ASYNC_VALUE_ERROR, async_strf("%s", "told")));
    async_value error = async_catch(promised);
    many_tasks_later();
    say("%s", repr(error));
    return async_none;
}

START_TEST(rule_4_text_in_a_future_outlives_who_set_it_and_is_there_for_all)
{
    play(async_coro(promise));
    expect("kept by task\n"
           "kept by task\n"
           "ValueError('told')\n");
}
END_TEST

struct awaits { async_task task; bool early; };
static async_value awaits(void *p)
{
    struct awaits *args = p;
    const char *text = await(args->task).str;
    if (!args->early)
        await(async_sleep(9));
    say("%s", text);
    return async_none;
}

static async_value computes(void *p)
{
    return p ? async_text("from a %s", "thread") : async_none;
}

PROGRAM(awaited_twice)
{
    async_task tasks[] = { async_create_task(async_coro(greet, "twice")),
                           async_loop_run_in_executor(async_get_running_loop(), computes, "") };
    for (int i = 0; i < 2; i++) {
        async_detach(async_create_task(async_coro(awaits, tasks[i], true)));
        async_task late = async_create_task(async_coro(awaits, tasks[i]));
        await(async_sleep(2));
        many_tasks_later();
        await(late);
    }
    return async_none;
}

START_TEST(rule_4_text_is_there_for_all_who_await_a_task)
{
    play(async_coro(awaited_twice));
    expect("Hello twice!\n"
           "Hello twice!\n"
           "from a thread\n"
           "from a thread\n");
}
END_TEST

static async_value gets_and_frees(void *p)
{
    for (;;)
        async_free(await(async_queue_get(box)).str);
    return async_ptr(p);
}

PROGRAM(mail_for_ever)
{
    box = async_queue_new(1);
    async_task reader = async_create_task(async_coro(gets_and_frees));
    const char *constant = async_strf("%s", "not given back by reader");
    async_queue *again_and_again = async_queue_new(0);
    for (long i = 0; again(&i, 200000);) {
        const char *text = async_strf("message %ld", i);
        await(async_queue_put(box, async_str(text)));
        async_free(text);           /* the queue has it, or the reader */
        async_queue_put_nowait(again_and_again, async_str(constant));
        async_queue_get_nowait(again_and_again);
    }
    async_cancel(reader);
    async_catch(reader);
    say("%s", constant);
    return async_none;
}

START_TEST(rule_4_mail_that_both_give_back_takes_no_memory)
{
    play(async_coro(mail_for_ever));
    expect("constant memory\n"
           "not given back by reader\n");
}
END_TEST

MAIN("memory",
     TEST(rule_4_text_passes_to_whoever_awaits_the_task)
     TEST(rule_4_the_text_of_an_error_travels_through_tasks)
     TEST(rule_4_the_text_of_an_error_outlives_the_task_that_made_it)
     TEST(rule_4_so_do_the_errors_of_a_group)
     TEST(rule_4_so_does_the_message_of_a_cancel)
     TEST(rule_4_memory_does_not_leak_when_an_await_ends_the_coroutine)
     TEST(rule_4_a_hundred_thousand_texts)
     TEST(rule_4_what_is_given_back_takes_no_memory)
     TEST(rule_4_a_result_has_its_text_for_who_comes_late_unless_that_was_given_back)
     TEST(rule_4_so_has_an_error_that_a_gather_got_and_nobody_asks_for)
     TEST(only_what_came_from_here_can_be_given_back)
     TEST(memory_is_aligned_and_text_has_any_length)
     TEST(outside_of_tasks_memory_belongs_to_the_program)
     TEST(rule_4_text_in_a_queue_outlives_a_task_that_nobody_awaits)
     TEST(rule_4_text_in_two_queues_is_there_for_both)
     TEST(rule_4_text_of_a_put_that_waits_outlives_its_maker)
     TEST(rule_4_text_in_queues_and_futures_goes_with_them)
     TEST(rule_4_text_in_a_future_outlives_who_set_it_and_is_there_for_all)
     TEST(rule_4_text_is_there_for_all_who_await_a_task)
     TEST(rule_4_mail_that_both_give_back_takes_no_memory))
