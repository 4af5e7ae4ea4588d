/* grader.c - lesson 13: connections are closed, arguments are no SQL, a transaction is all or
 * nothing, and a pool lends no more than it has. */
#include "grader.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 16

static char directory[300];     /* in which we run: the grading's own, which goes with it */

static struct account {
    const char *name;
    int balance;
    char city[40];
} accounts[MOST];
static int count;

static void add_account(const char *city)
{
    accounts[count] = (struct account){ .name = random_word(), .balance = random_between(50, 99) };
    snprintf(accounts[count++].city, sizeof accounts[0].city, "%s", city);
}

/* PART FILE and five arguments, then the accounts; each time a new file. */
static struct run *try_part(const char *part, const char *arguments)
{
    static int number;
    char inputs[800];
    int n = snprintf(inputs, sizeof inputs, "%s %s/%d-%d.db %s", part, directory, (int)getpid(),
                     number++, arguments);
    for (int i = 0; i < count; i++)
        n += snprintf(inputs + n, sizeof inputs - n, " %s %d %s", accounts[i].name,
                      accounts[i].balance, accounts[i].city);
    return stage_run("%s", inputs);
}

static const char *text_of(struct run *run, const char *name)
{
    const struct result *result = result_of(run, name);
    return result ? result->text : "";
}

static void check_closed(struct run *run, const char *when)
{
    int open = atoi(text_of(run, "open"));
    if (open > 0)
        reject(
            run,
            "%d connection%s still open when the function had ended%s. async_with(async_db_exit) "
            "in front of the variable closes it on every way out, or gives it back to its pool; "
            "async_with(async_pool_exit) closes a pool.",
            open, open == 1 ? " is" : "s are", when);
}

/* Did it end with an error in which these words stand? */
static void check_error(struct run *run, const char *name, const char *words, const char *why)
{
    const struct result *result = result_of(run, name);
    if (!result || strcmp(result->kind, "error") != 0)
        reject(
            run,
            "%s returned a value although it could not do its work. The caller has to get the "
            "error: await passes it on; who looks at it with async_catch has to return it. It was: "
            "%s. %s",
            name, words, why);
    if (!strstr(result->text, words))
        reject(run, "%s ended with the error \"%s\", but this one was expected: %s. %s", name,
               result->text, words, why);
}

/* ---------------------------------------------------------------------------------- part 1 */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct account *)a)->name, ((const struct account *)b)->name);
}

static const char *text_of_account(const struct account *account)
{
    static char line[80];
    snprintf(line, sizeof line, "%s: %d", account->name, account->balance);
    return line;
}

#define KEPT \
    "A static or global variable is there once for all calls: what belongs to one call is kept in its local variables."

/* A city whose name means something in SQL: was it taken for that? */
static void check_pasted(struct run *run, const char *city, const char *first)
{
    bool failed = !ended_well(run, "list_city");
    if (strpbrk(city, "'\"") && failed)
        reject(run,
               "The city %s has a quote in its name, and the query became something else by that: "
               "\"%s\". Write $1 into the SQL and give the city as an argument to async_db_fetch: "
               "then it is never read as SQL, whatever stands in it.",
               city, text_of(run, "list_city"));
    if (strcmp(city, "name") == 0 && (failed || !printed(run, first)))
        reject(run, "The city is called name, and so is a column: in the query it became the "
                    "column. Write $1 into the SQL and give the city as an argument to "
                    "async_db_fetch: then it is never read as SQL, whatever stands in it.");
    if (!failed && !run->line_count)
        reject(run,
               "No account was printed, though some are in the city %s. Perhaps its name never "
               "found its way into the query: a $1 in the SQL stands for the argument behind it in "
               "async_db_fetch, without quotes around it ('$1' or '%%s' is a text like any other, "
               "and no city is called that).",
               city);
}

/* "twice": it is called before that once more. */
static void try_city(const char *city, int in_it, const char *how)
{
    char arguments[80];
    struct account sorted[MOST];
    count = 0;
    for (int i = 0; i < in_it + 2; i++)
        add_account(i % 2 == 0 && i / 2 < 2 ? i ? "elsewhere" : "elm-hill" : city);
    for (int i = in_it = 0; i < count; i++)
        if (strcmp(accounts[i].city, city) == 0)
            sorted[in_it++] = accounts[i];
    qsort(sorted, in_it, sizeof sorted[0], by_name);
    bool twice = strcmp(how, "twice") == 0;
    for (int i = 0; i < in_it << twice; i++)
        will_print(0, "%s: %d", sorted[i % in_it].name, sorted[i % in_it].balance);
    snprintf(arguments, sizeof arguments, "%s %s - - -", city, how);
    struct run *run = try_part("list_city", arguments);
    check_pasted(run, city, text_of_account(&sorted[0]));
    for (int i = 0; i < count; i++) {
        const char *line = text_of_account(&accounts[i]);
        if (strcmp(accounts[i].city, city) != 0 && printed(run, line))
            reject(run,
                   "\"%s\" was printed, which is in the city %s. Only the accounts of this city "
                   "are wanted: WHERE city = $1.",
                   line, accounts[i].city);
    }
    expect_transcript(run, in_order, "The accounts of the city, ordered by name.");
    expect_number(run, "list_city", in_it, twice ? "It was called for the second time. " KEPT
                                                 : "That is how many there are.");
    check_closed(run, "");
}

