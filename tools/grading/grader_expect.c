/* grader_expect.c - what a grader may demand of a run, and how it says that it did not get it.
 *
 * libcheck cuts a message at 4096 bytes, so ours stay below. */
#include "grader_run.h"
#include "debug/utf8.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE 3900
#define MOST_EXPECTED 200

static struct {
    double at;
    char text[200];
} expected[MOST_EXPECTED];
static int expected_count;
static bool about_time;             /* what is wrong is seen in a picture of the run */

/* ----------------------------------------------------------------------------- to fail */

/* How many bytes the character has that begins here; 0: it is none of UTF-8, or would move a terminal. */
static size_t readable(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    bool control = *c < ' ' || *c == 127 || (*c == 0xc2 && c[1] < 0xa0);
    return control ? 0 : utf8_length(c);
}

/* Appends the character at `*text`, or its first byte spelled out, and goes on behind it. */
static size_t spell(const char **text, char *to)
{
    size_t length = readable(*text);
    if (!length)
        return sprintf(to, "\\x%02x", (unsigned char)*(*text)++);
    memcpy(to, *text, length);
    *text += length;
    return length;
}

const char *visible(const char *text, char *to, size_t size)
{
    size_t n = 0;
    while (*text && n + 6 < size)
        if (*text == '\n')
            to[n++] = *text++;
        else
            n += spell(&text, to + n);
    to[n] = 0;
    return to;
}

void reject(struct run *run, const char *format, ...)
{
    static char text[MESSAGE], err[1500];
    va_list args;
    const char *base = run->sound ? grader_base() : NULL;
    const char *picture = about_time ? grader_picture() : "";
    grader_failed();
    about_time = false;
    expected_count = 0;
    if (base)
        ck_abort_msg("%s", base);
    va_start(args, format);
    int n = vsnprintf(text, sizeof text - 2000, format, args);
    va_end(args);
    if (n > (int)sizeof text - 2001)
        n = sizeof text - 2001;
    n += snprintf(text + n, sizeof text - n, "\n(tried with: %s)%s", case_of(run), picture);
    if (*run->err)
        snprintf(text + n, sizeof text - n, "\nThe program also said:\n%s",
                 visible(run->err, err, sizeof err));
    ck_abort_msg("%s", text);
    abort();
}

/* ------------------------------------------------------------------------------- output */

void will_print(double at, const char *format, ...)
{
    va_list args;
    if (expected_count == MOST_EXPECTED)
        abort();
    va_start(args, format);
    vsnprintf(expected[expected_count].text, sizeof expected[0].text, format, args);
    va_end(args);
    expected[expected_count++].at = at;
}

bool same_time(double a, double b) { return fabs(a - b) < 1e-6; }

bool printed_at(struct run *run, double at, const char *line)
{
    for (int i = 0; i < run->line_count; i++)
        if (!strcmp(run->lines[i].text, line) && (isnan(at) || same_time(run->lines[i].at, at)))
            return true;
    return false;
}

bool printed(struct run *run, const char *line) { return printed_at(run, NAN, line); }

int times_printed(struct run *run, const char *line)
{
    int times = 0;
    for (int i = 0; i < run->line_count; i++)
        times += !strcmp(run->lines[i].text, line);
    return times;
}

/* A line with its white space to be seen, for a message. */
static const char *marked(const char *text, char *to, size_t size)
{
    size_t n = 0;
    while (*text && n + 8 < size)
        if (*text == ' ')
            n += sprintf(to + n, "·"), text++;
        else
            n += spell(&text, to + n);
    snprintf(to + n, size - n, "¶");
    return to;
}

/* How many columns two marked texts share at their beginning. */
static int common_columns(const char *a, const char *b)
{
    int same = 0, columns = 0;
    while (a[same] && a[same] == b[same])
        same++;
    while (same && (a[same] & 0xc0) == 0x80) /* not inside a character */
        same--;
    for (int i = 0; i < same; i++)
        columns += (a[i] & 0xc0) != 0x80;
    return columns;
}

