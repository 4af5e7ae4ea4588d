/* grader.c - lesson 9: what was opened is closed, begun ended, borrowed back, on every way out. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OPENING 0.3
#define CLOSING 0.2
#define COMMAND 0.1
#define GIVING_BACK 0.1
#define MOST_REQUESTS 8
#define MOST_CONNECTIONS 4

struct query {
    const char *what;
    double seconds;
    long rows;
    bool fails;
};

static struct query random_query(void)
{
    return (struct query){ random_word(), random_seconds(), random_between(1, 900), false };
}

/* A query as the stage wants it; good for four at the same time. */
static const char *words_of(struct query q)
{
    static char texts[4][80];
    static int next;
    char *text = texts[next++ % 4];
    snprintf(text, 80, "%s %g %ld %d", q.what, q.seconds, q.rows, q.fails);
    return text;
}

/* What it prints, from `*now` on, if it is cancelled at `stop` (or never: INFINITY). Did it give
 * its rows? */
static bool will_query(const char *name, struct query q, double *now, double stop)
{
    bool stopped = *now + q.seconds > stop;
    will_print(*now, "%s: asked %s", name, q.what);
    *now = fmin(*now + q.seconds, stop);
    will_print(*now, "%s: %s %s", name,
               stopped   ? "stopped"
               : q.fails ? "failed"
                         : "answered",
               q.what);
    return !stopped && !q.fails;
}

static double never_is_zero(double at) { return at > 0 ? at : INFINITY; }

static bool says(struct run *run, const char *name, const char *what)
{
    char line[100];
    snprintf(line, sizeof line, "%s: %s", name, what);
    return printed(run, line);
}

/* A number, unless an exit function has put async_none in its place. */
static void expect_kept(struct run *run, const char *function, long number, const char *why)
{
    const struct result *result = result_of(run, function);
    if (number && result && !strcmp(result->text, "0"))
        reject(run,
               "The result was lost: %s() returned 0, expected %ld. async_leave_with() in an exit "
               "function replaces whatever the function ends with, a result too: call it with an "
               "error, or not at all.",
               function, number);
    expect_number(run, function, number, why);
}

static void expect_failure(struct run *run, const char *function, const char *name,
                           const char *what)
{
    char message[100];
    snprintf(message, sizeof message, "%s: there is no %s", name, what);
    expect_error(run, function, "Input/output error",
                 "That is the error of the query that failed: it goes on to the caller, once all "
                 "is tidied up.");
    expect_message(run, function, message,
                   "An error travels with its message if it is passed on as it came.");
}

/* -------------------------------------------------------------------------------- part 1 */

static const char *name;

static void check_closed(struct run *run, const char *way)
{
    bool opened = says(run, name, "open");
    if (!opened && says(run, name, "closing"))
        reject(run,
               "The connection was closed, but had never been opened. Its opening failed: then "
               "there is nothing to close, and the exit must not run. Say async_with in the line "
               "that opens it, whose await leaves the function before the variable is there.");
    if (ended_with(run, "ask_once", "is closed") || ended_with(run, "ask_once", "was closed"))
        reject(run,
               "The connection was closed before the query was through: ask_once() ended with "
               "%s.\nIt has to stay open until the block is left.",
               result_of(run, "ask_once")->text);
    if (opened && !says(run, name, "closing"))
        reject(
            run,
            "The connection was not closed %s. What stands at the end of a function is not reached "
            "when an await leaves it; the exit function of async_with is called on every way out.",
            way);
    if (opened && (run->left || !says(run, name, "closed")))
        reject(run,
               "The connection was being closed, %s, but nobody waited until it was. An exit "
               "function may wait, and has to: async_catch(async_coro(connection_close, ...)) "
               "comes back when it is closed. A task of its own would be left to its fate.",
               way);
    expect_no_task_left(run, "Nothing here needs a task.");
}

static void check_cancelled(struct run *run, const char *function, const char *way)
{
    if (ended_well(run, function))
        reject(
            run,
            "%s() was cancelled, but ended as if nothing had happened: a swallowed cancellation. "
            "Tidy up %s, and let the error go on to the caller: await() and async_with do so.",
            function, way);
    expect_error(run, function, "CancelledError",
                 "It was cancelled, and tidied up; that does not change how it ends.");
}

