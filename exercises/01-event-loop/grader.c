/* grader.c - lesson 1: an event loop calls what was booked, when it is due, until it is stopped. */
#include "grader.h"
#include <stdio.h>
#include <string.h>

#define BACK "(returned)" /* what the stage prints when the function is through */

/* The mistakes one can make with any loop that should run until a certain time. */
static void check_loop(struct run *run, const char *function, double end)
{
    char text[100];
    if (run->line_count == 1 && printed_at(run, 0, BACK))
        reject(run,
               "%s() returned at 0 s and printed nothing. Booking a call does not make it: the "
               "loop makes it, while it runs. async_loop_run_forever(loop) runs it.",
               function);
    snprintf(text, sizeof text, "%s() returned at 0 s, expected at %g s.", function, end);
    if (printed_at(run, 0, BACK))
        reject(run,
               "%s Either everything was done at once, without waiting for a time, or the loop "
               "was stopped too early: async_loop_stop() belongs into the last callback, and "
               "async_loop_call_later() makes a callback wait.",
               text);
}

static void check_closed(struct run *run, const char *function)
{
    const struct result *left = result_of(run, "left_open");
    if (left && strcmp(left->text, "0") != 0)
        reject(run,
               "%s() returned, but its loop is still there, with all that it holds. Who makes a "
               "loop closes it: async_loop_close(loop), after the run.",
               function);
}

START_TEST(runs_a_coroutine)
{
    const char *shop = random_word();
    struct run *run = stage_run("open_shop %s", shop);
    if (run->line_count == 1)
        reject(run, "Nothing was printed: the coroutine has not run. async_coro() only makes an "
                    "object; async_main(object) makes a loop and runs it there.");
    will_print(0, "%s is open", shop);
    will_print(0, BACK);
    expect_transcript(run, in_order, "announce() prints one line when it is run, once.");
    expect_number(run, "open_shop", 0, "async_main() gives the exit status: 0 if all went well.");
}
END_TEST

START_TEST(now_and_later)
{
    for (int i = 0; i < 2; i++) {
        const char *what = random_word();
        double seconds = random_seconds();
        struct run *run = stage_run("egg_timer %s %g", what, seconds);
        check_loop(run, "egg_timer", seconds);
        will_print(0, "%s: started", what);
        will_print(seconds, "%s: done", what);
        will_print(seconds, BACK);
        expect_transcript(run, in_order,
                          "async_loop_call_soon() books for the next turn of the "
                          "loop, async_loop_call_later() for a number of seconds from now.");
        check_closed(run, "egg_timer");
    }
}
END_TEST

START_TEST(again_and_again)
{
    for (int i = 0; i < 2; i++) {
        int flashes = random_between(2 + 4 * i, 5 + 4 * i);
        double pause = random_seconds();
        struct run *run = stage_run("lighthouse %d %g", flashes, pause);
        check_loop(run, "lighthouse", flashes * pause);
        char last[32];
        snprintf(last, sizeof last, "Flash %d", flashes);
        if (printed_at(run, pause, "Flash 1") && printed_at(run, pause, last))
            reject(run,
                   "All flashes came at the same time, at %g s. A delay counts from the moment of "
                   "booking: book the next flash from the callback of the one before, or book "
                   "flash number i for i times the pause.",
                   pause);
        for (int n = 1; n <= flashes; n++)
            will_print(n * pause, "Flash %d", n);
        will_print(flashes * pause, BACK);
        expect_transcript(run, in_order,
                          "The first flash comes after one pause, the last one stops "
                          "the loop.");
        check_closed(run, "lighthouse");
    }
}
END_TEST

int main(int argc, char **argv)
{
    instead_of_sleep = "async_loop_call_later(loop, seconds, callback, argument)";
    grader_open(argc, argv);
    part(1, "a coroutine, run by a loop", runs_a_coroutine);
    part(2, "a loop by hand: one call now, one later", now_and_later);
    part(3, "a callback again and again, until the loop is stopped", again_and_again);
    return grader_close();
}
