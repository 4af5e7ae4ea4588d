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
    int status;                 /* 0: the server hangs up */
    int size;
} pages[MOST_PAGES];

/* Of so many bytes at most. */
static void make_pages(int count, int most)
{
    for (int i = 0; i < count; i++)
        pages[i] = (struct page){ random_word(), random_seconds(), 200, random_between(20, most) };
}

static struct run *ask(const char *function, int count, int width)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "%s %d", function, width);
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

START_TEST(one_page)
{
    make_pages(1, 60);
    struct run *run = ask("fetch_page", 1, 0);
    if (measured(run, "asked") == 0)
        reject(run,
               "The server was never asked. async_http_get makes the request, await sends it.");
    expect_text(run, "fetch_page", text_of(&pages[0]), "That is the text of the page.");

    make_pages(1, 60);
    pages[0].status = random_between(0, 1) ? 404 : 500;
    run = ask("fetch_page", 1, 0);
    const struct result *result = result_of(run, "fetch_page");
    if (result && strcmp(result->kind, "text") == 0)
        reject(run,
               "The page came with status %d, which means that it is not the page, but its text "
               "was returned. async_http_raise_for_status(response) makes an error of it: return "
               "that.",
               pages[0].status);
    expect_error(run, "fetch_page", "Remote I/O error",
                 "That is what async_http_raise_for_status gives: return it.");

    make_pages(1, 60);
    pages[0].status = 0;
    run = ask("fetch_page", 1, 0);
    expect_error(run, "fetch_page", "Connection reset by peer",
                 "The server hung up. await passes that error on by itself.");
}
END_TEST

/* ----------------------------------------------------------------------------- part 2 */

/* How long it takes when each of `width` places takes the next link as soon as it is free. */
static double in_places(int count, int width)
{
    double free_at[MOST_PAGES] = { 0 }, end = 0;
    for (int i = 0; i < count; i++) {
        int first = 0;
        for (int k = 1; k < width; k++)
            if (free_at[k] < free_at[first])
                first = k;
        free_at[first] += pages[i].seconds;
        end = fmax(end, free_at[first]);
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
    double right = in_places(count, width), seconds = took(run);
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
    reject(run, "It took %g s; with %d requests at a time it takes %g s.", seconds, width, right);
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
        if (!printed(run, wanted[i]))
            reject(run, "\"%s\" was not printed.%s", wanted[i],
                   pages[i].status == 0
                       ? " That server hung up: it is an error of one request, and must "
                         "not keep the others from being reported "
                         "(async_gather_list(..., true))."
                   : pages[i].status >= 400 ? " A status of 400 or more is an answer, and no error."
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

static void try_links(int count, int width, int bad)
{
    do {
        make_pages(count, 9000);
    } while (count > width && same_time(in_places(count, width), in_groups(count, width)));
    for (int i = 0; i < bad; i++)
        pages[(i * 3 + 1) % count].status = i % 2 ? 404 : 0;
    struct run *run = ask("check_links", count, width);
    long most = measured(run, "most");
    if (most > width)
        reject(run,
               "The server had %ld requests at the same time, but at most %d are allowed. Tell the "
               "session: async_http_session_new(.limit = ...).",
               most, width);
    if (measured(run, "asked") != count)
        reject(run, "The server was asked %ld times; there are %d links.%s", measured(run, "asked"),
               count,
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

START_TEST(many_links)
{
    try_links(6, 2, 0);
    try_links(random_between(7, 9), 3, 3);
    try_links(4, 6, 2);
    try_links(1, 1, 1);
}
END_TEST

/* ----------------------------------------------------------------------------- part 3 */

/* The mirrors at these places fail. */
static void try_mirrors(int count, int fail_a, int fail_b)
{
    int best = -1;
    make_pages(count, 60);
    if (fail_a >= 0)
        pages[fail_a].status = 503, pages[fail_a].seconds = 0.1;
    if (fail_b >= 0)
        pages[fail_b].status = 0, pages[fail_b].seconds = 0.2;
    for (int i = 0; i < count; i++)
        if (i != fail_a && i != fail_b && (best < 0 || pages[i].seconds < pages[best].seconds))
            best = i;
    struct run *run = ask("fetch_fastest", count, 0);
    double seconds = took(run);
    if (measured(run, "asked") != count)
        reject(run,
               "The server was asked %ld times; there are %d mirrors, and all are to be asked at "
               "once.",
               measured(run, "asked"), count);
    if (fail_a >= 0 && same_time(seconds, 0.1))
        reject(run,
               "It ended after 0.1 s, when the first mirror had failed. Pass it over: another one "
               "may have the page.");
    if (same_time(seconds, longest(count)) && !same_time(seconds, pages[best].seconds))
        reject(run,
               "It took %g s, as long as the slowest mirror; the fastest had answered after %g s. "
               "Wait for the first only (ASYNC_FIRST_COMPLETED), and return.",
               seconds, pages[best].seconds);
    if (!same_time(seconds, pages[best].seconds))
        reject(run, "It took %g s; the fastest good answer was there after %g s.", seconds,
               pages[best].seconds);
    expect_text(run, "fetch_fastest", text_of(&pages[best]),
                "That is what the fastest mirror sent.");
    if (measured(run, "left") > 0)
        reject(run,
               "When fetch_fastest had returned %ld of its requests went on, for an answer that "
               "nobody wants. Cancel them.",
               measured(run, "left"));
}

START_TEST(mirrors)
{
    try_mirrors(4, -1, -1);
    try_mirrors(5, random_between(0, 2), random_between(3, 4));
    try_mirrors(1, -1, -1);
    make_pages(3, 60);
    pages[0].status = 500, pages[1].status = 0, pages[2].status = 404;
    pages[0].seconds = 0.3, pages[1].seconds = 0.9, pages[2].seconds = 0.6;
    struct run *run = ask("fetch_fastest", 3, 0);
    expect_error(run, "fetch_fastest", "Connection reset by peer",
                 "All mirrors fail; this is the error of the one that failed last.");
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    part(2, "one page", one_page);
    part(3, "many links, not too many at once", many_links);
    part(3, "the fastest mirror", mirrors);
    return grader_close();
}
