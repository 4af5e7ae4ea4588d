/* Context variables: the programs of contextvars' documentation, and what CPython 3.13 prints for them. */
#include "testing.h"

static async_contextvar request = { "request", .initial = { .str = "-" } };
static async_contextvar user = { "user", .initial = { .str = "-" } };

static void set(const char *text) { async_contextvar_set(&request, async_text("%s", text)); }

static async_value see(void *who)
{
    say("%s: %s %s", (const char *)who, async_contextvar_get(&request).str, async_contextvar_get(&user).str);
    return async_none;
}

struct child { char *name; const char *value; };
static async_value child(void *p)
{
    struct child *args = p;
    see(args->name);
    if (args->value)
        set(args->value);
    await(async_sleep(0));
    return see(args->name);
}

PROGRAM(inherits)
{
    see("main");
    set("r1");
    async_task a = async_create_task(async_coro(child, "a", "ra"));
    set("r2");
    async_task b = async_create_task(async_coro(child, "b"));
    set("r3");
    await(async_coro(child, "same", "r4"));
    see("main");
    await(async_gather(NULL, a, b, async_coro(child, "g", "rg")));
    see("main");
    await(async_wait_for(async_coro(child, "waited", "rw"), 1));
    see("main");
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_taskgroup_create_task(group, async_coro(child, "tg", "rt"));
    await(async_taskgroup_join(group));
    return see("main");
}

START_TEST(a_task_begins_with_a_copy_of_its_makers)
{
    play(async_coro(inherits));
    expect("main: - -\n"
           "same: r3 -\n"
           "a: r1 -\n"
           "b: r2 -\n"
           "same: r4 -\n"
           "main: r4 -\n"
           "a: ra -\n"
           "b: r2 -\n"
           "g: r4 -\n"
           "g: rg -\n"
           "main: r4 -\n"
           "waited: r4 -\n"
           "waited: rw -\n"
           "main: rw -\n"
           "tg: rw -\n"
           "tg: rt -\n"
           "main: rw -\n");
}
END_TEST

static async_value callback(void *who)
{
    see(who);
    set("cb");
    call_soon(see, async_strf("%s later", (char *)who));
    return async_none;
}

static async_value callback_when_done(async_future x, void *who)
{
    (void)x;
    return callback(who);
}

PROGRAM(books)
{
    set("booked");
    call_soon(callback, "soon");
    call_later(1, callback, "timer");
    async_future future = async_create_future();
    async_add_done_callback(future, callback_when_done, "done");
    async_loop_call_soon_threadsafe(async_get_running_loop(), callback, "threadsafe");
    set("later");
    async_set_result(future, async_num(1));
    await(async_sleep(2));
    return see("main");
}

START_TEST(a_callback_runs_in_the_context_of_who_booked_it)
{
    play(async_coro(books));
    expect("soon: booked -\n"
           "threadsafe: booked -\n"
           "done: booked -\n"
           "soon later: cb -\n"
           "threadsafe later: cb -\n"
           "done later: cb -\n"
           "timer: booked -\n"
           "timer later: cb -\n"
           "main: later -\n");
}
END_TEST

struct resets { async_token *token; };
static async_value resets(void *p)
{
    say("task %s", async_error_name(async_contextvar_reset(&user, ((struct resets *)p)->token).error));
    return async_none;
}

PROGRAM(token_by_token)
{
    async_token one = async_contextvar_set(&request, async_str("one"));
    async_token bob = async_contextvar_set(&user, async_str("bob"));
    async_token two = async_contextvar_set(&request, async_str("two"));
    see("set");
    async_contextvar_reset(&request, &two);
    see("two");
    async_contextvar_reset(&request, &one);
    see("one");
    say("again %s", async_error_name(async_contextvar_reset(&request, &one).error));
    say("other %s", async_error_name(async_contextvar_reset(&request, &bob).error));
    async_value v = async_catch(async_create_task(async_coro(resets, &bob)));
    async_contextvar_reset(&user, &bob);
    see("bob");
    return v;
}

