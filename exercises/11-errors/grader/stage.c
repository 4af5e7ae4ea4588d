/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <string.h>

#define WORDS_OF_FEED (5 + MOST_TRIES)

/* Writes over the stack of the task before it, so that nothing on it is taken for a message. */
static async_value write_over(void *p)
{
    volatile char stack[20000];
    (void)p;
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = '?';
    await(async_sleep(0));
    return async_num(stack[sizeof stack / 2]);
}

/* Runs it in a task, and cancels that after some time; 0: not at all. */
struct cancelled { async_coroutine what; double after; };
static async_value cancelled(void *p)
{
    struct cancelled *args = p;
    async_task task = async_create_task(args->what);
    if (args->after > 0) {
        await(async_sleep(args->after));
        async_cancel(task);
    }
    async_value got = async_catch(task);
    await(async_create_task(async_coro(write_over)));
    return got;
}

/* Two at once, for the first two feeds; then we look at both. */
struct two { const struct feed *feeds; };
static async_value two(void *p)
{
    struct two *args = p;
    async_value got[2];
    await(async_gather_exceptions(got, async_coro(subscribe, &args->feeds[0]),
                                  async_coro(subscribe, &args->feeds[1])));
    stage_number("first", got[0]);
    stage_number("second", got[1]);
    return async_none;
}

/* PART CANCELLED-AT TRIES PAUSE, then NAME SECONDS ITEMS MESSAGE STUCK ERROR... for each feed */
int main(int argc, char **argv)
{
    stage_open(argc, argv);
    struct feed feeds[MOST_FEEDS] = { { NULL, 0, 0, { 0 }, NULL, false } };
    size_t count = (stage_words() - 4) / WORDS_OF_FEED;
    for (size_t i = 0; i < count && i < MOST_FEEDS; i++) {
        int word = 4 + i * WORDS_OF_FEED;
        feeds[i].name = stage_word(word);
        feeds[i].seconds = stage_real(word + 1);
        feeds[i].items = stage_integer(word + 2);
        feeds[i].message = stage_word(word + 3);
        feeds[i].stuck = stage_integer(word + 4);
        for (int try = 0; try < MOST_TRIES; try++)
            feeds[i].errors[try] = stage_integer(word + 5 + try);
    }
    async_coroutine what;
    if (stage_part("collect"))
        what = async_coro(collect, feeds, count);
    else if (stage_part("two"))
        what = async_coro(two, feeds);
    else if (stage_part("subscribe"))
        what = async_coro(subscribe, feeds);
    else
        what = async_coro(save, feeds, stage_integer(2), stage_real(3));
    async_value got = stage_run(async_coro(cancelled, what, stage_real(1)));
    stage_number(stage_word(0), got);
    stage_number("code", async_num(got.error));
    return stage_close();
}
