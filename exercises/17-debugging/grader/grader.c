/* grader.c - lesson 17: the task that blocks, the task that never ends, the tasks that wait for
 * each other. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST 8
#define REACH 0.1 /* seconds between the first tool and the second */

/* -------------------------------------------------------------------------------- part 1 */

struct bill {
    const char *guest;
    double baking, printing;
    int cents;
};

/* With the bill in a thread its printing takes no time on the virtual clock. */
static void check_served(struct run *run, const struct bill *orders, int count)
{
    double longest = 0, in_turn = 0, printing = 0;
    long cents = 0;
    for (int i = 0; i < count; i++)
        printing += orders[i].printing;
    int in_thread = run->elsewhere > 0;
    if (in_thread && !same_time(run->elsewhere, printing))
        reject(run,
               "In threads there was a wait of %g s, and the bills take %g s together. Each bill "
               "waits for its own printing, once.",
               run->elsewhere, printing);
    for (int i = 0; i < count; i++) {
        double waits = in_thread ? 0 : orders[i].printing;
        longest = fmax(longest, orders[i].baking + waits);
        in_turn += orders[i].baking + waits;
        cents += orders[i].cents;
        will_print(0, "%s: ordered", orders[i].guest);
        will_print(orders[i].baking, "%s: %d cents", orders[i].guest, orders[i].cents);
        will_print(orders[i].baking + waits, "%s: served", orders[i].guest);
    }
    expect_no_task_left(run, "Await every task.");
    if (count > 1)
        mistaken_seconds(run, in_turn, longest, "one guest after the other was served.");
    if (!in_thread) {
        char served[100];
        snprintf(served, sizeof served, "%s: served", orders[0].guest);
        if (printed_at(run, orders[0].baking, served))
            reject(run,
                   "\"%s\" at %g s, when the pizza was ready: nobody waited for the printer, "
                   "which takes %g s. The wait must stay; only, it must not hold up the others.",
                   served, orders[0].baking, orders[0].printing);
    }
    expect_transcript(run, any_order, "Each guest is served on his own: pizza, bill, printer.");
    expect_seconds(run, longest, "Whoever takes longest decides.");
    expect_number(run, "serve_all", cents, "That is the sum of the bills.");
}

static void try_serving(int count)
{
    struct bill orders[MOST];
    char inputs[400] = "serve_all";
    for (int i = 0; i < count; i++) {
        orders[i] = (struct bill){ random_word(), random_seconds(), random_seconds(),
                                   random_between(400, 2000) };
        int n = strlen(inputs);
        snprintf(inputs + n, sizeof inputs - n, " %s %g %g %d", orders[i].guest, orders[i].baking,
                 orders[i].printing, orders[i].cents);
    }
    check_served(stage_run("%s", inputs), orders, count);
}

/* One guest is cancelled, and is not served. A bill that a thread makes takes no time here. */
static void try_sent_away(double at, double baking, double printing)
{
    const char *guest = random_word();
    struct run *run = stage_run("@%g serve_all %s %g %g 900", at, guest, baking, printing);
    if (at > baking && run->elsewhere > 0)
        return;
    expect_cancelled(run, "serve_all");
    if (!isnan(when_printed(run, guest, "served")))
        reject(run,
               "serve_all() was cancelled at %g s, before %s could be served, and yet that one was: a "
               "swallowed cancellation. await() leaves the function.",
               at, guest);
}