__attribute__((noreturn)) static void fail_texts(struct run *run, const char *what,
                                                 const char *want, const char *got, const char *why)
{
    char a[900], b[900];
    marked(want, a, sizeof a);
    marked(got, b, sizeof b);
    reject(run, "%s\n  expected: %s\n  actual:   %s\n            %*s^\n%s", what, a, b,
           common_columns(a, b), "", why);
}

/* When a line was printed that stands at `i` or later; NAN: it was not. */
static double printed_when(struct run *run, int i, const char *line)
{
    for (; i < run->line_count; i++)
        if (!strcmp(run->lines[i].text, line))
            return run->lines[i].at;
    return NAN;
}

static int times_expected(const char *line)
{
    int times = 0;
    for (int i = 0; i < expected_count; i++)
        times += !strcmp(expected[i].text, line);
    return times;
}

/* Line i is not as it should be: is it missing, one too many, there again, early, late, or another text? */
__attribute__((noreturn)) static void fail_line(struct run *run, int i, const char *why)
{
    const struct line *got = i < run->line_count ? &run->lines[i] : NULL;
    const char *want = i < expected_count ? expected[i].text : NULL;
    char text[400], what[300];
    about_time = true;
    double when = want ? printed_when(run, i, want) : NAN;
    if (!run->line_count)
        reject(run, "Nothing was printed. The first line expected, at %g s, is:\n  %s\n%s",
               expected[i].at, want, why);
    if (got && run->line_count > expected_count && (!want || !times_expected(got->text)))
        reject(run, "One line too many was printed, line %d, at %g s:\n  %.300s\n%s", i + 1,
               got->at, visible(got->text, text, sizeof text), why);
    if (want && !isnan(when) && !same_time(when, expected[i].at))
        reject(run, "\"%s\" was printed at %g s, expected at %g s.\n%s", want, when, expected[i].at,
               why);
    if (!got)
        reject(run, "The output ends too early, after line %d. Missing is (at %g s):\n  %s\n%s", i,
               expected[i].at, want, why);
    int times = times_printed(run, got->text), expected_times = times_expected(got->text);
    if (expected_times && times > expected_times)
        reject(run, "\"%.300s\" was printed %d times, which is %d too many.\n%s",
               visible(got->text, text, sizeof text), times, times - expected_times, why);
    if (isnan(when) && expected_times)
        reject(run, "A line is missing, line %d, which was to come at %g s:\n  %s\n%s", i + 1,
               expected[i].at, want, why);
    snprintf(what, sizeof what, "Line %d of the output (printed at %g s, expected at %g s):", i + 1,
             got->at, expected[i].at);
    fail_texts(run, what, want, got->text, why);
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (!same_time(x->at, y->at))
        return x->at < y->at ? -1 : 1;
    return strcmp(x->text, y->text);
}

static void sort_expected(void)
{
    struct line lines[MOST_EXPECTED];
    static char copies[MOST_EXPECTED][sizeof expected[0].text];
    for (int i = 0; i < expected_count; i++)
        lines[i] = (struct line){ strcpy(copies[i], expected[i].text), expected[i].at };
    qsort(lines, expected_count, sizeof *lines, compare_lines);
    for (int i = 0; i < expected_count; i++) {
        strcpy(expected[i].text, lines[i].text);
        expected[i].at = lines[i].at;
    }
}

void expect_transcript(struct run *run, enum order equal_times, const char *why)
{
    if (equal_times == any_order) {
        sort_expected();
        qsort(run->lines, run->line_count, sizeof run->lines[0], compare_lines);
    }
    for (int i = 0; i < run->line_count || i < expected_count; i++)
        if (i >= run->line_count || i >= expected_count ||
            strcmp(run->lines[i].text, expected[i].text) != 0 ||
            !same_time(run->lines[i].at, expected[i].at))
            fail_line(run, i, why);
    if (run->ends_open)
        reject(run, "The last line of the output does not end: a \"\\n\" is missing.");
    expected_count = 0;
}

