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

/* Makes that many shops, of which the first is slower than the second. No two prices are equal; the lowest
 * is at this place, and a single cent higher is that of the shop before it. For an even place all are high. */
static struct shop *make_shops(int count, int cheapest)
{
    int low = cheapest % 2 ? random_between(10, 90) : 5000000;
    for (int i = 0; i < count; i++)
        shops[i] = (struct shop){ random_word(), random_seconds(), low + 20 * random_between(5, 40) + i };
    if (count > 1 && shops[0].seconds < shops[1].seconds) {
        double seconds = shops[0].seconds;
        shops[0].seconds = shops[1].seconds;
        shops[1].seconds = seconds;
    }
    shops[(cheapest + count - 1) % count].cents = low + 1;
    shops[cheapest].cents = low;
    return &shops[cheapest];
}

/* The arguments of a run; `function` may have @SECONDS in front of it. */
static const char *write_inputs(char *to, size_t size, const char *function, const struct shop *list, int count,
                                int width)
{
    int n = snprintf(to, size, "%s %d", function, width);
    for (int i = 0; i < count; i++)
        n += snprintf(to + n, size - n, " %s %g %d", list[i].name, list[i].seconds, list[i].cents);
    return to;
}

static struct run *compare(const char *function, int count, int width)
{
    char inputs[500];
    return stage_run("%s", write_inputs(inputs, sizeof inputs, function, shops, count, width));
}

/* Two calls at once, with as many shops each. The other's groups are always a little later, so that it is at work
 * when the first call finds the shop that is the cheapest of all. */
static void try_beside(const char *function, int count, int width)
{
    char one[250], other[250];
    make_shops(2 * count, 1);
    for (int i = 0; i < count; i++)
        shops[count + i].seconds = shops[i].seconds + 0.1;
    expect_undisturbed(write_inputs(one, sizeof one, function, shops, count, width),
                       write_inputs(other, sizeof other, function, shops + count, count, width));
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
    for (int i = 0; i < 6; i++) {       /* each of the three is the cheapest, by a cent before either of the others */
        struct shop *low = make_shops(3, i % 3), *next = &shops[(i + 1) % 3], *last = &shops[(i + 2) % 3];
        if (i >= 3) {
            int cents = next->cents;
            next->cents = last->cents;
            last->cents = cents;
        }
        struct run *run = compare("compare_three", 3, 0);
        check_all_at_once(run, 3);
        expect_number(run, "compare_three", low->cents, "That is the lowest price.");
    }
    make_shops(3, 0);
    expect_cancelled(compare("@0.1 compare_three", 3, 0), "compare_three");
    try_beside("compare_three", 3, 0);
}
END_TEST

static void try_all(int count, int cheapest)
{
    struct shop *best = make_shops(count, cheapest);
    struct run *run = compare("compare_all", count, 0);
    check_all_at_once(run, count);
    expect_text(run, "compare_all", best->name, "That is the cheapest shop.");
}

START_TEST(any_number)
{
    try_all(random_between(4, 7), random_between(1, 2));
    try_all(random_between(8, 13), 7);
    try_all(4, 3);
    try_all(5, 0);
    try_all(1, 0);
    make_shops(4, 0);
    expect_cancelled(compare("@0.1 compare_all", 4, 0), "compare_all");
    try_beside("compare_all", 4, 0);
}
END_TEST

static void try_gently(int count, int width, int cheapest)
{
    struct shop *best = make_shops(count, cheapest);
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

/* The last group has one shop, or all but one of a whole group, or is whole; the first is the only one; and
 * the cheapest is in the first group, in the last, or just behind the one that is a cent dearer. */
START_TEST(in_groups)
{
    try_gently(7, 3, 6);
    try_gently(8, 3, 0);
    try_gently(random_between(8, 11), random_between(2, 4), 4);
    try_gently(4, 2, 2);
    try_gently(3, 5, 1);
    try_gently(4, 5, 3);
    try_gently(3, 1, 1);
    make_shops(4, 0);
    expect_cancelled(compare("@0.1 compare_gently", 4, 2), "compare_gently");
    make_shops(4, 0);
    shops[0].seconds = shops[1].seconds = 1; /* and in the second group */
    expect_cancelled(compare("@1.1 compare_gently", 4, 2), "compare_gently");
    try_beside("compare_gently", 4, 2);
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
