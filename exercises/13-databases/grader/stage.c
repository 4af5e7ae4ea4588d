/* stage.c - a bank of our own for each run, what the student wrote at work on it, and what became
 * of it, seen over another connection. */
#include "exercise.h"
#include "stage.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_ACCOUNTS 16
#define FIRST 7 /* account: behind PART FILE and five words of the part's own */

static const char *file;
static char url[PATH_MAX + 32];
static long open_before, open_after, most_open;

/* How many descriptors of ours are of that file: of each connection one. */
static long connections(void)
{
    char link[64], target[PATH_MAX];
    long count = 0;
    DIR *all = opendir("/proc/self/fd");
    for (struct dirent *entry; all && (entry = readdir(all));) {
        snprintf(link, sizeof link, "/proc/self/fd/%.20s", entry->d_name);
        ssize_t length = readlink(link, target, sizeof target - 1);
        target[length > 0 ? length : 0] = 0;
        count += strcmp(target, file) == 0;
    }
    if (all)
        closedir(all);
    return count;
}

/* Nobody needs a bank after its run: libsqlite3, which calls these, need not wait for the disk. */
int fsync(int file) { return (void)file, 0; }
int fdatasync(int file) { return (void)file, 0; }

/* NAME BALANCE CITY for each account; with none of them there is no table either. */
static async_value make_bank(void *p)
{
    (void)p;
    async_with(async_db_exit) async_db *db = await(async_db_connect(url)).ptr;
    if (stage_words() <= FIRST)
        return async_none;
    await(async_db_execute(db, "CREATE TABLE accounts (name TEXT, city TEXT, "
                               "balance INTEGER CHECK (balance >= 0));"
                               "CREATE TRIGGER frozen BEFORE UPDATE ON accounts "
                               "WHEN old.city = 'frozen' "
                               "BEGIN SELECT RAISE(ABORT, 'this account is frozen'); END"));
    for (int i = FIRST; i < stage_words(); i += 3)
        await(async_db_execute(db, "INSERT INTO accounts VALUES ($1, $2, $3)", stage_word(i),
                               stage_word(i + 2), stage_integer(i + 1)));
    return async_none;
}

/* All balances, as they are seen over this connection. */
struct read_bank {
    async_db *db;
    const char *name;
};
static async_value read_bank(void *p)
{
    struct read_bank *args = p;
    char balances[1000] = "";
    size_t used = 0;
    async_rows *rows = await(async_db_fetch(args->db, "SELECT * FROM accounts ORDER BY rowid")).ptr;
    async_each_row(row, rows) used += snprintf(balances + used, sizeof balances - used, "%s%ld",
                                               used ? " " : "", async_row_num(row, "balance"));
    stage_text(args->name, async_str(balances));
    return async_none;
}

/* The same as somebody else sees it. */
struct look {
    const char *name;
};
static async_value look(void *p)
{
    struct look *args = p;
    async_with(async_db_exit) async_db *db = await(async_db_connect(url)).ptr;
    return await(async_coro(read_bank, db, args->name));
}

/* In the middle of the confirmation. */
struct look_meanwhile {
    async_db *db;
    double seconds;
};
static async_value look_meanwhile(void *p)
{
    struct look_meanwhile *args = p;
    await(async_sleep(args->seconds));
    await(async_coro(read_bank, args->db, "inside"));
    return await(async_coro(look, "outside"));
}

/* Cancels a task after some time; or, given a connection, after some time in which the clock stands
 * still, since a thread is at work. */
struct cancel_later {
    async_task task;
    async_db *db;
    double seconds;
};
static async_value cancel_later(void *p)
{
    struct cancel_later *args = p;
    if (args->db)
        await(async_db_fetchval(args->db, "SELECT pg_sleep(0.2)"));
    else
        await(async_sleep(args->seconds));
    async_cancel(args->task);
    return async_none;
}

/* The accounts become a view that takes long to read, and in the middle of it we cancel. */
static async_value list_and_cancel(void *p)
{
    (void)p;
    async_with(async_db_exit) async_db *db = await(async_db_connect(url)).ptr;
    await(async_db_execute(db, "ALTER TABLE accounts RENAME TO slow; CREATE VIEW accounts AS "
                               "SELECT * FROM slow WHERE pg_sleep(2) = ''"));
    async_task later = async_create_task(async_coro(cancel_later, async_current_task(), db, 0));
    async_value v = async_catch(async_coro(list_city, url, stage_word(2)));
    await(later);
    open_before = 1;
    open_after = connections();
    return v;
}

