/* grader.c - lesson 15: whoever waits has a future that somebody sets; nobody looks at the clock.
 */
#include "grader.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MOST_WAITERS 16
#define MOST_STATIONS 8 /* as in exercise.h */
#define LATER 20 /* seconds after all that a script does */

/* ---------------------------------------------------------------------------- the script */

static struct line_of { /* what happens when; see stage.c */
    char what;
    double at, more;
} script[40];
static int length;

static struct waiter {
    double begins, ends, patience;
    char outcome[100];
    bool cancelled;          /* as the script wants it */
} waiters[MOST_WAITERS + 1]; /* from 1 on */
static int waiter_count;

static double wakes[60]; /* when a right answer wakes up */
static int wake_count;

static void begin_script(void) { length = waiter_count = wake_count = 0; }

static void at(double when, char what, double more)
{
    script[length++] = (struct line_of){ what, when, more };
    wakes[wake_count++] = when;
}

static struct waiter *new_waiter(double begins)
{
    struct waiter *waiter = &waiters[++waiter_count];
    *waiter = (struct waiter){ begins, INFINITY, INFINITY, "", false };
    return waiter;
}

/* Says that somebody's wait ends then, and how, if it has not ended before. */
__attribute__((format(printf, 3, 4))) static void ends(int number, double when, const char *format,
                                                       ...)
{
    struct waiter *waiter = &waiters[number];
    if (when >= waiter->ends)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(waiter->outcome, sizeof waiter->outcome, format, args);
    va_end(args);
    waiter->ends = when;
    waiter->cancelled = !strcmp(waiter->outcome, "CancelledError");
}

static void will_end(void)
{
    for (int i = 1; i <= waiter_count; i++) {
        will_print(waiters[i].ends, "%d: %s", i, waiters[i].outcome);
        wakes[wake_count++] = waiters[i].ends;
    }
}

static int write_script(char *to, size_t size)
{
    int n = 0;
    for (int i = 0; i < length; i++)
        n += snprintf(to + n, size - n, " %c:%g:%g", script[i].what, script[i].at, script[i].more);
    return n;
}

/* The script goes by hundredths of a second, and whatever is to end by itself takes half of one
 * more: no two things happen at the same time by chance. */
#define A_BIT 0.005
static double hundredths(int from, int to) { return random_between(from, to) / 100.0; }

/* ------------------------------------------------------------------ mistakes of every part */

static void check_set_twice(struct run *run)
{
    if (strstr(run->err, "InvalidStateError"))
        reject(run, "A future was set that was done already. It can be set once; and who cancels "
                    "somebody that waits "
                    "cancels the future, which is done then. Ask async_done(future) before you set "
                    "it, and take "
                    "back the timer of whoever does not wait any more.");
}

static void check_polling(struct run *run)
{
    expect_wakes(run, wake_count, 12,
                 "Whoever looks again and again whether it is time is never at rest, and late at "
                 "last. Let somebody set a future: a timer of the loop (async_loop_call_later), or "
                 "whoever makes true what you wait for.");
}

static void check_timers(struct run *run)
{
    for (int i = 0; i < run->wake_count; i++) {
        bool known = false;
        for (int k = 0; k < wake_count; k++)
            known |= same_time(run->wakes[i], wakes[k]);
        if (!known)
            reject(run,
                   "A timer was left behind: it woke the program at %g s, when nobody waited for "
                   "that time any more. "
                   "Whoever stops waiting takes the timer back, on every way out, and whoever sets "
                   "a new one takes "
                   "back the old one: async_handle_cancel(timer).",
                   run->wakes[i]);
    }
}

/* How the wait of this one ended: the rest of its line; NULL: not at all. When: *at. */
static const char *ended(struct run *run, int number, double *at)
{
    char begin[16];
    int n = snprintf(begin, sizeof begin, "%d: ", number);
    for (int i = 0; i < run->line_count; i++)
        if (!strncmp(run->lines[i].text, begin, n)) {
            *at = run->lines[i].at;
            return run->lines[i].text + n;
        }
    return NULL;
}

static bool is(const char *text, const char *right) { return text && !strcmp(text, right); }

