/* grader.c - lesson 16: what blocks, what is forgotten, what is in sequence. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_IN_A_ROW 1000      /* as in exercise.h */

/* Cancelled while both are fetched, and while the note is made. */
static void try_cancelled(double at, double seconds)
{
    struct run *run = stage_run("@%g morning %g 20 %g 300", at, seconds, seconds);
    expect_cancelled(run, "morning");
    for (int i = 0; i < run->line_count; i++)
        if (same_time(run->lines[i].at, at))
            reject(run,
                   "morning() was cancelled at %g s, and just then there was \"%s\". A swallowed "
                   "cancellation: the wait was cut short, and what comes behind it was done as if it "
                   "had come to its end. await() passes the error on.",
                   at, run->lines[i].text);
}

START_TEST(repaired)
{
    for (int i = 0; i < 2; i++) {           /* each of the two is once the slower one */
        double short_one = random_seconds(), long_one = short_one + random_seconds();
        double weather = i ? short_one : long_one, news = i ? long_one : short_one;
        int words = random_between(10, 99), more = random_between(100, 999);
        struct run *run = stage_run("morning %g %d %g %d", weather, words, news, more);
        if (run->elsewhere > 0)
            reject(run, "The network is waited for in a thread. That does not stop the loop, but "
                        "the thread does nothing else, and its wait takes no time on the grader's "
                        "clock. What one can await needs no thread: await(async_sleep(seconds)).");
        if (count_wakes(run, 0, long_one - 0.001) > 5)
            reject(run, "While the network was waited for, the loop was woken %d times, to look "
                        "whether something is there: polling. An await comes back when it is.",
                   count_wakes(run, 0, long_one - 0.001));
        mistaken_seconds(run, weather + news + 0.5, long_one + 0.5,
                         "one was fetched after the other. Each await waits to the end: give both "
                         "to one gather, and await that.");
        expect_no_task_left(run, "A task that is made and not awaited may never get to its end: "
                                 "await the note before you return.");
        mistaken_seconds(run, long_one, long_one + 0.5,
                         "the note did not add its half second. Make it when both are here, and "
                         "await it.");
        will_print(short_one, "the %s is here", i ? "weather" : "news");
        will_print(long_one, "the %s is here", i ? "news" : "weather");
        will_print(long_one + 0.5, "noted: %d words", words + more);
        expect_transcript(run, in_order,
                          "Both are fetched at once; when both are here, it is noted.");
        expect_seconds(run, long_one + 0.5, "That is the slower of the two, and the note.");
        expect_number(run, "morning", words + more, "That is the sum of the words.");
    }
    double seconds = random_seconds();
    try_cancelled(seconds / 2, seconds);
    try_cancelled(seconds + 0.25, seconds);
}
END_TEST

static long number(struct run *run, const char *name)
{
    const struct result *result = result_of(run, name);
    return result ? atol(result->text) : -1;
}

static void check_rest(struct run *run)
{
    bool naps = number(run, "in_a_row") <= 0 && run->wake_count > 0;    /* nothing to do in the loop */
    if (number(run, "restless") > 0 || naps)
        reject(run, "While a thread was busy, the loop asked again and again whether it is done: "
                    "polling. That keeps a processor busy, or makes every answer late. Await what "
                    "async_to_thread() gives: that comes back when the thread is done.");
}