/* Cancelled after that many seconds, if that is not 0. What went wrong must not be in the way of
 * the next transfer over the same connection. */
static async_value make_transfer(void *p)
{
    (void)p;
    const char *giver = stage_word(2), *taker = stage_word(3);
    double seconds = stage_real(5), limit = stage_real(6);
    async_with(async_db_exit) async_db *db = await(async_db_connect(url)).ptr;
    async_coroutine coro = async_coro(transfer, db, giver, taker, stage_integer(4), seconds);
    open_before = 1;
    async_task looking = limit ? NULL
                               : async_create_task(async_coro(look_meanwhile, db, seconds / 2));
    async_value v = async_catch(limit ? async_wait_for(coro, limit) : coro);
    if (looking)
        async_cancel(looking);
    open_after = connections();
    (void)async_catch(async_coro(look, "balances"));
    if (v.error) {
        stage_number("again", async_catch(async_coro(transfer, db, giver, taker, 1, 0)));
        (void)async_catch(async_coro(look, "afterwards"));
    }
    return v;
}

/* How many connections are open at most; looks when nothing begins and nothing ends. */
static async_value watch_connections(void *p)
{
    (void)p;
    for (int i = 0; i < 400; i++) {
        await(async_sleep(i ? 0.1 : 0.05));
        long open = connections();
        most_open = open > most_open ? open : most_open;
    }
    return async_none;
}

/* Cancelled after that many seconds, if that is not 0. */
static async_value make_sum(void *p)
{
    (void)p;
    struct wanted wanted[MOST_ACCOUNTS];
    size_t count = 0; /* of the cities each is the seconds that its account takes */
    for (int i = FIRST; i < stage_words() && count < MOST_ACCOUNTS; i += 3)
        wanted[count++] = (struct wanted){ stage_word(i), stage_real(i + 2) };
    if (stage_integer(3)) /* one is not there */
        wanted[stage_integer(3)].name = stage_word(4);
    async_task later = stage_real(5) ? async_create_task(async_coro(
                                           cancel_later, async_current_task(), NULL, stage_real(5)))
                                     : NULL;
    async_task watching = async_create_task(async_coro(watch_connections));
    async_coroutine all = async_coro(sum_up, url, wanted, count, stage_integer(2));
    async_value both[2] = { 0 }, v;
    if (!strcmp(stage_word(6), "twice"))
        v = async_catch(async_gather(both, all, async_coro(sum_up, url, wanted + 1, count - 1, stage_integer(2))));
    else
        v = both[0] = async_catch(all);
    async_cancel(watching);
    if (v.error && !later) /* the others may still be at it */
        await(async_sleep(60));
    open_after = connections();
    if (v.error == ASYNC_GROUP) /* of a task group: what is in it counts */
        async_group_errors(v, &v, 1);
    if (v.error)
        return v;
    stage_number("without_the_first", both[1]);
    return both[0];
}

static async_value trial(void *p)
{
    (void)p;
    async_value v = async_none;
    await(async_coro(make_bank));
    if (!strcmp(stage_word(6), "unreachable"))
        snprintf(url, sizeof url, "sqlite:%s/nowhere", file);
    if (stage_part("list_city") && !strcmp(stage_word(3), "cancelled")) {
        v = async_catch(async_coro(list_and_cancel));
    } else if (stage_part("list_city")) {
        if (!strcmp(stage_word(3), "twice"))
            await(async_coro(list_city, url, stage_word(2)));
        v = async_catch(async_coro(list_city, url, stage_word(2)));
        open_after = connections();
    }
    if (stage_part("transfer"))
        v = async_catch(async_coro(make_transfer));
    if (stage_part("sum_up"))
        v = async_catch(async_coro(make_sum));
    return v;
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    file = stage_word(1);
    unlink(file);               /* the second pass makes every run again, and each begins without a bank */
    snprintf(url, sizeof url, "sqlite:%s", file);
    async_value v = stage_run(async_coro(trial));
    if (v.error >= ASYNC_DB_ERROR && v.error <= ASYNC_DB_CLOSED)
        v = async_error(ASYNC_VALUE_ERROR,
                        async_strf("(%s) %s", async_db_error_name(v.error), v.message));
    stage_number(stage_word(0), v);
    stage_number("open", async_num(open_after - open_before));
    stage_number("most", async_num(most_open));
    return stage_close();
}