static void check_innocent(struct run *run, int number, const char *or_else)
{
    double t;
    if (is(ended(run, number, &t), "CancelledError") && !waiters[number].cancelled)
        reject(run,
               "Number %d ended with CancelledError at %g s, though it was another one that was to "
               "end. Who "
               "cancels somebody that waits cancels the future or the task that they wait for: if "
               "all wait for "
               "the same one, all of them are hit. Give everybody who waits a future of their "
               "own.%s",
               number, t, or_else);
}

/* Two typings, latches or caches at the same time: small letters are for the second one. What is to
 * be printed has been said. */
__attribute__((format(printf, 1, 2))) static void try_two(const char *format, ...)
{
    char inputs[200];
    va_list args;
    va_start(args, format);
    vsnprintf(inputs, sizeof inputs, format, args);
    va_end(args);
    expect_transcript(stage_run("%s", inputs), any_order,
                      "There are two of them here, and neither knows of the other. What one "
                      "remembers belongs into its struct: a global or static variable is there "
                      "only once.");
}

/* ----------------------------------------------------------------------------- part 1 */

static double silence;

/* What a right answer does with the script. */
static void type(void)
{
    int waiting = 0;
    double deadline = INFINITY;
    for (int i = 0; i <= length; i++) {
        double t = i < length ? script[i].at : INFINITY;
        if (waiting && deadline < t) {
            ends(waiting, deadline, "done");
            waiting = 0;
        }
        if (i == length)
            break;
        if (script[i].what == 'P') {
            new_waiter(t);
            waiting = waiter_count;
            deadline = t + silence;
        } else if (script[i].what == 'K' && waiting) {
            deadline = t + silence;
        } else if (script[i].what == 'C' && waiting) {
            ends(waiting, t, "CancelledError");
            waiting = 0;
        }
    }
    will_end();
}

static void check_pause(struct run *run, int number)
{
    double t, last = NAN;
    const char *how = ended(run, number, &t);
    const struct waiter *right = &waiters[number];
    for (int i = 0; i < length; i++)
        if (script[i].what == 'K' && script[i].at > right->begins && script[i].at < right->ends)
            last = script[i].at;
    if (is(how, "done") && right->cancelled)
        reject(run,
               "typing_pause() number %d was cancelled at %g s, but ended at %g s as if there had "
               "been a pause: a "
               "swallowed cancellation.",
               number, right->ends, t);
    if (is(how, "still waiting"))
        reject(run,
               "typing_pause() number %d began at %g s and was never over: nobody has set its "
               "future. After %g s "
               "of silence, at %g s, a timer has to.",
               number, right->begins, silence, right->ends);
    if (is(how, "done") && same_time(t, right->begins))
        reject(run, "typing_pause() was over at once, at %g s: it did not wait.", t);
    if (is(how, "done") && t < right->ends - 1e-6 && !isnan(last))
        reject(run,
               "typing_pause() was over at %g s, but a key was pressed at %g s, and the silence "
               "has to last %g s. "
               "With every key the time begins anew: the old timer must not ring any more.",
               t, last, silence);
    if (is(how, "done") && t < right->ends - 1e-6)
        reject(run,
               "typing_pause() began at %g s and was over at %g s, expected at %g s. A key that "
               "was pressed when "
               "nobody waited means nothing, and a timer of an earlier wait must not ring in this "
               "one.",
               right->begins, t, right->ends);
}

static void try_typing(void)
{
    char inputs[500];
    at(script[length - 1].at + LATER, 'E', 0);
    type();
    int n = snprintf(inputs, sizeof inputs, "typing %g", silence);
    write_script(inputs + n, sizeof inputs - n);
    struct run *run = stage_run("%s", inputs);
    check_polling(run);
    for (int i = 1; i <= waiter_count; i++)
        check_pause(run, i);
    check_set_twice(run);
    expect_no_task_left(run, "Who waits for a pause needs a timer and a future, but no task.");
    expect_transcript(run, in_order, "A pause is over when no key was pressed for so long.");
    check_timers(run);
}

static void begin_typing(void)
{
    begin_script();
    silence = hundredths(80, 120) + A_BIT;
}

