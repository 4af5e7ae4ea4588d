/* grader.c - lesson 12: one session for many requests, a limit of requests at once, errors as
 * values.
 *
 * The stage has a web server; it tells how many requests it had, how many at most at the same time,
 * how long the student's function took, and what that left behind. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PAGES 12

static struct page {
    const char *name;
    double seconds;
    int status; /* 0: the server hangs up */
    int size;
} pages[MOST_PAGES];

/* Of so many bytes at most. */
static void make_pages(int count, int most)
{
    for (int i = 0; i < count; i++)
        pages[i] = (struct page){ random_word(), random_seconds(), 200, random_between(20, most) };
}

/* Cancelled at that time, if it is not 0. */
static struct run *ask(const char *function, int count, int width, double cancelled_at)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "%s %d %g", function, width, cancelled_at);
    for (int i = 0; i < count; i++)
        n += snprintf(inputs + n, sizeof inputs - n, " %s %g %d %d", pages[i].name,
                      pages[i].seconds, pages[i].status, pages[i].size);
    return stage_run("%s", inputs);
}

static const char *text_of(const struct page *page)
{
    static char text[100];
    size_t length = strlen(page->name);
    for (int i = 0; i < page->size; i++)
        text[i] = page->name[i % length];
    text[page->size] = 0;
    return text;
}

static long measured(struct run *run, const char *name)
{
    const struct result *result = result_of(run, name);
    return result ? atol(result->text) : -1;
}

static double took(struct run *run) { return measured(run, "milliseconds") / 1000.0; }

static double longest(int count)
{
    double seconds = 0;
    for (int i = 0; i < count; i++)
        seconds = fmax(seconds, pages[i].seconds);
    return seconds;
}

static double sum(int count)
{
    double seconds = 0;
    for (int i = 0; i < count; i++)
        seconds += pages[i].seconds;
    return seconds;
}

/* ----------------------------------------------------------------------------- part 1 */

static void check_session(struct run *run)
{
    long others = measured(run, "of_others");
    if (others > 0)
        reject(run,
               "%ld request%s from another session. Use the one that is given, args->session: it "
               "keeps the connections and the limits of its owner, who closes it.",
               others, others == 1 ? " came" : "s came");
}

/* A status below 400 is all right, whatever it says. */
static void try_good(int status)
{
    make_pages(1, 60);
    pages[0].status = status;
    struct run *run = ask("fetch_page", 1, 0, 0);
    if (measured(run, "asked") == 0)
        reject(run,
               "The server was never asked. async_http_get makes the request, await sends it.");
    check_session(run);
    if (!ended_well(run, "fetch_page") && status != 200)
        reject(run,
               "The page came with status %d, and fetch_page ended with an error: %s. Every status "
               "below 400 is all right: async_http_raise_for_status(response) knows.",
               status, result_of(run, "fetch_page") ? result_of(run, "fetch_page")->text : "none");
    expect_text(run, "fetch_page", text_of(&pages[0]), "That is the text of the page.");
}

static void try_bad(int status)
{
    make_pages(1, 60);
    pages[0].status = status;
    struct run *run = ask("fetch_page", 1, 0, 0);
    const struct result *result = result_of(run, "fetch_page");
    if (result && strcmp(result->kind, "text") == 0)
        reject(run,
               "The page came with status %d, which means that it is not the page, but its text "
               "was returned. async_http_raise_for_status(response) makes an error of it: return "
               "that.",
               pages[0].status);
    expect_error(run, "fetch_page", "Remote I/O error",
                 "That is what async_http_raise_for_status gives: return it.");
}

