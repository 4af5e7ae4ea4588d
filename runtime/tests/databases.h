/* databases.h - what every database has to do: the tests that test_sqlite.c and test_postgres.c
 * share.
 *
 * `url` is an empty database for each test. Both understand this SQL; pg_sleep is known to both. */
#ifndef DATABASES_H
#define DATABASES_H

#include "database.h"
#include "dbpool.h"
#include "testing.h"

static const char *url;

#define USERS "DROP TABLE IF EXISTS users; " \
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, age INTEGER, " \
    "                    score DOUBLE PRECISION); " \
    "INSERT INTO users VALUES (1, 'Ada', 36, 9.5), (2, 'Grace', NULL, 8), (3, 'Linus', 21, NULL)"

#define CONNECT(db) async_with(async_db_exit) async_db *db = await(async_db_connect(url)).ptr

static void say_error(async_value v)
{
    say("%s: %s", v.error ? async_db_error_name(v.error) : "no error", v.error ? v.message : "");
}

static void say_kind(async_value v)         /* where each database has words of its own */
{
    say("%s", v.error ? async_db_error_name(v.error) : "no error");
}

static bool has_words(async_value v, const char *words)
{
    if (v.error && v.message && strstr(in_names(v.message), words))
        return true;
    say("should say \"%s\": %s", words, v.error ? v.message : "(no error)");
    return false;
}

struct count_of { async_db *db; const char *table; };
static async_value count_of(void *p)
{
    struct count_of *args = p;
    const char *sql = async_strf("SELECT count(*) FROM %s", args->table);
    return await(async_db_fetchval(args->db, sql));
}

/* Other connections than `db`, which may be in a transaction, would not see it. */
static async_value users_of(async_db *db) { return async_catch(async_coro(count_of, db, "users")); }

/* ------------------------------------------------------------------------- rows and cells */

PROGRAM(rows_by_name)
{
    CONNECT(db);
    say("created %ld", await(async_db_execute(db, USERS)).num);
    async_rows *users = await(async_db_fetch(db, "SELECT * FROM users ORDER BY id")).ptr;
    say("%zu rows, %zu columns", users->count, users->columns);
    async_each_row(user, users)
        say("%s", async_row_repr(user));
    async_row grace = async_rows_at(users, 1);
    say("%s %ld %g %s %s", async_row_text(grace, "name"), async_row_num(grace, "age"),
        async_row_real(grace, "score"), yes(async_row_is_null(grace, "age")),
        yes(async_row_text(grace, "age") == NULL));
    async_rows *nobody = await(async_db_fetch(db, "SELECT name, age FROM users WHERE id = 9")).ptr;
    say("%zu rows, %zu columns: %s", nobody->count, nobody->columns, nobody->names[1]);
    async_each_row(user, nobody)
        say("not reached %s", async_row_repr(user));
    return async_none;
}

START_TEST(rows_are_found_by_the_names_of_their_columns)
{
    play(async_coro(rows_by_name));
    expect("created 3\n"
           "3 rows, 4 columns\n"
           "{'id': 1, 'name': 'Ada', 'age': 36, 'score': 9.5}\n"
           "{'id': 2, 'name': 'Grace', 'age': None, 'score': 8.0}\n"
           "{'id': 3, 'name': 'Linus', 'age': 21, 'score': None}\n"
           "Grace 0 8 True True\n"
           "0 rows, 2 columns: age\n");
}
END_TEST

