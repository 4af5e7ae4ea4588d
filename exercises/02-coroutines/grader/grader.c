/* grader.c - lesson 2: a coroutine object is a call that has not happened yet, and happens once. */
#include "grader.h"
#include <stdio.h>
#include <string.h>

START_TEST(coroutine_function)
{
    const char *item = random_word();
    int count = random_between(2, 30), cents = random_between(50, 900);
    struct run *run = stage_run("price %s %d %d", item, count, cents);
    will_print(0, "Pricing %d x %s", count, item);
    expect_transcript(run, in_order, "A coroutine function prints like any other, when it is run.");
    expect_number(run, "price", (long)count * cents,
                  "That is count times cents; return "
                  "async_num(...).");
}
END_TEST

/* Both are made before the first is run. */
static void try_two_offers(void)
{
    const char *first = random_word(), *second = random_word();
    struct run *run = stage_run("two_offers %s 2 %d %s 3 %d", first, random_between(50, 900),
                                second, random_between(50, 900));
    will_print(0, "Pricing 2 x %s", first);
    will_print(0, "Pricing 3 x %s", second);
    expect_transcript(run, in_order,
                      "Two offers were made before the first was run. Each call of offer() has to "
                      "make an object of its own, with its own arguments.");
}

START_TEST(object_only)
{
    const char *item = random_word();
    int count = random_between(2, 30), cents = random_between(50, 900);
    char line[100];
    struct run *run = stage_run("offer %s %d %d", item, count, cents);
    snprintf(line, sizeof line, "Pricing %d x %s", count, item);
    if (run->line_count && !strcmp(run->lines[0].text, line))
        reject(
            run,
            "offer() has run price() already: \"%s\" was printed before anybody asked for it.\n"
            "Calling price(&args) runs it here and now, and so does async_run(). async_coro(price, "
            "...) makes the object and runs nothing.",
            line);
    if (printed(run, "(NULL)"))
        reject(run,
               "offer() returned NULL, expected a coroutine object: async_coro(price, ...) makes "
               "one.");
    will_print(0, "(the offer is made)");
    will_print(0, "%s", line);
    expect_transcript(run, in_order,
                      "offer() gives an object; later we run it, and only then it prints.");
    expect_number(run, "price", (long)count * cents,
                  "The arguments of offer() have to be in the "
                  "object.");
    try_two_offers();
}
END_TEST

static void try_accept(int cents)
{
    const char *wanted = random_word(), *other = random_word();
    char line[100];
    struct run *run = stage_run("accept_offer %s %d %s %d", wanted, cents, other,
                                random_between(50, 900));
    snprintf(line, sizeof line, "%s is asked", other);
    if (printed(run, line))
        reject(run,
               "\"%s\" was printed, but that offer is not wanted: nothing of it may run.\n"
               "async_coro_close(other) drops it without running it.",
               line);
    will_print(0, "%s is asked", wanted);
    expect_transcript(run, in_order,
                      "The wanted offer is run once: async_run(wanted) makes a loop and "
                      "runs it there. An object can be run only once.");
    const struct result *got = result_of(run, "accept_offer"), *left = result_of(run, "left"),
                        *left_open = result_of(run, "left_open");
    if (cents >= 0 && got && !strcmp(got->text, "-1"))
        reject(run,
               "accept_offer() returned -1, as if the wanted offer had ended with an error, "
               "expected %d. Its coroutine has to wait, which it can do only in a loop: "
               "async_run(wanted) makes one and runs it there. It can be run only once.",
               cents);
    expect_number(run, "accept_offer", cents < 0 ? -1 : cents,
                  cents < 0 ? "async_run() gave an "
                              "error: look at .error before you use .num."
                            : "That is what async_run() gave: "
                              "its .num.");
    if (left && strcmp(left->text, "0") != 0)
        reject(run,
               "The other offer was neither run nor closed, when the wanted one %s. It would be "
               "reported as forgotten; async_coro_close(other) says that it is meant, on every way "
               "out.",
               cents < 0 ? "had ended with an error" : "had been accepted");
    if (left_open && strcmp(left_open->text, "0") != 0)
        reject(run, "accept_offer() returned, but its loop is still there, with all that it holds. "
                    "Who makes a loop closes it: async_loop_close(loop). async_run() does that by "
                    "itself.");
}

START_TEST(one_of_two)
{
    try_accept(random_between(50, 900));
    try_accept(-1);
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("price", "async_run(async_coro(price, '%1', %2, %3))");
    shown_as("offer", "async_run(offer('%1', %2, %3))");
    shown_as("two_offers",
             "first = offer('%1', %2, %3), second = offer('%4', %5, %6); async_run(first); "
             "async_run(second)");
    shown_as("accept_offer", "accept_offer(async_coro(quote, '%1', %2), async_coro(quote, '%3', %4))");
    part(1, "a coroutine function", coroutine_function);
    part(2, "an object, of which nothing runs yet", object_only);
    builds_on(1, "price");
    part(3, "one is run, the other is dropped", one_of_two);
    return grader_close();
}