START_TEST(one_page)
{
    static const int good[] = { 200, 201, 203, 206, 399 }, bad[] = { 400, 403, 404, 410, 500, 503 };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        try_good(good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        try_bad(bad[i]);

    make_pages(1, 60);
    pages[0].status = 0;
    struct run *run = ask("fetch_page", 1, 0, 0);
    expect_error(run, "fetch_page", "Connection reset by peer",
                 "The server hung up. await passes that error on by itself.");
}
END_TEST

/* ----------------------------------------------------------------------------- part 2 */

/* How long it takes when each of `width` places takes the next link as soon as it is free; or, if
 * places get `lost`, as soon as it is free without an error. */
static double in_places(int count, int width, bool lost)
{
    double free_at[MOST_PAGES] = { 0 }, end = 0;
    for (int i = 0; i < count; i++) {
        int first = 0;
        for (int k = 1; k < width; k++)
            if (free_at[k] < free_at[first])
                first = k;
        free_at[first] += pages[i].seconds;
        end = fmax(end, free_at[first]);
        if (lost && !pages[i].status)
            free_at[first] = INFINITY;
    }
    return end;
}

static double in_groups(int count, int width)
{
    double seconds = 0;
    for (int i = 0; i < count; i += width) {
        double most = 0;
        for (int k = i; k < count && k < i + width; k++)
            most = fmax(most, pages[k].seconds);
        seconds += most;
    }
    return seconds;
}

static void check_time(struct run *run, int count, int width)
{
    double right = in_places(count, width, false), seconds = took(run);
    if (same_time(seconds, right))
        return;
    if (width > 1 && same_time(seconds, sum(count)))
        reject(run,
               "It took %g s, where %g s are enough: the links were fetched one after the other. "
               "%d requests may run at the same time: give all of them to one gather.",
               seconds, right, width);
    if (same_time(seconds, in_groups(count, width)))
        reject(run,
               "It took %g s, where %g s are enough: each group of %d waited for its slowest. As "
               "soon as one request is through the next may begin; a session with .limit = %d "
               "sees to that by itself.",
               seconds, right, width, width);
    if (same_time(seconds, in_places(count, width, true)))
        reject(run,
               "It took %g s, where %g s are enough: a request that failed kept its place. An "
               "await leaves the function at once with an error, so a permit has to be given back "
               "on every way out: async_with(async_semaphore_exit). Or let a session with .limit = "
               "%d count them.",
               seconds, right, width);
    reject(run, "It took %g s; with %d requests at a time it takes %g s.", seconds, width, right);
}

static const char *half_of(const struct page *page)
{
    static char line[100];
    snprintf(line, sizeof line, "%s: %d bytes", page->name, page->size / 2);
    return line;
}

/* How many bytes a line says that this page has; -1: none does. */
static long bytes_said(struct run *run, const struct page *page)
{
    size_t length = strlen(page->name);
    long bytes = -1;
    for (int i = 0; i < run->line_count; i++)
        if (!strncmp(run->lines[i].text, page->name, length) && strstr(run->lines[i].text, " bytes"))
            sscanf(run->lines[i].text + length, ": %ld bytes", &bytes);
    return bytes;
}

/* Line by line. */
static void check_report(struct run *run, int count)
{
    char wanted[MOST_PAGES][120];
    for (int i = 0; i < count; i++)
        if (pages[i].status == 0)
            snprintf(wanted[i], sizeof wanted[i], "%s: no answer", pages[i].name);
        else if (pages[i].status >= 400)
            snprintf(wanted[i], sizeof wanted[i], "%s: status %d", pages[i].name, pages[i].status);
        else
            snprintf(wanted[i], sizeof wanted[i], "%s: %d bytes", pages[i].name, pages[i].size);
    for (int i = 0; i < count; i++)
        if (pages[i].status && pages[i].status < 400 && printed(run, half_of(&pages[i])))
            reject(run,
                   "\"%s\" was printed, but it has %d: there is a 0 byte in the middle of that "
                   "page, and strlen() ends there. async_http_text() tells the length as well: "
                   "async_http_text(response, &length).",
                   half_of(&pages[i]), pages[i].size);
        else if (!printed(run, wanted[i]) && bytes_said(run, &pages[i]) >= 0 && pages[i].status &&
                 pages[i].status < 400)
            reject(run,
                   "\"%s: %ld bytes\" was printed, but that page has %d: the number of all its "
                   "bytes, which async_http_text(response, &length) tells.",
                   pages[i].name, bytes_said(run, &pages[i]), pages[i].size);
        else if (!printed(run, wanted[i]))
            reject(run, "\"%s\" was not printed.%s", wanted[i],
                   pages[i].status == 0
                       ? " That server hung up: it is an error of one request, and must "
                         "not keep the others from being reported "
                         "(async_gather_list(..., true))."
                   : pages[i].status >= 400 ? " A status of 400 or more is an answer, and no error."
                   : pages[i].status > 200
                       ? " Every status below 400 is all right: async_http_ok(response)."
                       : "");
    for (int i = 0; i < count && i < run->line_count; i++)
        if (strcmp(run->lines[i].text, wanted[i]))
            reject(run,
                   "Line %d is \"%s\" and should be \"%s\": the lines come in the order of the "
                   "links, and nothing else is printed.",
                   i + 1, run->lines[i].text, wanted[i]);
    if (run->line_count > count)
        reject(run, "There is a line too many: \"%s\".", run->lines[count].text);
}

static void shuffle_seconds(int count)
{
    for (int i = count - 1; i > 0; i--) {
        int k = random_between(0, i);
        double kept = pages[i].seconds;
        pages[i].seconds = pages[k].seconds;
        pages[k].seconds = kept;
    }
}

static void try_links(int count, int width, int bad)
{
    static const int good[] = { 399, 203 }, bads[] = { 0, 400, 0, 500 };
    double right;
    make_pages(count, 9000);
    for (int i = 0; i < bad; i++)
        pages[(i * 3 + 1) % count].status = bads[i % 4];
    for (int i = 0, k = 0; i < count && k < 2; i++)
        if (pages[i].status == 200)
            pages[i].status = good[k++];
    double groups, kept; /* what two mistakes take */
    do { /* until it can be seen how they take turns */
        shuffle_seconds(count);
        right = in_places(count, width, false);
        groups = in_groups(count, width);
        kept = in_places(count, width, true);
    } while (count > width && (same_time(right, groups) ||
                               (bad && (same_time(right, kept) || same_time(groups, kept)))));
    struct run *run = ask("check_links", count, width, 0);
    long most = measured(run, "most");
    if (most > width)
        reject(run,
               "The server had %ld requests at the same time, but at most %d are allowed. Tell the "
               "session: async_http_session_new(.limit = ...). The limit is that of one session, "
               "so make one for all requests.",
               most, width);
    if (measured(run, "asked") != count)
        reject(run, "The server was asked %ld time%s; there are %d links.%s",
               measured(run, "asked"), measured(run, "asked") == 1 ? "" : "s", count,
               bad ? " An error of one must not keep the others from being fetched and reported: "
                     "async_gather_list(..., true) puts it among the results."
                   : "");
    check_report(run, count);
    check_time(run, count, width);
    expect_number(run, "check_links", bad, "So many links are not all right.");
    if (measured(run, "open") > 0)
        reject(run, "The session was still open when check_links had returned. async_with("
                    "async_http_session_exit) closes it on every way out.");
}

/* In the middle. */
static void try_cancelled_links(void)
{
    make_pages(4, 9000);
    struct run *run = ask("check_links", 4, 2, 0.15);
    expect_error(run, "check_links", "CancelledError", "It was cancelled in the middle.");
    if (measured(run, "left") > 0)
        reject(run,
               "check_links was cancelled and ended, but %ld of its tasks went on. Who cancels a "
               "gather cancels all that it waits for; what you await in another way you have to "
               "cancel yourself.",
               measured(run, "left"));
    if (measured(run, "open") > 0)
        reject(run, "check_links was cancelled and ended, but its session was still open. "
                    "async_with(async_http_session_exit) closes it on every way out; a line behind "
                    "the await is not reached then.");
}

static void try_two(void)
{
    make_pages(5, 60);
    pages[0].status = pages[3].status = pages[4].status = 404;
    struct run *run = ask("two", 5, 3, 0);
    if (measured(run, "first") != 1 || measured(run, "second") != 2)
        reject(run,
               "Two check_links at once, with 1 and 2 links that are not all right, gave %ld and %ld. What belongs "
               "to one call is kept in its local variables, or in memory that it asks for: a static or global "
               "variable is there once for all calls.",
               measured(run, "first"), measured(run, "second"));
}

START_TEST(many_links)
{
    try_links(6, 2, 0);
    try_links(random_between(7, 8), 3, 4);
    try_links(4, 6, 2);
    try_links(1, 1, 1);
    try_cancelled_links();
    try_two();
}
END_TEST

/* ----------------------------------------------------------------------------- part 3 */

/* With the mirrors that were made; those at these places fail. */
static void try_mirrors(int count, int fail_a, int fail_b)
{
    int best = -1;
    if (fail_a >= 0)
        pages[fail_a].status = 503, pages[fail_a].seconds = 0.1;
    if (fail_b >= 0)
        pages[fail_b].status = 0, pages[fail_b].seconds = 0.2;
    for (int i = 0; i < count; i++)
        if (i != fail_a && i != fail_b && (best < 0 || pages[i].seconds < pages[best].seconds))
            best = i;
    struct run *run = ask("fetch_fastest", count, 0, 0);
    double seconds = took(run);
    if (run->wake_count > 4 * count + 10)
        reject(run,
               "Polling: %d times a timer woke the program, where one for each mirror would do. "
               "Whoever looks again and again whether somebody is done is never at rest, and late "
               "at last: async_wait(..., ASYNC_FIRST_COMPLETED) sleeps until the first is.",
               run->wake_count);
    if (measured(run, "asked") != count)
        reject(run,
               "The server was asked %ld time%s; there are %d mirrors, and all are to be asked at "
               "once, not one after the other.",
               measured(run, "asked"), measured(run, "asked") == 1 ? "" : "s", count);
    check_session(run);
    for (int i = 0; i < count; i++)
        if ((i == fail_a || i == fail_b) && same_time(seconds, pages[i].seconds))
            reject(run,
                   "It ended after %g s, when the mirror %s had failed. Pass it over: another one "
                   "may have the page.",
                   seconds, pages[i].name);
    if (same_time(seconds, longest(count)) && !same_time(seconds, pages[best].seconds))
        reject(run,
               "It took %g s, as long as the slowest mirror; the fastest had answered after %g s. "
               "Wait for the first only (ASYNC_FIRST_COMPLETED), and return.",
               seconds, pages[best].seconds);
    if (!same_time(seconds, pages[best].seconds))
        reject(run, "It took %g s; %s had the page, and had answered after %g s.", seconds,
               pages[best].name, pages[best].seconds);
    expect_text(run, "fetch_fastest", text_of(&pages[best]),
                "That is what the fastest mirror sent.");
    if (measured(run, "left") > 0)
        reject(run,
               "When fetch_fastest had returned %ld of its requests went on, for an answer that "
               "nobody wants. Cancel them.",
               measured(run, "left"));
}

static void try_any(int count, int fail_a, int fail_b)
{
    make_pages(count, 60);
    try_mirrors(count, fail_a, fail_b);
}

/* The first mirror is the fastest, and then the last one; or it is the only one that does not fail. */
static void try_each_end(void)
{
    for (int i = 0; i < 3; i += 2) {
        make_pages(3, 60);
        pages[i].seconds = 0.05;
        try_mirrors(3, -1, -1);
        make_pages(3, 60);
        try_mirrors(3, 1, 2 - i);
    }
}

/* Several answer at the same moment: first those that fail, then the good one. */
static void try_same_moment(int count, int failing)
{
    make_pages(count, 60);
    double moment = random_between(3, 9) / 10.0;
    for (int i = 0; i <= failing; i++)
        pages[i].seconds = moment, pages[i].status = i < failing ? 503 : 200;
    for (int i = failing + 1; i < count; i++)
        pages[i].seconds += 1;
    struct run *run = ask("fetch_fastest", count, 0, 0);
    if (!same_time(took(run), moment))
        reject(run,
               "%d mirrors answered at the same moment, at %g s: %d of them failed, and %s had the "
               "page. It took %g s. async_wait() may come back with several that are done: look at "
               "each of them.",
               failing + 1, moment, failing, pages[failing].name, took(run));
    expect_text(run, "fetch_fastest", text_of(&pages[failing]), "That is the first that had it.");
}

/* The one in the middle, which hangs up, takes so long. */
static void try_all_fail(double seconds, const char *error)
{
    make_pages(3, 60);
    pages[0].status = 500, pages[1].status = 0, pages[2].status = 404;
    pages[0].seconds = 0.3, pages[1].seconds = seconds, pages[2].seconds = 0.6;
    expect_error(ask("fetch_fastest", 3, 0, 0), "fetch_fastest", error,
                 "All mirrors fail; this is the error of the one that failed last.");
}

/* Two at once, of which the second is through before the first; and one before them that is given up meanwhile. */
static void try_two_fastest(void)
{
    static const char *const which[] = { "first", "second" };
    make_pages(5, 60);
    for (int i = 0; i < 5; i++)
        pages[i].seconds = i < 2 ? 2 - i : 0.4 + 0.2 * i;
    struct run *run = ask("two_fastest", 5, 0, 0);
    for (int i = 0; i < 2; i++) {
        const struct result *result = result_of(run, which[i]);
        if (!result || strcmp(result->text, text_of(&pages[i + 1])) != 0)
            reject(run,
                   "Of two fetch_fastest at once the %s gave another text than that of %s, its fastest mirror, while a "
                   "third was given up. What belongs to one call is kept in its local variables, or in memory that it "
                   "asks for: a static or global variable is there once for all calls.",
                   which[i], pages[i + 1].name);
    }
}

START_TEST(mirrors)
{
    try_any(4, -1, -1);
    try_any(5, random_between(0, 2), random_between(3, 4));
    try_any(5, random_between(3, 4), random_between(0, 2));
    try_any(1, -1, -1);
    try_each_end();
    try_same_moment(4, 1);
    try_same_moment(4, 2);
    try_all_fail(0.9, "Connection reset by peer");
    try_all_fail(0.4, "Remote I/O error");
    make_pages(3, 60);
    struct run *run = ask("fetch_fastest", 3, 0, 0.15);
    expect_error(run, "fetch_fastest", "CancelledError", "It was cancelled in the middle.");
    if (measured(run, "left") > 0)
        reject(run,
               "fetch_fastest was cancelled and ended, but %ld of its requests went on. async_wait "
               "cancels nobody, also when it is cancelled itself: an exit function (async_with) "
               "that cancels them runs on every way out.",
               measured(run, "left"));
    try_two_fastest();
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("fetch_page",
             "await(async_coro(fetch_page, session, url))<, cancelled after %2 s>; there is %4*3");
    shown_as("two",
             "await(async_gather(got, async_coro(check_links, links, 2, %1), "
             "async_coro(check_links, links + 2, 3, %1))); there are %4*3");
    shown_as("two_fastest",
             "await(async_gather_exceptions(got, async_wait_for(async_coro(fetch_fastest, session, mirrors, 2), 0.2), "
             "async_coro(fetch_fastest, session, mirrors, 2), async_coro(fetch_fastest, session, mirrors + 2, 3))); there are %4*3");
    shown_as("check_links",
             "await(async_coro(check_links, links, %4#3, %1))<, cancelled after %2 s>; there are "
             "%4*3");
    shown_as("fetch_fastest",
             "await(async_coro(fetch_fastest, session, mirrors, %4#3))<, cancelled after %2 s>; "
             "there are %4*3");
    shown_as("*", "'%0' (%1 s, status %2, %3 bytes)");
    part(2, "one page", one_page);
    part(3, "many links, not too many at once", many_links);
    part(3, "the fastest mirror", mirrors);
    builds_on(1, "fetch_page");
    return grader_close();
}
