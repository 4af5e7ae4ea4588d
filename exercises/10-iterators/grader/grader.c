/* grader.c - lesson 10: an iterator fetches what is asked for; a generator cleans up on every way
 * out. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_PAGES 8
#define OPENING 0.2
#define CLOSING 0.1
#define EVERYTHING 999
#define NO_PAGE (MOST_PAGES + 1)
#define END_OF_ITERATION "the error ASYNC_STOP_ITERATION"

/* ------------------------------------------------------------------------------- a log */

static struct page {
    double seconds;
    int count, next, failures;
} pages[MOST_PAGES + 1];
static int chain[MOST_PAGES], page_count; /* the numbers of the pages, in their order */
static const char *name;

/* Page 1 is the first. The others follow as chance has it, but 2 not as the second. */
static void make_log(int count)
{
    memset(pages, 0, sizeof pages);
    for (int i = 0; i < MOST_PAGES; i++)
        chain[i] = i + 1;
    for (int i = 1; i < MOST_PAGES; i++) {
        int j = random_between(i == 1 ? 2 : i, MOST_PAGES - 1), kept = chain[i];
        chain[i] = chain[j];
        chain[j] = kept;
    }
    page_count = count;
    name = random_word();
    for (int i = 0; i < count; i++)
        pages[chain[i]] = (struct page){ random_seconds(), random_between(2, 4),
                                         i + 1 < count ? chain[i + 1] : 0, 0 };
}

static struct page *page(int i) { return &pages[chain[i]]; }

static struct run *run_log(const char *part, double a, double b, const char *c)
{
    char inputs[400];
    int n = snprintf(inputs, sizeof inputs, "%s %g", part, a);
    if (!isnan(b))
        n += snprintf(inputs + n, sizeof inputs - n, " %g", b);
    n += snprintf(inputs + n, sizeof inputs - n, " %s %s", c, name);
    for (int i = 0; i < page_count; i++)
        n += snprintf(inputs + n, sizeof inputs - n, " %d:%g:%d:%d:%d", chain[i], page(i)->seconds,
                      page(i)->count, page(i)->next, page(i)->failures);
    return stage_run("%s", inputs);
}

static const char *text(const char *format, int number)
{
    static char line[100];
    snprintf(line, sizeof line, format, number);
    return line;
}

/* The place of the first line that begins so, from line `from` on; -1: there is none. */
static int line_with(struct run *run, const char *begin, int from)
{
    for (int i = from; i < run->line_count; i++)
        if (!strncmp(run->lines[i].text, begin, strlen(begin)))
            return i;
    return -1;
}

static int count_lines(struct run *run, const char *begin)
{
    int count = 0;
    for (int i = 0; i < run->line_count; i++)
        count += !strncmp(run->lines[i].text, begin, strlen(begin));
    return count;
}

/* ------------------------------------------------------------- mistakes of every iterator */

static const char *first_error(struct run *run)
{
    int line = line_with(run, "error: ", 0);
    return line < 0 ? NULL : run->lines[line].text + 7;
}

static void check_end(struct run *run, const char *function)
{
    if (printed(run, "no iterator"))
        reject(run,
               "%s() gives no iterator: its .next is NULL. An iterator is a coroutine function and "
               "what it remembers: (async_iterator){ function, state }.",
               function);
    if (printed(run, "still no end") && !count_lines(run, "got ") && first_error(run))
        reject(run,
               "%s() gave no entry, only errors, again and again: %s. Does what the iterator "
               "remembers still live? A variable of the function that makes it is gone when that "
               "function returns; memory from async_alloc() stays.",
               function, first_error(run));
    int got = line_with(run, "got ", 0);
    if (printed(run, "still no end") && got >= 0 && times_printed(run, run->lines[got].text) > 9)
        reject(run,
               "%s() gives %s again and again, from the first value on. What an iterator remembers has to "
               "change with each entry, and to last. A variable of the function that makes it is gone when "
               "that function returns; memory from async_alloc() stays.",
               function, printed(run, "got no entry") ? "what is no entry" : "the same entry");
    if (printed(run, "still no end"))
        reject(run,
               "%s() never ends: there were %d values, then we stopped asking. The end of an "
               "iterator is not a value, but " END_OF_ITERATION ".",
               function, count_lines(run, "got "));
    if (printed(run, "got no entry"))
        reject(
            run,
            "%s() gave a value that is no entry of the log. Its values are the entries themselves: "
            "async_ptr(&page->entries[i]). And its end is not a value, but " END_OF_ITERATION ".",
            function);
}