START_TEST(city)
{
    char name[40];
    try_city(random_word(), 4, "-");
    try_city("elm_hill", 3, "twice");   /* what LIKE takes for a pattern */
    try_city(random_word(), MOST - 2, "-");
    snprintf(name, sizeof name, "%s's", random_word());
    try_city(name, 3, "-");
    snprintf(name, sizeof name, "%s\"s", random_word());
    try_city(name, 3, "-");
    try_city("name", 3, "-");
    count = 0; /* a database without the table */
    struct run *run = try_part("list_city", "somewhere - - - -");
    check_error(run, "list_city", "no such table", "The database of this run is empty.");
    check_closed(run, ", although the query failed: an error leaves the function, too");
    run = try_part("list_city", "somewhere - - - unreachable");
    check_error(run, "list_city", "unable to open", "There is no such database.");
    add_account("somewhere"); /* and one that takes long to read */
    run = try_part("list_city", "somewhere cancelled - - -");
    expect_error(run, "list_city", "CancelledError",
                 "It was cancelled while the query was under way.");
    check_closed(run, ", since it was cancelled: that leaves the function like an error");
}
END_TEST

/* ---------------------------------------------------------------------------------- part 2 */

/* What the accounts hold when so much was taken from the first, and so much added to the second. */
static const char *balances(int taken, int added)
{
    static char text[100];
    snprintf(text, sizeof text, "%d %d %d", accounts[0].balance - taken,
             accounts[1].balance + added, accounts[2].balance);
    return text;
}

/* Transfers from the first account to the second, which is in this city. */
static struct run *try_to(const char *city, int amount, double seconds, double limit)
{
    char arguments[160];
    count = 0;
    for (int i = 0; i < 3; i++)
        add_account(i == 1 ? city : "here");
    snprintf(arguments, sizeof arguments, "%s %s %d %g %g", accounts[0].name, accounts[1].name,
             amount, seconds, limit);
    return try_part("transfer", arguments);
}

static struct run *try_transfer(int amount, double seconds, double limit)
{
    return try_to("here", amount, seconds, limit);
}

/* Somebody looked while it was being confirmed, over another connection and over this one. */
static void check_meanwhile(struct run *run, int amount)
{
    const char *outside = text_of(run, "outside"), *inside = text_of(run, "inside");
    if (*outside && strcmp(outside, balances(0, 0)) != 0)
        reject(run,
               "While the transfer was being confirmed somebody else who looked found the balances "
               "%s: half a transfer, for all to see, and not confirmed yet. Both changes belong "
               "into one transaction: then nobody sees the first before the second is there.",
               outside);
    if (strcmp(inside, balances(0, amount)) != 0)
        reject(run,
               "While the transfer was being confirmed the balances were %s, expected %s. First "
               "the amount is added to the taker's balance; then it is confirmed; then it is taken "
               "from the giver's; all in one transaction.",
               inside, balances(0, amount));
}

/* After a transfer that failed there was one more, of 1, over the same connection. */
static void check_again(struct run *run, const char *how)
{
    const char *found = text_of(run, "afterwards");
    if (ended_well(run, "again") && strcmp(found, balances(1, 1)) == 0)
        return;
    reject(run,
           "A transfer %s. Then came another one over the same connection, of 1, and somebody else "
           "who looks finds the balances %s, expected %s%s%s. The transaction of the first one was "
           "left open: on every way out it has to be ended, and async_with(async_transaction_exit) "
           "does that. Whoever begins it in another way has to roll it back after any error, a "
           "cancellation too.",
           how, found, balances(1, 1), ended_well(run, "again") ? "" : "; it ended with ",
           ended_well(run, "again") ? "" : text_of(run, "again"));
}

