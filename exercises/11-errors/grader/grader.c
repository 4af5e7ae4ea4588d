/* grader.c - lesson 11: handle the errors that are yours, pass on the others, tidy up in between.
 */
#include "grader.h"
#include "async.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_TRIES 5
#define MOST_FEEDS 8
#define REMOVING 0.1
#define BAD_FEED ASYNC_USER_ERROR

static struct feed {
    const char *name;
    double seconds;
    int items;
    char message[40];
    bool stuck;
    int errors[MOST_TRIES];
} feeds[MOST_FEEDS];
static int count;

static struct {
    double cancelled_at, pause;
    int tries;
} with;

static void make_feeds(int many)
{
    count = many;
    with.cancelled_at = 0;
    with.tries = 1;
    with.pause = random_seconds();
    for (int i = 0; i < count; i++) {
        feeds[i] = (struct feed){ random_word(), random_seconds(), random_between(1, 90), "", false,
                                  { 0 } };
        snprintf(feeds[i].message, sizeof feeds[i].message, "no-%s", random_word());
    }
}

/* As the stage writes it. */
static const char *error_name(int error)
{
    return error == ASYNC_TIMEOUT       ? "TimeoutError"
           : error == ASYNC_VALUE_ERROR ? "ValueError"
                                        : strerror(error);
}

static void fails_always(struct feed *feed, int error)
{
    for (int i = 0; i < MOST_TRIES; i++)
        feed->errors[i] = error;
}

/* The call of a function with so many feeds, from `first` on, as the arguments of its run. */
static const char *call_of(char *to, size_t size, const char *function, int first, int many)
{
    int n = snprintf(to, size, "%s %g %d %g", function, with.cancelled_at, with.tries, with.pause);
    for (int i = first; i < first + many; i++) {
        const struct feed *f = &feeds[i];
        n += snprintf(to + n, size - n, " %s %g %d %s %d", f->name, f->seconds, f->items, f->message, f->stuck);
        for (int j = 0; j < MOST_TRIES; j++)
            n += snprintf(to + n, size - n, " %d", f->errors[j]);
    }
    return to;
}

static struct run *run_feeds(const char *function)
{
    char call[500];
    return stage_run("%s", call_of(call, sizeof call, function, 0, count));
}

static const char *line_of(const struct feed *feed, const char *what)
{
    static char line[100];
    snprintf(line, sizeof line, "%s: %s", feed->name, what);
    return line;
}

/* ----------------------------------------------------------------- mistakes of every part */

static void check_cancelled(struct run *run, const char *function, const char *where)
{
    if (ended_well(run, function))
        reject(run,
               "A swallowed cancellation: %s() was cancelled %s, at %g s, but ended as if nothing "
               "had happened. ASYNC_CANCELLED is an error that is never yours to handle: tidy up, "
               "and return it.",
               function, where, with.cancelled_at);
    if (!ended_with(run, function, "CancelledError"))
        reject(run,
               "%s() was cancelled %s, at %g s, but ended with another error: %s. Then whoever "
               "cancelled it does not know that it has obeyed. ASYNC_CANCELLED goes on as it is.",
               function, where, with.cancelled_at,
               result_of(run, function) ? result_of(run, function)->text : "none");
}

/* An error that is to go on as it came. */
static void expect_as_it_came(struct run *run, const char *function, int error, const char *message)
{
    if (ended_well(run, function))
        reject(
            run,
            "Everything was caught: %s() got the error %s (%s), about which it can do nothing, and "
            "ended as if all were well. Handle the errors that you know by name; return the rest.",
            function, error_name(error), message);
    expect_error(run, function, error_name(error),
                 "This error is for the caller: it goes on as it came. Return the async_value that "
                 "async_catch() gave.");
    expect_message(run, function, message,
                   "An error travels with its message if you return the async_value as it came.");
}

/* -------------------------------------------------------------------------------- part 1 */

/* What all readings print, and the sum of the items. */
static int will_collect(double end)
{
    int items = 0;
    for (int i = 0; i < count; i++)
        will_print(0, "%s: reading", feeds[i].name);
    for (int i = 0; i < count; i++) {
        if (!feeds[i].errors[0])
            will_print(feeds[i].seconds, "%s: read", feeds[i].name);
        if (feeds[i].errors[0])
            will_print(end, "%s: failed (%s)", feeds[i].name, feeds[i].message);
        else
            will_print(end, "%s: %d items", feeds[i].name, feeds[i].items);
        items += feeds[i].errors[0] ? 0 : feeds[i].items;
    }
    return items;
}

