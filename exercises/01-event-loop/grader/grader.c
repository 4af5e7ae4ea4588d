/* grader.c - lesson 1: an event loop calls what was booked, when it is due, until it is stopped. */
#include "grader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACK "(returned)" /* what the stage prints when the function is through */

/* A call that was due before the loop ran is made at once, whatever its time. */
static bool returned_at_once(struct run *run)
{
    int last = run->line_count - 1;
    return last >= 0 && !strcmp(run->lines[last].text, BACK) && run->lines[last].at < 1e-6;
}

/* The mistakes one can make with any loop that should run until a certain time. */
static void check_loop(struct run *run, const char *function, double end)
{
    char text[100], first;
    double time;
    if (run->line_count > 1 && sscanf(run->lines[0].text, "%lf s %c", &time, &first) == 2)
        reject(run,
               "%s() printed \"%.80s\". The time is not part of the line: in the task it stands in "
               "front to say when the line comes.",
               function, run->lines[0].text);
    if (run->line_count == 1 && returned_at_once(run))
        reject(
            run,
            "%s() returned at 0 s and printed nothing. Booking a call does not make it: the "
            "loop makes it, while it runs. async_loop_run_forever(loop) runs it, and only then it "
            "is closed.",
            function);
    snprintf(text, sizeof text, "%s() returned at 0 s, expected at %g s.", function, end);
    if (returned_at_once(run))
        reject(run,
               "%s Either everything was done at once, without waiting for a time, or the loop "
               "was stopped too early: async_loop_stop() belongs into the last callback, and "
               "async_loop_call_later() makes a callback wait. (async_loop_call_at() wants an "
               "absolute time of the loop's clock, which does not begin at 0: "
               "async_loop_time(loop) + seconds.)",
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
    const struct result *tasks = result_of(run, "tasks");
    if (run->line_count > 1 && tasks && !strcmp(tasks->text, "0"))
        reject(run, "announce() has run, but in no loop: to call it with its arguments is a plain call, in "
                    "which nothing could wait. async_main(object) makes a loop and runs it there.");
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

static void check_flashes(struct run *run, int flashes, double pause)
{
    char last[32];
    const struct result *woken = result_of(run, "woken");
    check_loop(run, "lighthouse", flashes * pause);
    snprintf(last, sizeof last, "Flash %d", flashes);
    if (flashes > 1 && printed_at(run, pause, "Flash 1") && printed_at(run, pause, last))
        reject(run,
               "All flashes came at the same time, at %g s. A delay counts from the moment of "
               "booking: book the next flash from the callback of the one before, or book "
               "flash number i for i times the pause.",
               pause);
    if (printed_at(run, flashes * pause, last) && woken && atoi(woken->text) > 2 * flashes + 2)
        reject(run,
               "Polling: %s times a timer woke the loop, for %d flashes. Who looks again and again "
               "whether it is time never rests, and is late at last. Book a call for the time when "
               "there is something to do; the loop waits until then.",
               woken->text, flashes);
}

static void try_flashes(int flashes, double pause)
{
    struct run *run = stage_run("lighthouse %d %g", flashes, pause);
    check_flashes(run, flashes, pause);
    for (int n = 1; n <= flashes; n++)
        will_print(n * pause, "Flash %d", n);
    will_print(flashes * pause, BACK);
    expect_transcript(run, in_order,
                      "The first flash comes after one pause, the last one stops "
                      "the loop.");
    check_closed(run, "lighthouse");
}

/* Called once more, which knows nothing of the first call. */
static void try_twice(double pause)
{
    struct run *run = stage_run("lighthouse 1 %g 3", pause);
    will_print(pause, "Flash 1");
    will_print(pause, BACK);
    for (int n = 1; n <= 3; n++) /* a new loop, and its clock begins anew */
        will_print(n * pause, "Flash %d", n);
    will_print(3 * pause, BACK);
    expect_transcript(run, in_order,
                      "lighthouse() was called twice, for 1 flash and for 3. What it has to "
                      "remember belongs into a struct of each call, not into a variable that all "
                      "calls share.");
}

START_TEST(again_and_again)
{
    try_flashes(random_between(2, 5), random_seconds());
    try_flashes(random_between(6, 9), random_seconds());
    try_flashes(1, random_seconds());
    try_twice(random_seconds());
}
END_TEST

int main(int argc, char **argv)
{
    instead_of_sleep = "async_loop_call_later(loop, seconds, callback, argument)";
    grader_open(argc, argv);
    shown_as("open_shop", "open_shop('%1')");
    shown_as("egg_timer", "egg_timer('%1', %2)");
    shown_as("lighthouse", "lighthouse(%1, %2)<; lighthouse(%3, %2)>");
    part(1, "a coroutine, run by a loop", runs_a_coroutine);
    part(2, "a loop by hand: one call now, one later", now_and_later);
    part(3, "a callback again and again, until the loop is stopped", again_and_again);
    return grader_close();
}