START_TEST(both_or_neither)
{
    int amount = random_between(5, 40);
    double seconds = random_seconds();
    struct run *run = try_transfer(amount, seconds, 0);
    will_print(0, "confirming");
    expect_transcript(run, in_order, "The transfer is confirmed between its two halves.");
    if (strcmp(text_of(run, "balances"), balances(amount, amount)) != 0 &&
        strcmp(text_of(run, "balances"), balances(0, 0)) != 0)
        reject(run,
               "Somebody else who looks now finds the balances %s, expected %s: the amount goes from the giver's "
               "balance to the taker's, and all others stay as they are.",
               text_of(run, "balances"), balances(amount, amount));
    if (strcmp(text_of(run, "balances"), balances(amount, amount)) != 0)
        reject(run,
               "Somebody else who looks now finds the balances %s: the two changes are not in the "
               "database. A transaction that nobody commits is rolled back when its connection is "
               "closed; "
               "async_with(async_transaction_exit) commits at the end of the block.",
               text_of(run, "balances"));
    expect_number(run, "transfer", accounts[1].balance + amount,
                  "That is what the taker has afterwards.");
    expect_seconds(run, seconds, "Only the confirmation takes time.");

    run = try_transfer(random_between(100, 200), random_seconds(), 0);
    if (strcmp(text_of(run, "balances"), balances(0, 0)) != 0)
        reject(
            run,
            "The giver has not enough. The transfer was refused, and yet the balances are now "
            "%s: one half of it has happened. Both changes belong into one transaction; and when "
            "you "
            "return an error that async_catch gave you, return async_leave(error): only then the "
            "exit function knows of it, and rolls back.",
            text_of(run, "balances"));
    check_error(run, "transfer", "CHECK constraint failed", "The giver has not enough.");
    check_again(run, "was refused, since the giver has not enough");

    run = try_to("frozen", random_between(5, 40), random_seconds(), 0);
    check_error(run, "transfer", "frozen", "The taker's account is frozen, so not even the first half "
                                           "can be done.");

    seconds = 0.5 + random_seconds();
    run = try_transfer(random_between(5, 40), seconds, seconds / 2);
    if (strcmp(text_of(run, "balances"), balances(0, 0)) != 0)
        reject(run,
               "The transfer was cancelled, and yet the balances are now %s. A cancellation comes "
               "out of an await as an error, and has to leave the transaction like any other.",
               text_of(run, "balances"));
    expect_error(run, "transfer", "TimeoutError", "wait_for has cancelled the transfer.");
    check_again(run, "was cancelled");

    amount = random_between(5, 40);
    check_meanwhile(try_transfer(amount, random_seconds(), 0), amount);
}
END_TEST

/* ---------------------------------------------------------------------------------- part 3 */

/* When each question is asked if `width` can be at the same time; returns when the last is answered. */
static double will_look_up(int width, const double *seconds)
{
    double free_at[MOST] = { 0 }, end = 0;
    for (int i = 0; i < count; i++) {
        int first = 0;
        for (int j = 1; j < width; j++)
            if (free_at[j] < free_at[first] - 1e-9)
                first = j;
        will_print(free_at[first], "looking up %s", accounts[i].name);
        free_at[first] += seconds[i];
        end = fmax(end, free_at[first]);
    }
    return end;
}

/* The same if each group of `width` waits for its slowest. */
static double in_groups(int width, const double *seconds)
{
    double sum = 0;
    for (int i = 0; i < count; i += width) {
        double longest = 0;
        for (int k = i; k < count && k < i + width; k++)
            longest = fmax(longest, seconds[k]);
        sum += longest;
    }
    return sum;
}

/* Cancelled at that time, if it is not 0. `how`: "-", "unreachable", or "twice": at the same time it is called for all
 * accounts but the first. */
static struct run *try_sum(int width, int missing, double cancelled_at, const char *how, double *seconds)
{
    char arguments[160];
    snprintf(arguments, sizeof arguments, "%d %d nobody %g %s", width, missing, cancelled_at, how);
    for (int i = 0; i < count; i++)
        snprintf(accounts[i].city, sizeof accounts[i].city, "%g", seconds[i]);
    return try_part("sum_up", arguments);
}

static void check_connections(struct run *run, int width)
{
    int most = atoi(text_of(run, "most"));
    if (most > width)
        reject(run,
               "%d connections were open at the same time, but there may be %d. A pool of "
               "args->width connections opens no more: async_create_pool(args->url, args->width).",
               most, width);
    if (most < width && most < count)
        reject(run,
               "%d connection%s open at the same time, though there may be %d. A connection does "
               "one thing at a time: for several questions at once each borrows one of its own, "
               "with async_pool_acquire.",
               most, most == 1 ? " was" : "s were", width);
}

/* New accounts: what they hold together. */
static int add_accounts(int how_many, double *seconds)
{
    int sum = 0;
    count = 0;
    for (int i = 0; i < how_many; i++) {
        add_account("");
        seconds[i] = random_seconds();
        sum += accounts[i].balance;
    }
    return sum;
}

