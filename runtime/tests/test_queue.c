/* Queue, LifoQueue, PriorityQueue: rows Q01 to Q09 of the checklist. */
#include "testing.h"

static async_queue *q;

static void say_got(async_value v)
{
    if (v.error)
        say("%s", async_error_name(v.error));
    else if (v.ptr)
        say("got %ld", v.num);
    else
        say("got None");
}

PROGRAM(first_in_first_out)
{
    async_queue *two = async_queue_new(2), *unlimited = async_queue_new(0);
    async_queue_put_nowait(two, async_num(1));
    await(async_queue_put(two, async_none));
    say("%s %zu %zu", yes(async_queue_full(two)), async_queue_qsize(two), async_queue_maxsize(two));
    say_got(async_queue_put_nowait(two, async_num(3)));
    for (int i = 0; i < 3; i++)
        say_got(async_queue_get_nowait(two));
    for (int i = 0; i < 100; i++)
        async_queue_put_nowait(unlimited, async_num(i));
    long a = await(async_queue_get(unlimited)).num, b = await(async_queue_get(unlimited)).num;
    say("%s %s %ld %ld", yes(async_queue_empty(two)), yes(async_queue_full(unlimited)), a, b);
    return async_none;
}

START_TEST(Q01_first_in_first_out_and_what_does_not_wait)
{
    play(async_coro(first_in_first_out));
    expect("True 2 2\n"
           "QueueFull\n"
           "got 1\n"
           "got None\n"
           "QueueEmpty\n"
           "True False 0 1\n");
}
END_TEST

PROGRAM(producer)
{
    for (int i = 0; i < 4; i++) {
        await(async_queue_put(q, async_num(i)));
        say("put %d %g", i, now());
    }
    return async_none;
}

PROGRAM(blocks_put)
{
    q = async_queue_new(2);
    async_task t = async_create_task(async_coro(producer));
    await(async_sleep(1));
    for (int i = 0; i < 4; i++) {
        long got = await(async_queue_get(q)).num;
        say("got %ld left %zu", got, async_queue_qsize(q));
        await(async_sleep(1));
    }
    return await(t);
}

START_TEST(Q02_a_full_queue_blocks_put)
{
    play(async_coro(blocks_put));
    expect("put 0 0\n"
           "put 1 0\n"
           "got 0 left 1\n"
           "put 2 1\n"
           "got 1 left 1\n"
           "put 3 2\n"
           "got 2 left 1\n"
           "got 3 left 0\n");
}
END_TEST

struct getter { const char *tag; };
static async_value getter(void *p)
{
    async_value v = await(async_queue_get(q));
    say("%s got %ld", ((struct getter *)p)->tag, v.num);
    return async_none;
}