/* An error though nothing has failed. */
static void check_no_error(struct run *run, const char *function, const char *error)
{
    if (error && strstr(error, "async_yield outside"))
        reject(run,
               "%s() ended with an error: %s. Only the function that async_generator() was called "
               "with may yield, when somebody walks over it with async_for; not a helper that it "
               "awaits, and not a function that is awaited itself.",
               function, error);
    if (error)
        reject(run, "%s() ended with an error, though nothing had failed: %s", function, error);
}

/* More than one page before the first entry, although the first one was on the first page. */
static void check_first(struct run *run, const char *function)
{
    int got = line_with(run, "got ", 0), fetched = line_with(run, "fetching ", 0);
    int again = fetched < 0 ? -1 : line_with(run, "fetching ", fetched + 1);
    if (again >= 0 && (got < 0 || again < got) && !strcmp(run->lines[again].text, run->lines[fetched].text))
        reject(run,
               "%s() fetched page 1 twice before it handed out the first entry. A page is fetched once: the iterator "
               "remembers it, and where it is in it.",
               function);
    if (again >= 0 && (got < 0 || again < got))
        reject(run,
               "%s() fetched more before it handed out the first entry (at %g s). That is a list, "
               "and no "
               "iterator: to get one entry is to wait for all. Fetch a page when somebody asks for "
               "an entry "
               "that is on it.",
               function, got < 0 ? run->seconds : run->lines[got].at);
}

/* -------------------------------------------------------------------------------- part 1 */

/* What is to be seen if up to `most` entries are taken, with a pause after each. */
static void will_take(double pause, int most)
{
    double t = 0;
    for (int i = 0, got = 0; i < page_count; i++) {
        for (int k = 0; k <= page(i)->failures; k++) {
            will_print(t, "fetching page %d", chain[i]);
            t += page(i)->seconds;
            if (k < page(i)->failures)
                will_print(t, "error: page %d did not come", chain[i]);
        }
        for (int k = 1; k <= page(i)->count; k++) {
            will_print(t, "got %s-%d.%d", name, chain[i], k);
            if (++got == most) {
                will_print(t, "left");
                return;
            }
            t += pause;
        }
    }
    will_print(t, "the end");
    will_print(t, "the end");
    will_print(t, "left");
}

/* Was a page fetched when the last entry of the one before was handed out, or even earlier? */
static void check_lazy(struct run *run)
{
    for (int i = 1; i < page_count; i++) {
        int fetched = line_with(run, text("fetching page %d", chain[i]), 0), before = -1;
        char last[100];
        snprintf(last, sizeof last, "got %s-%d.%d", name, chain[i - 1], page(i - 1)->count);
        before = line_with(run, last, 0);
        if (page(i - 1)->count && fetched >= 0 && (before < 0 || fetched < before))
            reject(run,
                   "Page %d was fetched at %g s, before anybody had asked for one of its entries: "
                   "\"%s\" "
                   "had not been handed out yet. Maybe nobody wants the next page. Fetch it when "
                   "somebody asks and nothing is left of this one.",
                   chain[i], run->lines[fetched].at, last + 4);
    }
}

static void check_by_hand(struct run *run)
{
    expect_no_task_left(run, "An iterator fetches when it is asked; that takes no tasks.");
    check_end(run, "log_entries");
    int end = line_with(run, "the end", 0), again = end < 0 ? -1 : line_with(run, "fetching ", end);
    if (again >= 0 && line_with(run, run->lines[again].text, 0) < end)
        reject(
            run,
            "The iterator was at its end, and was asked once more: then there was \"%s\", at %g s. "
            "At its end it stays at its end: what it remembers has to say that the last page "
            "is read, also when that one is empty.",
            run->lines[again].text, run->lines[again].at);
    if (!page(0)->failures)
        check_first(run, "log_entries");
    check_lazy(run);
}

static void try_plain(int count, double pause, int most)
{
    make_log(count);
    will_take(pause, most);
    struct run *run = run_log("log_entries", pause, most, "");
    int second = line_with(run, "fetching ", line_with(run, "fetching ", 0) + 1);
    int last = line_with(run, text("fetching page %d", chain[count - 1]), 0);
    int end = line_with(run, "the end", 0), got = line_with(run, "got ", last < 0 ? 0 : last);
    if (printed(run, "error: there is no page 0"))
        reject(
            run,
            "Page 0 was asked for. 0 stands for the end: no page follows. Then the iterator ends, "
            "with " END_OF_ITERATION ".");
    if (count > 1 && second > 0 && !strcmp(run->lines[second].text, "fetching page 2"))
        reject(run,
               "After page 1 comes page %d here, but page 2 was fetched. Every page names its next "
               "one: "
               "that need not be its own number and one more.",
               page(0)->next);
    if (most == EVERYTHING && last >= 0 && last < end && (got < 0 || got > end))
        reject(
            run,
            "The last page was fetched, but its entries were not handed out. Its .next is 0, which "
            "says that no page follows, not that it has no entries.");
    if (most == EVERYTHING && end >= 0 && strcmp(run->lines[end + 1].text, "the end") != 0)
        reject(run, "At its end the iterator was asked once more, and did not say once more that "
                    "it is at its "
                    "end. It has to give " END_OF_ITERATION " every time.");
    check_by_hand(run);
    expect_transcript(
        run, in_order,
        most == EVERYTHING
            ? "Each page is fetched once, when it is needed; after its last entry comes the page "
              "that it names."
            : "Here the consumer has enough and leaves. Only what it asked for is fetched.");
}

