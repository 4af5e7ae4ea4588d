/* grader.c - lesson 20: who begins a task waits for its end, whatever happens; a limit around many;
 * and what is started again. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define GOODBYE 0.1 /* as in exercise.c */
#define MOST 8

static int times(struct run *run, const char *name, const char *what)
{
    char line[100];
    snprintf(line, sizeof line, "%.40s: %.40s", name, what);
    return times_printed(run, line);
}

static double over(struct run *run)
{
    for (int i = 0; i < run->line_count; i++)
        if (!strcmp(run->lines[i].text, "(over)"))
            return run->lines[i].at;
    return NAN;
}

/* ------------------------------------------------------------------ mistakes of every part */

/* Who began to say goodbye says it to the end, unless it is cancelled once more. */
static void check_goodbyes(struct run *run, const char *begins, const char *ends)
{
    for (int i = 0; i < run->line_count; i++) {
        const char *text = run->lines[i].text, *colon = strstr(text, ": ");
        char name[40];
        if (!colon || strcmp(colon + 2, begins) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(colon - text), text);
        if (isnan(when_printed(run, name, ends)))
            reject(run,
                   "\"%s\" at %g s, but never \"%s\": it was cancelled once more while it said goodbye, and that "
                   "cut it short. A cancelled gather cancels its tasks, but does not wait for all of them. Cancel each "
                   "task once, and await it; a task group does that.",
                   text, run->lines[i].at, ends);
    }
}

/* Nothing may be printed when the function has returned. */
static void check_orphans(struct run *run, const char *function)
{
    int i = 0;
    while (i < run->line_count && strcmp(run->lines[i].text, "(over)") != 0)
        i++;
    if (i + 1 < run->line_count)
        reject(run,
               "%s() was over at %g s, and then, at %g s, came \"%s\": a task that it had begun "
               "went on "
               "without it, and nobody hears how that ends. A gather that fails leaves the others "
               "running; "
               "and to cancel a task is only to ask it: it has to be waited for as well. A task "
               "group does "
               "both.",
               function, run->lines[i].at, run->lines[i + 1].at, run->lines[i + 1].text);
    expect_no_task_left(run, "A task group waits for all its tasks; create them with "
                             "async_taskgroup_create_task().");
    check_goodbyes(run, "hanging up", "hung up");
    check_goodbyes(run, "stopping", "stopped");
}

static void check_group(struct run *run, const char *function, const char *which)
{
    if (ended_with(run, function, "ExceptionGroup"))
        reject(run,
               "%s() ended with an ExceptionGroup. The caller wants the error %s: take it out, "
               "async_group_errors(error, &first, 1), and return that.",
               function, which);
}

static void check_cancelled(struct run *run, const char *function, double at)
{
    if (ended_well(run, function))
        reject(run,
               "%s() was cancelled at %g s, but ended as if nothing had happened: a swallowed "
               "cancellation. "
               "Handle the errors that you know, and let all others go on.",
               function, at);
}

/* ---------------------------------------------------------------------- parts 1 and 2: shops */

static struct shop {
    const char *name;
    double seconds;
    int price;
    bool sold_out;
} shops[MOST];
static int count;
static double cut; /* when those that have not answered are cancelled; INFINITY: never */

/* Shop 0 answers first, then 1, ..., each with a price of its own. */
static void make_shops(int many)
{
    double seconds = 0;
    count = many;
    cut = INFINITY;
    for (int i = 0; i < count; i++) {
        seconds += random_between(21, 59) / 100.0;
        shops[i] = (struct shop){ random_word(), seconds, 10 * random_between(10, 90) + i, false };
    }
}

/* They stand in another order than they answer in. */
static void shuffle(void)
{
    for (int i = count - 1; i > 0; i--) {
        int k = random_between(0, i);
        struct shop kept = shops[i];
        shops[i] = shops[k];
        shops[k] = kept;
    }
}

/* The call of a function with the shops from `first` to `last`, as the arguments of its run. */
static const char *call_of(char *to, size_t size, const char *function, double cancelled_at, double limit,
                           int first, int last)
{
    int n = snprintf(to, size, "%s %g %g", function, cancelled_at, limit);
    for (int i = first; i <= last; i++)
        n += snprintf(to + n, size - n, " %s:%g:%d:%d", shops[i].name, shops[i].seconds,
                      shops[i].price, shops[i].sold_out);
    return to;
}