/* --------------------------------------------------------------------- times and results */

void mistaken_seconds(struct run *run, double wrong, double right, const char *what)
{
    about_time = true;
    if (same_time(run->seconds, wrong) && !same_time(wrong, right))
        reject(run, "took %g s of virtual time, expected %g s: %s", wrong, right, what);
    about_time = false;
}

void expect_seconds(struct run *run, double right, const char *why)
{
    if (same_time(run->seconds, right))
        return;
    about_time = true;
    if (run->cpu > 0.3)
        reject(
            run,
            "took %g s of virtual time, expected %g s, but kept the processor busy for %.1f "
            "real seconds: a loop that looks at the clock until it is time blocks everything.\nUse "
            "%s.",
            run->seconds, right, run->cpu, instead_of_sleep);
    reject(run, "took %g s of virtual time, expected %g s. %s", run->seconds, right, why);
}

double when_printed(struct run *run, const char *name, const char *what)
{
    char line[200];
    snprintf(line, sizeof line, "%s: %s", name, what);
    for (int i = 0; i < run->line_count; i++)
        if (!strcmp(run->lines[i].text, line))
            return run->lines[i].at;
    return NAN;
}

const struct result *result_of(struct run *run, const char *name)
{
    for (int i = 0; i < run->result_count; i++)
        if (!strcmp(run->results[i].name, name))
            return &run->results[i];
    return NULL;
}

bool ended_well(struct run *run, const char *name)
{
    const struct result *result = result_of(run, name);
    return result && strcmp(result->kind, "error") != 0;
}

bool ended_with(struct run *run, const char *name, const char *text)
{
    const struct result *result = result_of(run, name);
    return result && !strcmp(result->kind, "error") && strstr(result->text, text);
}

static const struct result *result_of_kind(struct run *run, const char *name, const char *kind,
                                           const char *right, const char *why)
{
    const struct result *result = result_of(run, name);
    char text[600];
    if (!result)
        reject(run, "%s() gave no result at all.", name);
    visible(result->text, text, sizeof text);
    if (!strcmp(result->kind, kind))
        return result;
    if (!strcmp(result->kind, "error"))
        reject(run, "%s() ended with an error (%s), expected %s. %s", name, text, right, why);
    if (!strcmp(result->kind, "nowhere") && atol(result->text) == 0)
        reject(run, "%s() returned nothing, expected %s. %s", name, right, why);
    if (!strcmp(result->kind, "nowhere"))
        reject(run,
               "%s() returned something that is no text (%s), expected %s. Return async_str(...); "
               "and text that is made in the function has to come from async_strf(), since a local "
               "array ends with its function.",
               name, text, right);
    reject(run, "%s() returned without the error that was expected: %s. %s", name, right, why);
}

void expect_number(struct run *run, const char *name, long number, const char *why)
{
    char right[32];
    snprintf(right, sizeof right, "%ld", number);
    const struct result *result = result_of_kind(run, name, "number", right, why);
    if (strcmp(result->text, right) != 0)
        reject(run, "%s() returned %s, expected %s. %s", name, result->text, right, why);
}

void expect_text(struct run *run, const char *name, const char *text, const char *why)
{
    const struct result *result = result_of_kind(run, name, "text", text, why);
    char what[200];
    snprintf(what, sizeof what, "%s() returned another text:", name);
    if (strcmp(result->text, text) != 0)
        fail_texts(run, what, text, result->text, why);
}

void expect_error(struct run *run, const char *name, const char *error, const char *why)
{
    const struct result *result = result_of_kind(run, name, "error", error, why);
    size_t length = strlen(error);
    if (strncmp(result->text, error, length) != 0 ||
        (result->text[length] && result->text[length] != ':'))
        reject(run, "%s() ended with %s, expected %s. %s", name, result->text, error, why);
}

