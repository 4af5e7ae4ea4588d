/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"

#define WORDS_OF_CITY (2 + MOST_TRIES)

/* Runs it in a task, and cancels that after some time. */
struct caller { async_coroutine what; double after; };
static async_value caller(void *p)
{
    struct caller *args = p;
    async_task task = async_create_task(args->what);
    await(async_sleep(args->after));
    async_cancel(task);
    return async_catch(task);
}

/* What it asked of the task that called it, and did not take back. */
static long requests;
struct count_requests { async_coroutine what; };
static async_value count_requests(void *p)
{
    async_value got = async_catch(((struct count_requests *)p)->what);
    requests = async_cancelling(async_current_task());
    return got;
}

/* PART CANCELLED-AT TRIES LIMIT PAUSE BUDGET LAST-KNOWN, then NAME DEGREES SECONDS... for each */
int main(int argc, char **argv)
{
    stage_open(argc, argv);
    struct city cities[MOST_CITIES] = { { NULL, 0, { 0 } } };
    size_t count = (stage_words() - 7) / WORDS_OF_CITY;
    for (size_t i = 0; i < count && i < MOST_CITIES; i++) {
        int word = 7 + i * WORDS_OF_CITY;
        cities[i].name = stage_word(word);
        cities[i].degrees = stage_integer(word + 1);
        for (int try = 0; try < MOST_TRIES; try++)
            cities[i].seconds[try] = stage_real(word + 2 + try);
    }
    struct patience with = { stage_integer(2), stage_real(3), stage_real(4) };
    async_coroutine what;
    if (stage_part("temperature"))
        what = async_coro(temperature, cities, stage_real(3), stage_integer(6));
    else if (stage_part("ask_again"))
        what = async_coro(ask_again, cities, with);
    else
        what = async_coro(warmest, cities, count, with, stage_real(5));
    if (stage_real(1) > 0)
        what = async_coro(caller, what, stage_real(1));
    async_value got = stage_run(async_coro(count_requests, what));
    if (stage_part("warmest"))
        stage_text("warmest", got);
    else
        stage_number(stage_word(0), got);
    stage_number("requests", async_num(requests));
    return stage_close();
}