PROGRAM(with_arguments)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    char name[] = "O'Neil; DROP TABLE users";
    const char *nothing = NULL;
    long changed = await(async_db_execute(db, "INSERT INTO users VALUES ($1, $2, $3, $4)", 4, name,
                                          nothing, 0.1)).num;
    say("inserted %ld", changed);
    async_rows *rows = await(async_db_fetch(db, "SELECT * FROM users WHERE name = $1", name)).ptr;
    say("%s", async_row_repr(async_rows_at(rows, 0)));
    changed = await(async_db_execute(db, "UPDATE users SET age = $2 WHERE id >= $1", 3, NULL)).num;
    say("updated %ld, without age: %ld", changed,
        await(async_db_fetchval(db, "SELECT count(*) FROM users WHERE age IS NULL")).num);
    say("deleted %ld", await(async_db_execute(db, "DELETE FROM users WHERE id = $1", 99L)).num);
    say("%s", await(async_db_fetchval(db, "SELECT name FROM users WHERE id = $1", 1)).str);
    say("%s", yes(await(async_db_fetchval(db, "SELECT name FROM users WHERE id = 9")).ptr == NULL));
    rows =
        await(async_db_fetch(db, "INSERT INTO users (id, name) VALUES (7, 'é\n') RETURNING *")).ptr;
    say("%s", async_row_repr(async_rows_at(rows, 0)));
    async_cell list[] = { ASYNC_CELL(1), ASYNC_CELL(3) };
    rows = await(async_db_fetch_list(db, "SELECT name FROM users WHERE id IN ($2, $1) ORDER BY id",
                                     list, 2)).ptr;
    async_each_row(row, rows)
        say("%s", async_row_text(row, "name"));
    return async_none;
}

START_TEST(arguments_take_their_places)
{
    play(async_coro(with_arguments));
    expect("inserted 1\n"
           "{'id': 4, 'name': \"O'Neil; DROP TABLE users\", 'age': None, 'score': 0.1}\n"
           "updated 2, without age: 3\n"
           "deleted 0\n"
           "Ada\n"
           "True\n"
           "{'id': 7, 'name': 'é\\n', 'age': None, 'score': None}\n"
           "Ada\n"
           "Linus\n");
}
END_TEST

PROGRAM(large_rows)
{
    CONNECT(db);
    await(async_db_execute(db, "CREATE TABLE heap (id INTEGER, text TEXT)"));
    size_t size = 3 << 20;
    char *text = async_alloc(size + 1);
    memset(text, 'x', size);
    await(async_db_execute(db, "INSERT INTO heap VALUES (1, $1)", text));
    const char *back = await(async_db_fetchval(db, "SELECT text FROM heap")).str;
    say("%s", yes(strcmp(back, text) == 0));
    async_rows *many = await(async_db_fetch(db,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "SELECT i, i * 2 AS twice FROM n")).ptr;
    long sum = 0;
    async_each_row(row, many)
        sum += async_row_num(row, "twice");
    say("%zu rows, sum %ld", many->count, sum);
    async_rows_free(many);
    async_rows_free(NULL);
    return async_none;
}

START_TEST(texts_and_results_may_be_large)
{
    play(async_coro(large_rows));
    expect("True\n20000 rows, sum 400020000\n");
}
END_TEST

PROGRAM(no_such_column)
{
    CONNECT(db);
    async_rows *rows = await(async_db_fetch(db, "SELECT 1 AS one, 2 AS two")).ptr;
    say("%ld", async_row_num(async_rows_at(rows, 0), "three"));
    return async_none;
}

static void ask_for_no_such_column(void) { play(async_coro(no_such_column)); }

START_TEST(a_column_that_is_not_there_is_a_mistake)
{
    expect_abort(ask_for_no_such_column, "there is no column 'three'; the query gave one, two");
}
END_TEST

/* -------------------------------------------------------------------------------- errors */

struct try_sql { async_db *db; const char *sql; };
static async_value try_sql(void *p)
{
    struct try_sql *args = p;
    say_kind(async_catch(async_db_execute(args->db, args->sql)));
    return async_none;
}