START_TEST(a_pause)
{
    begin_typing();
    at(0, 'P', 0);
    try_typing();

    begin_typing(); /* keys before, in between, and after */
    at(0.1, 'K', 0);
    at(0.1 + hundredths(10, 30), 'P', 0);
    for (int i = random_between(2, 5); i > 0; i--)
        at(script[length - 1].at + hundredths(31, 70), 'K', 0);
    at(script[length - 1].at + 3 + hundredths(0, 50), 'K', 0);
    at(script[length - 1].at + hundredths(11, 40), 'P', 0);
    at(script[length - 1].at + hundredths(11, 40), 'K', 0);
    try_typing();

    begin_typing(); /* cancelled, and again */
    at(0, 'P', 0);
    at(hundredths(20, 60), 'K', 0);
    at(script[length - 1].at + hundredths(11, 20), 'C', 1);
    at(script[length - 1].at + hundredths(11, 20), 'P', 0);
    at(script[length - 1].at + 3, 'K', 0);
    at(script[length - 1].at + 1, 'P', 0);
    at(script[length - 1].at + hundredths(11, 20), 'C', 3);
    at(script[length - 1].at + hundredths(11, 20), 'K', 0);
    try_typing();

    silence = hundredths(80, 120);
    will_print(0.5 + silence, "1: done");
    will_print(0.3 + silence, "2: done");
    try_two("typing %g P:0 p:0.3 K:0.5 E:20", silence);
}
END_TEST

/* ----------------------------------------------------------------------------- part 2 */

/* When the latch opens that is counted down from so many. */
static double opens(int count)
{
    double open = count ? INFINITY : 0;
    for (int i = 0; i < length; i++)
        if (script[i].what == 'D' && --count == 0)
            open = script[i].at;
    return open;
}

static void wait_in_line(double open)
{
    for (int i = 0; i < length; i++) {
        double t = script[i].at;
        if (script[i].what != 'W')
            continue;
        new_waiter(t)->patience = script[i].more;
        if (t + script[i].more < open)
            ends(waiter_count, t + script[i].more, "TimeoutError");
        else
            ends(waiter_count, fmax(t, open), "done");
    }
    for (int i = 0; i < length; i++)
        if (script[i].what == 'C')
            ends((int)script[i].more, script[i].at, "CancelledError");
    will_end();
}

static void check_latch(struct run *run, int number, double open)
{
    double t;
    const char *how = ended(run, number, &t);
    const struct waiter *right = &waiters[number];
    if (is(how, "done") && open > t + 1e-6)
        reject(run, "Number %d went on at %g s, but the latch %s.", number, t,
               isinf(open) ? "never opens here" : "was still closed");
    bool not_woken = is(how, "TimeoutError") && same_time(t, right->begins + right->patience);
    if (is(how, "done") && t > right->ends && !strcmp(right->outcome, "TimeoutError"))
        reject(run,
               "Number %d began to wait at %g s and never gave up; its patience ended at %g s. A "
               "timer has to "
               "end its wait then, with an error.",
               number, right->begins, right->ends);
    if (is(how, "TimeoutError") && strcmp(right->outcome, "TimeoutError") != 0 && !not_woken)
        reject(run,
               "Number %d ended with TimeoutError at %g s, though its own patience would have "
               "lasted long "
               "enough. If all wait for the same future, the timer of one ends them all; and a "
               "timer has to be "
               "taken back when the wait is over.",
               number, t);
    if ((is(how, "still waiting") || not_woken) && open < right->begins + 1e-6)
        reject(run,
               "Number %d began to wait at %g s, when the latch was open already, and waited on: "
               "nobody sets its "
               "future any more. If the latch is open return at once. (It stays open: later ones "
               "change nothing. Did one close it again?)",
               number, right->begins);
    if (is(how, "still waiting") && !strcmp(right->outcome, "TimeoutError"))
        reject(run,
               "Number %d began to wait at %g s and never gave up; its patience ended at %g s. A "
               "timer has to "
               "end its wait then, with an error.",
               number, right->begins, right->ends);
    if (is(how, "still waiting") || (not_woken && strcmp(right->outcome, "TimeoutError")))
        reject(run,
               "Number %d waited on, though the latch was opened at %g s. The one that opens it "
               "has to set "
               "the futures of *all* who wait.",
               number, open);
    if (how && strcmp(right->outcome, "TimeoutError") == 0 && strcmp(how, "TimeoutError") != 0 &&
        !is(how, "done"))
        reject(run,
               "Number %d ended with %s, expected TimeoutError: when patience ends the error is "
               "ASYNC_TIMEOUT.",
               number, how);
}

