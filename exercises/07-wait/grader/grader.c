/* grader.c - lesson 7: wait tells who is done; to cancel the others and await them is up to us. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_MIRRORS 8
#define LONGEST_GOODBYE 0.3

static struct mirror {
    const char *name;
    double seconds, goodbye;
    bool broken;
} mirrors[MOST_MIRRORS];
static int count;

/* A mirror that is quick answers within the first second, the others after it. No two times are
 * equal or a multiple of anything that one could look at the clock with. */
static void make_mirrors(int many)
{
    int shift = random_between(0, 2);
    count = many;
    for (int i = 0; i < count; i++)
        mirrors[i] = (struct mirror){ random_word(),
                                      1 + random_seconds() + random_between(1, 9) / 100.0,
                                      0.1 * (1 + (i + shift) % 3), false };
}

/* When all who are pending then have hung up. */
static double hung_up(double decided)
{
    double longest = 0;
    for (int i = 0; i < count; i++)
        if (mirrors[i].seconds > decided + 1e-6)
            longest = fmax(longest, mirrors[i].goodbye);
    return decided + longest;
}

static struct mirror *quick(int i, double seconds)
{
    mirrors[i].seconds = seconds + random_between(1, 9) / 100.0;
    return &mirrors[i];
}

static double slowest(void)
{
    double longest = 0;
    for (int i = 0; i < count; i++)
        longest = fmax(longest, mirrors[i].seconds);
    return longest;
}

/* The arguments of a run, with the mirrors `from` to before `to`. */
static const char *write_inputs(char *inputs, size_t size, const char *function, double patience, int from, int to)
{
    int n = snprintf(inputs, size, "%s %g", function, patience);
    for (int i = from; i < to; i++)
        n += snprintf(inputs + n, size - n, " %s %g %g %d", mirrors[i].name, mirrors[i].seconds,
                      mirrors[i].goodbye, mirrors[i].broken);
    return inputs;
}

static struct run *run_mirrors(const char *function, double patience)
{
    char inputs[400];
    return stage_run("%s", write_inputs(inputs, sizeof inputs, function, patience, 0, count));
}

/* Two calls at once, with three mirrors each; with `broken` the quickest of each is so. */
static void try_beside(const char *function, double patience, bool broken)
{
    char one[200], other[200];
    make_mirrors(6);
    quick(1, 0.5)->broken = broken;
    quick(3, 0.7)->broken = broken;
    expect_undisturbed(write_inputs(one, sizeof one, function, patience, 0, 3),
                       write_inputs(other, sizeof other, function, patience, 3, 6));
}

/* The same where one loses patience before the quickest of the other answers. */
static void try_beside_patience(void)
{
    char one[200], other[200];
    make_mirrors(6);
    for (int i = 0; i < 6; i++)
        quick(i, 2 + i);
    expect_undisturbed(write_inputs(one, sizeof one, "first_good", 1, 0, 3),
                       write_inputs(other, sizeof other, "first_good", 30, 3, 6));
}

static bool says(struct run *run, const struct mirror *m, const char *what, double at)
{
    char line[100];
    snprintf(line, sizeof line, "%s: %s", m->name, what);
    return printed_at(run, at, line);
}

/* What is printed if the pending ones are cancelled then: all together. */
static void will_ask_until(double end)
{
    for (int i = 0; i < count; i++)
        will_print(0, "%s: asked", mirrors[i].name);
    for (int i = 0; i < count; i++)
        if (mirrors[i].seconds < end + 1e-6)
            will_print(mirrors[i].seconds, "%s: %s", mirrors[i].name,
                       mirrors[i].broken ? "failed" : "answered");
        else
            will_print(end + mirrors[i].goodbye, "%s: hung up", mirrors[i].name);
}

/* --------------------------------------------------------------- mistakes of every part */

static void check_all_asked(struct run *run)
{
    int asked = 0;
    for (int i = 0; i < count; i++)
        asked += says(run, &mirrors[i], "asked", 0);
    for (int i = 0; asked && i < count; i++)
        if (says(run, &mirrors[i], "asked", NAN) && !says(run, &mirrors[i], "asked", 0))
            reject(run,
                   "%s was asked late: the mirrors are asked one after the other. Make all the "
                   "tasks in one loop, before you wait for any of them.",
                   mirrors[i].name);
}

/* Did all who were pending hang up as if cancelled then? Other tasks than theirs may end later. */
static bool all_hung_up(struct run *run, double decided)
{
    for (int i = 0; i < count; i++)
        if (mirrors[i].seconds > decided + 1e-6 &&
            !says(run, &mirrors[i], "hung up", decided + mirrors[i].goodbye))
            return false;
    return true;
}

