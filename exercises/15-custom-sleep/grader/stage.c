/* stage.c - calls what the student wrote as the script of this run says: what, and when. */
#include "exercise.h"
#include "stage.h"
#include <ctype.h>
#include <stdio.h>

#define MOST_WAITERS 16

static double now(void) { return async_loop_time(async_get_running_loop()); }

/* One who waits, for whatever it is; says how it ended. */
struct wait_and_say { int number; async_awaitable what; bool number_given; };
static async_value wait_and_say(void *p)
{
    struct wait_and_say *args = p;
    async_value v = async_catch(args->what);
    if (v.error == ASYNC_CANCELLED || v.error == ASYNC_TIMEOUT)
        printf("%d: %s\n", args->number, async_error_name(v.error));
    else if (v.error)
        printf("%d: %s (%s)\n", args->number, async_error_name(v.error),
               v.message ? v.message : "no message");
    else if (args->number_given)
        printf("%d: %ld\n", args->number, v.num);
    else
        printf("%d: done\n", args->number);
    return v;
}

static async_value count_down(void *latch)
{
    latch_count_down(latch);
    return async_none;
}

/* The script, a word for each line: WHAT:TIME:MORE. Common to all parts are C:TIME:NUMBER, which
 * cancels a waiter, and E:TIME, the end. A small letter means the second typing, latch or cache.
 * We keep both for ever: nobody has a function that frees them, so that is no leak of the student's. */
static struct script {
    struct typing *typing;      /* P:TIME waits for a pause, K:TIME is a key */
    struct latch *latch;        /* W:TIME:PATIENCE waits, D:TIME counts down; T:TIME:SECONDS sets a
                                 * timer that counts down */
    struct cache *cache;        /* A:TIME:STATION asks */
    struct station *stations;
} scripts[2];

static async_coroutine new_waiter(const struct script *script, char what, double more)
{
    if (what == 'P')
        return async_coro(typing_pause, script->typing);
    if (what == 'W')
        return async_coro(latch_wait, script->latch, more);
    return async_coro(cache_get, script->cache, &script->stations[(int)more]);
}

static async_task waiters[MOST_WAITERS];
static int waiter_count;

static void play_line(const struct script *script, char what, double more)
{
    if (what == 'K')
        typing_key(script->typing);
    else if (what == 'D')
        latch_count_down(script->latch);
    else if (what == 'T')
        async_loop_call_later(async_get_running_loop(), more, count_down, script->latch);
    else if (what == 'C' && more >= 1 && more <= waiter_count)
        async_cancel(waiters[(int)more - 1]);
    else if (what != 'C' && what != 'E' && waiter_count < MOST_WAITERS) {
        async_coroutine wait = new_waiter(script, what, more);
        async_task *task = &waiters[waiter_count++];
        *task = async_create_task(async_coro(wait_and_say, waiter_count, wait, what == 'A'));
    }
}

struct play { int from; };
static async_value play(void *p)
{
    struct play *args = p;
    double begin = now();
    for (int i = args->from; i < stage_words(); i++) {
        char what;
        double at, more = 0;
        if (sscanf(stage_word(i), "%c:%lf:%lf", &what, &at, &more) < 2)
            continue;
        if (begin + at > now())
            await(async_sleep(begin + at - now()));
        play_line(&scripts[!!islower(what)], toupper(what), more);
    }
    for (int i = 0; i < waiter_count; i++)
        if (!async_done(waiters[i])) {
            printf("%d: still waiting\n", i + 1);
            async_cancel(waiters[i]);
        }
    for (int i = 0; i < waiter_count; i++)
        async_catch(waiters[i]);
    return async_none;
}

/* What is made here belongs to the main task. */
static async_value typing(void *p)
{
    (void)p;                            /* PART SECONDS SCRIPT */
    for (int i = 0; i < 2; i++)
        scripts[i].typing = typing_new(stage_real(1));
    return await(async_coro(play, 2));
}

static async_value latch(void *p)
{
    (void)p;                            /* PART COUNT SCRIPT */
    for (int i = 0; i < 2; i++)
        scripts[i].latch = latch_new(stage_integer(1));
    return await(async_coro(play, 2));
}

static async_value cache(void *p)
{
    (void)p;                            /* PART COUNT NAME:SECONDS:FAILURES:DEGREES... SCRIPT */
    static struct station stations[MOST_STATIONS];
    static char names[MOST_STATIONS][32];
    int count = stage_integer(1);
    for (int i = 0; i < count && i < MOST_STATIONS; i++) {
        stations[i].name = names[i];
        sscanf(stage_word(2 + i), "%31[^:]:%lf:%d:%ld", names[i], &stations[i].seconds,
               &stations[i].failures, &stations[i].degrees);
    }
    for (int i = 0; i < 2; i++)
        scripts[i] = (struct script){ .cache = cache_new(), .stations = stations };
    return await(async_coro(play, 2 + count));
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("typing"))
        stage_outcome("run", stage_run(async_coro(typing)));
    if (stage_part("latch"))
        stage_outcome("run", stage_run(async_coro(latch)));
    if (stage_part("cache"))
        stage_outcome("run", stage_run(async_coro(cache)));
    return stage_close();
}