static void try_latch(int count)
{
    char inputs[500];
    at(script[length - 1].at + LATER, 'E', 0);
    double open = opens(count);
    wait_in_line(open);
    int n = snprintf(inputs, sizeof inputs, "latch %d", count);
    write_script(inputs + n, sizeof inputs - n);
    struct run *run = stage_run("%s", inputs);
    check_polling(run);
    for (int i = 1; i <= waiter_count; i++)
        check_innocent(run, i, "");
    for (int i = 1; i <= waiter_count; i++)
        check_latch(run, i, open);
    check_set_twice(run);
    expect_no_task_left(run, "Who waits at a latch needs a timer and a future, but no task.");
    expect_transcript(
        run, any_order,
        "Everybody goes on when the latch opens, or gives up after their own patience.");
    check_timers(run);
}

/* The patience of one ends at the very moment at which the latch opens. Which of the two comes first
 * is not said; but neither may set what the other has set. */
static void try_last_moment(const char *script)
{
    double t;
    struct run *run = stage_run("latch 1 %s E:20", script);
    check_set_twice(run);
    if (is(ended(run, 1, &t), "still waiting"))
        reject(run, "Number 1 waited for ever: its patience ended at 0.75 s, when the latch opened.");
    check_timers(run);
}

static double next(int from, int to) { return script[length - 1].at + hundredths(from, to); }

START_TEST(a_latch)
{
    int count = random_between(2, 4);
    begin_script(); /* all have patience; the last one comes late */
    at(0.1, 'W', 9);
    for (int i = 0; i < count; i++) {
        at(next(11, 40), 'D', 0);
        if (i == 0)
            at(next(11, 40), 'W', 8);
    }
    at(next(11, 40), 'W', 7);
    at(next(11, 40), 'D', 0);
    at(next(11, 40), 'W', 7);
    try_latch(count);

    begin_script(); /* open from the beginning, and counted down all the same */
    at(0.1, 'W', 1);
    at(next(11, 40), 'D', 0);
    at(next(11, 40), 'W', 1);
    try_latch(0);

    begin_script(); /* counted down far too often, with and without somebody who has waited */
    at(0.1, 'W', 9);
    for (int i = 0; i < 5; i++) {
        at(next(11, 40), 'D', 0);
        at(next(11, 40), 'W', 2);
    }
    try_latch(1);
    begin_script();
    for (int i = 0; i < 4; i++)
        at(0.1 + i, 'D', 0);
    at(next(11, 40), 'W', 2);
    try_latch(2);

    begin_script(); /* some give up */
    at(0.1, 'W', 9);
    at(next(11, 40), 'W', hundredths(50, 80) + A_BIT);
    at(next(11, 40), 'W', hundredths(41, 60) + A_BIT);
    at(next(100, 150), 'D', 0);
    at(next(11, 40), 'W', 5);
    at(next(11, 40), 'D', 0);
    try_latch(2);

    begin_script(); /* some are cancelled, before and after it opens */
    at(0.1, 'W', 9);
    at(next(11, 40), 'W', 5);
    at(next(11, 40), 'W', 7);
    at(next(11, 40), 'W', 6);
    at(next(11, 40), 'C', random_between(2, 3));
    at(next(11, 40), 'W', 5);
    at(next(11, 40), 'C', 1);
    at(next(11, 40), 'D', 0);
    try_latch(1);

    begin_script(); /* many wait */
    at(0.1, 'W', 15);
    for (int i = random_between(8, 12); i > 1; i--)
        at(next(11, 40), 'W', random_between(13, 15));
    at(next(11, 40), 'D', 0);
    try_latch(1);

    begin_script(); /* it never opens, and nobody is left */
    at(0.1, 'W', 1.3 + A_BIT);
    at(next(11, 40), 'D', 0);
    at(next(11, 40), 'W', 4);
    at(next(11, 40), 'C', 2);
    try_latch(2);

    begin_script();
    at(0, 'T', 0.75);
    at(0.25, 'W', 0.5);
    at(0.75, 'D', 0);
    at(20, 'E', 0);
    try_last_moment("T:0:0.75 W:0.25:0.5");
    try_last_moment("W:0.25:0.5 D:0.75");

    double first = hundredths(20, 90), second = first + hundredths(20, 90);
    will_print(first, "1: done");
    will_print(second, "2: done");
    try_two("latch 1 W:0:9 w:0.1:9 D:%g d:%g E:20", first, second);
}
END_TEST

