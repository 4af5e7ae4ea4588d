/* The bank. README.md has the task; `make grade-13` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: the accounts of a city. */
async_value list_city(void *p)
{
    struct list_city *args = p;
    /* TODO: connect to args->url; fetch name and balance of the accounts in args->city, ordered by
     * name; print a line "NAME: BALANCE" for each; return how many there are. However this ends,
     * the connection is closed. */
    (void)args;
    return async_none;
}

/* This one is done: somebody has to look at a transfer before it counts. */
async_value confirm(void *p)
{
    struct confirm *args = p;
    printf("confirming\n");
    await(async_sleep(args->seconds));
    return async_none;
}

/* Part 2: both sides or neither. */
async_value transfer(void *p)
{
    struct transfer *args = p;
    /* TODO: in one transaction: add args->amount to the taker's balance; then
     *     await(async_coro(confirm, args->seconds));
     * then take it from the giver's. Return the taker's new balance. If anything goes wrong on the
     * way, or somebody cancels, all is as before, and our caller gets the error. */
    (void)args;
    return async_none;
}

/* This one is done: a question that takes its time. */
async_value look_up(void *p)
{
    struct look_up *args = p;
    printf("looking up %s\n", args->name);
    await(async_sleep(args->seconds));
    const char *sql = "SELECT balance FROM accounts WHERE name = $1";
    async_rows *rows = await(async_db_fetch(args->db, sql, args->name)).ptr;
    if (!rows->count)
        async_raise(ASYNC_VALUE_ERROR, async_strf("there is no account of %s", args->name));
    return async_num(async_row_num(async_rows_at(rows, 0), "balance"));
}

/* Part 3: many questions, few connections. */
async_value sum_up(void *p)
{
    struct sum_up *args = p;
    /* TODO: look up all args->wanted[0] to [args->count - 1] at once, each over a connection of its
     * own, which it borrows from a pool of args->width connections and gives back. Return the sum
     * of what they give. If one fails, so do we. However this ends, all connections are closed. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-13. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    const char *url = "sqlite:exercise-13.db";      /* a file where you are: sqlite3 shows it, too */
    static const struct wanted wanted[] = { { "Ada", 1 }, { "Ben", 1 }, { "Cleo", 1 } };
    async_with(async_db_exit) async_db *db = await(async_db_connect(url)).ptr;
    await(async_db_execute(db,
        "DROP TABLE IF EXISTS accounts;"
        "CREATE TABLE accounts (name TEXT, city TEXT, balance INTEGER CHECK (balance >= 0));"
        "INSERT INTO accounts VALUES ('Ada', 'London', 100), ('Ben', 'Rome', 20),"
        "                            ('Cleo', 'Rome', 50)"));
    printf("%ld in Rome\n", await(async_coro(list_city, url, "Rome")).num);
    printf("Ben has %ld now\n", await(async_coro(transfer, db, "Ada", "Ben", 30, 1)).num);
    printf("together: %ld\n", await(async_coro(sum_up, url, wanted, 3, 2)).num);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