static struct run *run_shops(const char *function, double cancelled_at, double limit)
{
    char call[500];
    return stage_run("%s", call_of(call, sizeof call, function, cancelled_at, limit, 0, count - 1));
}

/* Two of it at once, with three shops each; of the second the prices are so much higher. */
static void try_two(const char *function, int dearer)
{
    char one[250], other[250];
    make_shops(6);
    for (int i = 3; i < 6; i++)
        shops[i].price += dearer;
    expect_undisturbed(call_of(one, sizeof one, function, 0, 50, 0, 2),
                       call_of(other, sizeof other, function, 0, 50, 3, 5));
}

static double last_answer(void)
{
    double last = 0;
    for (int i = 0; i < count; i++)
        last = fmax(last, shops[i].seconds);
    return last;
}

static double right_end(void)
{
    return isinf(cut) || cut > last_answer() ? last_answer() : cut + GOODBYE;
}

/* Those that have not answered by `cut` hang up then, and take their time for it. */
static void will_ask(void)
{
    for (int i = 0; i < count; i++) {
        will_print(0, "%s: asked", shops[i].name);
        if (shops[i].seconds < cut) {
            will_print(shops[i].seconds, "%s: %s", shops[i].name,
                       shops[i].sold_out ? "sold out" : "has it");
            continue;
        }
        will_print(cut, "%s: hanging up", shops[i].name);
        will_print(cut + GOODBYE, "%s: hung up", shops[i].name);
    }
    will_print(right_end(), "(over)");
}

static void check_in_turn(struct run *run)
{
    int asked = 0;
    for (int i = 0; i < count; i++)
        asked += when_printed(run, shops[i].name, "asked") < 1e-6;
    if (count > 1 && asked == 1)
        reject(run, "Only one shop was asked at 0 s, and the next when that had answered. Ask all "
                    "of them at once, "
                    "each in a task of its own.");
}

/* A shop that was to be dropped, and was waited for. */
static void check_dropped(struct run *run, const char *why)
{
    for (int i = 0; i < count; i++)
        if (shops[i].seconds > cut &&
            !isnan(when_printed(run, shops[i].name, shops[i].sold_out ? "sold out" : "has it")))
            reject(run, "At %g s %s was still to answer, and it was waited for, until %g s. %s",
                   cut, shops[i].name, shops[i].seconds, why);
}

/* -------------------------------------------------------------------------------- part 1 */

static void check_buying(struct run *run)
{
    will_ask();
    expect_transcript(
        run, any_order,
        "All are asked at once. When one is sold out the others hang up, and it is over "
        "when they have.");
}

static void try_buying(int many)
{
    long sum = 0;
    make_shops(many);
    shuffle();
    for (int i = 0; i < count; i++)
        sum += shops[i].price;
    struct run *run = run_shops("buy_all", 0, 0);
    check_in_turn(run);
    check_orphans(run, "buy_all");
    check_buying(run);
    expect_number(run, "buy_all", sum, "That is the sum of the prices.");
}

/* One of them is sold out, and so may be others that would answer later. */
static void try_sold_out(int many, int which, bool all_later)
{
    char message[100];
    make_shops(many);
    for (int i = which; i < many; i++)
        shops[i].sold_out = i == which || all_later;
    cut = shops[which].seconds + 1e-9;
    const char *name = shops[which].name;
    snprintf(message, sizeof message, "%s is sold out", name);
    shuffle();
    struct run *run = run_shops("buy_all", 0, 0);
    check_in_turn(run);
    check_orphans(run, "buy_all");
    check_dropped(
        run,
        "Then it was known already that one is sold out, so nothing can come of it: the others are "
        "cancelled at the first error. A task group does that.");
    check_group(run, "buy_all", "of the shop");
    if (ended_well(run, "buy_all"))
        reject(run,
               "%s, but buy_all() ended as if all were well. An error of a shop goes on to the "
               "caller.",
               message);
    check_buying(run);
    expect_error(run, "buy_all", "No such file or directory", "That is what ask() raised.");
    expect_message(run, "buy_all", message,
                   "The error of the first that failed, with its message, as it came.");
}

