/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

#define NAME_LENGTH 32

/* Runs it, then waits a while: does anything go on that should have ended? */
struct alone { async_coroutine what; const char *name; double cancelled_at; };
static async_value alone(void *p)
{
    struct alone *args = p;
    async_task task = async_create_task_named(args->what, args->name);
    if (args->cancelled_at > 0) {
        await(async_sleep(args->cancelled_at));
        async_cancel(task);
    }
    async_value got = async_catch(task);
    printf("(over)\n");
    await(async_sleep(20));
    return got;
}

/* PART CANCELLED-AT LIMIT, then NAME:SECONDS:PRICE:SOLD-OUT for each shop; or
 * PART CANCELLED-AT RESTARTS PAUSE, then NAME:SECONDS:BREAKS for each service */
int main(int argc, char **argv)
{
    char names[MOST_SHOPS][NAME_LENGTH];
    struct shop shops[MOST_SHOPS];
    struct service services[MOST_SERVICES];
    stage_open(argc, argv);
    bool supervised = stage_part("supervise");
    size_t count = 0, most = supervised ? MOST_SERVICES : MOST_SHOPS;
    for (int i = supervised ? 4 : 3; i < stage_words() && count < most; i++) {
        double seconds;
        long number;
        int sold_out = 0;
        if (sscanf(stage_word(i), "%31[^:]:%lf:%ld:%d", names[count], &seconds, &number,
                   &sold_out) < 3)
            continue;
        if (supervised)
            services[count] = (struct service){ names[count], seconds, number };
        else
            shops[count] = (struct shop){ names[count], seconds, number, sold_out };
        count++;
    }
    async_coroutine what;
    if (supervised)
        what = async_coro(supervise, services, count, stage_integer(2), stage_real(3));
    else if (stage_part("buy_all"))
        what = async_coro(buy_all, shops, count);
    else
        what = async_coro(cheapest, shops, count, stage_real(2));
    stage_number(stage_word(0), stage_run(async_coro(alone, what, stage_word(0), stage_real(1))));
    return stage_close();
}