PROGRAM(errors)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    await(async_coro(try_sql, db, "SELEC * FROM users"));
    await(async_coro(try_sql, db, "SELECT * FROM nobody"));
    await(async_coro(try_sql, db, "INSERT INTO users VALUES (1, 'twice', 1, 1)"));
    await(async_coro(try_sql, db, "INSERT INTO users VALUES (8, 'Ada', 1, 1)"));
    await(async_coro(try_sql, db, "INSERT INTO users VALUES (8, NULL, 1, 1)"));
    say_kind(async_catch(async_db_fetch(db, "SELECT * FROM users WHERE id = $1", 1, 2)));
    say_kind(async_catch(async_db_fetch(db, "SELECT * FROM users WHERE id = $1")));
    say_kind(async_catch(async_db_fetch(db, "SELECT * FROM users WHERE id = $1 OR id = $2", 1)));
    async_value v = async_catch(async_db_fetch(db, "SELECT é, FROM users WHERE id = $1", 1));
    has_words(v, "at character 11: FROM users WHERE id = $1");
    say("still %ld users", users_of(db).num);
    await(async_db_close(db));
    say_error(async_catch(async_db_fetch(db, "SELECT 1")));
    await(async_db_close(db));
    say("closed: %s", yes(async_db_is_closed(db)));
    return async_none;
}

START_TEST(a_bad_query_is_an_error_and_the_connection_goes_on)
{
    play(async_coro(errors));
    expect("ProgrammingError\n"
           "ProgrammingError\n"
           "IntegrityError\n"
           "IntegrityError\n"
           "IntegrityError\n"
           "ProgrammingError\n"
           "ProgrammingError\n"
           "ProgrammingError\n"
           "still 3 users\n"
           "InterfaceError: the connection is closed\n"
           "closed: True\n");
}
END_TEST

PROGRAM(bad_url)
{
    say_error(async_catch(async_db_connect("mysql://localhost")));
    say_error(async_catch(async_create_pool(url, 0)));
    return async_none;
}

START_TEST(an_url_tells_the_kind)
{
    play(async_coro(bad_url));
    expect("ValueError: the URL of a database begins with sqlite: or postgresql://\n"
           "ValueError: a pool needs a size of 1 or more\n");
}
END_TEST

/* -------------------------------------------------------------------------- transactions */

struct add_two { async_db *db; int error; double seconds; };
static async_value add_two(void *p)
{
    struct add_two *args = p;
    async_with(async_transaction_exit) async_transaction *both =
        await(async_db_transaction(args->db)).ptr;
    await(async_db_execute(args->db, "INSERT INTO users (id, name) VALUES (10, 'ten')"));
    await(async_sleep(args->seconds));
    if (args->error == -1)
        await(async_db_execute(args->db, "INSERT INTO users (id, name) VALUES (10, 'again')"));
    if (args->error == -2)          /* one that nobody passes on */
        (void)async_catch(async_db_execute(args->db, "SELECT * FROM nobody"));
    if (args->error == -3)
        await(async_transaction_rollback(both));
    if (args->error > 0)
        async_raise(args->error, "of our own");
    return async_str("done");
}

PROGRAM(transactions)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    say_error(async_catch(async_coro(add_two, db, KEY_ERROR, 0.1)));
    say("%ld", users_of(db).num);
    say_kind(async_catch(async_coro(add_two, db, -1, 0)));
    say("%ld", users_of(db).num);
    say_kind(async_catch(async_wait_for(async_coro(add_two, db, 0, 5), 1)));
    say("%ld", users_of(db).num);
    say("%s", await(async_coro(add_two, db, -3, 0)).str);
    say("%ld", users_of(db).num);
    say("%s", await(async_coro(add_two, db, 0, 0)).str);
    say("%ld", users_of(db).num);
    return async_none;
}

START_TEST(a_transaction_is_all_or_nothing)
{
    play(async_coro(transactions));
    expect("Error: of our own\n"
           "3\n"
           "IntegrityError\n"
           "3\n"
           "TimeoutError\n"
           "3\n"
           "done\n3\n"
           "done\n4\n");
}
END_TEST

struct inner { async_db *db; int id; bool fails; };
static async_value inner(void *p)
{
    struct inner *args = p;
    async_with(async_transaction_exit) async_transaction *part =
        await(async_db_transaction(args->db)).ptr;
    await(async_db_execute(args->db, "INSERT INTO users (id, name) VALUES ($1, $2)", args->id,
                           async_strf("user %d", args->id)));
    if (args->fails)
        await(async_db_execute(args->db, "SELECT * FROM nobody"));
    return async_none;
}