/* ----------------------------------------------------------------------------- part 3 */

#define NO_ANSWER "No route to host (no answer)"

static struct station {
    const char *name;
    double seconds;
    int failures, degrees;
    bool known;
    double first;   /* when it is asked for the first time */
    double answers; /* the end of the last question */
    int questions;  /* in all */
} stations[MOST_STATIONS];
static int station_count;

/* The first two have 0 and -1 degrees, which are answers like any other. */
static struct station *new_station(double seconds, int failures)
{
    struct station *station = &stations[station_count];
    int degrees = station_count < 2 ? -station_count : random_between(-20, 35);
    *station = (struct station){ random_word(), seconds + A_BIT, failures, degrees, false, NAN, -1, 0 };
    station_count++;
    return station;
}

static void begin_cache(void)
{
    begin_script();
    station_count = 0;
}

/* Somebody wants to know at time t: what a right answer does. */
static void ask(struct station *station, int number, double t)
{
    bool fails = station->questions <= station->failures;
    if (t > station->answers && station->questions)
        station->known |= !fails;
    if (station->known) {
        ends(number, t, "%d", station->degrees);
        return;
    }
    if (t > station->answers) {
        if (isnan(station->first))
            station->first = t;
        station->answers = t + station->seconds;
        fails = ++station->questions <= station->failures;
        will_print(t, "%s: asked", station->name);
        will_print(station->answers, "%s: %s", station->name, fails ? "failed" : "answered");
        wakes[wake_count++] = station->answers;
    }
    if (fails)
        ends(number, station->answers, NO_ANSWER);
    else
        ends(number, station->answers, "%d", station->degrees);
}

static void want_to_know(void)
{
    for (int i = 0; i < length; i++)
        if (script[i].what == 'A') {
            new_waiter(script[i].at);
            ask(&stations[(int)script[i].more], waiter_count, script[i].at);
        }
    for (int i = 0; i < length; i++)
        if (script[i].what == 'C')
            ends((int)script[i].more, script[i].at, "CancelledError");
    will_end();
}

static bool cancelled_between(double from, double to)
{
    for (int i = 0; i < length; i++)
        if (script[i].what == 'C' && script[i].at > from && script[i].at < to)
            return true;
    return false;
}

/* Every question to a station: was one too many, or was one dropped? */
static void check_questions(struct run *run, const struct station *station)
{
    char lines[3][100];
    double asked = NAN, failed = NAN, answered = NAN;
    int questions = 0;
    const char *what[] = { "asked", "failed", "answered" };
    for (int i = 0; i < 3; i++)
        snprintf(lines[i], sizeof lines[i], "%s: %s", station->name, what[i]);
    for (int i = 0; i < run->line_count; i++) {
        const struct line *line = &run->lines[i];
        if (!strcmp(line->text, lines[1]) || !strcmp(line->text, lines[2])) {
            failed = !strcmp(line->text, lines[1]) ? line->at : failed;
            answered = !strcmp(line->text, lines[2]) ? line->at : answered;
            asked = NAN;
        }
        if (strcmp(line->text, lines[0]) != 0)
            continue;
        if (!isnan(answered))
            reject(
                run,
                "%s was asked once more at %g s, though it had answered at %g s: the answer is not "
                "remembered.",
                station->name, line->at, answered);
        if (!isnan(asked) && cancelled_between(asked, line->at))
            reject(run,
                   "%s was asked at %g s, and again at %g s, when somebody who waited had been cancelled. "
                   "The first question goes on all the same, for those who wait and those who come later: "
                   "a task of its own, which belongs to none of them, asks and remembers.",
                   station->name, asked, line->at);
        if (!isnan(asked))
            reject(run,
                   "Two questions at once: %s was asked at %g s, and again at %g s, when the first "
                   "question was "
                   "still under way. That somebody is asking has to be remembered when the "
                   "question *begins*, "
                   "before any await; whoever comes later waits for the same answer.",
                   station->name, asked, line->at);
        asked = line->at;
        if (!questions++ && asked > station->first + 1e-6)
            reject(run,
                   "%s was asked only at %g s, though somebody wanted to know at %g s. Stations "
                   "must not wait for "
                   "each other: what is remembered of one has nothing to do with the others.",
                   station->name, asked, station->first);
    }
    if (!isnan(asked))
        reject(run,
               "%s was asked at %g s, and that question never came to its end: it was dropped with "
               "the one who "
               "had begun it, when that one was cancelled. A question that is for many has to be a "
               "task of its "
               "own, which belongs to none of them.",
               station->name, asked);
    if (questions < station->questions && !isnan(failed))
        reject(run,
               "%s failed to answer at %g s, and was not asked again, though somebody wanted to "
               "know later. A "
               "failure must not be remembered.",
               station->name, failed);
}