void expect_message(struct run *run, const char *name, const char *message, const char *why)
{
    const struct result *result = result_of_kind(run, name, "error", message, why);
    const char *got = strstr(result->text, ": ");
    char what[200];
    if (!got)
        reject(run, "%s() ended with %s, but its message is lost, which was: %s\n%s", name,
               result->text, message, why);
    snprintf(what, sizeof what, "%s() ended with an error that has another message:", name);
    if (strcmp(got + 2, message) != 0)
        fail_texts(run, what, message, got + 2, why);
}

void expect_cancelled(struct run *run, const char *name)
{
    if (ended_well(run, name))
        reject(run,
               "A swallowed cancellation: %s() was cancelled while it waited, at %g s, and ended as if "
               "nothing had happened. await() leaves the function then; who looks at the error with "
               "async_catch() has to return it.",
               name, strtod(run->inputs + 1, NULL));
    expect_error(run, name, "CancelledError", "It was cancelled while it waited, and has to end so.");
}

/* ---------------------------------------------------------------------- two calls at once */

#define IN_THE_WAY \
    "Alone, each of the two calls did as it should; started at the same time they are in each other's way. " \
    "A static or global variable is there once for all calls: what belongs to one call is kept in its " \
    "local variables, or in memory that it asks for."

/* Runs it alone: what it prints will be printed again, and its result is kept. */
static struct result run_alone(const char *inputs)
{
    struct run *run = stage_run("%s", inputs);
    struct result kept = { "", "", "" };
    for (int i = 0; i < run->line_count; i++)
        will_print(run->lines[i].at, "%s", run->lines[i].text);
    if (run->result_count)
        kept = (struct result){ strdup(run->results[0].name), strdup(run->results[0].kind),
                                strdup(run->results[0].text) };
    return kept;
}

/* The stage reports what the other one gave first. */
void expect_undisturbed(const char *one, const char *other)
{
    struct result alone[2] = { [1] = run_alone(one), [0] = run_alone(other) };
    struct run *run = stage_run("%s + %s", one, other);
    expect_transcript(run, any_order, IN_THE_WAY);
    for (int i = 0, calls = 0; calls < 2 && i < run->result_count; i++) {
        const struct result *got = &run->results[i], *before = &alone[calls];
        if (strcmp(got->name, before->name) != 0)       /* another thing that the stage measured */
            continue;
        if (strcmp(got->kind, before->kind) != 0 || strcmp(got->text, before->text) != 0)
            reject(run, "%s() gave %s, but alone it gave %s. %s", got->name, got->text, before->text,
                   IN_THE_WAY);
        calls++;
    }
}

/* --------------------------------------------------------------------------------- tasks */

int count_events(struct run *run, const char *kind, const char *name)
{
    int count = 0;
    for (int i = 0; i < run->event_count; i++)
        count += !strcmp(run->events[i].kind, kind) &&
                 (!name || !strcmp(run->events[i].name, name));
    return count;
}

int count_wakes(struct run *run, double from, double to)
{
    int count = 0;
    for (int i = 0; i < run->wake_count; i++)
        count += run->wakes[i] > from - 1e-6 && run->wakes[i] < to + 1e-6;
    return count;
}

void expect_wakes(struct run *run, int needed, int more, const char *why)
{
    if (run->wake_count > needed + more)
        reject(run, "Polling: %d times a timer woke the program, where %d would do. %s",
               run->wake_count, needed, why);
}

void expect_tasks(struct run *run, int at_least, const char *why)
{
    int created = count_events(run, "created", NULL);
    if (created < at_least)
        reject(run, "%d task%s created, expected %d. %s", created, created == 1 ? " was" : "s were",
               at_least, why);
}

void expect_no_task_left(struct run *run, const char *what)
{
    if (run->left)
        reject(run,
               "%d task%s not done when the main coroutine returned (the first: '%s'), and so "
               "cancelled in the middle: started and forgotten.\n%s",
               run->left_count, run->left_count == 1 ? " was" : "s were", run->left, what);
}