struct outer { async_db *db; bool fails; };
static async_value outer(void *p)
{
    struct outer *args = p;
    async_with(async_transaction_exit) async_transaction *all =
        await(async_db_transaction(args->db)).ptr;
    await(async_coro(inner, args->db, 20, false));
    say_kind(async_catch(async_coro(inner, args->db, 21, true)));
    await(async_coro(inner, args->db, 22, false));
    if (args->fails)
        async_raise(KEY_ERROR, "all of it");
    return async_none;
}

PROGRAM(nested)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    say_error(async_catch(async_coro(outer, db, true)));
    say("%ld", users_of(db).num);
    await(async_coro(outer, db, false));
    say("%ld", users_of(db).num);
    return async_none;
}

START_TEST(a_transaction_in_a_transaction_can_fail_alone)
{
    play(async_coro(nested));
    expect("ProgrammingError\n"
           "Error: all of it\n"
           "3\n"
           "ProgrammingError\n"
           "5\n");
}
END_TEST

/* ----------------------------------------------------------------------------- many tasks */

struct one_of { async_db *db; int number; };
static async_value one_of(void *p)
{
    struct one_of *args = p;
    async_value v = await(async_db_fetchval(args->db, "SELECT $1 + 0", args->number));
    say("%ld", v.num);
    return v;
}

PROGRAM(in_order)
{
    CONNECT(db);
    async_awaitable list[5];
    async_value results[5];
    for (int i = 0; i < 5; i++)
        list[i] = async_coro(one_of, db, i);
    await(async_gather_list(results, list, 5, false));
    async_task slow = async_create_task(async_db_execute(db, "SELECT pg_sleep(0.05)"));
    await(async_sleep(0));
    await(async_db_close(db));
    say("closed after the query: %s", yes(async_done(slow)));
    await(slow);
    return async_none;
}

START_TEST(queries_on_one_connection_queue_up)
{
    play(async_coro(in_order));
    expect("0\n1\n2\n3\n4\nclosed after the query: True\n");
}
END_TEST

static int asking, most_asking;

struct slow { double seconds; };
static async_value slow(void *p)
{
    struct slow *args = p;
    CONNECT(db);
    asking++;
    most_asking = asking > most_asking ? asking : most_asking;
    await(async_db_execute(db, "SELECT pg_sleep($1)", args->seconds));
    asking--;
    return async_none;
}

PROGRAM(ten_at_once)
{
    async_awaitable list[10];
    async_value results[10];
    for (int i = 0; i < 10; i++)
        list[i] = async_coro(slow, 0.5);
    await(async_gather_list(results, list, 10, false));
    say("%d at once", most_asking);
    return async_none;
}

START_TEST(ten_slow_queries_are_under_way_at_once)
{
    async_value v = run_real(async_coro(ten_at_once));
    say("%s", repr(v));
    expect("10 at once\nNone\n");
}
END_TEST

PROGRAM(cancelled_query)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    for (int i = 0; i < 3; i++) {   /* one that went on would end with the test */
        say_kind(async_catch(async_wait_for(async_db_execute(db, "SELECT pg_sleep(600)"), 0.1)));
        async_task both[2] = {      /* the second waits for its turn */
            async_create_task(async_db_execute(db, "SELECT pg_sleep(600)")),
            async_create_task(async_db_execute(db, "SELECT pg_sleep(600)")),
        };
        await(async_sleep(0.05));
        async_cancel(both[1]);
        async_cancel(both[0]);
        async_cancel(both[0]);
        say_kind(async_catch(both[0]));
        say_kind(async_catch(both[1]));
        say("%ld users", users_of(db).num);
    }
    const char *endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 - 1 FROM n) "
                          "SELECT count(*) FROM n";
    say_kind(async_catch(async_wait_for(async_db_fetch(db, endless), 0.1)));
    say("%ld users", users_of(db).num);
    return async_none;
}