START_TEST(nobody_blocks)
{
    try_serving(1);
    try_serving(random_between(2, 3));
    try_serving(MOST);
    double baking = random_seconds(), printing = random_seconds();
    try_sent_away(baking / 2, baking, printing);
    try_sent_away(baking + printing / 2, baking, printing);
    expect_undisturbed("serve_all ada 0.7 1.3 900 bob 1.2 0.4 700", "serve_all eve 0.6 0.9 800");
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

static void will_visit(const char *guest, double from, double to)
{
    will_print(from, "%s: sits down", guest);
    will_print(from, "%s: candle lit", guest);
    will_print(to, "%s: goodbye", guest);
    will_print(to, "%s: candle out", guest);
}

static const char *const way_out = "Whoever starts a task that never ends by itself must end it: "
                                   "cancel it, and await it, so that it "
                                   "has put out the light when visit() returns.";

/* `seed` other than 0: what is ready runs in any order, to find who relies on one. */
static void try_evening(int guests, int seed)
{
    const char *names[4];
    double seconds = random_seconds();
    char inputs[200], name[20];
    snprintf(inputs, sizeof inputs, "evening %g %d %d", seconds, guests, seed);
    for (int i = 0; i < guests; i++) {
        int n = strlen(inputs);
        names[i] = random_word();
        snprintf(inputs + n, sizeof inputs - n, " %s", names[i]);
    }
    struct run *run = stage_run("%s", inputs);
    for (int i = 0; i < guests; i++) {
        snprintf(name, sizeof name, "tasks%d", i);
        const struct result *tasks = result_of(run, name);
        if (tasks && strcmp(tasks->text, "1"))
            reject(run,
                   "A leak: %d guest%s left, and %s tasks are there, where there was one. Each "
                   "visit leaves one behind.\n%s%s",
                   i + 1, i ? "s have" : " has", tasks->text, way_out,
                   seed ? " (Here what is ready runs in another order than usual. A sleep(0) does "
                          "not wait for a task.)" : "");
        snprintf(name, sizeof name, "guest%d", i);
        if (!ended_well(run, name))
            reject(run,
                   "visit() ended with an error, but nobody disturbed the guest. The candle ends "
                   "as cancelled, and await() raises that: async_catch() looks at it instead.");
        will_visit(names[i], i * seconds, (i + 1) * seconds);
    }
    expect_no_task_left(run, way_out);
    expect_transcript(run, any_order, "The candle burns from the first moment to the last.");
    expect_seconds(run, guests * seconds, "That is how long the guests stay.");
}

static void try_cut(void)
{
    const char *guest = random_word();
    double seconds = random_seconds(), after = random_between(1, 2) / 10.0;
    struct run *run = stage_run("cut %g %s %g", after, guest, seconds);
    const struct result *tasks = result_of(run, "tasks");
    if (tasks && strcmp(tasks->text, "1"))
        reject(run,
               "A leak: the visit was cancelled at %g s, and its candle burns on. await leaves "
               "the function at once, and what stands below it never runs. async_with, or "
               "async_catch, see to it that the candle is put out on every way.",
               after);
    will_print(0, "%s: sits down", guest);
    will_print(0, "%s: candle lit", guest);
    will_print(after, "%s: candle out", guest);
    expect_transcript(run, any_order,
                      "The visit was cancelled: no goodbye, but the candle goes out.");
    expect_error(run, "visit", "CancelledError", "A cancelled visit has to end as cancelled.");
}

START_TEST(nobody_stays)
{
    try_evening(1, 0);
    try_evening(random_between(3, 4), 0);
    try_cut();
    for (int i = 0; i < 3; i++)
        try_evening(4, random_between(1, 1000000));
    expect_undisturbed("evening 1.2 1 0 ada", "evening 2.1 1 0 bob");
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

struct dish {
    const char *cook;
    int tools[2];
    double seconds, from, to;
};

static double when(struct run *run, const char *cook, const char *what)
{
    char line[100];
    snprintf(line, sizeof line, "%s: %s", cook, what);
    for (int i = 0; i < run->line_count; i++)
        if (!strcmp(run->lines[i].text, line))
            return run->lines[i].at;
    reject(run, "\"%s\" was not printed.", line);
}

static void check_pair(struct run *run, const struct dish *a, const struct dish *b)
{
    static const char *const names[] = { "the oven", "the peel", "the knife", "the scale" };
    for (int i = 0; i < 2; i++)
        if ((a->tools[i] == b->tools[0] || a->tools[i] == b->tools[1]) && a->from < b->to - 1e-6 &&
            b->from < a->to - 1e-6)
            reject(run,
                   "%s (%g to %g s) and %s (%g to %g s) used %s at the same time. There is only "
                   "one of it: each tool needs its lock, for as long as it is used.",
                   a->cook, a->from, a->to, b->cook, b->from, b->to, names[a->tools[i]]);
}

static void check_polling(struct run *run, int count)
{
    const struct result *livelock = result_of(run, "livelock");
    if (livelock && strcmp(livelock->text, "0"))
        reject(run, "A livelock: after ten minutes the dishes were still not made, and yet nobody "
                    "stood still. They put down what they have and try again, all of them in "
                    "step, and so are in each other's way for ever. Whoever waits for a tool can "
                    "wait as long as it takes, if no circle can come about.");
    expect_wakes(run, 2 * count, count + 3,
                 "A cook looks again and again whether a tool is free. "
                 "await(async_lock_acquire(lock)) comes back when it is; what matters is which lock "
                 "comes first.");
}

/* The longest that it may take; they may well be quicker. */
static struct run *try_kitchen(struct dish *dishes, int count, double most, const char *why)
{
    char inputs[400] = "cook_all";
    for (int i = 0; i < count; i++) {
        int n = strlen(inputs);
        dishes[i].cook = random_word();
        dishes[i].seconds = random_seconds();
        snprintf(inputs + n, sizeof inputs - n, " %s %d %d %g", dishes[i].cook, dishes[i].tools[0],
                 dishes[i].tools[1], dishes[i].seconds);
    }
    struct run *run = stage_run("%s", inputs);
    double sum = 0, longest = 0;
    check_polling(run, count);
    expect_no_task_left(run, "Await every cook.");
    for (int i = 0; i < count; i++) {
        struct dish *d = &dishes[i];
        d->from = when(run, d->cook, "begins");
        d->to = when(run, d->cook, "done");
        sum += d->seconds + REACH;
        longest = fmax(longest, d->seconds + REACH);
        if (!same_time(d->to - d->from, d->seconds))
            reject(run, "%s worked from %g to %g s, but the dish takes %g s.", d->cook, d->from,
                   d->to, d->seconds);
        for (int j = 0; j < i; j++)
            check_pair(run, d, &dishes[j]);
    }
    if (run->line_count != 2 * count)
        reject(run, "There are %d lines, expected %d: \"begins\" and \"done\" of each cook.",
               run->line_count, 2 * count);
    if (run->seconds > (most ? most * longest : sum) + 0.05)
        reject(run, "It took %g s, expected at most %g s. %s", run->seconds,
               most ? most * longest : sum, why);
    expect_number(run, "cook_all", count, "That is how many dishes were made.");
    return run;
}

static const char *const too_slow = "That is longer than one after the other.";

/* Two need the same tools, a third the other two. */
static void try_third(bool crosswise)
{
    int a = random_between(0, 3), b = (a + random_between(1, 3)) % 4, c = 0, d = 3;
    while (c == a || c == b)
        c++;
    while (d == a || d == b)
        d--;
    struct dish dishes[] = { { .tools = { a, b } }, { .tools = { b, a } }, { .tools = { c, d } } };
    if (!crosswise)
        dishes[1] = dishes[0];
    struct run *run = try_kitchen(dishes, 3, 0, too_slow);
    if (dishes[2].from > REACH + 0.05)
        reject(run, "%s began at %g s, although nobody else wanted these two tools. The other two "
                    "wanted the same, so one had to wait; did that one hold up everybody? Whoever "
                    "waits must not hold a lock that all others need.",
               dishes[2].cook, dishes[2].from);
}

/* Whichever two tools two cooks want, the other way round, and whichever three go round among three cooks: who is safe
 * from all of these has one order for all tools. */
static void try_all_circles(void)
{
    for (int a = 0; a < 4; a++)
        for (int b = a + 1; b < 4; b++) {
            struct dish crosswise[] = { { .tools = { a, b } }, { .tools = { b, a } } };
            try_kitchen(crosswise, 2, 0, too_slow);
            for (int c = b + 1; c < 4; c++) {
                struct dish round[] = { { .tools = { a, b } }, { .tools = { b, c } }, { .tools = { c, a } } };
                try_kitchen(round, 3, 0, too_slow);
            }
        }
}

/* A cook is cancelled, alone or with one who shares a tool: while they reach for their second one, and while one may
 * have to wait for it. Only the first cook is looked at: the one whom cook_all() waits for in any case. */
static void try_cut_off(double at, double seconds, bool alone)
{
    const char *cook = random_word();
    size_t length = strlen(cook);
    struct run *run = alone ? stage_run("@%g cook_all %s 0 1 %g", at, cook, seconds)
                            : stage_run("@%g cook_all %s 0 1 %g %s 1 2 %g", at, cook, seconds, random_word(), seconds);
    expect_cancelled(run, "cook_all");
    for (int i = 0; i < run->line_count; i++)
        if (run->lines[i].at > at - 1e-6 && !strncmp(run->lines[i].text, cook, length))
            reject(run,
                   "cook_all() was cancelled at %g s, and yet at %g s there was \"%s\": a swallowed "
                   "cancellation. await() leaves the function, whatever it waits for, a tool as well.",
                   at, run->lines[i].at, run->lines[i].text);
}

/* Three cooks, the third of them in another kitchen: whether that one has tools of its own the task does not say. */
static void try_two_kitchens(void)
{
    struct dish a = { random_word(), { 0, 1 }, random_seconds(), 0, 0 };
    struct dish b = { random_word(), { 1, 2 }, random_seconds(), 0, 0 };
    struct run *run = stage_run("two_kitchens %s 0 1 %g %s 1 2 %g %s 3 0 1", a.cook, a.seconds, b.cook, b.seconds,
                                random_word());
    a.from = when(run, a.cook, "begins");
    b.from = when(run, b.cook, "begins");
    if (a.from < b.from + b.seconds - 1e-6 && b.from < a.from + a.seconds - 1e-6)
        reject(run,
               "%s (from %g s on) and %s (from %g s on) used the peel at the same time, since cook_all() was called "
               "once more in between: a static or global variable is there once for all calls, and the second call "
               "puts new locks where the cooks of the first one look for theirs. What belongs to one call is kept in "
               "its local variables.",
               a.cook, a.from, b.cook, b.from);
    expect_number(run, "cook_all", 3, "That is how many dishes were made, in two calls.");
}

START_TEST(nobody_waits_for_ever)
{
    int a = random_between(0, 3), b = (a + random_between(1, 3)) % 4;
    struct dish one[] = { { .tools = { a, b } } };
    struct dish ring[] = {
        { .tools = { 0, 1 } }, { .tools = { 1, 2 } }, { .tools = { 2, 3 } }, { .tools = { 3, 0 } }
    };
    struct dish apart[] = { { .tools = { 0, 2 } }, { .tools = { 3, 1 } } };
    struct dish many[] = { { .tools = { 2, 0 } }, { .tools = { 1, 3 } }, { .tools = { 0, 1 } },
                           { .tools = { 3, 2 } }, { .tools = { 1, 0 } }, { .tools = { 0, 3 } },
                           { .tools = { 2, 1 } }, { .tools = { 3, 0 } } };
    about_deadlock =
        "\"held by\" says who has what the other wants. No cook can be at fault alone: what "
        "would have to be true of all of them, so that this circle cannot come about?";
    try_kitchen(one, 1, 1, "One cook waits for nobody.");
    try_all_circles();
    try_kitchen(ring, 4, 0, too_slow);
    try_kitchen(apart, 2, 1, "These two share no tool, and have no reason to wait for each other.");
    try_third(true);
    try_third(false);
    try_kitchen(many, MOST, 0, too_slow);
    try_two_kitchens();
    double seconds = random_seconds();
    try_cut_off(REACH / 2, seconds, false);
    try_cut_off(REACH + seconds / 2, seconds, false);
    try_cut_off(REACH + seconds / 2, seconds, true);
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("serve_all", "await(async_coro(serve_all, orders, %4#1)), orders = {%4*1}");
    shown_as("evening",
             "await(async_coro(visit, '%4', %1))<, then the same for '%5'><, '%6'><, '%7'><, with "
             "ASYNC_SHUFFLE=%3>");
    shown_as("cut", "await(async_coro(visit, '%2', %3)), cancelled after %1 s");
    shown_as("cook_all", "await(async_coro(cook_all, dishes, %4#1)), dishes = {%4*1}");
    shown_as("two_kitchens",
             "await(async_coro(cook_all, dishes, 2)), and 0.05 s later cook_all with the third, dishes = {%4*1}");
    shown_as("*", "{'%0', %1, %2, %3}");
    instead_of_sleep = "await(async_sleep(seconds)) all the way up, or async_to_thread()";
    part(2, "nobody blocks the others", nobody_blocks);
    part(2, "nobody is left behind", nobody_stays);
    part(3, "nobody waits for ever", nobody_waits_for_ever);
    return grader_close();
}