START_TEST(buying)
{
    try_buying(random_between(3, 5));
    try_buying(MOST);
    try_buying(1);
    try_sold_out(random_between(4, 5), 1, false);
    try_sold_out(4, 0, true);
    try_sold_out(4, 3, false);
    try_sold_out(1, 0, false);
    try_two("buy_all", 0);
    make_shops(4);
    cut = round(100 * shops[1].seconds) / 100 + 0.103;
    struct run *run = run_shops("buy_all", cut, 0);
    check_orphans(run, "buy_all");
    check_cancelled(run, "buy_all", cut);
    check_buying(run);
    expect_error(run, "buy_all", "CancelledError",
                 "It was cancelled: no group of errors comes of that.");
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

/* How so many shops answer: those from `late` on too late, and those of the bits in `sold_out` not
 * with a price. The cheapest that counts is `best`; -1: there is none. One that is too late, or the
 * last one, is cheaper still. */
static void try_comparing(int many, int late, unsigned sold_out, int best)
{
    make_shops(many);
    for (int i = 0; i < many; i++)
        shops[i].sold_out = sold_out >> i & 1;
    if (best >= 0)
        shops[best].price = 50 + best;
    if (best > 0)                   /* nearly as cheap, and known before */
        shops[0].price = 51 + best;
    for (int i = late; i < many; i++)
        shops[i].price = 10 + i;
    double limit = late == 0     ? shops[0].seconds / 2
                   : late < many ? (shops[late - 1].seconds + shops[late].seconds) / 2
                                 : last_answer() + 5;
    limit = floor(1000 * limit) / 1000;
    int price = best >= 0 ? shops[best].price : 0;
    cut = limit;
    shuffle();
    struct run *run = run_shops("cheapest", 0, limit);
    check_in_turn(run);
    check_orphans(run, "cheapest");
    if (late < many)
        check_dropped(run, "The limit is for all of it: async_wait_for() around the coroutine that "
                           "has the group, or "
                           "async_timeout() in it, cancels those that are late.");
    if (same_time(over(run), limit) && late == many)
        reject(run,
               "All had answered at %g s, but it was over only at %g s, with the limit. When "
               "nothing more can "
               "come there is nothing to wait for.",
               last_answer(), limit);
    check_group(run, "cheapest", "ENOENT");
    if (best >= 0 && ended_with(run, "cheapest", "TimeoutError"))
        reject(run,
               "The limit was over at %g s, and cheapest() ended with TimeoutError, although there "
               "was a price "
               "by then. Look at the error, and return the best that came in time.",
               limit);
    if (best >= 0 && ended_with(run, "cheapest", "No such file"))
        reject(run, "cheapest() ended with ENOENT, although there was a price: one that is sold "
                    "out is passed over, "
                    "and does not stop the others.");
    will_ask();
    expect_transcript(
        run, any_order,
        "All are asked at once; who is late hangs up at the limit, and one that is sold "
        "out stops nobody.");
    if (best >= 0)
        expect_number(run, "cheapest", price,
                      "That is the lowest of the prices that came in time.");
    else
        expect_error(run, "cheapest", "No such file or directory",
                     "There was no price at all: ENOENT.");
}

START_TEST(comparing)
{
    try_comparing(MOST, MOST, 0, 2);
    try_comparing(5, 3, 0, 1);
    try_comparing(5, 3, 1 << 0, 1);
    try_comparing(4, 4, 1 << 1 | 1 << 3, 2);
    try_comparing(3, 0, 0, -1);
    try_comparing(3, 3, 7, -1);
    try_comparing(4, 2, 3, -1);
    try_two("cheapest", 1000);      /* who takes the first ones for its own finds them cheaper */
    make_shops(4);
    cut = round(100 * shops[1].seconds) / 100 + 0.103;
    struct run *run = run_shops("cheapest", cut, 50);
    check_orphans(run, "cheapest");
    check_cancelled(run, "cheapest", cut);
    will_ask();
    expect_transcript(run, any_order,
                      "When it is cancelled all of them are, and it is over when they have ended.");
    expect_error(run, "cheapest", "CancelledError",
                 "It was cancelled from outside, and that is no timeout.");
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

static struct service {
    const char *name;
    double seconds;
    int breaks;
} services[MOST];

static struct {
    int restarts;
    double pause, cancelled_at;
} with;

static struct service *service(double seconds, int breaks)
{
    services[count] = (struct service){ random_word(), seconds, breaks };
    return &services[count++];
}

static void begin_services(int restarts)
{
    count = 0;
    with.restarts = restarts;
    with.pause = random_between(31, 69) / 100.0;
    with.cancelled_at = 0;
}

/* When it has ended well, or has broken once too often. */
static double ends(const struct service *s)
{
    int runs = (s->breaks < with.restarts ? s->breaks : with.restarts) + 1;
    return runs * s->seconds + (runs - 1) * with.pause;
}

/* Who breaks once too often, first of all; NULL: nobody. */
static const struct service *broken(void)
{
    const struct service *first = NULL;
    for (int i = 0; i < count; i++)
        if (services[i].breaks > with.restarts && (!first || ends(&services[i]) < ends(first)))
            first = &services[i];
    return first;
}

/* One service, until `stop`; returns when it is over. */
static double will_serve(const struct service *s, double stop)
{
    double t = 0;
    for (int run = 0;; run++) {
        will_print(t, "%s: up", s->name);
        if (t + s->seconds > stop) {
            will_print(stop, "%s: stopping", s->name);
            will_print(stop + GOODBYE, "%s: stopped", s->name);
            return stop + GOODBYE;
        }
        t += s->seconds;
        will_print(t, "%s: %s", s->name, run < s->breaks ? "broken" : "done");
        if (run >= s->breaks || run == with.restarts)
            return t;
        if (t + with.pause > stop)
            return stop;
        t += with.pause;
    }
}

/* Who was stopped stays down; and when one has given up all others are stopped, at once. */
static void check_stopped(struct run *run, const struct service *culprit, double stop)
{
    char up[100];
    bool gave_up = culprit && times(run, culprit->name, "up") <= with.restarts + 1;
    for (int i = 0; i < count; i++) {
        const struct service *s = &services[i];
        double stopped = when_printed(run, s->name, "stopped");
        snprintf(up, sizeof up, "%.40s: up", s->name);
        for (int k = 0; k < run->line_count; k++)
            if (!strcmp(run->lines[k].text, up) && run->lines[k].at > stopped - 1e-6)
                reject(run,
                       "%s was stopped, and started again at %g s. Only what broke (EPIPE) is "
                       "started again; any "
                       "other error, ASYNC_CANCELLED above all, ends the loop.",
                       s->name, run->lines[k].at);
        if (gave_up && s != culprit && isnan(when_printed(run, s->name, "stopping")) && s->seconds > stop)
            reject(run,
                   "%s broke once too often at %g s, and %s was not stopped then, but ran on. An "
                   "error that leaves "
                   "a task of a group stops the others; await it in a group, and let it out of the "
                   "task.",
                   culprit->name, stop, s->name);
    }
}

static void check_restarts(struct run *run, double stop)
{
    for (int i = 0; i < count; i++) {
        const struct service *s = &services[i];
        int ups = times(run, s->name, "up"), downs = times(run, s->name, "broken");
        int most = (s->breaks < with.restarts ? s->breaks : with.restarts) + 1;
        double up = when_printed(run, s->name, "up");
        if (ups == 0 || up > 1e-6)
            reject(run,
                   "%s was not up at 0 s: all services run at once, each in a task of its own.",
                   s->name);
        if (ups > most && s->breaks < with.restarts)
            reject(
                run,
                "%s had ended well and was served again. Only what broke (EPIPE) is started again.",
                s->name);
        if (ups > most)
            reject(run,
                   "%s was started %d times: once, and then again and again, but %d restarts are "
                   "the most for "
                   "each service.",
                   s->name, ups, with.restarts);
        if (ups < most && downs == ups && isinf(stop))
            reject(run,
                   "%s broke, and was not started again, though it had had only %d of %d restarts. "
                   "They are "
                   "counted for each service by itself.",
                   s->name, ups - 1, with.restarts);
    }
}

static void try_supervising(void)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "supervise %g %d %g", with.cancelled_at, with.restarts,
                     with.pause);
    const struct service *culprit = with.cancelled_at > 0 ? NULL : broken();
    double stop = culprit                 ? ends(culprit) + 1e-9
                  : with.cancelled_at > 0 ? with.cancelled_at
                                          : INFINITY,
           end = 0;
    long restarts = 0;
    for (int i = 0; i < count; i++) {
        n += snprintf(inputs + n, sizeof inputs - n, " %s:%g:%d", services[i].name,
                      services[i].seconds, services[i].breaks);
        restarts += services[i].breaks;
    }
    struct run *run = stage_run("%s", inputs);
    check_orphans(run, "supervise");
    check_stopped(run, culprit, stop);
    check_restarts(run, stop);
    check_group(run, "supervise", "of the service");
    if (with.cancelled_at > 0)
        check_cancelled(run, "supervise", with.cancelled_at);
    if (culprit && ended_well(run, "supervise"))
        reject(run,
               "%s broke once too often at %g s, and supervise() ended as if all were well. That "
               "error goes on to "
               "the caller.",
               culprit->name, stop);
    for (int i = 0; i < count; i++)
        end = fmax(end, will_serve(&services[i], stop));
    will_print(end, "(over)");
    expect_transcript(run, any_order,
                      "What breaks is started again after the pause, at most so many times; if it "
                      "breaks once more "
                      "all others are stopped, those in a pause as well.");
    if (with.cancelled_at > 0)
        expect_error(run, "supervise", "CancelledError",
                     "It was cancelled: that is no reason to start anything again.");
    else if (culprit) {
        char message[100];
        snprintf(message, sizeof message, "%s broke", culprit->name);
        expect_error(run, "supervise", "Broken pipe", "That is what serve() raised.");
        expect_message(run, "supervise", message,
                       "The error of the service that broke once too often.");
    } else {
        expect_number(run, "supervise", restarts, "That is how many restarts there were in all.");
    }
}