/* Is a failed feed said to have items? */
static void check_reports(struct run *run)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; feeds[i].errors[0] && j < run->line_count; j++) {
            const char *line = run->lines[j].text;
            size_t length = strlen(feeds[i].name);
            if (!strncmp(line, feeds[i].name, length) && !strncmp(line + length, ": ", 2) &&
                strstr(line, " items"))
                reject(run,
                       "\"%s\", but reading it has failed: an error was taken for a result. .num "
                       "and .message lie in the same place; .error tells which of them it is. Look "
                       "at it first.",
                       line);
        }
}

static void check_report_order(struct run *run)
{
    int next = 0;
    for (int j = 0; j < run->line_count; j++)
        for (int i = 0; i < count; i++) {
            const char *line = run->lines[j].text;
            size_t length = strlen(feeds[i].name);
            if (strncmp(line, feeds[i].name, length) != 0 || strncmp(line + length, ": ", 2) != 0 ||
                (!strstr(line, " items") && !strstr(line, ": failed (")))
                continue;
            if (i != next)
                reject(run,
                       "\"%s\" is out of order: the lines are to come in the order in which the "
                       "feeds were given. gather gives results and errors in that order.",
                       line);
            next++;
        }
}

/* The first reading is one thing, a second one would be another. */
static void other_next_time(struct feed *feed)
{
    for (int i = 1; i < MOST_TRIES; i++)
        feed->errors[i] = feed->errors[0] ? 0 : EPROTO;
}

static void check_first_try(struct run *run, const char *function)
{
    for (int i = 0; i < count; i++)
        if (printed(run, line_of(&feeds[i], "reading")) &&
            !printed(run, line_of(&feeds[i], "stopped")) &&
            printed(run, line_of(&feeds[i], "read")) != !feeds[i].errors[0])
            reject(run,
                   "%s() read %s as if that were another try: the first try has the number 0, and "
                   "it goes %s. read_feed gets the feed and the number of the try.",
                   function, feeds[i].name, feeds[i].errors[0] ? "wrong" : "well");
}

static void try_collect(int many, int failing)
{
    double sum = 0, longest = 0;
    make_feeds(many);
    for (int i = 0; i < failing; i++) {
        int kinds[] = { ECONNREFUSED, ASYNC_VALUE_ERROR, EIO, ASYNC_TIMEOUT };
        fails_always(&feeds[(2 * i + 1) % many], kinds[i]);
    }
    for (int i = 0; i < count; i++) {
        other_next_time(&feeds[i]);
        sum += feeds[i].seconds;
        longest = fmax(longest, feeds[i].seconds);
    }
    struct run *run = run_feeds("collect");
    if (failing && result_of(run, "collect") && !ended_well(run, "collect"))
        reject(
            run,
            "One failure, and all results are lost: collect() ended with %s. await() raises, and "
            "so does async_gather(), with the first error that comes; async_gather_exceptions() "
            "and async_gather_list(..., true) put errors beside the results.",
            result_of(run, "collect")->text);
    expect_no_task_left(run, "Every reading has to be awaited.");
    mistaken_seconds(run, sum, longest,
                     "the feeds were read one after the other. Give all of them to one gather.");
    check_first_try(run, "collect");
    check_reports(run);
    check_report_order(run);
    int items = will_collect(longest);
    expect_transcript(run, any_order,
                      "All are read at once; when all are through, there is a line for each, with "
                      "the items or with the .message of its error.");
    expect_seconds(run, longest, "That is the slowest of them.");
    expect_number(run, "collect", items,
                  "That is the sum of the items of those that were read; who has failed has none.");
}