static void check_asker(struct run *run, int number)
{
    double t;
    const char *how = ended(run, number, &t);
    const struct waiter *right = &waiters[number];
    if (is(how, "still waiting"))
        reject(run,
               "Number %d waited for ever, since %g s: nobody has set its future. All who wait "
               "have to be told, "
               "of an answer as of a failure.",
               number, right->begins);
    if (how && t < right->ends - 1e-6 && strcmp(how, "CancelledError") != 0)
        reject(run,
               "Number %d got \"%s\" at %g s, but the answer is not there before %g s. Who wants "
               "to know what is not known yet has to wait for it. (Or is that the answer of "
               "another station?)",
               number, how, t, right->ends);
    if (how && strstr(how, "InvalidStateError"))
        reject(run, "Number %d ended with an error: %s", number, how);
    if (how && !strcmp(right->outcome, NO_ANSWER) && t > right->ends + 1e-6)
        reject(run,
               "Number %d waited on when the station had failed to answer, at %g s, until %g s. "
               "All who wait have to "
               "be told, of an answer as of a failure.",
               number, right->ends, t);
    if (how && !strcmp(right->outcome, NO_ANSWER) && strcmp(how, NO_ANSWER) != 0)
        reject(run,
               "Number %d got \"%s\", but the station has failed to answer. The error, with its "
               "message, belongs to "
               "all who wait: async_set_exception(future, error).",
               number, how);
}

static void try_cache(void)
{
    char inputs[510];
    at(script[length - 1].at + LATER, 'E', 0);
    want_to_know();
    int n = snprintf(inputs, sizeof inputs, "cache %d", station_count);
    for (int i = 0; i < station_count; i++)
        n += snprintf(inputs + n, sizeof inputs - n, " %s:%g:%d:%d", stations[i].name,
                      stations[i].seconds, stations[i].failures, stations[i].degrees);
    write_script(inputs + n, sizeof inputs - n);
    struct run *run = stage_run("%s", inputs);
    check_polling(run);
    for (int i = 1; i <= waiter_count; i++)
        check_innocent(run, i, " (Or the question ran in the task of the one who was cancelled: it "
                               "has to be a task of its own.)");
    for (int i = 0; i < station_count; i++)
        check_questions(run, &stations[i]);
    for (int i = 1; i <= waiter_count; i++)
        check_asker(run, i);
    check_set_twice(run);
    expect_transcript(
        run, any_order,
        "A station is asked when somebody wants to know and nobody is asking; all who wait "
        "are told at once; stations don't wait for each other.");
    expect_no_task_left(run, "Each question has long come to its end.");
    check_timers(run);
}

/* Of three who wait the second is cancelled at the very moment of the answer. */
static void try_cancelled_at_the_answer(void)
{
    char degrees[8];
    double t;
    snprintf(degrees, sizeof degrees, "%d", random_between(-20, 35));
    struct run *run = stage_run("cache 1 %s:1:0:%s A:0.25:0 A:0.25:0 A:0.25:0 C:1.25:2 E:20",
                                random_word(), degrees);
    check_set_twice(run);
    for (int i = 1; i <= 3; i += 2)
        if (!is(ended(run, i, &t), degrees) || !same_time(t, 1.25))
            reject(run,
                   "Number 2 was cancelled at 1.25 s, the very moment of the answer. Number %d has "
                   "nothing to do with it and should have got %s then. A future that was cancelled is "
                   "done; go on to those of the others.",
                   i, degrees);
}

