/* transfer.c - a transaction: two changes that happen both or not at all.
 *
 * Python twin:
 *     async with conn.transaction():
 *         await conn.execute("UPDATE accounts SET balance = balance - $1 ...", amount, giver)
 *         await conn.execute("UPDATE accounts SET balance = balance + $1 ...", amount, taker) */
#include "async.h"
#include "postgres.h"
#include "sqlite.h"
#include <stdio.h>
#include <stdlib.h>

static const char accounts_sql[] =
    "CREATE TEMPORARY TABLE accounts (name TEXT PRIMARY KEY, balance INTEGER CHECK (balance >= 0));"
    "INSERT INTO accounts VALUES ('Ada', 100), ('Grace', 0);";

struct transfer { async_db *db; const char *giver, *taker; int amount; };
static async_value transfer(void *p)
{
    struct transfer *args = p;
    async_with(async_transaction_exit) async_transaction *both =
        await(async_db_transaction(args->db)).ptr;
    await(async_db_execute(args->db, "UPDATE accounts SET balance = balance + $1 WHERE name = $2",
                           args->amount, args->taker));
    await(async_sleep(1));          /* anything may happen here */
    await(async_db_execute(args->db, "UPDATE accounts SET balance = balance - $1 WHERE name = $2",
                           args->amount, args->giver));
    return async_str("done");
}

struct report { async_db *db; async_awaitable what; };
static async_value report(void *p)
{
    struct report *args = p;
    async_value v = async_catch(args->what);
    async_rows *rows = await(async_db_fetch(args->db, "SELECT * FROM accounts ORDER BY name")).ptr;
    printf("  %s:", v.error ? async_db_error_name(v.error) : v.str);
    async_each_row(account, rows)
        printf(" %s %ld", async_row_text(account, "name"), async_row_num(account, "balance"));
    printf("\n");
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    const char *url = getenv("DATABASE_URL");
    async_with(async_db_exit) async_db *db =
        await(async_db_connect(url ? url : "sqlite::memory:")).ptr;
    await(async_db_execute(db, accounts_sql));
    printf("Ada gives 30:\n");
    await(async_coro(report, db, async_coro(transfer, db, "Ada", "Grace", 30)));
    printf("Ada gives 500:\n");
    await(async_coro(report, db, async_coro(transfer, db, "Ada", "Grace", 500)));
    printf("Ada gives 20, within half a second:\n");
    async_coroutine third = async_coro(transfer, db, "Ada", "Grace", 20);
    await(async_coro(report, db, async_wait_for(third, 0.5)));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