/* Those who were not done when all was decided: were they cancelled, all at once, and awaited? */
static void check_losers(struct run *run, double decided)
{
    expect_no_task_left(
        run,
        count_events(run, "cancelled", NULL)
            ? "They were cancelled, but not awaited. async_cancel() only asks: to hang up takes a "
              "moment, and somebody has to wait for that. Await every task after you cancelled it."
            : "They were neither cancelled nor awaited. Nobody is cancelled because one is done "
              "or because we return: whoever is pending works on. Cancel the pending ones, then "
              "wait until they have ended.");
    double first = NAN;
    for (int i = 0; i < run->event_count && !all_hung_up(run, decided); i++) {
        const struct event *event = &run->events[i];
        if (strcmp(event->kind, "cancelled") != 0)
            continue;
        if (isnan(first) && event->at > decided + 1e-6)
            reject(
                run,
                "All was decided at %g s, but noticed only at %g s, when the first one was "
                "cancelled. Who awaits the tasks in their order, or looks now and then, is late; "
                "async_wait() comes back when the first of them, whichever it is, makes it so.",
                decided, event->at);
        if (event->at > decided + 1e-6)
            reject(run,
                   "One was cancelled at %g s, but another only at %g s: they were cancelled one "
                   "after the other, each awaited before the next was cancelled. First cancel all, "
                   "in one loop; then wait for all.",
                   first, event->at);
        first = event->at;
    }
    for (int i = 0; i < count; i++) {
        const struct mirror *m = &mirrors[i];
        const char *end = m->broken ? "failed" : "answered";
        if (m->seconds < decided + LONGEST_GOODBYE || !says(run, m, end, NAN))
            continue;
        if (count_events(run, "cancelled", NULL))
            reject(run,
                   "%s %s at %g s, but all was decided at %g s: it was not cancelled, though "
                   "another was. Cancel all that are pending, up to the last one of the array.",
                   m->name, end, m->seconds, decided);
        else
            reject(run,
                   "%s %s at %g s, but all was decided at %g s: the pending ones were not "
                   "cancelled. async_wait() only tells which they are: the tasks behind the first "
                   "`done` ones of its array. Cancel those.",
                   m->name, end, m->seconds, decided);
    }
}

static void check_not_cancelled_itself(struct run *run, const char *function)
{
    const struct result *result = result_of(run, function);
    if (result && !strcmp(result->kind, "error") && !strncmp(result->text, "CancelledError", 14))
        reject(run,
               "%s() ended with CancelledError itself, though nobody had cancelled it. await(task) "
               "raises what the task ended with, here the cancellation that we asked for; "
               "async_catch(task) and async_wait() don't.",
               function);
    if (result && !strcmp(result->kind, "error") && strstr(result->text, "is empty"))
        reject(run,
               "%s() ended with an error (%s): async_wait() wants at least one task. When nobody "
               "is pending there is nothing to wait for.",
               function, result->text);
}

/* -------------------------------------------------------------------------------- part 1 */

static void try_first(int many, int winner)
{
    make_mirrors(many);
    struct mirror *first = quick(winner, 0.3);
    struct run *run = run_mirrors("first_answer", 0);
    const struct result *result = result_of(run, "first_answer");
    check_all_asked(run);
    check_not_cancelled_itself(run, "first_answer");
    check_losers(run, first->seconds);
    for (int i = 0; result && i < count; i++)
        if (i != winner && !strcmp(result->text, mirrors[i].name))
            reject(run,
                   "first_answer() returned %s, but %s answered first. async_wait() sorts the "
                   "array of tasks that it is given: done ones first. Your array of mirrors, and "
                   "any copy of the tasks, it leaves as it was.",
                   result->text, first->name);
    will_ask_until(first->seconds);
    expect_transcript(run, any_order,
                      "With the first answer the others are cancelled, and hang up.");
    expect_seconds(run, hung_up(first->seconds),
                   "first_answer() has to return when the others have hung up.");
    expect_text(run, "first_answer", first->name, "That is what the first one gave.");
}