START_TEST(a_token_puts_back_what_was_there)
{
    play(async_coro(token_by_token));
    expect("set: two bob\n"
           "two: one bob\n"
           "one: - bob\n"
           "again RuntimeError\n"
           "other ValueError\n"
           "task ValueError\n"
           "bob: - -\n");
}
END_TEST

static async_value block(void *p)
{
    async_with(async_token_exit) async_token token = async_contextvar_set(&request, async_str("inside"));
    await(async_sleep(0));
    see("block");
    async_raise(ZERO_DIVISION_ERROR, p ? "" : "");
}

PROGRAM(leaves_a_block)
{
    async_value v = async_catch(async_coro(block));
    say("%s, %s", repr(v), async_contextvar_set(&request, v).error.error == v.error ? "no value" : "set");
    return see("main");
}

START_TEST(a_block_puts_back_what_was_there_whatever_ends_it)
{
    play(async_coro(leaves_a_block));
    expect("block: inside -\n"
           "ZeroDivisionError(''), no value\n"
           "main: - -\n");
}
END_TEST

static async_value in_thread(void *p)
{
    (void)p;
    see("thread");
    set("its own");
    see("thread");
    return async_contextvar_get(&request);
}

static async_value only_looks(void *p)
{
    (void)p;
    return async_contextvar_get(&request);
}

struct calls_back { async_loop *loop; };
static async_value calls_back(void *p)
{
    set("of the thread");
    async_concurrent *future = async_run_coroutine_threadsafe(((struct calls_back *)p)->loop, child, "from it");
    async_value v = async_concurrent_result(future, 5);
    async_concurrent_free(future);
    return v;
}

PROGRAM(goes_to_threads)
{
    async_loop *loop = async_get_running_loop();
    set("main's");
    async_value v = await(async_to_thread(in_thread));
    for (int i = 0; i < 200; i++)
        await(async_to_thread(only_looks));
    say("%s", v.str);
    see("main");
    say("%s", await(async_loop_run_in_executor(loop, only_looks, NULL)).str);
    return await(async_to_thread(calls_back, loop));
}

START_TEST(to_thread_takes_a_copy_along_and_run_in_executor_does_not)
{
    play(async_coro(goes_to_threads));
    expect("thread: main's -\n"
           "thread: its own -\n"
           "its own\n"
           "main: main's -\n"
           "-\n"
           "from it: of the thread -\n"
           "from it: of the thread -\n");
}
END_TEST

static async_value numbers(void *p)
{
    (void)p;
    for (long i = 0; i < 2; i++) {
        set(i ? "y1" : "y0");
        async_yield(async_num(i));
    }
    return async_none;
}

PROGRAM(consumes)
{
    set("before");
    async_for (number, async_generator(numbers))
        say("got %ld: %s", number.num, async_contextvar_get(&request).str);
    return see("after");
}

START_TEST(a_generator_sets_those_of_its_consumer)
{
    play(async_coro(consumes));
    expect("got 0: y0\n"
           "got 1: y1\n"
           "after: y1 -\n");
}
END_TEST

static void handle(async_loop *loop, const char *message, async_value error, async_awaitable x)
{
    (void)loop, (void)message, (void)error, (void)x;
    see("handler");
}

static async_value failing(void *p)
{
    set("r9");
    async_raise(ZERO_DIVISION_ERROR, p ? "" : "");
}

PROGRAM(handles)
{
    async_loop_set_exception_handler(async_get_running_loop(), handle);
    set("mine");
    async_detach(async_create_task(async_coro(failing)));
    await(async_sleep(0));
    call_soon(failing, NULL);
    await(async_sleep(0));
    return see("main");
}

START_TEST(the_exception_handler_runs_in_the_context_of_what_failed)
{
    play(async_coro(handles));
    expect("handler: r9 -\n"
           "handler: r9 -\n"
           "main: mine -\n");
}
END_TEST

PROGRAM(first_main)
{
    set("kept");
    async_contextvar_set(&user, async_str("u"));
    return async_none;
}

PROGRAM(second_main) { return see("second"); }

