/* grader.c - lesson 3: a coroutine waits by await, gives a result, and two can wait at once. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct sensor {
    const char *what;
    double seconds;
    int reading;
};

/* No two of four that are made in succession have the same reading. */
static struct sensor random_sensor(void)
{
    static int made;
    return (struct sensor){ random_word(), random_seconds(), 4 * random_between(1, 249) + made++ % 4 };
}

static void will_measure(struct sensor s)
{
    will_print(0, "Measuring %s", s.what);
    will_print(s.seconds, "%s measured", s.what);
}

START_TEST(waits)
{
    struct sensor s = random_sensor();
    struct run *run = stage_run("measure %s %g %d", s.what, s.seconds, s.reading);
    if (same_time(run->seconds, 0) && run->line_count == 2)
        reject(run,
               "measure() did not wait: it took 0 s of virtual time, expected %g s.\nTo wait is "
               "to await: await(async_sleep(args->seconds)).",
               s.seconds);
    will_measure(s);
    expect_transcript(run, in_order, "One line, then the wait, then the other line.");
    expect_number(run, "measure", s.reading, "The reading is a number: return async_num(...).");
    good_enough_for(2);
    good_enough_for(3);
    run = stage_run("@%g measure %s %g %d", s.seconds / 2, s.what, s.seconds, s.reading);
    expect_cancelled(run, "measure");
}
END_TEST

/* Each of them has to make a text of its own. */
static void try_two_forecasts(void)
{
    struct sensor a = random_sensor(), b = random_sensor();
    char one[100], other[100];
    snprintf(one, sizeof one, "forecast %s %g %d", a.what, a.seconds, a.reading);
    snprintf(other, sizeof other, "forecast %s %g %d", b.what, b.seconds, b.reading);
    expect_undisturbed(one, other);
}

START_TEST(uses_a_result)
{
    for (int i = 0; i < 2; i++) {
        struct sensor s = random_sensor();
        char text[100];
        struct run *run = stage_run("forecast %s %g %d", s.what, s.seconds, s.reading);
        snprintf(text, sizeof text, "%s is %d", s.what, s.reading);
        if (!run->line_count)
            reject(run,
                   "Nothing was measured. forecast() has to await a call of measure(): the await "
                   "runs it, and gives what it returned. (async_run() cannot be called here: it "
                   "makes a loop, and one runs already.)");
        mistaken_seconds(run, 2 * s.seconds, s.seconds,
                         "it was measured twice. Keep what the await "
                         "gives in an async_value, and use that.");
        expect_no_task_left(run, "A result is there only after an await.");
        will_measure(s);
        expect_transcript(run, in_order, "These are the two lines of measure().");
        expect_text(run, "forecast", text, "return async_str(async_strf(...)).");
    }
    try_two_forecasts();
    struct sensor s = random_sensor();
    if (base_passed())
        expect_cancelled(stage_run("@%g forecast %s %g %d", s.seconds / 2, s.what, s.seconds,
                                   s.reading), "forecast");
}
END_TEST

static bool contains(const char *text, int number)
{
    char digits[16];
    snprintf(digits, sizeof digits, " %d", number);
    return strstr(text, digits) != NULL;
}

static void write_inputs(char *to, size_t size, struct sensor a, struct sensor b)
{
    snprintf(to, size, "station %s %g %d %s %g %d", a.what, a.seconds, a.reading, b.what, b.seconds, b.reading);
}

static void try_station(struct sensor a, struct sensor b)
{
    double longer = fmax(a.seconds, b.seconds);
    char text[200], inputs[100];
    write_inputs(inputs, sizeof inputs, a, b);
    struct run *run = stage_run("%s", inputs);
    expect_no_task_left(run, "Who starts something has to await it, too.");
    mistaken_seconds(run, a.seconds + b.seconds, longer,
                     "one was measured after the other. Give both "
                     "calls to async_gather() and await that: they wait at the same time.");
    will_measure(a);
    will_measure(b);
    expect_transcript(run, any_order, "Both sensors begin at the start, each takes its own time.");
    expect_seconds(run, longer, "station() has to return as soon as both readings are there.");
    const struct result *result = result_of(run, "station");
    if (result && !strcmp(result->kind, "text") && !contains(result->text, a.reading) &&
        !contains(result->text, b.reading))
        reject(run,
               "station() returned \"%s\", but measured were %d and %d. gather writes the results "
               "while it is awaited, and not before: is the text made after the await, from their "
               ".num?",
               result->text, a.reading, b.reading);
    snprintf(text, sizeof text, "%s is %d, %s is %d", a.what, a.reading, b.what, b.reading);
    expect_text(run, "station", text,
                "The first is first, whichever of them is faster: gather gives "
                "the results in the order of its arguments.");
}

START_TEST(two_at_once)
{
    struct sensor a = random_sensor(), b = random_sensor(), c = random_sensor(), d = random_sensor();
    char one[100], other[100];
    write_inputs(one, sizeof one, a, b);
    write_inputs(other, sizeof other, c, d);
    try_station(a, b);
    try_station(b, a);
    if (base_passed())
        expect_cancelled(stage_run("@%g %s", fmin(a.seconds, b.seconds) / 2, one), "station");
    expect_undisturbed(one, other);
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("measure", "await(async_coro(measure, '%1', %2, %3))");
    shown_as("forecast", "await(async_coro(forecast, {'%1', %2, %3}))");
    shown_as("station", "await(async_coro(station, {'%1', %2, %3}, {'%4', %5, %6}))");
    part(1, "a coroutine that waits", waits);
    part(2, "a coroutine that uses another's result", uses_a_result);
    builds_on(1, "measure");
    part(3, "two at once", two_at_once);
    builds_on(1, "measure");
    return grader_close();
}
