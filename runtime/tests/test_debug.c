/* debug mode, the watchdog, the tree of tasks: rows D01, D04, D05, and mistakes sown on purpose,
 * each of which must be named, with its lines, by what the program prints. */
#include "testing.h"
#include <signal.h>
#include <stdint.h>
#include <time.h>

/* ------------------------------------------------------------------------ what we look for */

/* Marks a line of this file, and whoever looks for it is told its number. */
#define HERE(name) (name##_line = __LINE__)

static async_value run_debug(async_coroutine coro)
{
    setenv("ASYNC_CLOCK", "virtual", 1);
    return async_run(coro, .debug = true);
}

/* Does what was said have this, where every %d is the number of a line of this file? */
static void has(const char *format, ...) ASYNC_PRINTF(1, 2);
static void has(const char *format, ...)
{
    char wanted[2000], with_file[4000] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(wanted, sizeof wanted, format, args);
    va_end(args);
    for (char *from = wanted, *at; ; from = at + 1) {
        at = strchr(from, '@');
        snprintf(with_file + strlen(with_file), sizeof with_file - strlen(with_file), "%.*s%s",
                 at ? (int)(at - from) : (int)strlen(from), from, at ? __FILE__ ":" : "");
        if (!at)
            break;
    }
    if (!strstr(said.text, with_file))
        ck_abort_msg("should have\n    %s\nbut is\n%.3000s", with_file, said.text);
}

static void has_not(const char *words)
{
    if (strstr(said.text, words))
        ck_abort_msg("should not have\n    %s\nbut is\n%.3000s", words, said.text);
}

/* As heard(), but the places are left as they are. */
static void heard_all(void)
{
    size_t length;
    fflush(stderr);
    dup2(ear.before, 2);
    close(ear.before);
    rewind(ear.file);
    length = fread(said.text, 1, sizeof said.text - 1, ear.file);
    said.text[length] = 0;
    said.length = 0;
    fclose(ear.file);
}

/* A call that blocks; the question of the watchdog does not make it shorter. */
static void block(double seconds)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do {
        usleep(5000);
        clock_gettime(CLOCK_MONOTONIC, &to);
    } while (to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9 < seconds);
}

/* ------------------------------------------------------------------------------- slow steps */

static async_value block_a_little(void *p)
{
    (void)p;
    block(0.05);
    return async_none;
}

static int slow_from_line, slow_to_line;

PROGRAM(slow_steps)
{
    HERE(slow_from); await(async_sleep(1));
    block(0.15);
    HERE(slow_to); await(async_sleep(0));
    block(0.02);
    async_loop_set_slow_callback_duration(async_get_running_loop(), 0.01);
    call_soon(block_a_little, NULL);
    await(async_sleep(0));
    return async_none;
}

START_TEST(D01_slow_steps_and_callbacks_are_reported)
{
    listen_to_stderr();
    run_debug(async_coro(slow_steps));
    heard_all();
    has(" (slow_steps, created at @");
    has(" seconds, from @%d to @%d. Nothing else ran", slow_from_line, slow_to_line);
    has(" seconds, from @%d to @%d. Nothing else ran", slow_to_line, slow_to_line + 4);
    has("\nExecuting Handle (made at ");
}
END_TEST

PROGRAM(ends_slowly)
{
    block(0.12);
    return async_none;
}

PROGRAM(names_its_task)
{
    await(async_create_task_named(async_coro(ends_slowly), "snail"));
    return async_none;
}

START_TEST(a_slow_last_step_ends_at_the_end)
{
    listen_to_stderr();
    run_debug(async_coro(names_its_task));
    heard_all();
    has("Executing task 'snail' (ends_slowly, created at @");
    has(" to its end. ");
}
END_TEST

/* ---------------------------------------------------------------------------- wrong threads */

struct visit { async_loop *loop; };
static async_value visit(void *p)
{
    struct visit *args = p;
    async_loop_call_soon(args->loop, say_text, "ran");
    return async_none;
}

PROGRAM(lets_a_thread_call)
{
    await(async_to_thread(visit, async_get_running_loop()));
    await(async_sleep(0.01));
    return async_none;
}

static void calls_from_a_thread(void) { run_debug(async_coro(lets_a_thread_call)); }