static int line_of(struct run *run, const struct account *account)
{
    char line[100];
    int i = 0;
    snprintf(line, sizeof line, "looking up %s", account->name);
    while (i < run->line_count && strcmp(run->lines[i].text, line) != 0)
        i++;
    return i;
}

/* Who comes first is for the answer to say: puts the accounts in the order in which they were asked for. */
static void put_as_asked(struct run *run, double *seconds)
{
    for (int i = 1; i < count; i++)
        for (int k = i; k > 0 && line_of(run, &accounts[k]) < line_of(run, &accounts[k - 1]); k--) {
            struct account account = accounts[k];
            double second = seconds[k];
            accounts[k] = accounts[k - 1], accounts[k - 1] = account;
            seconds[k] = seconds[k - 1], seconds[k - 1] = second;
        }
}

static void try_width(int how_many, int width)
{
    double seconds[MOST], sum_of_seconds = 0, longest = 0;
    int sum = add_accounts(how_many, seconds);
    for (int i = 0; i < count; i++) {
        sum_of_seconds += seconds[i];
        longest = fmax(longest, seconds[i]);
    }
    struct run *run = try_sum(width, 0, 0, "-", seconds);
    put_as_asked(run, seconds);
    double end = will_look_up(width, seconds);
    mistaken_seconds(run, sum_of_seconds, end,
                     "the questions were asked one after the other. Each "
                     "is a task of its own, and width of them can be under way.");
    if (!same_time(end, longest))
        mistaken_seconds(
            run, longest, end,
            "all of them were asked at the same time, over more "
            "connections than there should be. async_pool_acquire waits until one is free: "
            "make the pool of args->width connections.");
    check_connections(run, width);
    mistaken_seconds(run, in_groups(width, seconds), end,
                     "each group of questions waited for its slowest. As soon as one is answered "
                     "the next may begin: start all of them, and let each wait for a connection.");
    expect_transcript(run, any_order, "Whoever gets a connection asks; first come, first served.");
    expect_seconds(run, end, "");
    expect_number(run, "sum_up", sum, "That is the sum of all balances.");
    check_closed(run, "");
}

/* Each question takes as long as the others, so that their order makes no difference. */
static void try_twice(void)
{
    double seconds[4];
    int sum = add_accounts(4, seconds), others = sum - accounts[0].balance;
    seconds[1] = seconds[2] = seconds[3] = seconds[0];
    struct run *run = try_sum(2, 0, 0, "twice", seconds);
    expect_seconds(run, 2 * seconds[0],
                   "Alone, each of the two calls did as it should; here they run at the same time. " KEPT);
    expect_number(run, "sum_up", sum, "At the same time it was called for some of the accounts. " KEPT);
    if (atoi(text_of(run, "without_the_first")) != others)
        reject(run,
               "sum_up() was called twice at the same time, for all accounts and for all but the first, and the "
               "second call returned %s, expected %d. " KEPT,
               text_of(run, "without_the_first"), others);
    check_closed(run, "");
}

START_TEST(few_connections)
{
    double seconds[4];
    about_deadlock =
        "A connection that is not given back is missing to all who wait for one, and to the "
        "closing of the pool.";
    try_width(7, 3);
    try_width(random_between(8, 10), 2);
    try_width(3, 5);
    try_width(MOST, 3);
    try_width(MOST, 10);
    try_twice();
    add_accounts(4, seconds);
    struct run *run = try_sum(2, 1, 0, "-", seconds);
    check_error(run, "sum_up", "there is no account of nobody",
                "Who is not there has no balance, not "
                "even 0.");
    check_closed(run, ", with an error");
    run = try_sum(2, 0, 0, "unreachable", seconds);
    check_error(run, "sum_up", "unable to open", "There is no such database.");
    double cancelled_at = fmin(seconds[0], seconds[1]) / 2;
    run = try_sum(2, 0, cancelled_at, "-", seconds);
    check_closed(run, ", since it was cancelled");
    expect_error(run, "sum_up", "CancelledError", "It was cancelled.");
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("list_city", "await(async_coro(list_city, url, '%2'))<, %3><, %6>, accounts = {%3*7}");
    shown_as("transfer",
             "await(async_coro(transfer, db, '%2', '%3', %4, %5))<, cancelled after %6 s>, "
             "accounts = {%3*7}");
    shown_as("sum_up",
             "await(async_coro(sum_up, url, wanted, %3#7, %2))<, cancelled after %5 s><, "
             "wanted[%3] is '%4'><, %6>, accounts with their seconds = {%3*7}");
    shown_as("*", "{'%0', %1, '%2'}");
    if (!getcwd(directory, sizeof directory)) {
        perror("where are we?");
        return 2;
    }
    part(2, "a city's accounts", city);
    part(3, "both sides or neither", both_or_neither);
    part(3, "many questions, few connections", few_connections);
    return grader_close();
}