/* Cancelled in query 1 or 2; 0: not at all. */
static void try_ask(struct query first, struct query second, int cancelled_in, const char *way)
{
    name = random_word();
    double now = OPENING, stop = 0;
    if (cancelled_in)
        stop = OPENING + (cancelled_in == 2 ? first.seconds : 0) + 0.05;
    struct run *run = stage_run("ask_once %g %s 0 %s %s", stop, name, words_of(first),
                                words_of(second));
    check_closed(run, way);
    will_print(now, "%s: open", name);
    bool well = will_query(name, first, &now, never_is_zero(stop));
    if (well && first.rows)
        well = will_query(name, second, &now, never_is_zero(stop));
    will_print(now, "%s: closing", name);
    will_print(now + CLOSING, "%s: closed", name);
    expect_transcript(run, in_order,
                      "Open, ask, close; and the close is the last thing on every way out.");
    if (cancelled_in)
        check_cancelled(run, "ask_once", "with async_catch() only");
    else if (well)
        expect_kept(run, "ask_once", first.rows ? second.rows : 0,
                    "Those are the rows of the last query that was made.");
    else
        expect_failure(run, "ask_once", name, first.fails ? first.what : second.what);
    expect_seconds(run, now + CLOSING, "Then the connection is closed.");
}

/* The closing is cut short, and only the exit function can tell; who has shielded it may also wait
 * for its end. */
static void try_cancelled_closing(bool fails)
{
    struct query first = random_query(), second = random_query();
    first.rows = 0;
    first.fails = fails;
    name = random_word();
    double now = OPENING, stop = OPENING + first.seconds + CLOSING / 2;
    struct run *run = stage_run("ask_once %g %s 0 %s %s", stop, name, words_of(first),
                                words_of(second));
    if (ended_well(run, "ask_once"))
        reject(run, "A swallowed cancellation: ask_once() was cancelled in the middle of closing, "
                    "but ended as if nothing had happened. The exit function gets that error from "
                    "its async_catch(), and returns nothing itself: async_leave_with(error) makes "
                    "the function around it end so.");
    if (ended_with(run, "ask_once", "Input/output error"))
        reject(run, "A query failed, and then ask_once() was cancelled in the middle of closing, "
                    "but it ended with the error of the query: nobody hears that the closing was "
                    "cut short. If the closing ends with an error, ask_once() ends with that, "
                    "whatever came before.");
    will_print(now, "%s: open", name);
    will_query(name, first, &now, INFINITY);
    will_print(now, "%s: closing", name);
    if (says(run, name, "closed")) {
        stop = now + CLOSING;
        will_print(stop, "%s: closed", name);
    }
    expect_transcript(run, in_order, "It was cancelled in the middle of closing.");
    expect_error(run, "ask_once", "CancelledError", "It was cancelled in the middle of closing.");
    expect_seconds(run, stop, "Who is cancelled ends.");
}

static void try_two_asking(void)
{
    char one[200], other[200];
    struct query first = random_query(), second = random_query();
    snprintf(one, sizeof one, "ask_once 0 %s 0 %s %s", random_word(), words_of(first), words_of(second));
    first = random_query(), second = random_query();
    second.fails = true;
    snprintf(other, sizeof other, "ask_once 0 %s 0 %s %s", random_word(), words_of(first), words_of(second));
    expect_undisturbed(one, other);
}