START_TEST(the_mains_of_a_runner_share_one)
{
    async_runner *runner = async_runner_new();
    ck_assert_int_eq(async_runner_run(runner, async_coro(first_main)).error, 0);
    ck_assert_int_eq(async_runner_run(runner, async_coro(second_main)).error, 0);
    async_runner_close(runner);
    see("outside");
    async_token token = async_contextvar_set(&request, async_str("global"));
    play(async_coro(child, "run"));
    async_contextvar_reset(&request, &token);
    expect("second: kept u\n"
           "outside: - -\n"
           "run: global -\n"
           "run: global -\n");
}
END_TEST

static async_value client(async_stream *stream, void *arg)
{
    (void)stream;
    see(arg);
    set("of a client");
    return async_none;
}

static async_value connects(async_server *server)
{
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    return await(async_stream_read(stream, 0, NULL));
}

PROGRAM(serves)
{
    set("server's");
    async_with(async_server_exit) async_server *server =
        await(async_start_server(client, "client", "127.0.0.1", 0)).ptr;
    set("changed");
    async_value v = connects(server);
    return v.error ? v : connects(server);
}

START_TEST(the_tasks_of_clients_begin_with_that_of_who_started_the_server)
{
    play(async_coro(serves));
    expect("client: server's -\n"
           "client: server's -\n");
}
END_TEST

/* --------------------------------------------------------------------------- texts in them */

static async_value grandchild(void *p)
{
    (void)p;
    await(async_sleep(2));
    const char *inherited = async_contextvar_get(&request).str;
    set("new");
    for (int i = 0; i < 300; i++)               /* records are used again meanwhile */
        await(async_create_task(async_coro(nothing)));
    say("%s, then %s", inherited, async_contextvar_get(&request).str);
    return async_contextvar_get(&request);
}

static async_value parent(void *p)
{
    (void)p;
    set("the parent's");
    async_detach(async_create_task(async_coro(grandchild)));
    return async_contextvar_get(&request);
}

PROGRAM(generations)
{
    const char *from_parent = await(async_create_task(async_coro(parent))).str;
    for (int i = 0; i < 300; i++)
        await(async_create_task(async_coro(nothing)));
    await(async_sleep(5));
    const char *from_task = await(async_create_task(async_coro(grandchild))).str;
    for (int i = 0; i < 300; i++)
        await(async_create_task(async_coro(nothing)));
    say("%s, %s", from_parent, from_task);
    return async_none;
}

START_TEST(a_text_is_there_for_all_who_had_it)
{
    play(async_coro(generations));
    expect("the parent's, then new\n"
           "-, then new\n"
           "the parent's, new\n");
}
END_TEST

static async_value sets_in_callback(void *p)
{
    const char *text = async_strf("%p", p);
    async_contextvar_set(&request, async_str(text));
    async_free(text);
    return async_none;
}

PROGRAM(sets_for_ever)
{
    for (long i = 0; again(&i, 20000);) {
        const char *text = async_strf("request %ld", i);
        async_with(async_token_exit) async_token token = async_contextvar_set(&request, async_str(text));
        async_token inner = async_contextvar_set(&request, async_num(i));
        if (i % 2)
            async_contextvar_reset(&request, &inner);
        async_free(text);
        call_soon(sets_in_callback, NULL);
        await(async_create_task(async_coro(nothing)));
    }
    return async_none;
}

START_TEST(setting_for_ever_takes_constant_memory)
{
    play(async_coro(sets_for_ever));
    expect("constant memory\n");
}
END_TEST

MAIN("context", TEST(a_task_begins_with_a_copy_of_its_makers)
     TEST(a_callback_runs_in_the_context_of_who_booked_it)
     TEST(a_token_puts_back_what_was_there)
     TEST(a_block_puts_back_what_was_there_whatever_ends_it)
     TEST(to_thread_takes_a_copy_along_and_run_in_executor_does_not)
     TEST(a_generator_sets_those_of_its_consumer)
     TEST(the_exception_handler_runs_in_the_context_of_what_failed)
     TEST(the_mains_of_a_runner_share_one)
     TEST(the_tasks_of_clients_begin_with_that_of_who_started_the_server)
     TEST(a_text_is_there_for_all_who_had_it)
     TEST(setting_for_ever_takes_constant_memory))