START_TEST(a_cancelled_query_ends_at_the_database_as_well)
{
    async_value v = run_real(async_coro(cancelled_query));
    say("%s", repr(v));
    expect("TimeoutError\nCancelledError\nCancelledError\n3 users\n"
           "TimeoutError\nCancelledError\nCancelledError\n3 users\n"
           "TimeoutError\nCancelledError\nCancelledError\n3 users\n"
           "TimeoutError\n"
           "3 users\n"
           "None\n");
}
END_TEST

/* Cancels at every moment: whatever comes of it, all of a transaction is there, or nothing. */
PROGRAM(cancel_anywhere)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    long halves = 0;
    for (int i = 0; i < 60; i++) {
        await(async_db_execute(db, "DELETE FROM users WHERE id >= 10"));
        async_task task = async_create_task(async_coro(outer, db, false));
        await(async_sleep(i * 0.00005));
        async_cancel(task);
        (void)async_catch(task);
        long count = users_of(db).num;
        halves += count != 3 && count != 5;
    }
    said.length = 0;                /* what the inner ones said */
    say("%ld halves", halves);
    return async_none;
}

START_TEST(a_cancel_at_any_moment_leaves_all_or_nothing)
{
    async_value v = run_real(async_coro(cancel_anywhere));
    say("%s", repr(v));
    expect("0 halves\nNone\n");
}
END_TEST

/* --------------------------------------------------------------------------------- pools */

struct borrow { async_pool *pool; const char *who; double seconds; };
static async_value borrow(void *p)
{
    struct borrow *args = p;
    async_with(async_db_exit) async_db *db = await(async_pool_acquire(args->pool)).ptr;
    say("%s has one at %g", args->who, now());
    await(async_db_fetch(db, "SELECT 1"));
    await(async_sleep(args->seconds));
    return async_none;
}

PROGRAM(exhausted)
{
    async_with(async_pool_exit) async_pool *pool = await(async_create_pool(url, 2)).ptr;
    say("%zu open, %zu idle", async_pool_get_size(pool), async_pool_get_idle_size(pool));
    async_task a = async_create_task(async_coro(borrow, pool, "a", 1));
    async_task b = async_create_task(async_coro(borrow, pool, "b", 2));
    async_task c = async_create_task(async_coro(borrow, pool, "c", 3));
    async_task d = async_create_task(async_coro(borrow, pool, "d", 1));
    async_task e = async_create_task(async_coro(borrow, pool, "e", 1));
    await(async_sleep(0.5));
    say("%zu open, %zu idle", async_pool_get_size(pool), async_pool_get_idle_size(pool));
    say_kind(async_catch(async_wait_for(async_pool_acquire(pool), 0.1)));
    async_cancel(d);
    await(wait_all(a, b, c, d, e));
    say("%zu open, %zu idle", async_pool_get_size(pool), async_pool_get_idle_size(pool));
    await(async_pool_close(pool));
    say_error(async_catch(async_pool_acquire(pool)));
    return async_none;
}

START_TEST(a_pool_lends_what_it_has_and_lets_the_others_wait)
{
    play(async_coro(exhausted));
    expect("1 open, 1 idle\n"
           "a has one at 0\n"
           "b has one at 0\n"
           "2 open, 0 idle\n"
           "TimeoutError\n"
           "c has one at 1\n"
           "e has one at 2\n"
           "2 open, 2 idle\n"
           "InterfaceError: the pool is closed\n");
}
END_TEST