/* Without debug mode nobody checks; what happens then is left open, so it isn't tried here. */
START_TEST(D04_calls_from_the_wrong_thread)
{
    expect_abort(calls_from_a_thread, "Non-thread-safe operation invoked on an event loop other "
                                      "than the current one");
}
END_TEST

/* ------------------------------------------------------------------------------- on and off */

static int forgotten_line;

PROGRAM(forgets)
{
    say("%s", yes(async_loop_get_debug(async_get_running_loop())));
    async_coroutine c = (HERE(forgotten), async_coro(nothing));
    (void)c;
    return async_none;
}

START_TEST(D05_three_ways_to_switch_it_on)
{
    listen_to_stderr();
    run_debug(async_coro(forgets));
    setenv("ASYNC_DEBUG", "1", 1);
    run_virtual(async_coro(forgets));
    setenv("ASYNC_DEBUG", "0", 1);
    run_virtual(async_coro(forgets));
    unsetenv("ASYNC_DEBUG");
    run_virtual(async_coro(forgets));
    async_loop *loop = async_new_event_loop();
    async_loop_set_debug(loop, true);
    async_loop_run_until_complete(loop, async_coro(forgets));
    async_loop_close(loop);
    ck_assert(said.length);
    heard();
    char *text = strstr(said.text, "stderr");
    ck_assert(text);
    ck_assert_msg(!strncmp(said.text, "True\nTrue\nFalse\nFalse\nTrue\n", 27), "%s", said.text);
    unsigned with_maker = 0, all = 0;
    for (char *p = text; (p = strstr(p, "was never awaited")); p++, all++)
        with_maker += !strncmp(p, "was never awaited; made by task", 31);
    ck_assert_uint_eq(all, 5);
    ck_assert_uint_eq(with_maker, 3);
}
END_TEST

PROGRAM(switches)
{
    async_loop *loop = async_get_running_loop();
    for (int i = 0; i < 5; i++) {
        async_loop_set_debug(loop, i % 2 == 0);
        async_loop_set_slow_callback_duration(loop, 10);    /* a step may wait for a processor */
        say("%s", yes(async_loop_get_debug(loop)));
        async_task task = async_create_task(async_coro(ret, async_num(i), 1));
        await(async_sleep(0.5));
        async_loop_set_debug(loop, true);
        async_loop_set_debug(loop, true);
        async_loop_set_slow_callback_duration(loop, 10);
        await(task);
        async_loop_set_debug(loop, false);
        await(async_sleep(0));
    }
    return async_none;
}

START_TEST(on_and_off_while_it_runs)
{
    listen_to_stderr();
    play(async_coro(switches));
    heard();
    expect("True\nFalse\nTrue\nFalse\nTrue\n");
}
END_TEST

/* It changes no scheduling. */
PROGRAM(order)
{
    async_task a = async_create_task(async_coro(spin, "a", 3));
    async_task b = async_create_task(async_coro(tell, "b", 1));
    async_lock *lock = async_lock_new();
    await(async_lock_acquire(lock));
    async_task c = async_create_task(async_lock_acquire(lock));
    await(async_gather(NULL, a, async_shield(b)));
    async_lock_release(lock);
    await(c);
    say("%g", now());
    return async_none;
}

START_TEST(the_same_order)
{
    static char without[sizeof said.text];
    play(async_coro(order));
    memcpy(without, said.text, sizeof without);
    said.length = 0;
    run_debug(async_coro(order));
    expect(without);
}
END_TEST

/* -------------------------------------------------------------- who made whom, and who waits */

static int child_line, grandchild_line;

PROGRAM(grandchild) { async_raise(ASYNC_VALUE_ERROR, "lost"); }

PROGRAM(child)
{
    async_task t = (HERE(grandchild), async_create_task_named(async_coro(grandchild), "g"));
    (void)t;
    await(async_sleep(1));
    return async_none;
}

PROGRAM(family)
{
    await((HERE(child), async_create_task_named(async_coro(child), "c")));
    return async_none;
}

START_TEST(a_chain_of_creators)
{
    listen_to_stderr();
    run_debug(async_coro(family));
    heard_all();
    has("task 'g' (grandchild, created at @%d by task 'c' (child, created at @%d by task '",
        grandchild_line, child_line);
    has("))), raised at @%d: ValueError: lost", grandchild_line - 4);
}
END_TEST

static int tree_line;

struct waits_for { async_awaitable x; };
static async_value waits_for(void *p)
{
    struct waits_for *args = p;
    return await(args->x);
}