PROGRAM(served_in_order)
{
    async_queue *r = async_queue_new(1);
    async_task gs[3], ps[3];
    const char *got[3];
    q = async_queue_new(0);
    for (int i = 0; i < 3; i++)
        gs[i] = async_create_task(async_coro(getter, (const char *[]){ "a", "b", "c" }[i]));
    await(async_sleep(1));
    for (int i = 0; i < 3; i++)
        async_queue_put_nowait(q, async_num(i));
    await(async_wait(gs, 3, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    for (int i = 0; i < 3; i++)
        ps[i] = async_create_task(
            async_queue_put(r, async_str((const char *[]){ "x", "y", "z" }[i])));
    await(async_sleep(1));
    for (int i = 0; i < 3; i++)
        got[i] = await(async_queue_get(r)).str;
    say("['%s', '%s', '%s']", got[0], got[1], got[2]);
    return await(async_gather_list(NULL, ps, 3, false));
}

START_TEST(Q03_waiting_getters_and_putters_are_served_in_order)
{
    play(async_coro(served_in_order));
    expect("a got 0\n"
           "b got 1\n"
           "c got 2\n"
           "['x', 'y', 'z']\n");
}
END_TEST

PROGRAM(overtakes)
{
    q = async_queue_new(0);
    async_task a = async_create_task(async_coro(getter, "a"));
    async_task b = async_create_task(async_coro(getter, "b"));
    await(async_sleep(1));
    async_queue_put_nowait(q, async_num(1));
    say("main takes %ld", async_queue_get_nowait(q).num);
    await(async_sleep(1));
    async_queue_put_nowait(q, async_num(2));
    async_queue_put_nowait(q, async_num(3));
    await(wait_all(a, b));
    return async_none;
}

START_TEST(Q04_a_woken_getter_can_be_overtaken)
{
    play(async_coro(overtakes));
    expect("main takes 1\n"
           "b got 2\n"
           "a got 3\n");
}
END_TEST

PROGRAM(cancels_a_getter)
{
    q = async_queue_new(0);
    async_task a = async_create_task(async_queue_get(q)), b = async_create_task(async_queue_get(q));
    await(async_sleep(1));
    async_queue_put_nowait(q, async_str("item"));
    async_cancel(a);                        /* woken, then cancelled before it resumes */
    async_value v = await(b);
    say("%s %s", v.str, yes(async_cancelled(a)));
    if (async_catch(async_wait_for(async_queue_get(q), 1)).error == ASYNC_TIMEOUT) {
        async_queue_put_nowait(q, async_str("next"));
        v = await(async_queue_get(q));
        say("%s %g", v.str, now());
    }
    return async_none;
}

START_TEST(Q05_a_cancelled_getter_loses_no_item)
{
    play(async_coro(cancels_a_getter));
    expect("item True\n"
           "next 2\n");
}
END_TEST

PROGRAM(cancels_a_putter)
{
    q = async_queue_new(1);
    await(async_queue_put(q, async_str("full")));
    async_task a = async_create_task(async_queue_put(q, async_str("a")));
    async_task b = async_create_task(async_queue_put(q, async_str("b")));
    await(async_sleep(1));
    say("%s", async_queue_get_nowait(q).str);
    async_cancel(a);                        /* a was woken but has not resumed */
    await(wait_all(a, b));
    const char *got = async_queue_get_nowait(q).str;
    say("%s %s %s", yes(async_cancelled(a)), got, yes(async_queue_empty(q)));
    return async_none;
}

START_TEST(Q06_a_cancelled_putter_puts_nothing)
{
    play(async_coro(cancels_a_putter));
    expect("full\n"
           "True b True\n");
}
END_TEST

PROGRAM(worker)
{
    for (;;) {
        async_value x = await(async_queue_get(q));
        await(async_sleep(1));
        say("done %ld %g", x.num, now());
        async_queue_task_done(q);
    }
}

PROGRAM(joins)
{
    q = async_queue_new(0);
    await(async_queue_join(q));
    async_task w = async_create_task(async_coro(worker));
    async_queue_put_nowait(q, async_num(1));
    async_queue_put_nowait(q, async_num(2));
    await(async_queue_join(q));
    say("joined %g", now());
    async_queue_put_nowait(q, async_num(3));
    await(async_queue_join(q));
    say("again %g", now());
    async_value v = async_queue_task_done(q);
    if (v.error == ASYNC_VALUE_ERROR)
        say("%s", v.message);
    async_cancel(w);
    return async_none;
}

START_TEST(Q07_task_done_and_join)
{
    play(async_coro(joins));
    expect("done 1 1\n"
           "done 2 2\n"
           "joined 2\n"
           "done 3 3\n"
           "again 3\n"
           "task_done() called too many times\n");
}
END_TEST

PROGRAM(other_orders)
{
    async_queue *queues[] = { async_lifo_queue_new(0), async_priority_queue_new(0, NULL) };
    for (int i = 0; i < 2; i++) {
        long got[3];
        for (int k = 0; k < 3; k++)
            async_queue_put_nowait(queues[i], async_num((long[]){ 2, 3, 1 }[k]));
        for (int k = 0; k < 3; k++)
            got[k] = await(async_queue_get(queues[i])).num;
        say("%s [%ld, %ld, %ld]", i == 0 ? "LifoQueue" : "PriorityQueue", got[0], got[1], got[2]);
    }
    return async_none;
}

START_TEST(Q08_LifoQueue_and_PriorityQueue)
{
    play(async_coro(other_orders));
    expect("LifoQueue [1, 3, 2]\n"
           "PriorityQueue [1, 2, 3]\n");
}
END_TEST

PROGRAM(shuts_down)
{
    q = async_queue_new(0);
    async_task g = async_create_task(async_queue_get(q));
    async_queue_put_nowait(q, async_num(1));
    async_queue_put_nowait(q, async_num(2));
    await(g);
    async_queue_shutdown(q, false);
    say_got(async_catch(async_queue_put(q, async_num(3))));
    say_got(async_catch(async_queue_get(q)));
    say_got(async_catch(async_queue_get(q)));
    return async_none;
}

START_TEST(Q09_shutdown)
{
    play(async_coro(shuts_down));
    expect("QueueShutDown\n"
           "got 2\n"
           "QueueShutDown\n");
}
END_TEST

PROGRAM(shuts_down_on_waiters)
{
    async_queue *full = async_queue_new(1), *empty = async_queue_new(0);
    async_queue_put_nowait(full, async_num(1));
    async_task p = async_create_task(async_queue_put(full, async_num(2)));
    async_task g = async_create_task(async_queue_get(empty));
    async_task j = async_create_task(async_queue_join(full));
    await(async_sleep(1));
    async_queue_shutdown(full, true);
    async_queue_shutdown(empty, false);
    await(wait_all(p, g, j));
    say("%s %s %s", async_error_name(async_exception(p).error),
        async_error_name(async_exception(g).error), async_error_name(async_exception(j).error));
    say("%zu", async_queue_qsize(full));
    return async_none;
}

START_TEST(Q09_shutdown_wakes_who_waits)
{
    play(async_coro(shuts_down_on_waiters));
    expect("QueueShutDown QueueShutDown None\n"
           "0\n");
}
END_TEST

/* ------------------------------------------------------------------------- hops and corners */

struct puts_into { async_queue *queue; };
static async_value puts_into(void *p)
{
    count_turns();
    return await(async_queue_put(((struct puts_into *)p)->queue, async_num(1)));
}

struct gets_from { async_queue *queue; };
static async_value gets_from(void *p)
{
    count_turns();
    return await(async_queue_get(((struct gets_from *)p)->queue));
}

struct finishes { async_queue *queue; };
static async_value finishes(void *p)
{
    count_turns();
    return async_queue_task_done(((struct finishes *)p)->queue);
}

PROGRAM(hops)
{
    async_queue *queue = async_queue_new(1);
    async_task t = async_create_task(async_coro(puts_into, queue));
    await(async_queue_get(queue));
    say("Queue.get: after put +%u", turns);
    await(t);
    await(async_sleep(1));
    await(async_queue_put(queue, async_num(2)));
    t = async_create_task(async_coro(gets_from, queue));
    await(async_queue_put(queue, async_num(3)));
    say("Queue.put: after get +%u", turns);
    await(t);
    await(async_sleep(1));
    async_queue_task_done(queue);
    async_queue_task_done(queue);
    t = async_create_task(async_coro(finishes, queue));
    await(async_queue_join(queue));
    say("Queue.join: after the last task_done +%u", turns);
    return await(t);
}

START_TEST(iterations_of_a_queue)
{
    play(async_coro(hops));
    expect("Queue.get: after put +1\n"
           "Queue.put: after get +1\n"
           "Queue.join: after the last task_done +1\n");
}
END_TEST

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool text_less(async_value a, async_value b) { return strcmp(a.str, b.str) < 0; }

PROGRAM(sorts)
{
    enum { N = 3000 };
    static char texts[N][8];
    static char *sorted[N];
    async_queue *queue = async_priority_queue_new(0, text_less);
    unsigned random = 12345;
    for (int i = 0; i < N; i++) {
        random = random * 1103515245 + 12345;
        snprintf(texts[i], sizeof texts[i], "%u", random >> 16 & 2047);
        sorted[i] = texts[i];
        async_queue_put_nowait(queue, async_str(texts[i]));
    }
    qsort(sorted, N, sizeof *sorted, by_text);
    int wrong = 0;
    for (int i = 0; i < N; i++)
        wrong += strcmp(async_queue_get_nowait(queue).str, sorted[i]) != 0;
    say("%d wrong, %zu left", wrong, async_queue_qsize(queue));
    return async_none;
}

START_TEST(a_priority_queue_sorts_as_qsort_does)
{
    play(async_coro(sorts));
    expect("0 wrong, 0 left\n");
}
END_TEST

/* A ring, a stack or a heap that grows while its beginning is anywhere. */
PROGRAM(grows)
{
    async_queue *queue = async_queue_new(0);
    long put = 0, got = 0, wrong = 0;
    for (int round = 1; round < 60; round++) {
        for (int i = 0; i < 3 * round; i++)
            async_queue_put_nowait(queue, async_num(put++));
        for (int i = 0; i < 2 * round; i++)
            wrong += async_queue_get_nowait(queue).num != got++;
    }
    say("%ld wrong, %s", wrong, yes(async_queue_qsize(queue) == (size_t)(put - got)));
    return async_none;
}

START_TEST(a_ring_that_grows_keeps_the_order)
{
    play(async_coro(grows));
    expect("0 wrong, True\n");
}
END_TEST

PROGRAM(maker)
{
    q = async_queue_new(0);
    async_queue_put_nowait(q, async_num(7));
    return async_none;
}

PROGRAM(after_its_owner)
{
    await(async_create_task(async_coro(maker)));        /* we inherit it */
    say_got(async_queue_get_nowait(q));
    async_detach(async_create_task(async_coro(maker)));
    await(async_sleep(1));
    for (int i = 0; i < 1000; i++)                      /* nobody inherits: gone after a while */
        await(async_create_task(async_coro(nothing)));
    async_value v = async_catch(async_queue_get(q));
    say("%s", async_error_name(v.error));
    v = async_queue_put_nowait(q, async_num(1));
    say("%s: %s", async_error_name(v.error), v.message ? "a sentence" : "nothing said");
    return async_none;
}

START_TEST(used_after_the_task_that_made_it)
{
    play(async_coro(after_its_owner));
    expect("got 7\n"
           "RuntimeError\n"
           "RuntimeError: a sentence\n");
}
END_TEST

PROGRAM(waits_in_vain)
{
    return await(async_queue_get(q));
}

PROGRAM(waits_on_a_queue_whose_owner_ends)
{
    async_detach(async_create_task(async_coro(maker)));
    await(async_sleep(0));
    async_queue_get_nowait(q);
    async_task t = async_create_task(async_coro(waits_in_vain));
    for (int i = 0; i < 1000; i++)
        await(async_create_task(async_coro(nothing)));
    async_cancel(t);
    await(wait_all(t));
    say("%s", yes(async_cancelled(t)));
    return async_none;
}

START_TEST(waited_for_while_its_owner_ends)
{
    play(async_coro(waits_on_a_queue_whose_owner_ends));
    expect("True\n");
}
END_TEST

PROGRAM(misuses)
{
    async_value v = async_catch(async_queue_get(NULL));
    say("%s", async_error_name(v.error));
    v = async_queue_put_nowait((async_queue *)async_lock_new(), async_num(1));
    say("%s", async_error_name(v.error));
    return async_none;
}

START_TEST(what_is_no_queue)
{
    play(async_coro(misuses));
    ck_assert_int_eq(strncmp(said.text, "Cannot allocate memory\n", 23), 0);
    ck_assert_ptr_null(strstr(said.text, "None"));
}
END_TEST

/* --------------------------------------------------------------------------------- memory */

PROGRAM(gets_for_ever)
{
    for (;;)
        await(async_queue_get(q));
}

PROGRAM(many)
{
    q = async_queue_new(1);
    async_task getter = async_create_task(async_coro(gets_for_ever));
    for (long i = 0; again(&i, 1000000);)
        await(async_queue_put(q, async_num(i)));
    async_cancel(getter);
    await(wait_all(getter));
    q = async_priority_queue_new(0, NULL);
    for (long i = 0; i < 1000; i++)
        async_queue_put_nowait(q, async_num(i));
    for (long i = 0; again(&i, 1000000);) {
        async_queue_put_nowait(q, async_num(i % 777));
        await(async_queue_get(q));
    }
    q = async_queue_new(0);
    for (long i = 0; again(&i, 500000);)
        async_catch(async_wait_for(async_queue_get(q), 1));
    return async_none;
}

START_TEST(many_puts_and_gets_take_constant_memory)
{
    play(async_coro(many));
    expect("constant memory\nconstant memory\nconstant memory\n");
}
END_TEST

PROGRAM(many_queues)
{
    for (long i = 0; again(&i, 300000);) {
        async_detach(async_create_task(async_coro(maker)));
        await(async_sleep(0));
    }
    return async_none;
}

START_TEST(queues_go_with_their_tasks)
{
    play(async_coro(many_queues));
    expect("constant memory\n");
}
END_TEST

MAIN("queue",
     TEST(Q01_first_in_first_out_and_what_does_not_wait)
     TEST(Q02_a_full_queue_blocks_put)
     TEST(Q03_waiting_getters_and_putters_are_served_in_order)
     TEST(Q04_a_woken_getter_can_be_overtaken)
     TEST(Q05_a_cancelled_getter_loses_no_item)
     TEST(Q06_a_cancelled_putter_puts_nothing)
     TEST(Q07_task_done_and_join)
     TEST(Q08_LifoQueue_and_PriorityQueue)
     TEST(Q09_shutdown)
     TEST(Q09_shutdown_wakes_who_waits)
     TEST(iterations_of_a_queue)
     TEST(a_priority_queue_sorts_as_qsort_does)
     TEST(a_ring_that_grows_keeps_the_order)
     TEST(used_after_the_task_that_made_it)
     TEST(waited_for_while_its_owner_ends)
     TEST(what_is_no_queue)
     TEST(many_puts_and_gets_take_constant_memory)
     TEST(queues_go_with_their_tasks))