static double short_run(void) { return random_between(31, 99) / 100.0; }

START_TEST(supervising)
{
    begin_services(2); /* all is well */
    service(short_run(), 0);
    service(1 + short_run(), 0);
    try_supervising();
    begin_services(1); /* as many as there can be */
    for (int i = 0; i < 5; i++)
        service(i + short_run(), i % 2);
    try_supervising();
    begin_services(2); /* each has its own restarts */
    service(short_run(), 2);
    service(1 + short_run(), 1);
    service(2 + short_run(), 2);
    try_supervising();
    begin_services(random_between(1, 3)); /* one breaks once too often, another one runs */
    service(100, 0);
    service(short_run(), 9);
    try_supervising();
    begin_services(0);
    service(100, 0);
    service(short_run(), 1);
    try_supervising();
    begin_services(1); /* one is in its pause then */
    service(1, 9);
    service(2 + with.pause / 2, 9);
    service(100, 0);
    try_supervising();
    char one[80], other[80];
    snprintf(one, sizeof one, "supervise 0 3 1 %s:0.5:1", random_word());
    snprintf(other, sizeof other, "supervise 0 3 1 %s:0.7:2", random_word());
    expect_undisturbed(one, other);
    begin_services(3); /* cancelled: one is in its pause, one runs */
    service(1, 9);
    service(100, 0);
    with.cancelled_at = 1 + floor(100 * with.pause / 2) / 100;
    try_supervising();
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("buy_all", "await(async_coro(buy_all, shops, %#3))<, cancelled after %1 s>, shops = {%*3}");
    shown_as("cheapest",
             "await(async_coro(cheapest, shops, %#3, %2))<, cancelled after %1 s>, shops = {%*3}");
    shown_as("supervise", "await(async_coro(supervise, services, %#4, %2, %3))<, cancelled after "
                          "%1 s>, services = {%*4}");
    shown_as("*", "{'%0', %1, %2<, %3>}");
    part(2, "all of it, or nothing", buying);
    part(3, "the cheapest that comes in time", comparing);
    part(3, "a supervisor", supervising);
    return grader_close();
}