PROGRAM(grouped)
{
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    async_set_name(async_taskgroup_create_task(group, async_coro(ret, async_none, 9)), "member");
    await(async_taskgroup_join(group));
    return async_none;
}

PROGRAM(many_waits)
{
    async_task gathered = async_create_task_named(async_coro(ret, async_none, 9), "gathered");
    async_task shielded = async_create_task_named(async_coro(ret, async_none, 9), "shielded");
    async_task waited = async_create_task_named(async_coro(ret, async_none, 9), "waited");
    async_task lone = async_create_task_named(async_coro(waits_for, gathered), "direct");
    HERE(tree);
    async_future both = async_gather(NULL, gathered);
    async_task w1 = async_create_task_named(async_coro(waits_for, both), "w1");
    async_task w2 = async_create_task_named(async_coro(waits_for, async_shield(shielded)), "w2");
    async_task w3 = async_create_task_named(async_coro(waits_for, wait_all(waited)), "w3");
    async_task w4 = async_create_task_named(async_coro(grouped), "w4");
    await(async_sleep(1));
    async_print_tasks(async_get_running_loop());
    await(wait_all(lone, w1, w2, w3, w4));
    return async_none;
}

START_TEST(a_tree_of_tasks)
{
    listen_to_stderr();
    run_debug(async_coro(many_waits));
    heard_all();
    has("10 tasks in this loop\n");
    has("\ntask 'direct' (waits_for, created at @%d by", tree_line - 1);
    has("\n`-- task 'gathered' (ret, ");
    has("\ntask 'w1' (waits_for, ");
    has("\ntask 'w2' (waits_for, ");
    has("\n`-- task 'shielded' (ret, ");
    has("\ntask 'w3' (waits_for, ");
    has("\n`-- task 'waited' (ret, ");
    has("\ntask 'w4' (grouped, ");
    has("\n`-- task 'member' (ret, ");
    has(" for async_sleep, for 1.0 s\n");
    has_not("cycle");
}
END_TEST

static async_task left, right;

PROGRAM(waits_right)
{
    await(async_sleep(0.1));
    return await(right);
}

PROGRAM(waits_left)
{
    await(async_sleep(0.2));
    return await(left);
}

PROGRAM(circle)
{
    left = async_create_task_named(async_coro(waits_right), "left");
    right = async_create_task_named(async_coro(waits_left), "right");
    await(async_sleep(1));
    async_print_tasks(async_get_running_loop());
    await(left);
    return async_none;
}

START_TEST(a_cycle_is_marked)
{
    listen_to_stderr();
    run_debug(async_coro(circle));
    heard_all();
    has("\n`-- task 'right' (waits_left");
    has("\n    `-- task 'left' (waits_right");
    has("  <- again: a cycle\n");
}
END_TEST

/* ---------------------------------------------------------------------------------- SIGUSR1 */

PROGRAM(asks_itself)
{
    async_task t = async_create_task_named(async_sleep(3), "sleeper");
    await(async_sleep(1));
    raise(SIGUSR1);
    await(async_sleep(1));
    await(t);
    return async_none;
}

START_TEST(sigusr1_prints_the_tree)
{
    listen_to_stderr();
    play(async_coro(asks_itself));
    heard_all();
    has("2 tasks in this loop\n");
    has("task 'sleeper' (async_sleep, created at @");
}
END_TEST

static async_value tidies_up(void *p)
{
    async_catch(async_sleep(3));
    raise(SIGUSR1);
    await(async_sleep(3));
    return async_ptr(p);
}

PROGRAM(leaves_one)
{
    async_detach(async_create_task_named(async_coro(tidies_up), "tidy"));
    await(async_sleep(0));
    return async_none;
}

START_TEST(sigusr1_prints_the_tree_while_the_program_shuts_down)
{
    listen_to_stderr();
    play(async_coro(leaves_one));
    heard_all();
    has("1 task in this loop");
    has("task 'tidy' (tidies_up, created at @");
}
END_TEST

/* ------------------------------------------------------------- five mistakes, sown on purpose */

static int deep_line, deep_call_line, deep_await_line;

__attribute__((noinline)) static void settle_sensor(void)
{
    HERE(deep); block(1.3);
    turns++;                    /* so that the call is not the last thing: that leaves no frame */
}

__attribute__((noinline)) static double average_of_three(void)
{
    HERE(deep_call); settle_sensor();
    return turns++;
}

