/* grader.c - lesson 6: gather starts all, waits for all, and gives results in the order asked. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_SHOPS 16

static struct shop {
    const char *name;
    double seconds;
    int cents;
} shops[MOST_SHOPS];

/* Makes that many shops; no two prices are equal. Returns the cheapest. */
static struct shop *make_shops(int count)
{
    struct shop *best = shops;
    for (int i = 0; i < count; i++) {
        shops[i] = (struct shop){ random_word(), random_seconds(), 20 * random_between(5, 40) + i };
        if (shops[i].cents < best->cents)
            best = &shops[i];
    }
    return best;
}

/* `function` may have @SECONDS in front of it. */
static struct run *compare(const char *function, int count, int width)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "%s %d", function, width);
    for (int i = 0; i < count; i++)
        n += snprintf(inputs + n, sizeof inputs - n, " %s %g %d", shops[i].name, shops[i].seconds,
                      shops[i].cents);
    return stage_run("%s", inputs);
}

/* What asking these shops at once prints; returns when it is through. */
static double will_ask(int from, int to, double at)
{
    double longest = 0;
    for (int i = from; i < to; i++) {
        will_print(at, "asking %s", shops[i].name);
        longest = fmax(longest, shops[i].seconds);
    }
    for (int i = from; i < to; i++)
        will_print(at + longest, "%s: %d", shops[i].name, shops[i].cents);
    return at + longest;
}

static double sum_of_seconds(int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += shops[i].seconds;
    return sum;
}

/* Are there lines "SHOP: CENTS" in the order of answering instead of the order of asking? */
static void check_order(struct run *run, int count)
{
    int next = 0;
    char line[100];
    for (int i = 0; i < run->line_count; i++)
        for (int j = 0; j < count; j++) {
            snprintf(line, sizeof line, "%s: %d", shops[j].name, shops[j].cents);
            if (strcmp(run->lines[i].text, line) != 0)
                continue;
            if (j != next)
                reject(run,
                       "\"%s\" is out of order: the prices are to be printed in the order in which "
                       "the shops were given, not as they answer or are sorted. gather gives the "
                       "results in the order of its arguments: result i belongs to shop i.",
                       line);
            next++;
        }
}

static void check_all_at_once(struct run *run, int count)
{
    double longest = 0;
    for (int i = 0; i < count; i++)
        longest = fmax(longest, shops[i].seconds);
    expect_no_task_left(run,
                        "The gather has to be awaited: the array of results is written by that "
                        "await, not before.");
    mistaken_seconds(run, sum_of_seconds(count), longest,
                     "the shops were asked one after the other. "
                     "Give all calls to one gather, and await that once.");
    check_order(run, count);
    will_ask(0, count, 0);
    expect_transcript(run, any_order,
                      "All are asked at the start; when the slowest has answered, the "
                      "prices are printed in order.");
    expect_seconds(run, longest, "That is how long the slowest takes.");
}

START_TEST(three)
{
    for (int i = 0; i < 3; i++) {       /* each of the three is once the cheapest */
        make_shops(3);
        shops[i].cents = random_between(10, 90);
        struct run *run = compare("compare_three", 3, 0);
        check_all_at_once(run, 3);
        expect_number(run, "compare_three", shops[i].cents, "That is the lowest price.");
    }
    make_shops(3);
    expect_cancelled(compare("@0.1 compare_three", 3, 0), "compare_three");
}
END_TEST

static void try_all(int count)
{
    struct shop *best = make_shops(count);
    struct run *run = compare("compare_all", count, 0);
    check_all_at_once(run, count);
    expect_text(run, "compare_all", best->name, "That is the cheapest shop.");
}

START_TEST(any_number)
{
    try_all(random_between(4, 7));
    try_all(random_between(8, 13));
    try_all(1);
    make_shops(4);
    expect_cancelled(compare("@0.1 compare_all", 4, 0), "compare_all");
}
END_TEST

static void try_gently(int count, int width)
{
    struct shop *best = make_shops(count);
    double end = 0, longest = 0;
    char last[100];
    for (int i = 0; i < count; i += width)
        end = will_ask(i, i + width < count ? i + width : count, end);
    for (int i = 0; i < count; i++)
        longest = fmax(longest, shops[i].seconds);
    struct run *run = compare("compare_gently", count, width);
    expect_no_task_left(run, "Each group has to be awaited before the next one.");
    snprintf(last, sizeof last, "asking %s", shops[count - 1].name);
    if (!same_time(end, longest) && printed_at(run, 0, last))
        reject(
            run,
            "All %d shops were asked at the start, but at most %d may be asked at the same time. "
            "A task runs as soon as it is made, and gather makes tasks: start a group only when "
            "the "
            "one before has answered.",
            count, width);
    int asked = 0, at_start = 0;
    for (int i = 0; i < run->line_count; i++)
        if (!strncmp(run->lines[i].text, "asking ", 7)) {
            asked++;
            at_start += same_time(run->lines[i].at, 0);
        }
    if (at_start > width)
        reject(run, "%d shops were asked at the same time, at most %d may be.", at_start, width);
    if (asked > count)
        reject(run,
               "%d shops were asked, but there are only %d. The last group may be smaller: "
               "shops[count] and what lies behind it do not exist.",
               asked, count);
    if (!printed(run, last))
        reject(run,
               "\"%s\" was not printed: %d shops in groups of %d leave %d for the last group, and "
               "they have to be asked, too.",
               last, count, width, (count - 1) % width + 1);
    mistaken_seconds(run, sum_of_seconds(count), end,
                     "the shops were asked one after the other. The "
                     "shops of one group are asked at once.");
    check_order(run, count);
    expect_transcript(run, any_order, "One group after the other; inside a group all at once.");
    expect_seconds(run, end, "That is the slowest of each group, added up.");
    expect_text(run, "compare_gently", best->name, "That is the cheapest shop of all groups.");
}

START_TEST(in_groups)
{
    try_gently(7, 3);
    try_gently(random_between(8, 11), random_between(2, 4));
    try_gently(4, 2);
    try_gently(3, 5);
    make_shops(4);
    expect_cancelled(compare("@0.1 compare_gently", 4, 2), "compare_gently");
    make_shops(4);
    shops[0].seconds = shops[1].seconds = 1; /* and in the second group */
    expect_cancelled(compare("@1.1 compare_gently", 4, 2), "compare_gently");
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("compare_three", "await(async_coro(compare_three, %3*2))");
    shown_as("compare_all", "await(async_coro(compare_all, shops, %3#2)), shops = {%3*2}");
    shown_as("compare_gently", "await(async_coro(compare_gently, shops, %3#2, %1)), shops = {%3*2}");
    shown_as("*", "{'%0', %1, %2}");
    part(2, "three shops at once", three);
    part(2, "any number of shops at once", any_number);
    part(3, "in groups, not too many at once", in_groups);
    return grader_close();
}
