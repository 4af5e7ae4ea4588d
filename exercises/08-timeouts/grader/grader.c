/* grader.c - lesson 8: a limit for one await, a budget for many; and of all errors only timeouts.
 */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_TRIES 5
#define MOST_CITIES 5
#define SWALLOWED \
    "it ended as if nothing had happened: a swallowed cancellation. Handle ASYNC_TIMEOUT " \
    "only, and return every other error as it came."

/* A village in Wales: no array that somebody thinks is large enough. */
#define LONG_NAME "llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"

enum outcome { ANSWERED, TIMED_OUT, UNKNOWN, CUT };

static struct city {
    const char *name;
    int degrees;
    double seconds[MOST_TRIES]; /* too many at each try that is not set */
} cities[MOST_CITIES];
static int count;

static struct {
    int tries;
    double limit, pause, budget, cancelled_at;
    int last_known;
} with;

static void make_cities(int many)
{
    count = many;
    with.tries = 1;
    with.limit = 1 + random_seconds();
    with.pause = random_seconds();
    with.budget = with.cancelled_at = 0;
    with.last_known = random_between(1, 30);
    for (int i = 0; i < count; i++) {
        cities[i].name = random_word();
        cities[i].degrees = 100 * random_between(1, 9) + 7 * i;
        for (int j = 0; j < MOST_TRIES; j++)
            cities[i].seconds[j] = 60;
    }
}

/* Answers that come in time. */
static double soon(void) { return with.limit - random_between(1, 9) / 10.0; }

/* The arguments of a run, with the cities `from` to before `to`. */
static const char *write_inputs(char *inputs, size_t size, const char *function, int from, int to)
{
    int n = snprintf(inputs, size, "%s %g %d %g %g %g %d", function, with.cancelled_at, with.tries,
                     with.limit, with.pause, with.budget, with.last_known);
    for (int i = from; i < to; i++) {
        n += snprintf(inputs + n, size - n, " %s %d", cities[i].name, cities[i].degrees);
        for (int j = 0; j < MOST_TRIES; j++)
            n += snprintf(inputs + n, size - n, " %g", cities[i].seconds[j]);
    }
    return inputs;
}

static struct run *run_cities(const char *function)
{
    char inputs[500];
    return stage_run("%s", write_inputs(inputs, sizeof inputs, function, 0, count));
}

/* Two calls at once, with so many cities each, which are all answered at the third try. It is warm and gets colder
 * in one, cold and gets warmer in the other. */
static void try_beside(const char *function, int many)
{
    char one[250], other[250];
    make_cities(2 * many);
    with.tries = 3;
    with.budget = 500;
    for (int i = 0; i < count; i++) {
        cities[i].seconds[2] = soon();
        cities[i].degrees = random_between(1, 9) + 10 * (i < many ? 90 - i : i);
    }
    cities[0].seconds[2] = with.limit - 0.9;    /* the first answer, and the other call has one before the next */
    cities[many].seconds[2] = with.limit - 0.5;
    expect_undisturbed(write_inputs(one, sizeof one, function, 0, many),
                       write_inputs(other, sizeof other, function, many, count));
}

/* ----------------------------------------------------------------- what is to be printed */

static enum outcome will_ask(const struct city *city, int try, double *now, double end)
{
    double seconds = city->seconds[try], stop = *now + fmin(seconds, with.limit);
    will_print(*now, "%s: asked", city->name);
    if (seconds < 0)
        return UNKNOWN;
    *now = fmin(stop, end);
    if (stop < end && seconds < with.limit) {
        will_print(*now, "%s: %d degrees", city->name, city->degrees);
        return ANSWERED;
    }
    will_print(*now, "%s: hung up", city->name);
    return stop < end ? TIMED_OUT : CUT;
}

static enum outcome will_ask_again(const struct city *city, double *now, double end)
{
    double pause = with.pause;
    for (int try = 0;; try++) {
        enum outcome outcome = will_ask(city, try, now, end);
        if (outcome != TIMED_OUT || try + 1 == with.tries)
            return outcome;
        if (*now + pause > end) {
            *now = end;
            return CUT;
        }
        *now += pause;
        pause *= 2;
    }
}

