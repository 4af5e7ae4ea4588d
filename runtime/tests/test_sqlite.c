/* SQLite: what every database has to do, and what is special about this one: files, locks, a
 * thread. */
#include "sqlite.h"
#include "databases.h"

static char directory[256];

/* For each test an empty database in a file. */
static void fresh_file(void)
{
    static char text[300];
    folder_beside_us(directory, sizeof directory);
    snprintf(text, sizeof text, "sqlite:%s/test.db", directory);
    url = text;
}

static void remove_file(void)
{
    static const char *const names[] = { "test.db", "test.db-journal", "test.db-wal",
                                         "test.db-shm" };
    char path[300];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

PROGRAM(cells)
{
    async_with(async_db_exit) async_db *db = await(async_sqlite_connect(":memory:")).ptr;
    async_rows *rows = await(async_db_fetch(db,
        "SELECT $1 AS i, $2 AS r, $3 AS t, $4 AS n, $5 AS b, ?1 AS again", -9223372036854775807L,
        1e100, "text", NULL, async_bytes("a\0b'", 4))).ptr;
    say("%s", async_row_repr(async_rows_at(rows, 0)));
    say("%s %s", async_row_text(async_rows_at(rows, 0), "r"),
        async_row_text(async_rows_at(rows, 0), "i"));
    return async_none;
}

START_TEST(every_kind_of_cell)
{
    play(async_coro(cells));
    expect("{'i': -9223372036854775807, 'r': 1e+100, 't': 'text', 'n': None, 'b': b\"a\\x00b'\", "
           "'again': -9223372036854775807}\n"
           "1e+100 -9223372036854775807\n");
}
END_TEST

PROGRAM(cannot_open)
{
    async_value v = async_catch(async_db_connect("sqlite:/no/such/directory/test.db"));
    say_kind(v);
    has_words(v, "opening /no/such/directory/test.db: ");
    has_words(v, "ENOENT");
    FILE *file = fopen(url + strlen("sqlite:"), "w");
    fputs("This is not a database, but it is long enough to look at the header of it. "
          "So it is read, and found to be no such thing as a database.", file);
    fclose(file);
    v = async_catch(async_db_connect(url));
    say_kind(v);
    has_words(v, url + strlen("sqlite:"));
    v = async_catch(async_create_pool("sqlite::memory:", 3));
    has_words(v, "each connection to this URL has a database of its own");
    return async_none;
}

START_TEST(what_cannot_be_opened)
{
    play(async_coro(cannot_open));
    expect("OperationalError\nOperationalError\n");
}
END_TEST

PROGRAM(shares_memory)
{
    async_with(async_pool_exit) async_pool *pool =
        await(async_create_pool("sqlite:file:/shared?vfs=memdb", 2)).ptr;
    async_with(async_db_exit) async_db *one = await(async_pool_acquire(pool)).ptr;
    async_with(async_db_exit) async_db *two = await(async_pool_acquire(pool)).ptr;
    await(async_db_execute(one, "CREATE TABLE t (i); INSERT INTO t VALUES (7)"));
    async_rows *rows = await(async_db_fetch(two, "SELECT i FROM t")).ptr;
    say("%s %d", async_row_repr(async_rows_at(rows, 0)), access("/shared", F_OK));
    return async_none;
}

START_TEST(memory_that_connections_share)
{
    play(async_coro(shares_memory));
    expect("{'i': 7} -1\n");
}
END_TEST

PROGRAM(full)
{
    CONNECT(db);
    await(async_db_execute(db, USERS "; PRAGMA max_page_count = 10"));
    async_value v = async_catch(async_db_execute(db, "UPDATE users SET name = name || $1",
                                                 async_strf("%0100000d", 1)));
    say("%s", yes(v.error == ENOSPC));
    say("%s", async_error_name(ASYNC_DB_INTEGRITY_ERROR));
    say("%ld users", users_of(db).num);
    return async_none;
}

START_TEST(a_full_disk)
{
    play(async_coro(full));
    expect("True\nIntegrityError\n3 users\n");
}
END_TEST

struct hold { const char *who; double seconds; };
static async_value hold(void *p)
{
    struct hold *args = p;
    CONNECT(db);
    async_with(async_transaction_exit) async_transaction *t = await(async_db_transaction(db)).ptr;
    say("%s begins", args->who);
    await(async_db_execute(db, "SELECT pg_sleep($1)", args->seconds));
    say("%s ends", args->who);
    return async_none;
}

PROGRAM(locked)
{
    {
        CONNECT(db);
        await(async_db_execute(db, USERS));
    }
    async_task first = async_create_task(async_coro(hold, "first", 0.5));
    await(async_sleep(0.1));
    say_kind(async_catch(async_wait_for(async_coro(hold, "nobody", 0), 0.1)));
    await(async_coro(hold, "second", 0));
    await(first);
    return async_none;
}

START_TEST(a_lock_is_waited_for_and_the_wait_can_be_cancelled)
{
    async_value v = run_real(async_coro(locked));
    say("%s", repr(v));
    expect("first begins\nTimeoutError\nfirst ends\nsecond begins\nsecond ends\nNone\n");
}
END_TEST

/* A loop that is closed while a query runs. */
START_TEST(left_behind)
{
    unsetenv("ASYNC_CLOCK");
    async_loop *loop = async_new_event_loop();
    async_task task = async_loop_create_task(loop, async_coro(slow, 60));
    async_value v = async_loop_run_until_complete(loop, async_sleep(0.1));
    listen_to_stderr();
    async_loop_close(loop);
    heard();
    (void)task;
    ck_assert_int_eq(v.error, 0);
    ck_assert_msg(strstr(said.text, "Task was destroyed but it is pending"), "%s", said.text);
}
END_TEST

/* Its thread posts only what was asked for, so it is no hope for anybody. */
PROGRAM(waits_for_nothing)
{
    await(async_db_connect("sqlite::memory:"));
    return await(async_queue_get(async_queue_new(0)));
}

START_TEST(a_deadlock_is_told_though_a_connection_is_open)
{
    listen_to_stderr();
    async_value v = run_real(async_coro(waits_for_nothing));
    heard();
    ck_assert_int_eq(v.error, ASYNC_DEADLOCK);
}
END_TEST

static async_db *of_another_loop;

PROGRAM(uses_it)
{
    async_value v = async_catch(async_db_fetch(of_another_loop, "SELECT 1"));
    say("%s %s", async_error_name(v.error), yes(strstr(v.message, "different loop") != NULL));
    return async_none;
}

PROGRAM(connects)
{
    of_another_loop = await(async_db_connect("sqlite::memory:")).ptr;
    return async_none;
}

START_TEST(a_connection_of_another_loop)
{
    async_loop *loop = async_new_event_loop();
    async_value v = async_loop_run_until_complete(loop, async_coro(connects));
    ck_assert_int_eq(v.error, 0);
    play(async_coro(uses_it));
    expect("RuntimeError True\n");
    async_loop_close(loop);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqlite");
    TCase *tests = tcase_create("sqlite");
    SRunner *runner = srunner_create(suite);
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_checked_fixture(tests, fresh_file, remove_file);
    DATABASE_TESTS
    TEST(every_kind_of_cell) TEST(memory_that_connections_share) TEST(what_cannot_be_opened) TEST(a_full_disk)
    TEST(a_lock_is_waited_for_and_the_wait_can_be_cancelled) TEST(left_behind)
    TEST(a_deadlock_is_told_though_a_connection_is_open) TEST(a_connection_of_another_loop)
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