START_TEST(first)
{
    try_first(5, random_between(1, 4));
    try_first(MOST_MIRRORS, 0);
    try_first(4, 3);
    try_first(1, 0);
    make_mirrors(3);
    expect_cancelled(run_mirrors("@0.1 first_answer", 0), "first_answer");
    try_beside("first_answer", 0, false);
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

static void try_all_well(int many)
{
    make_mirrors(many);
    struct run *run = run_mirrors("check_all", 0);
    check_all_asked(run);
    for (int i = 0; i < count; i++)
        if (says(run, &mirrors[i], "hung up", NAN))
            reject(run,
                   "%s was cancelled, although no mirror had failed. A mirror that answers is "
                   "well, but says nothing about the others: ASYNC_FIRST_COMPLETED stops at any "
                   "end, ASYNC_FIRST_EXCEPTION only at an error, or when all are done.",
                   mirrors[i].name);
    expect_no_task_left(run, "All have to answer before the check is passed.");
    check_not_cancelled_itself(run, "check_all");
    will_ask_until(slowest());
    expect_transcript(run, any_order, "All are well: nobody is cancelled.");
    expect_seconds(run, slowest(), "The check is passed when the last one has answered.");
    expect_number(run, "check_all", count, "That is how many mirrors there are.");
}

/* `failing` fails; somebody answers before it, and somebody soon after. */
static void try_one_fails(int many, int failing)
{
    char message[100];
    make_mirrors(many);
    quick((failing + 1) % 3, 0.3);
    quick((failing + 2) % 3, 1.1);
    struct mirror *failed = quick(failing, 0.6);
    failed->broken = true;
    struct run *run = run_mirrors("check_all", 0);
    const struct result *result = result_of(run, "check_all");
    check_all_asked(run);
    check_not_cancelled_itself(run, "check_all");
    check_losers(run, failed->seconds);
    if (result && strcmp(result->kind, "error") != 0)
        reject(run,
               "%s failed at %g s, but check_all() ended as if all were well. async_wait() raises "
               "no error of a task: await those that are done, or look at their results.",
               failed->name, failed->seconds);
    will_ask_until(failed->seconds);
    expect_transcript(run, any_order,
                      "As soon as one fails, those that are pending are cancelled.");
    expect_error(run, "check_all", "Connection refused",
                 "That is the error of the one that failed.");
    snprintf(message, sizeof message, "%s is broken", failed->name);
    expect_message(run, "check_all", message,
                   "An error travels with its message if you return the async_value as it came, or "
                   "let await() raise it.");
    expect_seconds(run, hung_up(failed->seconds), "Then the others have hung up.");
}

START_TEST(check)
{
    try_all_well(random_between(4, 6));
    try_one_fails(MOST_MIRRORS, 2);
    try_one_fails(5, 0);
    try_one_fails(4, 1);
    try_all_well(1);
    make_mirrors(3);
    expect_cancelled(run_mirrors("@0.1 check_all", 0), "check_all");
    try_beside("check_all", 0, false);
    try_beside("check_all", 0, true);
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

static void check_good(struct run *run, double decided, const char *right)
{
    const struct result *result = result_of(run, "first_good");
    check_all_asked(run);
    check_not_cancelled_itself(run, "first_good");
    for (int i = 0; i < run->event_count; i++)
        if (!strcmp(run->events[i].kind, "cancelled") && same_time(run->events[i].at, 0))
            reject(run, "Patience was over at once, at 0 s. A deadline is an absolute time of the "
                        "loop's clock, which does not begin at 0: async_loop_time(loop) + seconds. "
                        "async_wait() wants the seconds that are left of it.");
    if (result && !strcmp(result->kind, "error"))
        reject(run,
               "first_good() ended with an error (%s). The error of a broken mirror is to be "
               "passed over: async_catch(task) gives it without raising it.",
               result->text);
    check_losers(run, decided);
    will_ask_until(decided);
    expect_transcript(
        run, any_order,
        "Errors are passed over, a good answer or the end of patience is the end of it all.");
    expect_text(run, "first_good", right,
                "That is the first good answer; \"nobody\" if there is none.");
}

static void try_good(int many, int broken)
{
    make_mirrors(many);
    for (int i = 0; i < broken; i++)
        quick(i, 0.2 + 0.1 * i)->broken = true;
    struct mirror *good = quick(broken, 0.2 + 0.1 * broken);
    struct run *run = run_mirrors("first_good", 30);
    const struct result *result = result_of(run, "first_good");
    if (broken && result && !strcmp(result->text, "nobody"))
        reject(run,
               "first_good() gave up and returned \"nobody\", but %s answered well at %g s. That "
               "one is done need not mean that it has succeeded: after an error wait for the next.",
               good->name, good->seconds);
    if (run->seconds > hung_up(good->seconds) + 0.01 && !count_events(run, "cancelled", NULL))
        reject(run,
               "%s answered well at %g s, but first_good() went on waiting until %g s. "
               "ASYNC_FIRST_COMPLETED ends a wait with every end, good or not; look whether it was "
               "a good one, and cancel the others then.",
               good->name, good->seconds, run->seconds);
    check_good(run, good->seconds, good->name);
    expect_seconds(run, hung_up(good->seconds), "The first good answer is enough.");
}

/* Some fail, and patience ends before the first good answer, which comes soon after it. */
static void try_patience(int broken)
{
    make_mirrors(broken + 3);
    for (int i = 0; i < broken; i++)
        quick(i, 0.2 + 0.1 * i)->broken = true;
    double patience = 0.3 + 0.1 * broken;
    struct mirror *late = quick(broken, patience + 0.1);
    struct run *run = run_mirrors("first_good", patience);
    const char *last = broken ? mirrors[broken - 1].name : "nobody";
    if (!broken && says(run, late, "answered", NAN))
        reject(run,
               "%s answered at %g s, but patience ended at %g s. async_wait() takes a timeout; "
               "when it is over the others are pending still, to be cancelled.",
               late->name, late->seconds, patience);
    if (broken && says(run, late, "answered", NAN))
        reject(run,
               "%s answered at %g s, but patience ended at %g s. The timeout of async_wait() "
               "counts from each call anew: after %s had failed it began again. Compute a deadline "
               "once, and wait for what is left of it.",
               late->name, late->seconds, patience, last);
    if (broken && count_events(run, "cancelled", NULL) && run->seconds > hung_up(patience) + 0.01)
        reject(run,
               "took %g s of virtual time, but patience is for %g s in all, and %g s to hang up. "
               "The timeout of async_wait() counts from each call anew: compute a deadline once, "
               "and wait for what is left of it.",
               run->seconds, patience, hung_up(patience) - patience);
    check_good(run, patience, "nobody");
    expect_seconds(run, hung_up(patience), "Patience ends, and they hang up.");
}

/* One that is broken and two good ones answer at the same instant, in this order. */
static void try_same_turn(void)
{
    make_mirrors(6);
    struct mirror *broken = quick(0, 0.5), *good = &mirrors[1];
    broken->broken = true;
    good->seconds = mirrors[2].seconds = broken->seconds;
    struct run *run = run_mirrors("first_good", 30);
    const struct result *result = result_of(run, "first_good");
    if (result && !strcmp(result->kind, "text") && strcmp(result->text, good->name) != 0)
        reject(run,
               "first_good() returned %s, expected %s. At %g s three were done in the same turn of "
               "the loop: %s had failed, %s was the first that had answered well, then came %s. "
               "async_wait() may come back with several that are done: look at them one by one, in "
               "their order, up to the first good one.",
               result->text, good->name, good->seconds, broken->name, good->name, mirrors[2].name);
    check_good(run, good->seconds, good->name);
    expect_seconds(run, hung_up(good->seconds), "The first good answer is enough.");
}

static void try_nobody(int many)
{
    make_mirrors(many);
    for (int i = 0; i < count; i++)
        mirrors[i].broken = true;
    struct run *run = run_mirrors("first_good", 30);
    check_good(run, slowest(), "nobody");
    expect_seconds(run, slowest(), "When all have failed there is nothing to wait for.");
}

START_TEST(good)
{
    try_good(5, 0);
    try_good(6, 1);
    try_good(MOST_MIRRORS, 3);
    try_patience(0);
    try_patience(1);
    try_patience(random_between(2, 3));
    try_nobody(random_between(2, 4));
    try_good(1, 0);
    try_same_turn();
    make_mirrors(3);
    expect_cancelled(run_mirrors("@0.1 first_good", 30), "first_good");
    try_beside("first_good", 30, false);
    try_beside("first_good", 30, true);
    try_beside_patience();
}
END_TEST

int main(int argc, char **argv)
{
    about_busy = "async_wait() comes back at once, too, when a task that is done is among those it is given.";
    grader_open(argc, argv);
    shown_as("first_answer", "await(async_coro(first_answer, mirrors, %4#2)), mirrors = {%4*2}");
    shown_as("check_all", "await(async_coro(check_all, mirrors, %4#2)), mirrors = {%4*2}");
    shown_as("first_good", "await(async_coro(first_good, mirrors, %4#2, %1)), mirrors = {%4*2}");
    shown_as("*", "{'%0', %1, %2, %?3}");
    part(2, "the first answer; the others are cancelled", first);
    part(2, "all are well, or the first error", check);
    part(3, "the first good answer, within patience", good);
    return grader_close();
}