static int times_asked(struct run *run, const struct city *city)
{
    char line[100];
    snprintf(line, sizeof line, "%s: asked", city->name);
    return times_printed(run, line);
}

static bool asked_at(struct run *run, const struct city *city, double at)
{
    char line[100];
    snprintf(line, sizeof line, "%s: asked", city->name);
    return printed_at(run, at, line);
}

/* ----------------------------------------------------------------- mistakes of every part */

static void check_cancelled(struct run *run, const char *function, const char *when)
{
    if (ended_well(run, function))
        reject(run, "%s() was cancelled at %g s, %s, but " SWALLOWED, function, with.cancelled_at,
               when);
    if (run->seconds > with.cancelled_at + 0.01)
        reject(run,
               "%s() was cancelled at %g s, %s, but went on until %g s. Handle ASYNC_TIMEOUT only: "
               "any other error, ASYNC_CANCELLED above all, ends the function at once.",
               function, with.cancelled_at, when, run->seconds);
    if (run->left)
        reject(run,
               "%s() was cancelled at %g s, %s, and its question goes on without it. A task that "
               "one has made is not cancelled with oneself; async_wait() cancels nobody. "
               "async_wait_for() passes a cancellation on.",
               function, with.cancelled_at, when);
}

static void check_nobody_left(struct run *run)
{
    const struct result *requests = result_of(run, "requests");
    if (requests && strcmp(requests->text, "0") != 0)
        reject(run, "The task that called it was cancelled from inside, and that request still stands: the caller's "
                    "next timeout would take it for a cancellation by somebody else. async_timeout() and "
                    "async_wait_for() cancel, too, but take theirs back.");
    expect_no_task_left(run, "A question that takes too long has to be cancelled, and waited for "
                             "until it has ended. async_wait_for() does both.");
}

static void check_unknown(struct run *run, const char *function, const char *name)
{
    char message[100];
    snprintf(message, sizeof message, "nobody knows %s", name);
    if (ended_well(run, function))
        reject(
            run,
            "Everything was caught: \"%s\" is no timeout, and %s() does not know what to do about "
            "it. Look for ASYNC_TIMEOUT in .error, and return every other error as it came.",
            message, function);
    expect_error(run, function, "No such file or directory",
                 "That is what ask() raised: it goes on to the caller.");
    expect_message(run, function, message,
                   "An error travels with its message if you return the async_value as it came.");
}

/* -------------------------------------------------------------------------------- part 1 */

static void try_temperature(double seconds)
{
    double now = 0;
    char line[100];
    cities[0].seconds[0] = seconds;
    struct run *run = run_cities("temperature");
    bool slow = seconds > with.limit;
    double end = seconds < 0 ? 0 : fmin(seconds, with.limit);
    check_nobody_left(run);
    mistaken_seconds(run, seconds, end,
                     "it waited as long as the answer took. await() alone has no limit; "
                     "async_wait_for(x, seconds) is an x with a limit, to be awaited.");
    snprintf(line, sizeof line, "%s: hung up", cities[0].name);
    if (!slow && printed_at(run, with.limit, line))
        reject(run,
               "%s was asked, and %g s later it hung up, though the answer to try 0 takes %g s only. How long it "
               "takes depends on the try: ask() gets its number, 0 for the first one.",
               cities[0].name, with.limit, seconds);
    if (!slow)
        mistaken_seconds(
            run, with.limit, end,
            "it waited for the whole limit. async_wait_for() comes back when the answer does.");
    if (slow && ended_with(run, "temperature", "TimeoutError"))
        reject(run, "temperature() ended with TimeoutError itself. await() raises it, and a scope of "
                    "async_timeout() makes the function in which it stands end with it. "
                    "async_catch(async_wait_for(x, seconds)) comes back here: then look at the error, "
                    "and return last_known instead.");
    will_ask(&cities[0], 0, &now, INFINITY);
    expect_transcript(
        run, in_order,
        "One question; if the answer takes longer than the limit it is cancelled, and hangs up.");
    if (seconds < 0)
        check_unknown(run, "temperature", cities[0].name);
    else
        expect_number(run, "temperature", slow ? with.last_known : cities[0].degrees,
                      slow ? "There was no answer in time: that is last_known."
                           : "That is the answer. (0 degrees are one, too: whether there is one, .error tells.)");
    expect_seconds(run, end, "Nothing more is to be waited for then.");
}