/* Two come back at the same moment: whoever waits is served in order. */
PROGRAM(two_at_once)
{
    async_with(async_pool_exit) async_pool *pool = await(async_create_pool(url, 2)).ptr;
    static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
    async_task tasks[6];
    for (int i = 0; i < 6; i++)
        tasks[i] = async_create_task(async_coro(borrow, pool, names[i], 1));
    await(async_wait(tasks, 6, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    return async_none;
}

START_TEST(a_pool_is_first_come_first_served)
{
    play(async_coro(two_at_once));
    expect("a has one at 0\n"
           "b has one at 0\n"
           "c has one at 1\n"
           "d has one at 1\n"
           "e has one at 2\n"
           "f has one at 2\n");
}
END_TEST

struct leave_open { async_pool *pool; };
static async_value leave_open(void *p)
{
    struct leave_open *args = p;
    async_with(async_db_exit) async_db *db = await(async_pool_acquire(args->pool)).ptr;
    await(async_db_execute(db, "BEGIN; DELETE FROM users"));
    say("%ld", users_of(db).num);
    return async_ptr(db);
}

PROGRAM(given_back)
{
    async_with(async_pool_exit) async_pool *pool = await(async_create_pool(url, 1)).ptr;
    {
        async_with(async_db_exit) async_db *db = await(async_pool_acquire(pool)).ptr;
        await(async_db_execute(db, USERS));
    }
    async_db *old = await(async_coro(leave_open, pool)).ptr;
    async_with(async_db_exit) async_db *db = await(async_pool_acquire(pool)).ptr;
    say("%ld", users_of(db).num);
    has_words(async_catch(async_db_fetch(old, "SELECT 1")), "handle");
    await(async_db_close(db));      /* then the pool makes another */
    return async_none;
}

START_TEST(what_is_given_back_is_clean_and_its_handle_stale)
{
    play(async_coro(given_back));
    expect("0\n3\n");
}
END_TEST

/* -------------------------------------------------------------------------- nothing leaks */

static int open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 1000; fd++)
        count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
    return count;
}

static async_value one_round(void *p)
{
    (void)p;
    CONNECT(db);
    await(async_db_fetch(db, "SELECT 1"));
    async_with(async_transaction_exit) async_transaction *t = await(async_db_transaction(db)).ptr;
    (void)async_catch(async_db_fetch(db, "SELECT nothing"));
    return async_leave(async_error(KEY_ERROR, NULL));
}

struct round_in_a_task { async_event *over; };
static async_value round_in_a_task(void *p)
{
    struct round_in_a_task *args = p;
    say_kind(async_catch(async_coro(one_round)));
    said.length = 0;
    async_event_set(args->over);
    return async_none;
}

PROGRAM(many_rounds)
{
    int before = open_files();
    async_event *over = async_event_new();
    for (long i = 0; again(&i, 100);) {
        async_event_clear(over);
        async_detach(async_create_task(async_coro(round_in_a_task, over)));
        await(async_event_wait(over));
    }
    CONNECT(db);
    for (long i = 0; again(&i, 1000);) {
        async_with(async_rows_exit) async_rows *rows = await(async_db_fetch(db, "SELECT 1")).ptr;
        async_with(async_transaction_exit) async_transaction *t =
            await(async_db_transaction(db)).ptr;
    }
    await(async_db_close(db));
    say("%d files more", open_files() - before);
    return async_none;
}

START_TEST(nothing_leaks)
{
    play(async_coro(many_rounds));
    expect("constant memory\nconstant memory\n0 files more\n");
}
END_TEST

/* -------------------------------------------------------------------------------- cursors */

#define NUMBERS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) " \
                "SELECT i, 'row ' || i AS name FROM n"

struct add_up { async_db *db; long most, stop; };
static async_value add_up(void *p)
{
    struct add_up *args = p;
    long sum = 0;
    async_with(async_aclose_exit) async_iterator numbers = async_db_cursor(args->db, NUMBERS, args->most);
    async_for (value, numbers) {
        const async_row *row = value.ptr;
        sum += async_row_num(*row, "i");
        if (async_row_num(*row, "i") == args->stop) {
            say("leaves at %s", async_row_text(*row, "name"));
            break;
        }
    }
    return async_num(sum);
}

static async_value failing_cursor(void *p)
{
    async_for (value, async_db_cursor(*(async_db **)p, "SELECT nothing FROM users"))
        say("not reached %p", value.ptr);
    return async_none;
}