PROGRAM(measure)
{
    HERE(deep_await); await(async_sleep(0.1));
    double average = average_of_three();
    await(async_sleep(0.1));
    return async_real(average);
}

PROGRAM(blocks_deep_down)
{
    await(async_create_task_named(async_coro(measure), "station 3"));
    return async_none;
}

START_TEST(seed_1_a_blocking_call_deep_in_a_chain)
{
    bool can_name = system("addr2line --version >/dev/null 2>&1") == 0;
    listen_to_stderr();
    run_debug(async_coro(blocks_deep_down));
    heard_all();
    has("Blocked: task 'station 3' (measure, created at @");
    has(", since @%d, has been running for ", deep_await_line);
    ck_assert(atof(strstr(said.text, "running for ") + strlen("running for ")) >= 0.5);
    has("Executing task 'station 3' (measure");
    if (can_name && strstr(said.text, "    settle_sensor at ")) {
        has("    settle_sensor at @%d\n", deep_line);
        has("    average_of_three at @%d\n", deep_call_line);
        has("    measure at @%d\n", deep_await_line + 1);
    } else {
                fprintf(stderr, "skipped: nobody can name the functions on a stack here\n");
    }
    ck_assert(strstr(said.text, "Blocked:") < strstr(said.text, "Executing"));
}
END_TEST

static int seed_2_line;

struct save { int page; };
static async_value save(void *p)
{
    (void)p;
    await(async_sleep(0.1));
    return async_none;
}

PROGRAM(forgets_to_save)
{
    for (int i = 0; i < 2; i++) {
        async_coroutine saving = (HERE(seed_2), async_coro(save, i));
        if (i)
            await(saving);
    }
    return async_none;
}

PROGRAM(has_a_forgetful_writer)
{
    return await(async_create_task_named(async_coro(forgets_to_save), "writer"));
}

START_TEST(seed_2_a_forgotten_await)
{
    listen_to_stderr();
    run_debug(async_coro(has_a_forgetful_writer));
    heard_all();
    has("@%d: RuntimeWarning: coroutine 'save' was never awaited; made by task 'writer' "
        "(forgets_to_save, created at @", seed_2_line);
}
END_TEST

static int seed_3_line, seed_3_raise_line;

PROGRAM(parse)
{
    HERE(seed_3_raise); async_raise(ASYNC_VALUE_ERROR, "line 7 makes no sense");
}

PROGRAM(load)
{
    await(async_sleep(0.1));
    await(async_coro(parse));
    return async_none;
}

PROGRAM(loses_an_error)
{
    async_task t = (HERE(seed_3), async_create_task_named(async_coro(load), "loader"));
    (void)t;
    await(async_sleep(1));
    return async_none;
}

START_TEST(seed_3_a_lost_error)
{
    listen_to_stderr();
    run_debug(async_coro(loses_an_error));
    heard_all();
    has("Task exception was never retrieved: task 'loader' (load, created at @%d by task '",
        seed_3_line);
    has(", raised at @%d: ValueError: line 7 makes no sense\n", seed_3_raise_line);
}
END_TEST

PROGRAM(waits_in_a_circle)
{
    left = async_create_task_named(async_coro(waits_right), "left");
    right = async_create_task_named(async_coro(waits_left), "right");
    await(async_gather(NULL, left, right));
    return async_none;
}

static int second_line;

struct takes_both { async_lock *first, *second; };
static async_value takes_both(void *p)
{
    struct takes_both *args = p;
    await(async_lock_acquire(args->first));
    async_with(async_lock_exit) async_lock *one = args->first;
    await(async_sleep(0.1));
    HERE(second); await(async_lock_acquire(args->second));
    async_with(async_lock_exit) async_lock *two = args->second;
    return async_none;
}

static int lock_line;

PROGRAM(takes_locks_crosswise)
{
    HERE(lock); async_lock *oven = async_lock_new();
    async_lock *peel = async_lock_new();
    left = async_create_task_named(async_coro(takes_both, oven, peel), "anna");
    right = async_create_task_named(async_coro(takes_both, peel, oven), "ben");
    await(async_gather(NULL, left, right));
    return async_none;
}