START_TEST(always_closed)
{
    struct query first = random_query(), second = random_query();
    try_ask(first, second, 0, "when all went well");
    first = random_query(), second = random_query();
    second.fails = true;
    try_ask(first, second, 0, "when the second query failed");
    first = random_query(), second = random_query();
    first.fails = true;
    try_ask(first, second, 0, "when the first query failed");
    first = random_query(), second = random_query();
    first.rows = 0;
    try_ask(first, second, 0, "when the first query gave no rows");
    for (int i = 1; i <= 2; i++) {
        first = random_query(), second = random_query();
        try_ask(first, second, i, "when it was cancelled in a query");
    }
    try_cancelled_closing(false);
    try_cancelled_closing(true);
    name = random_word();
    first = random_query();
    struct run *run = stage_run("ask_once 0 %s 1 %s %s", name, words_of(first), words_of(first));
    check_closed(run, "when it could not be opened");
    expect_error(run, "ask_once", "Connection refused",
                 "The server is down: that is the error of connection_open.");
    expect_seconds(run, OPENING, "What could not be opened need not be closed.");
    try_two_asking();
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

static void check_end(struct run *run, bool well, const char *way)
{
    bool commit = says(run, name, "COMMIT"), rollback = says(run, name, "ROLLBACK");
    if (run->line_count && !says(run, name, "BEGIN"))
        reject(run, "\"BEGIN\" was not sent, so there is no transaction.");
    if (run->line_count && !commit && !rollback)
        reject(run,
               "The transaction was left open, %s: neither COMMIT nor ROLLBACK. Its end belongs "
               "into an exit function, which async_with calls on every way out.",
               way);
    if (!well && commit && !rollback)
        reject(
            run,
            "COMMIT, although the block was left by an error, %s: half of the work is done, and "
            "stays. In the exit function async_leaving().error tells whether there was an error. "
            "It knows of those with which await() or async_raise() leaves the function; of a plain "
            "`return async_error(...)` it isn't told (`return async_leave(error)` tells it).",
            way);
    if (well && rollback && !commit)
        reject(run,
               "ROLLBACK, although all went well: all the work is lost. async_leaving().error is 0 "
               "then.");
    if (commit && rollback)
        reject(run, "Both COMMIT and ROLLBACK were sent, %s. A transaction ends once.", way);
    expect_no_task_left(run, "The end of the transaction was sent, but nobody waited for it. An "
                             "exit function may wait, with async_catch().");
}

struct deal {
    struct query balance, update;
    long amount;
    const char *refuses;
    double cancelled_at;
};

static struct deal random_deal(void)
{
    struct deal deal = { random_query(), random_query(), 0, "nothing", 0 };
    deal.balance.rows = random_between(300, 900) * 10000000L;   /* more than fits into an int */
    deal.amount = random_between(10, 300) * 10000000L;
    return deal;
}

/* The arguments of a run. */
static const char *write_deal(char *to, size_t size, struct deal deal)
{
    name = random_word();
    snprintf(to, size, "transfer %g %s %s %ld %s %s", deal.cancelled_at, name, deal.refuses, deal.amount,
             words_of(deal.balance), words_of(deal.update));
    return to;
}

static struct run *run_deal(struct deal deal)
{
    char inputs[200];
    return stage_run("%s", write_deal(inputs, sizeof inputs, deal));
}

static void check_queries(struct run *run, struct deal deal, bool well)
{
    char asked[80], answered[80], line[100];
    snprintf(asked, sizeof asked, "asked %s", deal.update.what);
    snprintf(answered, sizeof answered, "answered %s", deal.update.what);
    if (deal.amount <= deal.balance.rows && ended_with(run, "transfer", "ValueError"))
        reject(run,
               "There was enough money: the balance is %ld, and the amount may be as much as that. "
               "Not enough it is only if the balance is less. (Both are a long: an int is too small.)",
               deal.balance.rows);
    if (well && says(run, name, asked) && !says(run, name, answered))
        reject(run, "The update was asked, but nobody awaited it: the transaction was ended before "
                    "the answer was there. Await the query, then it is known whether all went "
                    "well.");
    snprintf(line, sizeof line, "%s: %s", name, asked);
    if (printed_at(run, COMMAND, line))
        reject(run, "The update was asked before the balance was known. Await the first query, and "
                    "look at what it gave, before you ask the second one.");
}

/* The transcript and the time; true if the block went well. */
static bool expect_deal(struct run *run, struct deal deal, const char *way)
{
    double now = 0, stop = never_is_zero(deal.cancelled_at);
    bool begun = strcmp(deal.refuses, "BEGIN") != 0,
         well = begun && !deal.balance.fails && !deal.update.fails &&
                deal.amount <= deal.balance.rows && isinf(stop);
    check_queries(run, deal, well);
    if (begun)
        check_end(run, well, way);
    will_print(0, "%s: BEGIN", name);
    now += COMMAND;
    if (begun) {
        if (will_query(name, deal.balance, &now, stop) && deal.amount <= deal.balance.rows)
            will_query(name, deal.update, &now, stop);
        will_print(now, "%s: %s", name, well ? "COMMIT" : "ROLLBACK");
        now += COMMAND;
    }
    expect_transcript(
        run, in_order,
        begun ? "BEGIN, the two queries unless something is wrong, and then either COMMIT or "
                "ROLLBACK."
              : "The BEGIN was refused: nothing has begun, so there is nothing to end.");
    expect_seconds(run, now, "The end of the transaction has to be waited for.");
    return well;
}

static void try_well(struct deal deal)
{
    struct run *run = run_deal(deal);
    expect_deal(run, deal, "when all went well");
    expect_kept(run, "transfer", deal.balance.rows - deal.amount, "That is what is left.");
}

static void try_failing(struct deal deal, const char *way)
{
    struct run *run = run_deal(deal);
    expect_deal(run, deal, way);
    expect_failure(run, "transfer", name,
                   deal.balance.fails ? deal.balance.what : deal.update.what);
}

static void try_poor(struct deal deal)
{
    deal.amount = deal.balance.rows + 1;
    struct run *run = run_deal(deal);
    expect_deal(run, deal, "when there was not enough money");
    expect_error(run, "transfer", "ValueError", "There was not enough money.");
    expect_message(run, "transfer", "not enough money", "async_raise(error, message) has both.");
}

static void try_cancelled(struct deal deal, double at)
{
    deal.cancelled_at = COMMAND + at;
    struct run *run = run_deal(deal);
    expect_deal(run, deal, "when it was cancelled");
    check_cancelled(run, "transfer", "in the exit function");
}

static void try_refused(struct deal deal, const char *word)
{
    char message[100];
    deal.refuses = word;
    struct run *run = run_deal(deal);
    bool well = expect_deal(run, deal, "when it was refused");
    if (well && ended_well(run, "transfer"))
        reject(run, "The COMMIT was refused, so no money has moved, but transfer() ended as if it "
                    "had. An exit function returns nothing; async_leave_with(error) makes the "
                    "function around it end with that error.");
    if (!strcmp(word, "ROLLBACK") && ended_with(run, "transfer", word))
        reject(run, "An error was lost: the query failed, and after that the ROLLBACK was refused, "
                    "but transfer() tells of the ROLLBACK only. The first error is the one to hear "
                    "of: call async_leave_with() only when the block went well.");
    if (!strcmp(word, "ROLLBACK")) {
        expect_failure(run, "transfer", name, deal.balance.what);
        return;
    }
    expect_error(run, "transfer", "Operation not permitted",
                 "That is the error of what was refused.");
    snprintf(message, sizeof message, "%s: %s was refused", name, word);
    expect_message(run, "transfer", message, "An error travels with its message.");
}

/* All went well so far, and then the COMMIT is cut short. */
static void try_cancelled_commit(void)
{
    struct deal deal = random_deal();
    deal.cancelled_at = COMMAND + deal.balance.seconds + deal.update.seconds + COMMAND / 2;
    struct run *run = run_deal(deal);
    check_end(run, true, "when all went well");
    if (ended_well(run, "transfer"))
        reject(run, "A swallowed cancellation: transfer() was cancelled in the middle of its COMMIT, "
                    "so nobody knows whether the money has moved, but it ended as if it had. The exit "
                    "function gets that error from its async_catch(), and async_leave_with(error) "
                    "makes the function around it end so.");
    expect_error(run, "transfer", "CancelledError", "It was cancelled in the middle of its COMMIT.");
}

/* The balance of the second comes while the first updates. */
static void try_two_deals(void)
{
    char one[200], other[200];
    struct deal well = random_deal(), failing = random_deal();
    well.balance.seconds = 0.5, well.update.seconds = 2;
    failing.balance.seconds = 1, failing.update.fails = true;
    write_deal(one, sizeof one, well);
    write_deal(other, sizeof other, failing);
    expect_undisturbed(one, other);
}

START_TEST(all_or_nothing)
{
    struct deal deal = random_deal();
    try_well(deal);
    deal = random_deal();
    deal.update.fails = true;
    try_failing(deal, "when the update failed");
    deal = random_deal();
    deal.balance.fails = true;
    try_failing(deal, "when the first query failed");
    try_poor(random_deal());
    try_cancelled(random_deal(), 0.05);
    deal = random_deal();
    try_cancelled(deal, deal.balance.seconds + 0.05);
    try_refused(random_deal(), "COMMIT");
    deal = random_deal();
    deal.balance.fails = true;
    try_refused(deal, "ROLLBACK");
    try_refused(random_deal(), "BEGIN");
    try_cancelled_commit();
    deal = random_deal();
    deal.amount = deal.balance.rows;
    try_well(deal);
    try_two_deals();
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

static const char *const connections[] = { "first", "second", "third", "fourth" };

struct request {
    struct query query;
    double patience, cancelled_at; /* never: 0 */
    enum { SERVED, FAILED, CANCELLED, NOT_SERVED } outcome;
};
static struct request requests[MOST_REQUESTS];
static int count;

static void make_requests(int many)
{
    count = many;
    for (int i = 0; i < count; i++)
        requests[i] = (struct request){ random_query(), 90, 0, SERVED };
}

static struct run *run_requests(int size)
{
    char inputs[500];
    int n = snprintf(inputs, sizeof inputs, "serve %d", size);
    for (int i = 0; i < count; i++)
        n += snprintf(inputs + n, sizeof inputs - n, " %g %g %s", requests[i].patience,
                      requests[i].cancelled_at, words_of(requests[i].query));
    return stage_run("%s", inputs);
}

/* All begin at 0, in order; each gets the connection that is free first. When is all over? */
static double will_serve(int size)
{
    double free_at[MOST_CONNECTIONS] = { 0 }, end = 0;
    for (int i = 0; i < count; i++) {
        struct request *r = &requests[i];
        int c = 0;
        for (int j = 1; j < size; j++)
            c = free_at[j] < free_at[c] - 1e-6 ? j : c;
        double now = free_at[c], stop = never_is_zero(r->cancelled_at);
        if (now > fmin(r->patience, stop)) {
            r->outcome = stop < r->patience ? CANCELLED : NOT_SERVED;
            end = fmax(end, fmin(r->patience, stop));
            continue;
        }
        will_print(now, "%s: lent", connections[c]);
        r->outcome = will_query(connections[c], r->query, &now, stop) ? SERVED
                     : r->query.fails && isinf(stop)                  ? FAILED
                                                                      : CANCELLED;
        now += GIVING_BACK;
        will_print(now, "%s: back", connections[c]);
        free_at[c] = now;
        end = fmax(end, now);
    }
    return end;
}

/* From now on "serve" is how this request ended. */
static void look_at(struct run *run, int request)
{
    for (int i = 0; i < count && i < run->result_count; i++)
        run->results[i].name = i == request ? "serve" : "another";
}

/* The mistakes, before lines are compared. */
static void check_pool(struct run *run, int size)
{
    const struct result *back = result_of(run, "back");
    int missing = size - (back ? back->text[0] - '0' : size), lent = 0, asked = 0;
    const char *why = "";
    for (int i = 0; i < count; i++)
        why = requests[i].outcome == FAILED ? " One of the queries failed: is its connection given "
                                              "back then, too?"
              : requests[i].outcome == CANCELLED && !*why
                  ? " One of the requests was cancelled: is its connection given back then, too?"
                  : why;
    for (int i = 0; i < count; i++) {
        look_at(run, i);
        if (ended_with(run, "serve", "given back twice"))
            reject(run, "A connection was given back twice. Its exit function does that, on every "
                        "way out; nobody else has to.");
    }
    for (int i = 0; i < run->line_count; i++) {
        lent += strstr(run->lines[i].text, ": lent") != NULL;
        asked += strstr(run->lines[i].text, ": asked ") != NULL;
    }
    if (missing && lent > asked)
        reject(run, "A connection was lent to a request that had given up: its pool_acquire went "
                    "on without it, and nobody gives back what it got. Who gives up, or is "
                    "cancelled, has to end what it has started; async_wait_for() does so.");
    expect_no_task_left(run, "To give a connection back takes a moment: the exit function has to "
                             "wait for it, with async_catch(), and not leave it to a task.");
    if (missing)
        reject(run,
               "A leak: when all was over %d of %d connections %s not back in the pool.%s With "
               "async_with it is, on every way out.",
               missing, size, missing == 1 ? "was" : "were", why);
    if (run->wake_count > 6 * count + 10)
        reject(run,
               "Polling: %d times a timer woke the program, for %d requests. Who looks again and "
               "again whether a connection is free is never at rest, and late at last. "
               "pool_acquire() waits without looking: it is woken when one comes back.",
               run->wake_count, count);
}

static void check_outcome(struct run *run, int i)
{
    const struct request *r = &requests[i];
    look_at(run, i);
    if (r->outcome == SERVED) {
        if (ended_with(run, "serve", "TimeoutError"))
            reject(run, "serve() ended with TimeoutError, though it got its connection in time. "
                        "The limit is for the wait for a connection: async_wait_for() around "
                        "pool_acquire, and nothing else. The query may take as long as it likes.");
        expect_number(run, "serve", r->query.rows, "That is what its query gives.");
    } else if (r->outcome == FAILED) {
        expect_error(run, "serve", "Input/output error", "Its query failed.");
    } else if (r->outcome == CANCELLED) {
        if (ended_with(run, "serve", "TimeoutError"))
            reject(run,
                   "serve() was cancelled at %g s, but ended with TimeoutError. Not every error "
                   "with which the wait for a connection ends is a timeout: let it go on to the "
                   "caller as it came.",
                   r->cancelled_at);
        check_cancelled(run, "serve", "with async_with");
    } else {
        if (ended_well(run, "serve"))
            reject(run,
                   "serve() got no connection within %g s, but ended as if it had been served. The "
                   "timeout has to go on to the caller.",
                   r->patience);
        expect_error(run, "serve", "TimeoutError", "It got no connection in time.");
    }
}

static void try_pool(int size)
{
    struct run *run = run_requests(size);
    double end = will_serve(size);
    check_pool(run, size);
    for (int i = 0; i < count; i++)
        if (requests[i].outcome == NOT_SERVED && run->seconds > end + 0.01)
            reject(run,
                   "It went on until %g s, expected %g s: a request had patience for %g s, but "
                   "waited longer. async_wait_for(async_coro(pool_acquire, ...), seconds) is a "
                   "wait with a limit.",
                   run->seconds, end, requests[i].patience);
    for (int i = 0; i < count; i++)
        if (requests[i].outcome == SERVED && requests[i].query.seconds > requests[i].patience)
            check_outcome(run, i);
    expect_transcript(
        run, any_order,
        "Each request gets a connection, asks, and gives it back; who comes later waits.");
    for (int i = 0; i < count; i++)
        check_outcome(run, i);
    expect_seconds(run, end, "Then all are served.");
}

/* One is cancelled in the middle of giving back, and another one waits for that connection. Whoever
 * shields the giving back has it done a little sooner than who begins it once more. */
static void try_cancelled_giving_back(void)
{
    make_requests(2);
    double asked = requests[0].query.seconds, end = asked + GIVING_BACK;
    requests[0].cancelled_at = asked + GIVING_BACK / 2;
    requests[0].outcome = CANCELLED;
    struct run *run = run_requests(1);
    const struct result *back = result_of(run, "back");
    if ((back && strcmp(back->text, "1") != 0) || !says(run, "first", "back"))
        reject(run,
               "A leak: a request was cancelled at %g s, in the middle of giving its connection "
               "back, and that was given up then. Now nobody has the connection, and the pool has "
               "it neither. The exit function hears of the cancellation from its async_catch(): "
               "give back once more, or shield it from the first, and end with that error then.",
               requests[0].cancelled_at);
    check_pool(run, 1);
    if (printed_at(run, end + GIVING_BACK / 2, "first: back"))
        end += GIVING_BACK / 2;
    will_print(0, "first: lent");
    will_print(0, "first: asked %s", requests[0].query.what);
    will_print(asked, "first: answered %s", requests[0].query.what);
    will_print(end, "first: back");
    will_print(end, "first: lent");
    will_query("first", requests[1].query, &end, INFINITY);
    will_print(end + GIVING_BACK, "first: back");
    expect_transcript(run, any_order,
                      "Cancelled in the middle of giving back, it gives back all the same.");
    check_outcome(run, 0);
    check_outcome(run, 1);
}

START_TEST(on_loan)
{
    make_requests(3);
    try_pool(1);
    make_requests(2);
    requests[0].query.seconds = 5;
    requests[0].patience = random_seconds();
    try_pool(1);
    make_requests(3);
    requests[0].query.fails = true;
    requests[2].patience = 0.2;
    try_pool(1);
    make_requests(3); /* one in its query, one while it waits */
    requests[0].query.seconds = 5;
    requests[0].cancelled_at = 0.85;
    requests[1].cancelled_at = 0.55;
    try_pool(1);
    make_requests(random_between(5, 6));
    requests[1].query.fails = requests[3].query.fails = true;
    requests[4].cancelled_at = 0.25;
    try_pool(random_between(2, 3));
    make_requests(1);
    requests[0].query.fails = true;
    try_pool(1);
    try_cancelled_giving_back();
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("ask_once",
             "await(async_coro(ask_once, '%2', %?3, {'%4', %5, %6, %?7}, {'%8', %9, %10, %?11}))<, "
             "cancelled after %1 s>");
    shown_as("transfer",
             "await(async_coro(transfer, &connection, {'%5', %6, %7, %?8}, {'%9', %10, %11, %?12}, "
             "%4))<, cancelled after %1 s>, connection = {'%2', true, '%3'}");
    shown_as("serve", "all at once, of a pool of %1: %6*2");
    shown_as("*", "await(async_coro(serve, pool, {'%2', %3, %4, %?5}, %0))<, cancelled after %1 s>");
    part(2, "a connection that is closed on every way out", always_closed);
    part(3, "a transaction: all or nothing", all_or_nothing);
    part(3, "a pool that gets its connections back", on_loan);
    return grader_close();
}