START_TEST(all_there_is)
{
    try_collect(3, 0);
    try_collect(random_between(3, 4), 1);
    try_collect(5, 4);
    try_collect(1, 1);
    char one[200], other[200];
    make_feeds(4);
    fails_always(&feeds[2], EIO);
    expect_undisturbed(call_of(one, sizeof one, "collect", 0, 2), call_of(other, sizeof other, "collect", 2, 2));
    make_feeds(2);
    with.cancelled_at = 0.15;
    struct run *run = run_feeds("collect");
    check_cancelled(run, "collect", "while it read");
    expect_no_task_left(run, "collect() was cancelled and ended, but what it had started goes on. "
                             "Who cancels a gather cancels all that it waits for; tasks that you "
                             "await in another way, one by one or with async_wait(), you have to "
                             "cancel yourself, and await.");
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

static struct run *run_subscribe(int error)
{
    make_feeds(1);
    feeds[0].errors[0] = error;
    other_next_time(&feeds[0]);
    struct run *run = run_feeds("subscribe");
    if (times_printed(run, line_of(&feeds[0], "reading")) > 1)
        reject(run,
               "The feed was read %d times. Once is enough: keep what async_catch() gave in a "
               "variable.",
               times_printed(run, line_of(&feeds[0], "reading")));
    check_first_try(run, "subscribe");
    expect_seconds(run, feeds[0].seconds, "It reads the feed, and nothing else takes time.");
    return run;
}

/* Two at once: does each error keep its message? */
static void try_two(void)
{
    static const char *const which[] = { "first", "second" };
    make_feeds(2);
    for (int i = 0; i < 2; i++)
        fails_always(&feeds[i], ASYNC_VALUE_ERROR);
    struct run *run = run_feeds("two");
    for (int i = 0; i < 2; i++) {
        const struct result *result = result_of(run, which[i]);
        char message[100];
        snprintf(message, sizeof message, "%s: %s", feeds[i].name, feeds[i].message);
        if (!ended_with(run, which[i], message))
            reject(run,
                   "Two feeds were read at once, and both make no sense. Of %s the error is \"%s\" "
                   "in the end, expected the message \"%s\". A static array is there once, and "
                   "whoever comes later writes over it; async_strf() makes a new text each time.",
                   feeds[i].name, result ? result->text : "", message);
    }
}

START_TEST(whose_error)
{
    char message[100];
    struct run *run = run_subscribe(0);
    expect_number(run, "subscribe", feeds[0].items, "It was read well.");
    run = run_subscribe(ENOENT);
    if (!ended_well(run, "subscribe") && result_of(run, "subscribe"))
        reject(run,
               "subscribe() ended with %s. A feed that is not there is a new one, with 0 items: "
               "ENOENT is an error that it can handle. async_catch() lets it look.",
               result_of(run, "subscribe")->text);
    expect_number(run, "subscribe", 0, "A new feed has no items.");
    run = run_subscribe(ASYNC_VALUE_ERROR);
    if (ended_with(run, "subscribe", "ValueError"))
        reject(run, "subscribe() ended with the ValueError itself, and its caller does not know "
                    "what that means. Raise BAD_FEED in its place.");
    expect_error(run, "subscribe", "Error", "Nonsense in a feed is a BAD_FEED for the caller.");
    expect_number(run, "code", BAD_FEED, "That is BAD_FEED, the number of the error to be raised.");
    snprintf(message, sizeof message, "%s: %s", feeds[0].name, feeds[0].message);
    expect_message(run, "subscribe", message,
                   "Who translates an error has to take its message along: async_strf(\"%s: %s\", "
                   "name, message) makes a text that lasts; a local array ends with its function.");
    int others[] = { ECONNREFUSED, EIO, ASYNC_TIMEOUT, EAGAIN };
    for (int i = 0; i < 4; i++) {
        run = run_subscribe(others[i]);
        expect_as_it_came(run, "subscribe", others[i], feeds[0].message);
    }
    try_two();
    make_feeds(1);
    with.cancelled_at = 0.15;
    run = run_feeds("subscribe");
    check_cancelled(run, "subscribe", "while it read");
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

/* What save() prints up to `stop`; returns the error that it ends with. */
static int will_save(double *now, double stop)
{
    const struct feed *f = &feeds[0];
    for (int try = 0;; try++) {
        bool stopped = *now + f->seconds > stop;
        int error = stopped ? ASYNC_CANCELLED : f->errors[try];
        will_print(*now, "%s: reading", f->name);
        *now = fmin(*now + f->seconds, stop);
        if (stopped)
            will_print(*now, "%s: stopped", f->name);
        if (!error) {
            will_print(*now, "%s: read", f->name);
            return 0;
        }
        will_print(*now, "%s: removing", f->name);
        if (!stopped && *now + REMOVING > stop) {
            *now = stop;
            return ASYNC_CANCELLED;
        }
        *now += REMOVING;
        if (!f->stuck)
            will_print(*now, "%s: removed", f->name);
        if (error != EAGAIN || try + 1 == with.tries)
            return error;
        if (*now + with.pause > stop) {
            *now = stop;
            return ASYNC_CANCELLED;
        }
        *now += with.pause;
    }
}

/* `tries`: how many there ought to be. */
static void check_tries(struct run *run, int tries)
{
    const struct feed *f = &feeds[0];
    int read = times_printed(run, line_of(f, "reading"));
    int removing = times_printed(run, line_of(f, "removing"));
    if (read > tries && tries < with.tries && f->errors[tries - 1] &&
        f->errors[tries - 1] != EAGAIN)
        reject(run,
               "After the error %s it tried again. Is it worth it? Only EAGAIN goes away by "
               "itself; every other error would come again, and goes on to the caller at once.",
               error_name(f->errors[tries - 1]));
    if (read > with.tries)
        reject(run, "%d tries were made, but %d is the most.", read, with.tries);
    if (read && read < tries)
        reject(run,
               "It gave up after %d of %d tries, though the error was EAGAIN: that one is worth "
               "another try.",
               read, tries);
    if (read == tries && !f->errors[tries - 1] && removing == read)
        reject(run,
               "What was read well was removed. Only a reading that failed leaves half a file.");
}

/* `halves`: how many there were to be removed. */
static void check_removed(struct run *run, int halves, const char *when)
{
    const struct feed *f = &feeds[0];
    int removing = times_printed(run, line_of(f, "removing"));
    if (removing < halves)
        reject(run,
               "Half a file was left lying about, %s: \"%s\" was printed %d time%s, expected %d. "
               "await() leaves the function at once with any error, so tidy up behind "
               "async_catch(), or in an exit function.",
               when, line_of(f, "removing"), removing, removing == 1 ? "" : "s", halves);
    expect_no_task_left(run, "remove_half was started, but nobody waited for it: await it, in the "
                             "function or in an exit function, and don't leave it to a task.");
    if (!f->stuck && !printed(run, line_of(f, "removed")))
        reject(run,
               "To remove the half was begun, %s, but it did not come to its end. It takes 0.1 s: "
               "await it.",
               when);
}

/* How long was it between a removal and the next try? */
static void check_pauses(struct run *run)
{
    const struct feed *f = &feeds[0];
    double removed = NAN;
    int try = 0;
    for (int i = 0; i < run->line_count; i++) {
        const struct line *line = &run->lines[i];
        double pause = line->at - removed;
        if (!strcmp(line->text, line_of(f, "removing")))
            removed = line->at + REMOVING;
        if (strcmp(line->text, line_of(f, "reading")) != 0)
            continue;
        if (++try > 1 && pause > with.pause + 1e-6)
            reject(run,
                   "The pause before try %d was %g s, expected %g s. It is the same each time.",
                   try, pause, with.pause);
    }
    if (run->wake_count > 3 * try + 3)
        reject(run,
               "Polling: %d times a timer woke the program for %d tr%s. How long a pause is you "
               "know: one sleep is enough, and whoever sleeps a little again and again is never at "
               "rest.",
               run->wake_count, try, try == 1 ? "y" : "ies");
}

static void try_save(int good_tries, int error, int tries, bool stuck)
{
    double now = 0;
    make_feeds(1);
    struct feed *f = &feeds[0];
    with.tries = tries;
    f->stuck = stuck;
    for (int i = 0; i < MOST_TRIES; i++)
        f->errors[i] = i < good_tries ? EAGAIN : error;
    struct run *run = run_feeds("save");
    int right = good_tries < tries ? good_tries + 1 : tries;
    check_tries(run, right);
    if (error || good_tries)
        check_removed(run, good_tries < tries && !error ? good_tries : right,
                      "when the reading had failed");
    if (ended_with(run, "save", "stuck"))
        reject(run,
               "The error was lost: reading has failed, and after that removing, but save() tells "
               "of the removing only. Keep the error of the reading in a variable of its own.");
    check_pauses(run);
    int ends_with = will_save(&now, INFINITY);
    mistaken_seconds(run, now + with.pause, now,
                     "it slept after the last try. Nothing comes after that pause.");
    if (right > 1)
        mistaken_seconds(run, now - (right - 1) * with.pause, now,
                         "there was no pause between the tries. Who is busy needs one.");
    if (right > 1)
        mistaken_seconds(run, now - (right - 1) * REMOVING, now,
                         "nobody waited for remove_half, which takes 0.1 s. Await it, and don't "
                         "leave it to a task.");
    expect_transcript(run, in_order,
                      "Read; if that failed remove; if that is worth it pause and read again.");
    if (ends_with)
        expect_as_it_came(run, "save", ends_with, f->message);
    else
        expect_number(run, "save", f->items, "It was read well in the end.");
    expect_seconds(run, now, "That is when all is done.");
}

static void try_cancelled(double seconds_in, const char *where)
{
    double now = 0;
    struct feed *f = &feeds[0];
    with.tries = 3;
    fails_always(f, EAGAIN);
    with.cancelled_at = seconds_in;
    struct run *run = run_feeds("save");
    if (times_printed(run, line_of(f, "reading")) > 1)
        reject(run,
               "A swallowed cancellation: save() was cancelled %s, at %g s, and read again after "
               "that. async_catch() gives every error, ASYNC_CANCELLED too: look for it behind "
               "each async_catch(), also behind that of a clean-up, and return it.",
               where, with.cancelled_at);
    if (seconds_in < f->seconds)
        check_removed(run, 1, "when the reading was cancelled");
    else
        expect_no_task_left(run, "save() was cancelled, and remove_half() goes on without it; it is to be "
                                 "given up then. Await it as it is: async_shield() keeps the "
                                 "cancellation from it, and so does a task that nobody awaits.");
    check_cancelled(run, "save", where);
    will_save(&now, seconds_in);
    expect_transcript(run, in_order,
                      "A cancelled reading leaves half a file, too; once that is removed it ends.");
    expect_seconds(run, now, "Who is cancelled tidies up and ends.");
}

/* Two at once, each of which is busy twice. */
static void try_two_saves(void)
{
    char one[200], other[200];
    make_feeds(2);
    with.tries = 3;
    for (int i = 0; i < 2; i++)
        feeds[i].errors[0] = feeds[i].errors[1] = EAGAIN;
    expect_undisturbed(call_of(one, sizeof one, "save", 0, 1), call_of(other, sizeof other, "save", 1, 1));
}

START_TEST(worth_it)
{
    try_save(0, 0, 3, false);
    try_save(2, 0, 4, false);
    try_save(9, EAGAIN, random_between(2, 4), false);
    try_save(0, EIO, 3, false);
    try_save(1, ENOENT, 4, false);
    try_save(0, EBUSY, 3, false);
    try_save(0, ASYNC_TIMEOUT, 3, false);
    try_save(0, ECONNREFUSED, 2, true);
    try_save(1, 0, 2, true);
    try_save(0, EAGAIN, 1, false);
    make_feeds(1);
    try_cancelled(feeds[0].seconds / 2, "while it read");
    make_feeds(1);
    try_cancelled(feeds[0].seconds + REMOVING + with.pause / 2, "in the pause");
    make_feeds(1);
    try_cancelled(feeds[0].seconds + REMOVING / 2, "in the middle of removing");
    try_two_saves();
}
END_TEST

/* In a case that is shown they have names. */
static void name_errors(void)
{
    static const struct {
        int number;
        const char *name;
    } errors[] = {
        { 0, "0" },
        { EAGAIN, "EAGAIN" },
        { EBUSY, "EBUSY" },
        { ECONNREFUSED, "ECONNREFUSED" },
        { EIO, "EIO" },
        { ENOENT, "ENOENT" },
        { EPROTO, "EPROTO" },
        { ASYNC_TIMEOUT, "ASYNC_TIMEOUT" },
        { ASYNC_VALUE_ERROR, "ASYNC_VALUE_ERROR" },
    };
    static char numbers[sizeof errors / sizeof errors[0]][12];
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", errors[i].number);
        shown_as(numbers[i], errors[i].name);
    }
}

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    name_errors();
    shown_as("collect",
             "await(async_coro(collect, feeds, %10#4))<, cancelled after %1 s>, feeds = {%10*4}");
    shown_as("two",
             "await(async_gather_exceptions(got, async_coro(subscribe, &feeds[0]), "
             "async_coro(subscribe, &feeds[1])))<, cancelled after %1 s>, feeds = {%10*4}");
    shown_as("subscribe", "await(async_coro(subscribe, &feed))<, cancelled after %1 s>, feed = %10*4");
    shown_as("save", "await(async_coro(save, &feed, %2, %3))<, cancelled after %1 s>, feed = %10*4");
    shown_as("*", "{'%0', %1, %2, {%*5}, '%3', %?4}");
    part(2, "all that there is, errors beside results", all_there_is);
    part(2, "handled, translated, or passed on", whose_error);
    part(4, "again if it is worth it, and nothing left behind", worth_it);
    return grader_close();
}