static void try_balances(int count)
{
    char inputs[300] = "balances";
    long sum = 0;
    int n = 8;
    for (int i = 0; i < count; i++) {
        long balance = random_between(3000, 9999) * 1000000L; /* more than fits into an int */
        sum += balance;
        n += snprintf(inputs + n, sizeof inputs - n, " %c%ld", 'a' + i, balance);
    }
    struct run *run = stage_run("%s", inputs);
    if (number(run, "in_loop") > 0)
        reject(run, "ask_bank() was called in the loop's own thread. It blocks: until the bank has "
                    "answered no other task, no timer, nothing goes on.\nGive a coroutine function "
                    "that calls it to async_to_thread(), and await that.");
    if (number(run, "in_vain") > 0)
        reject(run, "The questions were asked one after the other: while the bank thought about "
                    "the first, the next was not asked. Awaiting a thread waits for its end, like "
                    "any await.\nMake all %d of async_to_thread(), and give them to one gather.",
               count);
    check_rest(run);
    expect_no_task_left(run, "Wait for all the answers.");
    if (number(run, "asked") == 0 && number(run, "balances") == sum)
        reject(run, "ask_bank() was called in another process. It gave the right answers, but a "
                    "process for each question is more than it takes, and out of the grader's "
                    "sight. Use threads: async_to_thread().");
    if (number(run, "asked") != count)
        reject(run, "The bank was asked %ld times, for %d accounts.", number(run, "asked"), count);
    expect_number(run, "balances", sum, "That is the sum of all the accounts. (A long: an int is too small.)");
}

START_TEST(in_threads)
{
    try_balances(3);
    try_balances(1);
    try_balances(4);
    expect_undisturbed("balances a17 b300", "balances c2000 d90000");
}
END_TEST

#define WEIGHTS 99991L          /* a prime number */

/* An item weighs (item * factor + offset) % WEIGHTS, so that no two weigh the same, and `best` weighs
 * most. */
/* The arguments of a run. */
static const char *write_search(char *to, size_t size, int count, long best)
{
    long factor = random_between(2000, 9000);
    long offset = WEIGHTS - 1 + (WEIGHTS - factor) * best % WEIGHTS;
    snprintf(to, size, "heaviest %d %ld %ld", count, factor, offset);
    return to;
}

static void try_heaviest(int count, long best)
{
    char inputs[80];
    struct run *run = stage_run("%s", write_search(inputs, sizeof inputs, count, best));
    if (number(run, "in_vain") > 0)
        reject(run, "The computation is in a thread, but the loop waits for it: nothing went on "
                    "meanwhile. Only await may wait.");
    if (number(run, "in_a_row") > MOST_IN_A_ROW)
        reject(run,
               "weigh() was called %ld times in a row, and nobody else got a turn: %s\nEither put "
               "the whole search into a thread, or say await(async_sleep(0)) now and then.",
               number(run, "in_a_row"),
               number(run, "in_a_row") == count ? "the loop stood still the whole time. (An await "
                                                  "gives the loop a turn only if something really "
                                                  "waits; awaiting a coroutine is a plain call.)"
                                                : "at most 1000 are fine.");
    check_rest(run);
    expect_no_task_left(run, "Wait for the result.");
    expect_number(run, "heaviest", best, "That is the item that weighs most. (A weight is a long: "
                                       "an int is too small for it.)");
}

/* The heaviest is found early in one, late in the other. */
static void try_two_searches(int count)
{
    char one[80], other[80];
    expect_undisturbed(write_search(one, sizeof one, count, count / 3),
                       write_search(other, sizeof other, count + 1, 2 * count / 3));
}

START_TEST(goes_on)
{
    int many = random_between(20000, 30000), some = random_between(2000, 3000);
    try_heaviest(many, random_between(5000, 15000));
    long places[] = { 0, 1, some / 2, some - 2, some - 1 };
    for (int i = 0; i < 5; i++)
        try_heaviest(some, places[i]);
    try_heaviest(MOST_IN_A_ROW, MOST_IN_A_ROW - 1);
    try_heaviest(MOST_IN_A_ROW + 1, MOST_IN_A_ROW);
    try_heaviest(2, 1);
    try_heaviest(1, 0);
    try_two_searches(some);
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("morning", "await(async_coro(morning, {'weather', %1, %2}, {'news', %3, %4}))");
    shown_as("balances", "await(async_coro(balances, ask_bank, accounts, %#1)), accounts = {%*1}");
    shown_as("heaviest", "await(async_coro(heaviest, weigh, %1))");
    shown_as("*", "'%0'");
    part(3, "three pitfalls repaired", repaired);
    part(3, "a library that blocks", in_threads);
    part(3, "a long computation", goes_on);
    return grader_close();
}