/* On the real clock, too: the watchdog is a thread, but none that could end the waiting. */
START_TEST(seed_4_two_tasks_wait_on_each_other)
{
    for (int real = 0; real < 2; real++) {
        listen_to_stderr();
        if (real)
            unsetenv("ASYNC_CLOCK");
        else
            setenv("ASYNC_CLOCK", "virtual", 1);
        ck_assert_int_eq(async_run(async_coro(waits_in_a_circle), .debug = true).error,
                         ASYNC_DEADLOCK);
        heard_all();
        has("task 'left' (waits_right, created at @");
        has(" for task 'right' (waits_left, created at @");
        has(" for task 'left' (waits_right, created at @");
        has("  <- on a cycle\n");
    }
    listen_to_stderr();
    run_debug(async_coro(takes_locks_crosswise));
    heard_all();
    has("    waits at @%d for Lock (made at @%d, held by task 'ben' since @%d)  <- on a cycle\n",
        second_line, lock_line + 1, second_line - 3);
    has("    waits at @%d for Lock (made at @%d, held by task 'anna' since @%d)  <- on a cycle\n",
        second_line, lock_line, second_line - 3);
}
END_TEST

static int lock_taken_line, permit_taken_line;
static async_lock *door;
static async_semaphore *permit;

static async_value keeps_the_lock(void *p)
{
    HERE(lock_taken); await(async_lock_acquire(door));
    return async_ptr(p);
}

static async_value wants_permit(void *p)
{
    await(async_semaphore_acquire(permit));
    return async_ptr(p);
}

PROGRAM(leaves_nothing_for_others)
{
    async_set_name(async_current_task(), "host");
    door = async_lock_new();
    permit = async_semaphore_new(1);
    await(async_create_task(async_coro(keeps_the_lock)));
    HERE(permit_taken); await(async_semaphore_acquire(permit));
    async_detach(async_create_task(async_coro(wants_permit)));
    await(async_lock_acquire(door));
    return async_none;
}

START_TEST(who_took_what_is_missing_and_where)
{
    listen_to_stderr();
    run_virtual(async_coro(leaves_nothing_for_others));
    heard_all();
    has(", held by a task that has ended, since @%d)\n", lock_taken_line);
    has(", last taken by task 'host' at @%d)\n", permit_taken_line);
}
END_TEST

static int seed_5_line;

PROGRAM(poll_printer)
{
    for (;;) {
        HERE(seed_5); await(async_sleep(0.2));
    }
}

PROGRAM(starts_a_poller)
{
    async_detach(async_create_task_named(async_coro(poll_printer), "poller"));
    return async_none;
}

PROGRAM(never_ends)
{
    await(async_create_task_named(async_coro(starts_a_poller), "job"));
    for (int i = 0; i < 3; i++)
        await(async_sleep(10));
    raise(SIGUSR1);
    await(async_sleep(10));
    return async_none;
}

START_TEST(seed_5_a_task_that_never_ends)
{
    listen_to_stderr();
    run_debug(async_coro(never_ends));
    heard_all();
    has("2 tasks in this loop\n");
    has("task 'poller' (poll_printer, created at @");
    has(" by task 'job' (starts_a_poller, created at @");
    has(", waits at @%d for async_sleep", seed_5_line);
}
END_TEST

/* -------------------------------------------------------------------------- nothing is lost */

PROGRAM(many_tasks)
{
    for (long i = 0; again(&i, 20000);)
        await(async_create_task(async_coro(nothing)));
    return async_none;
}

START_TEST(constant_memory)
{
    run_debug(async_coro(many_tasks));
    expect("constant memory\n");
}
END_TEST

MAIN("debug",
     TEST(D01_slow_steps_and_callbacks_are_reported) TEST(a_slow_last_step_ends_at_the_end)
     TEST(D04_calls_from_the_wrong_thread) TEST(D05_three_ways_to_switch_it_on)
     TEST(on_and_off_while_it_runs) TEST(the_same_order) TEST(a_chain_of_creators)
     TEST(a_tree_of_tasks) TEST(a_cycle_is_marked) TEST(sigusr1_prints_the_tree)
     TEST(sigusr1_prints_the_tree_while_the_program_shuts_down)
     TEST(seed_1_a_blocking_call_deep_in_a_chain) TEST(seed_2_a_forgotten_await)
     TEST(seed_3_a_lost_error) TEST(seed_4_two_tasks_wait_on_each_other)
     TEST(who_took_what_is_missing_and_where)
     TEST(seed_5_a_task_that_never_ends) TEST(constant_memory))
