/* The heap of timers against a sorted array. */
#include "testing.h"
#include "core/loop.h"
#include "core/timer.h"

#define TIMERS 500

static struct timer timer[TIMERS];
static struct timer *sorted[TIMERS];        /* those in the heap: by deadline, then by insertion */
static size_t count;

/* As ck_assert, which notes each place that it passes in a file: too slow for a million of them. */
#define MUST(this) if (!(this)) ck_abort_msg("%s", #this)

static void insert(struct timers *heap, struct timer *new)
{
    size_t i = count++;
    for (; i && sorted[i - 1]->deadline > new->deadline; i--)
        sorted[i] = sorted[i - 1];
    sorted[i] = new;
    MUST(timers_insert(heap, new));
}

static void take_out(struct timers *heap, struct timer *old)
{
    size_t i = 0;
    while (sorted[i] != old)
        i++;
    memmove(&sorted[i], &sorted[i + 1], (--count - i) * sizeof *sorted);
    timers_remove(heap, old);
}

static bool same_first(const struct timers *heap)
{
    return heap->root == (count ? sorted[0] : NULL);
}

START_TEST(random_inserts_and_removes_keep_the_earliest_first)
{
    struct timers heap = { 0 };
    srandom(7);
    memset(timer, 0, sizeof timer);
    count = 0;
    for (long step = 0; step < 200000; step++) {
        struct timer *any = &timer[random() % TIMERS];
        int64_t range = step % 2000 < 1000 ? 5 : 100000;    /* many equal ones, and few */
        if (any->armed) {
            take_out(&heap, any);
        } else {
            any->deadline = random() % range;
            insert(&heap, any);
        }
        MUST(same_first(&heap));
    }
    while (heap.root) {
        take_out(&heap, heap.root);
        MUST(same_first(&heap));
    }
    ck_assert_uint_eq(count, 0);
    timers_free(&heap);
}
END_TEST

START_TEST(equal_deadlines_come_off_in_the_order_of_insertion)
{
    struct timers heap = { 0 };
    memset(timer, 0, sizeof timer);
    for (int i = 0; i < TIMERS; i++)
        ck_assert(timers_insert(&heap, &timer[i]));
    for (int i = 0; i < TIMERS; i += 3)
        timers_remove(&heap, &timer[i]);
    for (int i = 0; i < TIMERS; i++) {
        if (i % 3 == 0)
            continue;
        ck_assert_ptr_eq(heap.root, &timer[i]);
        timers_remove(&heap, &timer[i]);
    }
    ck_assert_ptr_null(heap.root);
    timers_free(&heap);
}
END_TEST

START_TEST(removing_what_is_not_in_there_does_nothing)
{
    struct timers heap = { 0 };
    struct timer a = { .deadline = 1 }, b = { .deadline = 2 };
    timers_remove(&heap, &a);
    ck_assert(timers_insert(&heap, &a));
    ck_assert(timers_insert(&heap, &b));
    timers_remove(&heap, &a);
    timers_remove(&heap, &a);
    ck_assert_ptr_eq(heap.root, &b);
    ck_assert(timers_insert(&heap, &a));
    ck_assert_ptr_eq(heap.root, &a);
    timers_free(&heap);
}
END_TEST

/* The arrays grow, and half of what is in them was removed before its time. */
START_TEST(a_million_timers)
{
    size_t many = 1000000;
    struct timers heap = { 0 };
    struct timer *all = calloc(many, sizeof *all);
    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < many; i++) {
        all[i].deadline = i ? (int64_t)(many - i % 1000) : 0;
        MUST(timers_insert(&heap, &all[i]));
    }
    int64_t last = 0;
    for (size_t i = 1; i < many; i += 2)
        timers_remove(&heap, &all[i]);
    for (size_t i = 0; i < many; i += 2) {
        MUST(heap.root->deadline >= last);
        last = heap.root->deadline;
        timers_remove(&heap, heap.root);
    }
    ck_assert_ptr_null(heap.root);
    free(all);
    timers_free(&heap);
}
END_TEST

static int order[2], ran;
static struct timer due;
static struct job other;

static void notes(struct job *job)
{
    order[ran++ % 2] = job == &due.job ? 1 : 2;
    loop_running->stopping = ran == 2;
}

/* What such a job waits for may come as time is up: for a stream that lingers, say, a byte. */
START_TEST(a_job_that_is_ready_when_it_is_due_runs_once_and_loses_nobody_behind_it)
{
    async_loop *loop = async_new_event_loop();
    due.job.run = other.run = notes;
    MUST(loop_timer_start(loop, &due, loop_now(loop)));
    loop_ready(loop, &due.job);
    loop_ready(loop, &other);
    ck_assert_int_eq(async_loop_run_forever(loop).error, 0);
    ck_assert_int_eq(ran, 2);
    ck_assert_int_eq(order[0], 1);
    ck_assert_int_eq(order[1], 2);
    async_loop_close(loop);
}
END_TEST

MAIN("timer",
     TEST(random_inserts_and_removes_keep_the_earliest_first)
     TEST(equal_deadlines_come_off_in_the_order_of_insertion)
     TEST(removing_what_is_not_in_there_does_nothing)
     TEST(a_job_that_is_ready_when_it_is_due_runs_once_and_loses_nobody_behind_it)
     TEST(a_million_timers))