struct goes_on { async_db *db; };
static async_value goes_on(void *p)
{
    async_db *db = ((struct goes_on *)p)->db;
    async_iterator numbers;
    {
        async_with(async_transaction_exit) async_transaction *t = await(async_db_transaction(db)).ptr;
        numbers = async_db_cursor(db, NUMBERS, 250);
        say("first %ld", async_row_num(*(const async_row *)await(async_anext(numbers)).ptr, "i"));
    }
    async_with(async_transaction_exit) async_transaction *t = await(async_db_transaction(db)).ptr;
    async_value v = async_none;
    for (int i = 0; i < 99 && !v.error; i++)        /* those that have come already */
        v = async_catch(async_anext(numbers));
    return async_leave(v.error ? v : async_catch(async_anext(numbers)));
}

PROGRAM(cursors)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    async_value v = async_catch(async_coro(add_up, db, 3));
    say("%s", yes(has_words(v, "a cursor lasts as long as its transaction")));
    {
        async_with(async_transaction_exit) async_transaction *t = await(async_db_transaction(db)).ptr;
        const long most[] = { 1, 99, 100, 101, 250 };
        for (size_t i = 0; i < 5; i++)
            say("%ld", await(async_coro(add_up, db, most[i])).num);
        say("%ld", await(async_coro(add_up, db, 1000000, 150)).num);
        await(async_db_execute(db, "UPDATE users SET age = 1"));
        async_value both[2];
        await(async_gather(both, async_coro(add_up, db, 300), async_coro(add_up, db, 201, 170)));
        say("%ld %ld", both[0].num, both[1].num);
    }
    say_kind(async_catch(async_coro(goes_on, db)));
    {
        async_with(async_transaction_exit) async_transaction *t = await(async_db_transaction(db)).ptr;
        v = async_catch(async_coro_new((async_call){ failing_cursor, "failing_cursor", &db, sizeof db }));
        say("%s %s", async_db_error_name(v.error), yes(has_words(v, "nothing")));
        await(async_transaction_rollback(t));
    }
    return async_none;
}

START_TEST(a_cursor_gives_rows_as_they_come)
{
    play(async_coro(cursors));
    expect("True\n"
           "1\n"
           "4950\n"
           "5050\n"
           "5151\n"
           "31375\n"
           "leaves at row 150\n"
           "11325\n"
           "leaves at row 170\n"
           "45150 14535\n"
           "first 1\n"
           "ProgrammingError\n"
           "ProgrammingError True\n");
}
END_TEST

PROGRAM(long_cursor)
{
    CONNECT(db);
    async_with(async_transaction_exit) async_transaction *t = await(async_db_transaction(db)).ptr;
    async_with(async_aclose_exit) async_iterator numbers = async_db_cursor(db, NUMBERS, 100000000);
    for (long i = 0; again(&i, 20000);)
        await(async_anext(numbers));
    return async_none;
}

START_TEST(a_cursor_takes_constant_memory)
{
    play(async_coro(long_cursor));
    expect("constant memory\n");
}
END_TEST

#define DATABASE_TESTS \
    TEST(rows_are_found_by_the_names_of_their_columns) TEST(arguments_take_their_places) \
    TEST(texts_and_results_may_be_large) TEST(a_column_that_is_not_there_is_a_mistake) \
    TEST(a_bad_query_is_an_error_and_the_connection_goes_on) TEST(an_url_tells_the_kind) \
    TEST(a_transaction_is_all_or_nothing) TEST(a_transaction_in_a_transaction_can_fail_alone) \
    TEST(queries_on_one_connection_queue_up) TEST(ten_slow_queries_are_under_way_at_once) \
    TEST(a_cancelled_query_ends_at_the_database_as_well) \
    TEST(a_cancel_at_any_moment_leaves_all_or_nothing) \
    TEST(a_pool_lends_what_it_has_and_lets_the_others_wait) \
    TEST(a_pool_is_first_come_first_served) \
    TEST(what_is_given_back_is_clean_and_its_handle_stale) TEST(nothing_leaks) \
    TEST(a_cursor_gives_rows_as_they_come) TEST(a_cursor_takes_constant_memory)

#endif
