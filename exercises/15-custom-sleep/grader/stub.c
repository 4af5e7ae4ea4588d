/* Things to wait for. README.md has the task; `make grade-15` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: a pause in the typing. */
struct typing {
    double seconds;
    /* TODO: what has to be remembered of somebody who waits */
};

struct typing *typing_new(double seconds)
{
    struct typing *typing = async_alloc(sizeof *typing);
    if (typing)
        typing->seconds = seconds;
    return typing;
}

void typing_key(struct typing *typing)
{
    /* TODO: if somebody waits for a pause, their time begins anew: take the old timer back with
     * async_handle_cancel, and set another. */
    (void)typing;
}

async_value typing_pause(void *p)
{
    struct typing_pause *args = p;
    /* TODO: wait until a timer, set with async_loop_call_later, has rung. It calls a function with
     * one pointer, and that function sets a future. However this function is left, also when it is
     * cancelled: leave no timer behind. */
    (void)args;
    return async_none;
}

/* Part 2: a latch. */
struct latch {
    long count;
    /* TODO: who waits */
};

struct latch *latch_new(long count)
{
    struct latch *latch = async_alloc(sizeof *latch);
    if (latch)
        latch->count = count;
    return latch;
}

void latch_count_down(struct latch *latch)
{
    /* TODO: one less; the last one opens the latch, for all who wait. */
    (void)latch;
}

async_value latch_wait(void *p)
{
    struct latch_wait *args = p;
    /* TODO: if the latch is open return; else wait until it is, but no longer than args->patience;
     * then end with the error ASYNC_TIMEOUT. */
    (void)args;
    return async_none;
}

/* This one is done: a question to a weather station. */
async_value ask_station(void *p)
{
    struct ask_station *args = p;
    struct station *station = args->station;
    printf("%s: asked\n", station->name);
    await(async_sleep(station->seconds));
    if (station->failures > 0) {
        station->failures--;
        printf("%s: failed\n", station->name);
        async_raise(EHOSTUNREACH, "no answer");
    }
    printf("%s: answered\n", station->name);
    return async_num(station->degrees++);       /* it is getting warmer */
}

/* Part 3: a cache that asks once. */
struct cache {
    /* TODO: what is known of each station, and who waits for its answer; there are at most
     * MOST_STATIONS of them, and each is always the same struct station */
    int unused;
};

struct cache *cache_new(void) { return async_alloc(sizeof(struct cache)); }

async_value cache_get(void *p)
{
    struct cache_get *args = p;
    /* TODO: if the degrees are known return them; if nobody is asking the station ask it; wait for
     * the answer, with all the others who do. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-15. The grader uses a main of its own. */
static double start;            /* when try_it began */
static double now(void) { return async_loop_time(async_get_running_loop()) - start; }

struct wait_for_pause { struct typing *typing; };
static async_value wait_for_pause(void *p)
{
    struct wait_for_pause *args = p;
    await(async_coro(typing_pause, args->typing));
    printf("%.1f s  a pause in the typing\n", now());
    return async_none;
}

struct want { struct cache *cache; struct station *station; double after; };
static async_value want(void *p)
{
    struct want *args = p;
    await(async_sleep(args->after));
    async_value got = await(async_coro(cache_get, args->cache, args->station));
    printf("%.1f s  %s: %ld degrees\n", now(), args->station->name, got.num);
    return async_none;
}

static async_value try_it(void *p)
{
    (void)p;
    start = now();
    struct typing *typing = typing_new(0.5);
    async_task pause = async_create_task(async_coro(wait_for_pause, typing));
    for (int i = 0; i < 2; i++) {
        await(async_sleep(0.4));
        typing_key(typing);
    }
    await(pause);

    struct latch *latch = latch_new(1);
    async_value early = async_catch(async_coro(latch_wait, latch, 0.5));
    printf("%.1f s  %s\n", now(), early.error ? async_error_name(early.error) : "open");
    latch_count_down(latch);
    early = async_catch(async_coro(latch_wait, latch, 0.5));
    printf("%.1f s  %s\n", now(), early.error ? async_error_name(early.error) : "open");

    static struct station oslo = { "Oslo", 2, 0, -3 }, rome = { "Rome", 1, 0, 18 };
    struct cache *cache = cache_new();
    await(async_gather(NULL, async_coro(want, cache, &oslo, 0), async_coro(want, cache, &rome, 0),
                       async_coro(want, cache, &oslo, 0.5), async_coro(want, cache, &oslo, 2.5)));
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
