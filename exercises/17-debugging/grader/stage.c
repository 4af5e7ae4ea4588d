/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "core/hooks.h"
#include "stage.h"
#include <stdio.h>
#include <stdlib.h>

#define TOO_LONG 600            /* seconds for a few dishes */

/* Visits one after the other; says after each how many tasks there are, the main one included. */
struct evening {
    double seconds;
    const char **guests;
    long count;
};
static async_value evening(void *p)
{
    struct evening *args = p;
    for (long i = 0; i < args->count; i++) {
        char name[40];
        snprintf(name, sizeof name, "guest%ld", i);
        async_value v = async_catch(async_coro(visit, args->guests[i], args->seconds));
        stage_outcome(name, v);
        snprintf(name, sizeof name, "tasks%ld", i);
        stage_number(name, async_num(async_all_tasks(NULL, 0)));
    }
    return async_none;
}

/* A visit that is cancelled. */
struct cut {
    double after;
    const char *guest;
    double seconds;
};
static async_value cut(void *p)
{
    struct cut *args = p;
    async_task task = async_create_task_named(async_coro(visit, args->guest, args->seconds),
                                              "visit");
    await(async_sleep(args->after));
    async_cancel(task);
    stage_outcome("visit", async_catch(task));
    stage_number("tasks", async_num(async_all_tasks(NULL, 0)));
    return async_none;
}

/* The kitchen; cancelled when it takes too long. No timer does that, for as long as there is one the
 * loop cannot know of a deadlock. */
static async_loop *loop;
static async_task cooking;
static double closes;
static bool livelock;

static async_value close_kitchen(void *p)
{
    (void)p;
    async_cancel(cooking);
    return async_none;
}

static void on_time_passes(double time)
{
    if (!cooking || livelock || time < closes)
        return;
    livelock = true;
    async_loop_call_soon_threadsafe(loop, close_kitchen, NULL);
}
static struct async_hooks hooks = { .time_passes = on_time_passes };

struct kitchen { const struct dish *dishes; size_t count; };
static async_value kitchen(void *p)
{
    struct kitchen *args = p;
    loop = async_get_running_loop();
    cooking = async_current_task();
    closes = async_loop_time(loop) + TOO_LONG;
    return async_catch(async_coro(cook_all, args->dishes, args->count));
}

/* The last dish is made in another kitchen, which begins while the cooks of the first reach for their second tools. */
struct two_kitchens { const struct dish *dishes; size_t count; };
static async_value two_kitchens(void *p)
{
    struct two_kitchens *args = p;
    async_task first = async_create_task(async_coro(cook_all, args->dishes, args->count - 1));
    await(async_sleep(0.05));
    async_value other = await(async_coro(cook_all, args->dishes + args->count - 1, 1));
    return async_num(await(first).num + other.num);
}
int main(int argc, char **argv)
{
    stage_open(argc, argv);
    struct serve orders[MOST];
    struct dish dishes[MOST];
    const char *guests[MOST];
    size_t count = (stage_words() - 1) / 4; /* PART, then four words for each */
    for (size_t i = 0; i < count && i < MOST; i++) {
        int w = 1 + 4 * i;
        orders[i] = (struct serve){ stage_word(w), stage_real(w + 1), stage_real(w + 2),
                                    stage_integer(w + 3) };
        dishes[i] = (struct dish){ stage_word(w),
                                   { stage_integer(w + 1) % TOOLS, stage_integer(w + 2) % TOOLS },
                                   stage_real(w + 3) };
    }
    for (int i = 0; i < MOST; i++)
        guests[i] = stage_word(4 + i);
    if (stage_part("serve_all"))
        stage_number("serve_all", stage_run(async_coro(serve_all, orders, count)));
    if (stage_part("evening") && stage_integer(3))
        setenv("ASYNC_SHUFFLE", stage_word(3), 1);
    if (stage_part("evening"))
        stage_outcome("evening", stage_run(async_coro(evening, stage_real(1), guests, stage_integer(2))));
    if (stage_part("cut"))
        stage_outcome("cut",
                      stage_run(async_coro(cut, stage_real(1), stage_word(2), stage_real(3))));
    if (stage_part("cook_all")) {
        async_hooks_add(&hooks);
        stage_number("cook_all", stage_run(async_coro(kitchen, dishes, count)));
        stage_number("livelock", async_num(livelock));
    }
    if (stage_part("two_kitchens"))
        stage_number("cook_all", stage_run(async_coro(two_kitchens, dishes, count)));
    return stage_close();
}