START_TEST(in_time)
{
    make_cities(1);
    try_temperature(soon());
    make_cities(1);
    cities[0].degrees = 0;
    try_temperature(soon());
    make_cities(1);
    try_temperature(with.limit + random_seconds());
    make_cities(1);
    try_temperature(-1);
    make_cities(1);
    with.cancelled_at = with.limit / 2;
    struct run *run = run_cities("temperature");
    check_cancelled(run, "temperature", "while it waited for the answer");
    double now = 0;
    will_ask(&cities[0], 0, &now, with.cancelled_at);
    expect_transcript(run, in_order, "When it is cancelled, its question hangs up.");
    expect_error(run, "temperature", "CancelledError",
                 "A cancellation is not a timeout: it goes on to the caller.");
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

static void check_tries(struct run *run, int tries)
{
    const struct city *city = &cities[0];
    int times = times_asked(run, city);
    double second = with.limit + with.pause, third = second + with.limit + 2 * with.pause,
           fourth = third + with.limit + 4 * with.pause;
    char answer[100];
    snprintf(answer, sizeof answer, "%s: 0 degrees", city->name);
    if (times > tries && printed(run, answer))
        reject(run, "\"%s\" is an answer, and yet it was asked again. Whether there is one, .error tells.", answer);
    if (times == 1 && tries > 1)
        reject(run, "There was one try only. When it has timed out, and tries are left, sleep for "
                    "the pause and ask again.");
    if (times > 1 && tries > 1 && asked_at(run, city, with.limit))
        reject(run,
               "The second try came at once, at %g s, without a pause: expected at %g s. A service "
               "that is overloaded gets no better by more questions.",
               with.limit, second);
    if (times > 2 && tries > 2 && asked_at(run, city, third - with.pause))
        reject(run,
               "The third try came at %g s, expected at %g s: the second pause has to be twice as "
               "long as the first one, the third twice as long as the second.",
               third - with.pause, third);
    if (times > 3 && tries > 3 && asked_at(run, city, third) && !asked_at(run, city, fourth))
        reject(run,
               "The fourth try did not come at %g s: every pause has to be twice as long as the "
               "one before it, so they are %g, %g and %g s.",
               fourth, with.pause, 2 * with.pause, 4 * with.pause);
    if (times > with.tries)
        reject(run, "%d tries were made, but %d is the most.", times, with.tries);
    if (times > tries && city->seconds[tries - 1] > 0 && !ended_well(run, "ask_again"))
        reject(run,
               "%d tries were made and none was answered, though the answer to try %d takes %g s "
               "only. How long it takes depends on the try: ask() gets its number, 0 for the first "
               "one, 1 for the next.",
               times, tries - 1, city->seconds[tries - 1]);
}

static void try_again(int tries, int good)
{
    double now = 0;
    make_cities(1);
    with.tries = tries;
    if (good < tries) {
        cities[0].degrees *= good == 0;         /* also 0 degrees are an answer */
        cities[0].seconds[good] = soon();
    }
    struct run *run = run_cities("ask_again");
    check_nobody_left(run);
    check_tries(run, good < tries ? good + 1 : tries);
    enum outcome outcome = will_ask_again(&cities[0], &now, INFINITY);
    mistaken_seconds(
        run, now + ldexp(with.pause, tries - 1), now,
        "it slept after the last try. Nothing comes after that pause: give up before it.");
    expect_transcript(run, in_order, "Each try has its limit, and between two tries is a pause.");
    if (outcome == ANSWERED)
        expect_number(run, "ask_again", cities[0].degrees, "That is the answer.");
    else
        expect_error(
            run, "ask_again", "TimeoutError",
            "When the last try has timed out that error goes on to the caller: it got no answer.");
    expect_seconds(run, now, "That is when all is known.");
}

static void try_unknown(void)
{
    double now = 0;
    make_cities(1);
    with.tries = 4;
    cities[0].seconds[1] = -1;
    struct run *run = run_cities("ask_again");
    check_tries(run, 2);
    if (times_asked(run, &cities[0]) > 2)
        reject(run,
               "After \"nobody knows %s\" it was asked again. Only a timeout is worth another try: "
               "what does not exist won't exist a second later. Any other error goes on to the "
               "caller, at once.",
               cities[0].name);
    will_ask_again(&cities[0], &now, INFINITY);
    expect_transcript(run, in_order, "A timeout, a pause, and then an error that no try can mend.");
    check_unknown(run, "ask_again", cities[0].name);
}

static void try_cancelled(double at, const char *when)
{
    double now = 0;
    with.cancelled_at = at;
    struct run *run = run_cities("ask_again");
    check_cancelled(run, "ask_again", when);
    will_ask_again(&cities[0], &now, at);
    expect_transcript(run, in_order, "When it is cancelled it ends, wherever it is.");
    expect_error(run, "ask_again", "CancelledError",
                 "A cancellation is not a timeout: it goes on to the caller.");
}

START_TEST(again)
{
    try_again(3, 0);
    make_cities(1);
    with.tries = 3;
    try_cancelled(with.limit / 2, "in a try");
    good_enough_for(3);
    try_again(4, 2);
    try_again(5, 9);
    try_again(random_between(2, 4), 9);
    try_again(1, 9);
    try_unknown();
    make_cities(1);
    with.tries = 3;
    try_cancelled(with.limit + with.pause / 2, "in the pause between two tries");
    try_beside("ask_again", 1);
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

static double seconds_of(const struct city *city)
{
    double seconds = 0, pause = with.pause;
    int try = 0;
    for (; city->seconds[try] > with.limit; try++, pause *= 2)
        seconds += with.limit + pause;
    return seconds + city->seconds[try];
}

/* City i is answered at try i % 3, so the second one has a pause and the third one two of them; all at
 * the first try if ask_again() makes no other yet. Returns how long that takes. */
static double answer_all(void)
{
    double all = 0;
    with.tries = 3;
    for (int i = 0; i < count; i++) {
        cities[i].seconds[base_passed() ? i % 3 : 0] = soon();
        all += seconds_of(&cities[i]);
    }
    return all;
}

/* Tries with the cities that there are; how long it would take without a budget: `all`. */
static void try_budget(double budget, double all)
{
    double now = 0;
    with.budget = budget;
    double end = fmin(all, with.budget);
    bool enough = budget > all;
    struct run *run = run_cities("warmest");
    check_nobody_left(run);
    mistaken_seconds(
        run, all, end,
        "the budget was not kept. It is for all cities together: async_timeout() opens a scope "
        "that holds to the end of the function. A limit on each city begins anew with each.");
    const struct city *best = &cities[0];
    bool in_time = true;
    if (same_time(run->seconds, 0) && ended_with(run, "warmest", "TimeoutError"))
        reject(run,
               "The budget is %g s, but warmest() timed out at once. async_timeout_at() takes an "
               "absolute time of the loop's clock, which does not begin at 0: "
               "async_loop_time(loop) + seconds. async_timeout() takes the seconds from now on.",
               with.budget);
    if (!enough && run->seconds > end + 0.01)
        reject(run,
               "took %g s of virtual time, but the budget is %g s for all of it. Does the time "
               "count for all cities together, also in the middle of a question and of a pause; "
               "and does ask_again() end when it is cancelled?",
               run->seconds, end);
    if (!enough && ended_well(run, "warmest"))
        reject(run,
               "The budget was over at %g s, but warmest() ended as if all cities had answered. A "
               "timeout that nobody hears of is none: let the error go on to the caller.",
               end);
    for (int i = 0; i < count && in_time; i++) {
        in_time = will_ask_again(&cities[i], &now, with.budget) == ANSWERED;
        best = cities[i].degrees > best->degrees ? &cities[i] : best;
    }
    expect_transcript(run, in_order, "One city after the other, until the budget is used up.");
    if (in_time)
        expect_text(run, "warmest", best->name, "That is the warmest of all.");
    else
        expect_error(run, "warmest", "TimeoutError", "That is how a budget ends that is used up.");
    expect_seconds(run, end, "It ends with the last answer, or when the budget is used up.");
}

/* There is time enough, and the warmest is at this place; it may be cold everywhere. */
static void try_enough(int many, int warmest, bool cold)
{
    make_cities(many);
    for (int i = 0; i < count; i++)
        cities[i].degrees = (cold ? -90 : 1) + 5 * i + random_between(0, 4);
    cities[warmest].degrees += 40;
    if (many == 1)
        cities[0].name = LONG_NAME;
    double all = answer_all();
    try_budget(round(10 * all) / 10 + 5.05, all);
}

/* The budget ends a moment before the last answer, in the first question, in the first pause, in the
 * second try after it, and in the last pause. */
static void try_too_small(void)
{
    enum { LAST_MOMENT, QUESTION, PAUSE, SECOND_TRY, LAST_PAUSE, PLACES };
    for (int place = 0; place < (base_passed() ? PLACES : PAUSE); place++) {
        make_cities(3);
        double all = answer_all(), first = seconds_of(&cities[0]), second = seconds_of(&cities[1]);
        double budgets[PLACES] = {
            [QUESTION] = first / 2,
            [PAUSE] = first + with.limit + with.pause / 2,
            [SECOND_TRY] = first + with.limit + with.pause + cities[1].seconds[1] / 2,
            [LAST_PAUSE] = first + second + 2 * with.limit + 2 * with.pause,
            [LAST_MOMENT] = all - 0.05,
        };
        try_budget(budgets[place], all);
    }
}

/* The budget is ample, but the city in the middle ends with an error. */
static void try_failing_city(double seconds)
{
    double now = 0;
    make_cities(3);
    with.tries = 2;
    with.budget = 500;
    cities[0].seconds[0] = soon();
    cities[1].seconds[0] = cities[1].seconds[1] = seconds;
    cities[2].seconds[0] = soon();
    struct run *run = run_cities("warmest");
    check_nobody_left(run);
    if (ended_well(run, "warmest"))
        reject(run,
               "%s ended with an error, but warmest() passed over it and named another city. Which "
               "one is the warmest it cannot know then: an error of a city goes on to the caller.",
               cities[1].name);
    will_ask_again(&cities[0], &now, INFINITY);
    will_ask_again(&cities[1], &now, INFINITY);
    expect_transcript(run, in_order, "All are asked with the same patience, and an error of one is the end of it all.");
    if (seconds < 0)
        check_unknown(run, "warmest", cities[1].name);
    else
        expect_error(run, "warmest", "TimeoutError",
                     "That is how ask_again() ended: it goes on to the caller.");
}

START_TEST(budget)
{
    try_enough(3, 0, false);
    try_enough(4, 1, true);
    try_enough(3, 2, false);
    try_enough(1, 0, true);
    try_too_small();
    if (base_passed()) {
        try_failing_city(-1);
        try_failing_city(60);
        try_beside("warmest", 2);
    }
    make_cities(3);
    with.tries = 3;
    with.budget = 500;
    with.cancelled_at = with.limit / 2;
    struct run *run = run_cities("warmest");
    check_cancelled(run, "warmest", "in the middle of a question");
    expect_error(
        run, "warmest", "CancelledError",
        "It was cancelled from outside, long before the budget was used up: that is no timeout.");
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("temperature",
             "await(async_coro(temperature, &city, %3, %6))<, cancelled after %1 s>, city = %7*7");
    shown_as("ask_again",
             "await(async_coro(ask_again, &city, {%2, %3, %4}))<, cancelled after %1 s>, city = "
             "%7*7");
    shown_as("warmest",
             "await(async_coro(warmest, cities, %7#7, {%2, %3, %4}, %5))<, cancelled after %1 s>, "
             "cities = {%7*7}");
    shown_as("*", "{'%0', %1, {%2, %3, %4, %5, %6}}");
    part(2, "an answer in time, or the last one known", in_time);
    part(3, "again, after a pause that grows", again);
    part(3, "all cities, within a budget", budget);
    builds_on(2, "ask_again");
    return grader_close();
}
