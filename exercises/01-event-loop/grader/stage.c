/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include "core/hooks.h"
#include <stdio.h>

static long woken;              /* how often a timer has woken the loop */
static void on_time_passes(double time) { (void)time, woken++; }
static long tasks;              /* that a loop has run */
static void on_started(async_task task) { (void)task, tasks++; }
static struct async_hooks hooks = { .time_passes = on_time_passes, .started = on_started };

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    async_hooks_add(&hooks);
    long before = stage_open_files();      /* a loop that is not closed keeps its own */
    if (stage_part("open_shop"))
        stage_number("open_shop", async_num(open_shop(stage_word(1))));
    if (stage_part("egg_timer"))
        egg_timer(stage_word(1), stage_real(2));
    if (stage_part("lighthouse"))
        lighthouse(stage_integer(1), stage_real(2));
    printf("(returned)\n");
    if (stage_part("lighthouse") && stage_words() > 3) {
        lighthouse(stage_integer(3), stage_real(2));
        printf("(returned)\n");
    }
    stage_number("left_open", async_num(stage_open_files() - before));
    stage_number("woken", async_num(woken));
    stage_number("tasks", async_num(tasks));
    return stage_close();
}