static void try_empty(int count)
{
    make_log(count);
    page(1)->count = page(2)->count = page(count - 1)->count = 0;
    will_take(0.1, EVERYTHING);
    struct run *run = run_log("log_entries", 0.1, EVERYTHING, "");
    if (printed(run, "got no entry"))
        reject(
            run,
            "Of an empty page something was handed out that is no entry. When a page is here look "
            "whether it has any, else go on to the next: that takes a loop, since many pages may "
            "be "
            "empty.");
    check_by_hand(run);
    if (line_with(run, "the end", 0) >= 0 &&
        line_with(run, text("fetching page %d", chain[count - 1]), 0) < 0)
        reject(run,
               "The iterator ended at page %d, which is empty, but pages follow it. An empty page "
               "is not "
               "the end: only a page without a next one is the last.",
               chain[1]);
    expect_transcript(run, in_order,
                      "Pages may be empty, here the second, the third, and the last one: "
                      "then the next one is fetched, until there is an entry or no next page.");
}

static void try_failures(int count)
{
    make_log(count);
    page(0)->failures = 1;
    page(1)->failures = 2;
    will_take(0.1, EVERYTHING);
    struct run *run = run_log("log_entries", 0.1, EVERYTHING, "");
    int fetched = line_with(run, text("fetching page %d", chain[1]), 0);
    int end = line_with(run, "the end", 0), again = line_with(run, "fetching page 1", 1);
    if (!count_lines(run, "error: ") && again >= 0 && (end < 0 || again < end))
        reject(run, "Page 1 did not come, and log_entries() fetched it once more by itself. Whoever asked for an entry "
                    "has to hear of it: whether and when to ask again is theirs to say.");
    if (!count_lines(run, "error: ") && count_lines(run, "the end"))
        reject(run, "Page 1 did not come, and that was taken for the end of the log. An error is "
                    "not the end: "
                    "whoever asked for an entry has to hear of it. await() passes it on.");
    if (!count_lines(run, "error: "))
        reject(run, "Page 1 did not come, but the error of fetch_page() did not reach whoever had "
                    "asked for "
                    "an entry. await() passes it on.");
    if (count_lines(run, "fetching page 1") < 2 ||
        (fetched >= 0 && line_with(run, text("fetching page %d", chain[1]), fetched + 1) < 0))
        reject(run,
               "Page %d did not come; then somebody asked again, and it was passed over. What was "
               "to be "
               "fetched is still to be fetched after an error: change what the iterator remembers "
               "only when "
               "the page is here, after the await.",
               count_lines(run, "fetching page 1") < 2 ? 1 : chain[1]);
    check_by_hand(run);
    expect_transcript(run, in_order,
                      "When fetching fails the error goes to whoever asked; if they ask again, "
                      "so is the server, for the same page.");
}

/* Two iterators over the same log. It may be broken: then the last page names one that does not exist. */
static void try_in_turn(int count, bool broken)
{
    double t = 0;
    make_log(count);
    page(count - 1)->next = broken ? NO_PAGE : 0;
    for (int i = 0; i < count; i++)
        for (int k = 1; k <= page(i)->count; k++)
            for (int who = 0; who < 2; who++) {
                if (k == 1) {
                    will_print(t, "fetching page %d", chain[i]);
                    t += page(i)->seconds;
                }
                will_print(t, "got %s-%d.%d", name, chain[i], k);
            }
    for (int who = 0; broken && who < 2; who++)
        will_print(t, "error: there is no page %d", NO_PAGE);
    struct run *run = run_log("in_turn", 0, NAN, "");
    if (broken && !count_lines(run, "error: "))
        reject(run,
               "Page %d names page %d as the next one, which does not exist, and that was taken for the end of the "
               "log. Only 0 says that no page follows; the error of fetch_page() goes to whoever asked.",
               chain[count - 1], NO_PAGE);
    for (int i = 0; i < run->line_count; i++)
        if (times_printed(run, run->lines[i].text) != 2)
            reject(run,
                   "Two iterators went over the same log, and were asked in turn. So each page is "
                   "fetched and each entry handed out twice, but there was \"%s\" %d time%s. Each "
                   "of them is at a place of its own: that is in its state, in memory from "
                   "async_alloc(). A static variable is the same for both, and so is the log.",
                   run->lines[i].text, times_printed(run, run->lines[i].text),
                   times_printed(run, run->lines[i].text) == 1 ? "" : "s");
    expect_transcript(run, in_order, "Two iterators over the same log, asked in turn.");
}