START_TEST(a_cache)
{
    begin_cache(); /* many want to know, of two stations */
    new_station(2 + hundredths(1, 50), 0);
    new_station(1 + hundredths(1, 50), 0);
    at(0.1, 'A', 0);
    at(0.1, 'A', 0);
    at(next(11, 40), 'A', 1);
    at(next(11, 40), 'A', 0);
    at(next(11, 30), 'A', 1);
    at(next(300, 350), 'A', 1);
    at(next(11, 40), 'A', 0);
    try_cache();

    begin_cache(); /* no answer, once or twice */
    new_station(1 + hundredths(1, 50), random_between(1, 2));
    new_station(2 + hundredths(1, 50), 0);
    at(0.1, 'A', 0);
    at(next(11, 40), 'A', 1);
    at(next(11, 40), 'A', 0);
    at(next(200, 250), 'A', 0);
    at(next(11, 40), 'A', 0);
    at(next(200, 250), 'A', 0);
    at(next(200, 250), 'A', 0);
    try_cache();

    begin_cache(); /* the first one is cancelled, or another one */
    new_station(3 + hundredths(1, 50), 0);
    at(0.1, 'A', 0);
    at(next(11, 40), 'A', 0);
    at(next(11, 40), 'A', 0);
    at(next(11, 40), 'C', 2);
    at(next(11, 40), 'C', 1);
    at(next(11, 40), 'A', 0);
    try_cache();

    begin_cache(); /* all are cancelled; others come, during the question and after it */
    new_station(3 + hundredths(1, 50), 0);
    new_station(2 + hundredths(1, 50), 0);
    at(0.1, 'A', 0);
    at(next(11, 30), 'A', 1);
    at(next(11, 30), 'C', 2);
    at(next(11, 30), 'C', 1);
    at(next(11, 30), 'A', 0);
    at(next(400, 450), 'A', 1);
    at(next(11, 30), 'A', 0);
    try_cache();

    begin_cache(); /* as many stations as there may be, and many who want to know */
    while (station_count < MOST_STATIONS)
        new_station(2 + hundredths(1, 50), 0);
    at(0.1, 'A', 0);
    for (int i = 1; i < MOST_STATIONS; i++)
        at(next(2, 8), 'A', i);
    for (int i = 0; i < MOST_STATIONS; i++)
        at(next(2, 8), 'A', i % 2);
    try_cache();

    try_cancelled_at_the_answer();
    const char *name = random_word();
    double seconds = 1 + hundredths(1, 50);
    int degrees = random_between(-20, 35);
    for (int i = 0; i < 2; i++) {
        will_print(i * 0.3, "%s: asked", name);
        will_print(i * 0.3 + seconds, "%s: answered", name);
        will_print(i * 0.3 + seconds, "%d: %d", i + 1, degrees + i);
    }
    try_two("cache 1 %s:%g:0:%d A:0:0 a:0.3:0 E:20", name, seconds, degrees);
}
END_TEST

int main(int argc, char **argv)
{
    about_deadlock = "A future that nobody sets, or a cancellation that was swallowed: who is "
                     "cancelled has to end.";
    grader_open(argc, argv);
    shown_as("typing", "typing_new(%1): %*2");
    shown_as("latch", "latch_new(%1): %*2");
    shown_as("cache", "cache_new(): %*2");
    shown_as("P", "at %1 s typing_pause");
    shown_as("K", "at %1 s typing_key");
    shown_as("W", "at %1 s latch_wait with %2 s");
    shown_as("T", "at %2 s a timer calls latch_count_down");
    shown_as("D", "at %1 s latch_count_down");
    shown_as("A", "at %1 s cache_get for station %2");
    shown_as("p", "at %1 s typing_pause of the second");
    shown_as("k", "at %1 s typing_key of the second");
    shown_as("w", "at %1 s latch_wait of the second with %2 s");
    shown_as("d", "at %1 s latch_count_down of the second");
    shown_as("a", "at %1 s cache_get of the second for station %2");
    shown_as("C", "at %1 s number %2 is cancelled");
    shown_as("E", "at %1 s the end");
    shown_as("*", "station {'%0', %1, %2, %3}");
    part(2, "a pause in the typing", a_pause);
    part(2, "a latch, with patience", a_latch);
    part(3, "a cache that asks once", a_cache);
    return grader_close();
}