START_TEST(by_hand)
{
    about_crash = "If it is in fetch_page(), which is given, then what it was given is wrong: does what "
                  "the iterator remembers still live? A variable of log_entries() is gone when that "
                  "function returns; memory from async_alloc() stays.";
    try_plain(1, 0.1, EVERYTHING);
    try_plain(random_between(3, 5), random_seconds(), EVERYTHING);
    try_plain(4, random_seconds(), random_between(1, 6));
    try_empty(random_between(5, 7));
    try_failures(random_between(3, 5));
    try_in_turn(random_between(2, 3), false);
    try_in_turn(2, true);
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

/* What a gentle reader does, and when; the consumer leaves after `most` entries or after the entry
 * with this text. Returns when the generator is closed. */
static double will_read(double gap, double pause, int most, const char *until, bool shown)
{
    double t = OPENING, earliest = 0;
    char entry[100];
    will_print(t, "log opened");
    for (int i = 0, got = 0; i < page_count; i++) {
        will_print(t, "fetching page %d", chain[i]);
        t += page(i)->seconds;
        if (page(i)->failures)
            goto closed;
        for (int k = 1; k <= page(i)->count; k++) {
            t = fmax(t, earliest);
            earliest = t + gap;
            snprintf(entry, sizeof entry, "%s-%d.%d", name, chain[i], k);
            if (shown)
                will_print(t, "got %s", entry);
            if (++got == most || (until && strstr(entry, until)))
                goto closed;
            t += pause;
        }
    }
closed:
    will_print(t + CLOSING, "log closed");
    return t + CLOSING;
}

static void check_gap(struct run *run, double gap, double pause)
{
    double last = NAN;
    bool same_page = false;
    for (int i = 0; i < run->line_count; i++) {
        const struct line *line = &run->lines[i];
        if (!strncmp(line->text, "fetching ", 9)) {
            if (line->at - last > pause + 1e-6)
                reject(run,
                       "\"%s\" %g s after the last entry, though the consumer came back after %g "
                       "s: there was "
                       "a sleep before the fetch. The time that the server takes counts for the "
                       "gap as "
                       "well: ask for the next entry first, then sleep for what is left.",
                       line->text, line->at - last, pause);
            same_page = false;
        }
        if (strncmp(line->text, "got ", 4) != 0)
            continue;
        if (line->at - last < gap - 1e-6)
            reject(run,
                   "\"%s\" was handed out %g s after the entry before it, at %g s, but the gap is "
                   "%g s. "
                   "Remember when an entry was handed out, and before the next one sleep for what "
                   "is left.",
                   line->text + 4, line->at - last, line->at, gap);
        if (same_page && pause > 0 && same_time(line->at - last, gap + pause))
            reject(run,
                   "\"%s\" was handed out %g s after the entry before it: the consumer worked for "
                   "%g s, "
                   "then the whole gap of %g s was slept. The consumer's time counts, too. Note "
                   "the time "
                   "*before* you yield, since behind the yield it is later, and sleep for what is "
                   "left.",
                   line->text + 4, line->at - last, pause, gap);
        last = line->at;
        same_page = true;
    }
}

static void check_closed(struct run *run, const char *end)
{
    const struct result *closed = result_of(run, "aclose");
    if (closed && strstr(closed->text, "ignored GeneratorExit"))
        reject(run,
               "The generator was closed and went on as if nothing had happened (%s). When it is "
               "closed, its yield gives the error ASYNC_GENERATOR_EXIT, and it has to leave: "
               "async_yield() "
               "does that by itself.",
               closed->text);
    if (closed && strcmp(closed->kind, "error") == 0)
        reject(run, "Closing the generator ended with an error: %s", closed->text);
    if (printed(run, "log opened") && !printed(run, "log closed"))
        reject(
            run,
            "The log was opened, but not closed when %s. A generator is left at its yield or at "
            "any "
            "await, like a function that an error passes through: a line behind the loop is never "
            "reached. Close with async_with(...), as in lesson 9.",
            end);
    if (!printed(run, "log opened"))
        reject(run, "The log was not opened. A generator does that first, when somebody asks it "
                    "for its first value: await(async_coro(open_log)).");
    if (count_lines(run, "log opened") != 1 || count_lines(run, "log closed") != 1)
        reject(run, "The log was opened %d times and closed %d times; once would be right.",
               count_lines(run, "log opened"), count_lines(run, "log closed"));
}

/* A sleep before the first, one for each page and each gap, one to close. */
static void check_polling(struct run *run)
{
    int most = 10 + 2 * count_lines(run, "got ") + count_lines(run, "fetching ");
    expect_wakes(run, most, 0,
                 "Whoever sleeps a little and looks whether it is time is never at rest, and late "
                 "at last. How long the gap still lasts is known: sleep once, for what is left.");
}

static void check_error(struct run *run, int failed)
{
    if (!count_lines(run, "error: "))
        reject(run,
               "Page %d did not come, but read_gently() did not end with an error. async_for and "
               "await pass an error on; only the end of the iterator ends the loop quietly. (And "
               "async_leave_with() in an exit function replaces whatever came before.)",
               failed);
}

static void try_gently(double pause, double gap, int most, bool fails)
{
    static const char *const ends[] = {
        "the entries were at their end",
        "the consumer closed the generator in the middle",
        "a page did not come",
    };
    char number[32];
    make_log(random_between(2, 3));
    page(page_count - 1)->failures = fails;
    double end = will_read(gap, pause, most, NULL, true);
    if (fails)
        will_print(end, "error: page %d did not come", chain[page_count - 1]);
    else if (most == EVERYTHING)
        will_print(end, "the end");
    will_print(end, "left");
    snprintf(number, sizeof number, "%d", most);
    struct run *run = run_log("read_gently", gap, pause, number);
    expect_no_task_left(run, "A generator runs when it is asked; that takes no tasks.");
    check_end(run, "read_gently");
    check_closed(run, ends[fails ? 2 : most != EVERYTHING]);
    check_first(run, "read_gently");
    if (fails)
        check_error(run, chain[page_count - 1]);
    else
        check_no_error(run, "read_gently", first_error(run));
    check_polling(run);
    check_gap(run, gap, pause);
    expect_transcript(run, in_order,
                      "An entry is handed out as soon as it is here and the gap is over, and the "
                      "log is closed on every way out.");
}

/* The consumer is cancelled while it waits for the second entry, in the gap. */
static void try_cancelled(double gap)
{
    make_log(1);
    double got = OPENING + page(0)->seconds, after = got + gap / 2, end = after + CLOSING;
    will_print(OPENING, "log opened");
    will_print(OPENING, "fetching page 1");
    will_print(got, "got %s-1.1", name);
    will_print(end, "log closed");
    will_print(end, "cancelled");
    will_print(end, "left");
    struct run *run = run_log("cancelled", gap, after, "");
    check_closed(run, "the consumer was cancelled in the middle of a gap");
    expect_transcript(run, in_order,
                      "The consumer is cancelled in the middle of a gap: the sleep ends with that "
                      "error, the log is closed, and the error goes on.");
}

/* The consumer is cancelled while the log is being opened: there is nothing to close. */
static void try_cancelled_opening(void)
{
    make_log(1);
    will_print(OPENING / 2, "cancelled");
    will_print(OPENING / 2, "left");
    expect_transcript(run_log("cancelled", 0.5, OPENING / 2, ""), in_order,
                      "The consumer is cancelled before the log is open: that error goes on, and there is "
                      "nothing to close.");
}

static void try_find(double gap, const char *word, bool fails)
{
    char right[100] = "nothing";
    make_log(random_between(3, 5));
    if (!word) { /* an entry in the middle of the second page */
        name = "the_door_of_the_house_beside_the_old_mill_by_the_river"; /* longer than an array that one makes */
        page(1)->count = 3;
        snprintf(right, sizeof right, "%s-%d.2", name, chain[1]);
        word = strchr(right, '-');
    }
    page(2)->failures = fails;
    double end = will_read(gap, 0, EVERYTHING, word, false);
    will_print(end, "find returned");
    struct run *run = run_log("find", gap, NAN, word);
    int closed = line_with(run, "log closed", 0), back = line_with(run, "find returned", 0);
    expect_no_task_left(run,
                        "To read and to look is one thing after the other; that takes no tasks.");
    if (run->line_count <= 1)
        reject(run, "Nothing was read. find() walks over async_generator(read_gently, ...) with "
                    "async_for.");
    const struct result *result = result_of(run, "find");
    if (!fails && result && !strcmp(result->kind, "error"))
        check_no_error(run, "find", result->text);
    if (strcmp(right, "nothing") && line_with(run, text("fetching page %d", chain[2]), 0) >= 0)
        reject(run,
               "find() read on, although %s on page %d contains the word %s. strstr() finds a word "
               "in a text; and when you have found it leave the loop.",
               right, chain[1], word);
    if (back >= 0 && (closed < 0 || closed > back))
        reject(run,
               "When find() returned the generator was not closed: it still stands at its yield, "
               "and the "
               "log is open%s. Leaving async_for does not close it. Where you make it, say so: "
               "async_with(async_aclose_exit) async_iterator entries = async_generator(...).",
               closed < 0 ? "" : ", until the task ends that has made it");
    expect_transcript(
        run, in_order,
        "find() reads with read_gently() until it has found the word, and closes it.");
    if (fails)
        expect_error(run, "find", "Connection reset by peer",
                     "A page did not come, and whoever called "
                     "find() has to hear of it.");
    else
        expect_text(run, "find", right,
                    "That is the first entry that contains the word, or \"nothing\".");
}

/* find() is cancelled when it has found the word, while the log is being closed. */
static void try_cancelled_closing(void)
{
    char part[32];
    make_log(1);
    snprintf(part, sizeof part, "@%g find", OPENING + page(0)->seconds + CLOSING / 2);
    struct run *run = run_log(part, 0.1, NAN, "-1.1");
    if (ended_well(run, "find"))
        reject(run, "A swallowed cancellation: find() was cancelled while the log was being closed, but ended as if "
                    "nothing had happened. The exit function of the log gets that error from its async_catch(), and "
                    "passes it on with async_leave_with(error).");
    expect_error(run, "find", "CancelledError", "It was cancelled while the log was being closed.");
}

START_TEST(gently)
{
    double gap = 0.5 + random_seconds();
    try_gently(gap / 2, gap, EVERYTHING, false);
    try_gently(gap * 2, gap, EVERYTHING, false);
    try_gently(0, random_seconds(), EVERYTHING, false);
    try_gently(0.1, random_seconds(), random_between(1, 3), false);
    try_gently(0.1, random_seconds(), EVERYTHING, true);
    try_cancelled(0.5 + random_seconds());
    try_cancelled_opening();
    try_find(0.1, NULL, false);
    try_find(0.2, "weather", false);
    try_find(0.1, "weather", true);
    try_cancelled_closing();
    if (base_passed())
        expect_undisturbed("read_gently 1 0 999 ada 1:0.5:3:0:0", "read_gently 2 0 999 bob 1:0.8:3:0:0");
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

#define MOST_STEPS 12

static struct side {
    const char *name;
    double seconds[MOST_STEPS];
    long times[MOST_STEPS]; /* below 0: a failure */
    int count;
} sides[2];

/* Times grow by 0, 1 or 2, so many are equal: within a side and across. */
static void make_sides(int first, int second)
{
    for (int s = 0; s < 2; s++) {
        int time = random_between(1, 3);
        sides[s].name = random_word();
        sides[s].count = s ? second : first;
        for (int i = 0; i < sides[s].count; i++) {
            sides[s].seconds[i] = random_between(1, 20) / 10.0;
            sides[s].times[i] = time;
            time += random_between(0, 2);
        }
    }
}

static void change_times(int s, long factor, long offset)
{
    for (int i = 0; i < sides[s].count; i++)
        sides[s].times[i] = factor * sides[s].times[i] + offset;
}

static void fail_at(int s, int i)
{
    sides[s].times[i] = -1;
    sides[s].count = i + 1;
}

static struct run *run_sides(int most)
{
    char inputs[480];
    int n = snprintf(inputs, sizeof inputs, "merge %d %s %s", most, sides[0].name, sides[1].name);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < sides[s].count; i++)
            n += snprintf(inputs + n, sizeof inputs - n, " %c:%g:%ld", 'a' + s, sides[s].seconds[i],
                          sides[s].times[i]);
    return stage_run("%s", inputs);
}

/* Is there an entry to hand out, after so many of each side? Then it is of *side. */
static bool next_side(const int *taken, int *side)
{
    bool left[2];
    for (int s = 0; s < 2; s++) {
        left[s] = taken[s] < sides[s].count;
        if (left[s] && sides[s].times[taken[s]] < 0)
            return false; /* asked for that one, merge has got an error */
    }
    *side = left[0] && (!left[1] || sides[0].times[taken[0]] <= sides[1].times[taken[1]]) ? 0 : 1;
    return left[0] || left[1];
}

/* One of the other side's, or one that is none: what does this line say about merging? */
__attribute__((noreturn)) static void reject_entry(struct run *run, int line, const char *right,
                                                   const int *taken)
{
    const char *got = run->lines[line].text;
    int known = -1, number = 0;
    for (int s = 0; s < 2; s++)
        if (!strncmp(got + 4, sides[s].name, strlen(sides[s].name)) &&
            sscanf(got + 4 + strlen(sides[s].name), "-%d", &number) == 1)
            known = s;
    if (known >= 0 && number > taken[known] + 1)
        reject(run, "%s was handed out, but %s-%d was not, which comes before it.", got + 4,
               sides[known].name, taken[known] + 1);
    if (known >= 0 && number <= taken[known])
        reject(run, "%s was handed out twice.", got + 4);
    if (known >= 0 && sides[0].times[taken[0]] == sides[1].times[taken[1]])
        reject(
            run,
            "%s was handed out before %s. Both have the same time, and then the first source goes "
            "first.",
            got + 4, right);
    if (known >= 0)
        reject(run,
               "%s (time %ld) was handed out before %s (time %ld): out of order. Of the next entries "
               "of both sources it is the earlier one's turn, whichever source it is from. (A time is a long: an "
               "int is too small.)",
               got + 4, sides[known].times[taken[known]], right,
               sides[!known].times[taken[!known]]);
    reject(run, "\"%s\" was handed out, expected %s.", got + 4, right);
}

/* Goes through what was handed out, in order, and what was asked before each. */
static void check_merged(struct run *run, int most)
{
    int taken[2] = { 0, 0 }, asked[2] = { 0, 0 }, side = 0;
    char right[100], asks[2][100];
    for (int s = 0; s < 2; s++)
        snprintf(asks[s], sizeof asks[s], "%s asked", sides[s].name);
    for (int i = 0; i < run->line_count; i++) {
        for (int s = 0; s < 2; s++)
            asked[s] += !strcmp(run->lines[i].text, asks[s]);
        if (strncmp(run->lines[i].text, "got ", 4) != 0)
            continue;
        for (int s = 0; s < 2; s++) {
            snprintf(right, sizeof right, "got %s-%d", sides[s].name, taken[s] + 1);
            if (asked[s] > taken[s] + 1 && most == EVERYTHING && !printed(run, right))
                reject(run,
                       "%s was never handed out, although %s had been asked for it. An entry whose "
                       "turn has "
                       "not come has to be kept for later; ask a source again only when its entry "
                       "was handed "
                       "out.",
                       right + 4, sides[s].name);
            if (asked[s] > taken[s] + 1)
                reject(run,
                       "Before entry %d was handed out, at %g s, %s had been asked for %d, and "
                       "only %d of them "
                       "handed out: merge() fetches ahead. It needs one entry of each source to "
                       "decide "
                       "which is the next; more it must not take.",
                       taken[0] + taken[1] + 1, run->lines[i].at, sides[s].name, asked[s],
                       taken[s]);
        }
        if (!next_side(taken, &side))
            reject(run,
                   "%s was handed out although a source had failed: merge() took that for its end. "
                   "Only "
                   "ASYNC_STOP_ITERATION is the end of a source; any other error goes to whoever "
                   "asks merge(), "
                   "and is its own end.",
                   run->lines[i].text + 4);
        snprintf(right, sizeof right, "%s-%d", sides[side].name, taken[side] + 1);
        if (strcmp(run->lines[i].text + 4, right) != 0)
            reject_entry(run, i, right, taken);
        taken[side]++;
    }
    if (taken[0] + taken[1] == 0 && next_side(taken, &side))
        reject(run, "No entry was handed out. merge() asks its two sources with async_anext(), and "
                    "hands out entries with async_yield().");
    if (taken[0] + taken[1] < most && next_side(taken, &side))
        reject(run,
               "Only %d of %d entries were handed out; the next one is %s-%d. When one source is "
               "at its end "
               "the other one may go on for long: the end of both is the end.",
               taken[0] + taken[1], sides[0].count + sides[1].count, sides[side].name,
               taken[side] + 1);
}

static void check_sources_closed(struct run *run, int most)
{
    int left = line_with(run, "left", 0);
    for (int s = 0; s < 2; s++) {
        char line[100];
        snprintf(line, sizeof line, "%s asked", sides[s].name);
        if (!printed(run, line)) /* what has not begun has nothing open */
            continue;
        snprintf(line, sizeof line, "%s closed", sides[s].name);
        int closed = line_with(run, line, 0);
        if (closed < 0 || closed > left)
            reject(run,
                   "When merge() was over (%s), the source %s was not closed: it still stands at "
                   "its yield, "
                   "with all that it holds. merge() got both as its own; close each on every way "
                   "out, with "
                   "async_with(async_aclose_exit).",
                   most < EVERYTHING         ? "its consumer had left early"
                   : printed(run, "the end") ? "both were at their end"
                                             : "one source had failed",
                   sides[s].name);
    }
}

static void try_merge(int most)
{
    struct run *run = run_sides(most);
    const struct result *closed = result_of(run, "aclose");
    bool fails = false;
    for (int s = 0; s < 2; s++)
        fails |= sides[s].count && sides[s].times[sides[s].count - 1] < 0;
    expect_no_task_left(run, "One after the other is asked; that takes no tasks.");
    check_end(run, "merge");
    check_merged(run, most);
    if (fails && most == EVERYTHING && !count_lines(run, "error: "))
        reject(run, "A source failed, and merge() took that for its end. Only ASYNC_STOP_ITERATION "
                    "is the end of "
                    "a source; any other error goes to whoever asks merge().");
    if (!fails)
        check_no_error(run, "merge", first_error(run));
    if (closed && strstr(closed->text, "ignored GeneratorExit"))
        reject(run, "merge() was closed and went on as if nothing had happened (%s).",
               closed->text);
    if (closed && !strcmp(closed->kind, "error"))
        reject(run, "Closing merge() ended with an error: %s", closed->text);
    check_sources_closed(run, most);
}

/* Its consumer leaves after the first entry, and is cancelled while the sources are being closed. */
static void try_cancelled_leaving(void)
{
    struct run *run = stage_run("@0.05 merge 1 ada bob a:0:1 b:0:2");
    if (!printed(run, "ada closed") && !printed(run, "bob closed"))
        reject(run, "It was cancelled while merge() closed its sources: the closing of one ended with that error, and "
                    "the other was not closed at all. Each is closed whatever becomes of the other, with an "
                    "async_with(async_aclose_exit) of its own.");
    if (ended_well(run, "aclose"))
        reject(run, "A swallowed cancellation: it was cancelled while merge() closed its sources, but closing ended as "
                    "if nothing had happened. async_aclose() gives that error; async_aclose_exit passes it on.");
}

START_TEST(merging)
{
    about_crash = "";
    make_sides(5, 6); /* none of one side is equal to one of the other */
    change_times(0, 2, 0);
    change_times(1, 2, 1);
    try_merge(EVERYTHING);
    make_sides(2, 2); /* no time fits into an int */
    for (int i = 0; i < 4; i++)
        sides[1 - i % 2].times[i / 2] = (i + 1L) << 32;
    try_merge(EVERYTHING);
    make_sides(random_between(4, 6), random_between(5, 7)); /* the first two are equal */
    change_times(1, 1, sides[0].times[0] - sides[1].times[0]);
    try_merge(EVERYTHING);
    for (int s = 0; s < 2; s++) { /* one is at its end long before the other */
        make_sides(3, 4);
        change_times(s, 1, 20);
        try_merge(EVERYTHING);
    }
    make_sides(5, 5);
    try_merge(random_between(2, 4)); /* left early */
    make_sides(3, 5);
    fail_at(1, random_between(2, 4));
    try_merge(EVERYTHING);
    make_sides(3, 2);
    fail_at(0, 2);
    try_merge(EVERYTHING);
    for (int s = 0; s < 2; s++) { /* one fails before the other answers; and one has nothing, then neither has */
        make_sides(3, 3);
        fail_at(s, 0);
        sides[s].seconds[0] = 0.1;
        sides[!s].seconds[0] = 2;
        try_merge(EVERYTHING);
        make_sides(3, 3);
        sides[s].count = 0;
        try_merge(EVERYTHING);
    }
    make_sides(0, 0);
    try_merge(EVERYTHING);
    try_cancelled_leaving();
    expect_undisturbed("merge 999 ada bob a:0.5:1 a:0.7:4 b:0.6:2 b:0.9:5",
                       "merge 999 eve ian a:0.4:2 a:1.2:3 b:0.8:1 b:1.1:6");
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("log_entries", "log_entries(log), asked for up to %2 entries, with %1 s between, log = {%*4}");
    shown_as("in_turn", "two log_entries(log), asked in turn, log = {%*3}");
    shown_as("read_gently",
             "async_generator(read_gently, log, %1), asked for up to %3 entries, with %2 s "
             "between, log = {%*5}");
    shown_as("cancelled", "async_generator(read_gently, log, %1), cancelled after %2 s, log = {%*4}");
    shown_as("find", "await(async_coro(find, log, %1, '%2')), log = {%*4}");
    shown_as("merge",
             "async_generator(merge, %2, %3), asked for up to %1 entries of {seconds, time}: "
             "%*4");
    shown_as("a", "first {%1, %2}");
    shown_as("b", "second {%1, %2}");
    shown_as("*", "[%0] = {.seconds = %1, .count = %2, .next = %3<, .failures = %4>}");
    part(2, "page by page, entry by entry", by_hand);
    part(2, "a generator that is gentle and cleans up", gently);
    builds_on(1, "log_entries");
    part(3, "two sources in order, closed on every way out", merging);
    return grader_close();
}
