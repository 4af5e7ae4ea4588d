/* PostgreSQL: what every database has to do, and what is special about this one: a server that is
 * somewhere else, and may go.
 *
 * The server is a private one, made by tools/postgres.sh; without PostgreSQL there is no test. */
#include "postgres.h"
#include "databases.h"
#include <signal.h>

static char address[512], directory[400];

static void chomp(char *line) { line[strcspn(line, "\n")] = 0; }

static void control(const char *command)
{
    char line[600];
    snprintf(line, sizeof line, "sh tools/postgres.sh %s '%s' >/dev/null 2>&1", command, directory);
    if (system(line))
        say("tools/postgres.sh %s failed", command);
}

/* False: there is no PostgreSQL here. */
static bool start_server(void)
{
    char command[80];
    snprintf(command, sizeof command, "sh tools/postgres.sh start %d", (int)getpid());
    FILE *answer = popen(command, "r");
    bool started = answer && fgets(address, sizeof address, answer)
                   && fgets(directory, sizeof directory, answer);
    if (answer)
        pclose(answer);
    chomp(address);
    chomp(directory);
    url = address;
    return started;
}

PROGRAM(empty_database)
{
    CONNECT(db);
    await(async_db_execute(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
    return async_none;
}

static void fresh_database(void)
{
    begin();
    async_value v = run_virtual(async_coro(empty_database));
    ck_assert_msg(!v.error, "%s", v.message);
}

PROGRAM(cells)
{
    CONNECT(db);
    async_row row = async_rows_at(await(async_db_fetch(db,
        "SELECT $1::bigint AS i, $2::float8 AS r, $3 AS t, $4::int AS n, $5::bytea AS b, "
        "       true AS yes, 12.50::numeric AS d, DATE '2024-02-29' AS day, '{1,2}'::int[] AS list",
        -9223372036854775807L, 0.1, "text", NULL, async_bytes("a\0b'", 4))).ptr, 0);
    say("%s", async_row_repr(row));
    say("%s %g %s %ld", async_row_text(row, "d"), async_row_real(row, "d"),
        async_row_text(row, "yes"), async_row_num(row, "yes"));
    return async_none;
}

START_TEST(every_kind_of_cell)
{
    play(async_coro(cells));
    expect("{'i': -9223372036854775807, 'r': 0.1, 't': 'text', 'n': None, 'b': b\"a\\x00b'\", "
           "'yes': True, 'd': 12.50, 'day': '2024-02-29', 'list': '{1,2}'}\n"
           "12.50 12.5 true 1\n");
}
END_TEST

/* Words of the server's own would differ from version to version: here it is given ours. */
#define RAISE "DO $$ BEGIN RAISE EXCEPTION 'such words' USING ERRCODE = '23505'"

PROGRAM(sentences)
{
    CONNECT(db);
    await(async_db_execute(db, USERS "; DROP TABLE IF EXISTS nobody"));
    say_error(async_catch(async_db_execute(db, RAISE "; END $$")));
    say_error(async_catch(async_db_execute(db, RAISE ", DETAIL = 'so it is'; END $$")));
    say_error(async_catch(async_db_execute(db, RAISE ", HINT = 'do better'; END $$")));
    async_value v = async_catch(async_db_fetch(db, "SELECT naem FROM users"));
    say_kind(v);
    has_words(v, "naem");
    has_words(v, ", at character 8: naem FROM users");
    say_kind(async_catch(async_db_execute(db, "INSERT INTO users VALUES (1, 'x')")));
    say_kind(async_catch(async_db_fetch(db, "SELECT 1/0")));
    say_kind(async_catch(async_db_fetch(db, "SELECT id FROM users WHERE id = $1", "x")));
    v = async_catch(async_db_fetch(db, "SELECT '"));
    say_kind(v);
    has_words(v, ", at character 8: '");
    v = async_catch(async_db_execute(db, "SELECT 1; SELECT 2; SELEC 3"));
    say_kind(v);
    has_words(v, ", at character 21: SELEC 3");
    await(async_db_execute(db, "SET statement_timeout = 50"));
    say_kind(async_catch(async_db_fetch(db, "SELECT pg_sleep(9)")));
    say_error(async_catch(async_db_execute(db, "COPY (SELECT generate_series(1, 100000)) TO STDOUT")));
    say_kind(async_catch(async_db_execute(db, "COPY users FROM STDIN; SELECT 1")));
    say("%ld, as before", await(async_db_fetchval(db, "SELECT 1")).num);
    return async_none;
}

/* While it makes a database. */
START_TEST(a_server_told_to_end_early_leaves_nothing_behind)
{
    ck_assert_int_eq(system(
        "work=$(mktemp -d) && chmod 755 \"$work\" || exit 1\n"
        "BUILD=$work TMPDIR=$work sh tools/postgres.sh start $$ > /dev/null 2>&1 &\n"
        "while [ ! -e \"$work\"/postgres.*/log ]; do kill -0 $! || exit 1; sleep 0.05; done\n"
        "kill $!; wait $!; rmdir \"$work\""), 0);
}
END_TEST

START_TEST(errors_say_what_the_server_said)
{
    play(async_coro(sentences));
    expect(
        "IntegrityError: such words\n"
        "IntegrityError: such words (so it is)\n"
        "IntegrityError: such words (do better)\n"
        "ProgrammingError\n"
        "IntegrityError\n"
        "DataError\n"
        "DataError\n"
        "ProgrammingError\n"
        "ProgrammingError\n"
        "OperationalError\n"
        "ProgrammingError: COPY sends its rows beside the answer to a query, and is not possible here: "
        "use INSERT and SELECT, or psql\n"
        "ProgrammingError\n"
        "1, as before\n");
}
END_TEST

PROGRAM(cannot_connect)
{
    static char no_database[sizeof address];
    snprintf(no_database, sizeof no_database, "postgresql:///nowhere%s", strchr(address, '?'));
    has_words(async_catch(async_db_connect(no_database)), "nowhere");
    has_words(async_catch(async_db_connect("postgresql://localhost:1/x")), "ECONNREFUSED");
    has_words(async_catch(async_db_connect("postgresql://127.0.0.1:1/x")), "ECONNREFUSED");
    has_words(async_catch(async_db_connect("postgresql:///x?host=/no/such")),
              "ENOENT");
    has_words(async_catch(async_db_connect("postgresql://no-such-host.invalid/x")),
              "looking up no-such-host.invalid");
    has_words(async_catch(async_db_connect("postgresql:///x?colour=red")), "colour");
    say_kind(async_catch(async_db_connect(no_database)));
    return async_none;
}

START_TEST(what_cannot_be_connected_to)
{
    play(async_coro(cannot_connect));
    expect("OperationalError\n");
}
END_TEST

PROGRAM(deadlock)
{
    CONNECT(db);
    CONNECT(other);
    await(async_db_execute(db, USERS));
    await(async_db_execute(db, "BEGIN; UPDATE users SET age = 1 WHERE id = 1"));
    await(async_db_execute(other, "BEGIN; UPDATE users SET age = 2 WHERE id = 2"));
    async_value got[2];
    await(async_gather_exceptions(got,
        async_db_execute(db, "UPDATE users SET age = 1 WHERE id = 2"),
        async_db_execute(other, "UPDATE users SET age = 2 WHERE id = 1; COMMIT")));
    say("%s", yes((got[0].error == ASYNC_DB_BUSY) != (got[1].error == ASYNC_DB_BUSY)));
    return async_none;
}

START_TEST(a_deadlock_at_the_server_is_busy)
{
    play(async_coro(deadlock));
    expect("True\n");
}
END_TEST

/* A server that is gone in the middle of a query, and then is back. */
PROGRAM(killed)
{
    async_with(async_pool_exit) async_pool *pool = await(async_create_pool(url, 2)).ptr;
    {
        async_with(async_db_exit) async_db *db = await(async_pool_acquire(pool)).ptr;
        async_with(async_db_exit) async_db *idle = await(async_pool_acquire(pool)).ptr;
        await(async_db_execute(db, USERS));
        async_task query = async_create_task(async_db_fetch(db, "SELECT pg_sleep(60)"));
        await(async_sleep(0.1));
        control("kill");
        async_value v = async_catch(query);
        say_kind(v);
        has_words(v, "the connection to PostgreSQL was lost");
        v = async_catch(async_db_fetch(db, "SELECT 1"));
        say_kind(v);
        has_words(v, "the connection is closed: the connection to PostgreSQL was lost");
        has_words(async_catch(async_db_connect(url)), "connecting to PostgreSQL");
        (void)idle;
    }
    say("%zu open", async_pool_get_size(pool));
    control("again");
    async_with(async_db_exit) async_db *db = await(async_pool_acquire(pool)).ptr;
    say("%ld users", users_of(db).num);
    return async_none;
}

START_TEST(a_server_that_is_killed_and_comes_back)
{
    async_value v = run_real(async_coro(killed));
    say("%s", repr(v));
    expect("OperationalError\nInterfaceError\n1 open\n3 users\nNone\n");
}
END_TEST

PROGRAM(killed_in_transaction)
{
    CONNECT(db);
    await(async_db_execute(db, USERS));
    async_task task = async_create_task(async_coro(outer, db, false));
    await(task);
    async_task other = async_create_task(async_coro(add_two, db, 0, 0.3));
    await(async_sleep(0.1));
    control("kill");
    async_value v = async_catch(other);
    say_kind(v);
    control("again");
    CONNECT(again);
    say("%ld users", users_of(again).num);
    return async_none;
}

START_TEST(a_commit_that_finds_no_server)
{
    async_value v = run_real(async_coro(killed_in_transaction));
    say("%s", repr(v));
    expect("ProgrammingError\nOperationalError\n5 users\nNone\n");
}
END_TEST

PROGRAM(broken_while_idle)
{
    async_with(async_pool_exit) async_pool *pool = await(async_create_pool(url, 3)).ptr;
    {
        async_with(async_db_exit) async_db *a = await(async_pool_acquire(pool)).ptr;
        async_with(async_db_exit) async_db *b = await(async_pool_acquire(pool)).ptr;
        await(async_db_execute(a, USERS));
        await(async_db_execute(b, "SELECT 1"));
    }
    say("%zu idle", async_pool_get_idle_size(pool));
    CONNECT(db);
    await(async_db_execute(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE pid <> pg_backend_pid() AND application_name = 'evlings'"));
    await(async_sleep(0.2));
    async_with(async_db_exit) async_db *a = await(async_pool_acquire(pool)).ptr;
    say("%ld users, %zu open", users_of(a).num, async_pool_get_size(pool));
    return async_none;
}

START_TEST(a_pool_replaces_what_broke_while_it_was_idle)
{
    async_value v = run_real(async_coro(broken_while_idle));
    say("%s", repr(v));
    expect("2 idle\n3 users, 1 open\nNone\n");
}
END_TEST

/* A server that does not answer at all, not even to a request to cancel. */
PROGRAM(silent)
{
    char path[sizeof directory + 32];
    int server = 0;
    snprintf(path, sizeof path, "%s/data/postmaster.pid", directory);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%d", &server) != 1)
        async_raise(ENOENT, "no postmaster.pid");
    fclose(file);
    CONNECT(db);
    int backend = await(async_db_fetchval(db, "SELECT pg_backend_pid()")).num;
    kill(server, SIGSTOP);
    kill(backend, SIGSTOP);
    double start = now();
    async_value v = async_catch(async_wait_for(async_db_fetch(db, "SELECT 1"), 0.2));
    double took = now() - start;
    kill(backend, SIGCONT);
    kill(server, SIGCONT);
    say_kind(v);
    say(took > 4 ? "after some patience" : "after %g s", took);
    v = async_catch(async_db_fetch(db, "SELECT 1"));
    say_kind(v);
    has_words(v, "it did not answer");
    await(async_sleep(0.5));        /* for the thread with the request, which now ends */
    return async_none;
}

START_TEST(a_server_that_says_nothing)
{
    async_value v = run_real(async_coro(silent));
    say("%s", repr(v));
    expect("TimeoutError\nafter some patience\nInterfaceError\nNone\n");
}
END_TEST

/* ------------------------------------------------------------------------- notifications */

struct hears { async_db *db; const char *last; };
static async_value hears(void *p)
{
    struct hears *args = p;
    async_for (news, async_postgres_notifies(args->db)) {
        const async_notification *heard = news.ptr;
        say("%s: %s", heard->channel, heard->payload);
        if (strcmp(heard->payload, args->last) == 0)
            break;
        async_free(heard);
    }
    return async_none;
}

PROGRAM(news)
{
    CONNECT(listener);
    CONNECT(other);
    await(async_db_execute(listener, "LISTEN news; LISTEN weather"));
    async_task hearing = async_create_task(async_coro(hears, listener, "bye"));
    await(async_db_execute(other, "NOTIFY news, 'one'"));
    await(async_db_fetch(other, "SELECT pg_notify($1, $2)", "weather", "rain"));
    await(async_db_execute(other, "NOTIFY nobody, 'x'; NOTIFY news, 'bye'"));
    await(hearing);
    await(async_db_execute(listener, "NOTIFY news, 'to myself'"));
    await(async_coro(hears, listener, "to myself"));
    say_kind(async_catch(async_wait_for(async_coro(hears, listener, ""), 0.05)));
    say("%ld, as before", await(async_db_fetchval(listener, "SELECT 1")).num);
    hearing = async_create_task(async_coro(hears, listener, "?"));
    await(async_db_fetch(other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                "WHERE pid <> pg_backend_pid() AND query LIKE 'SELECT 1%'"));
    say_kind(async_catch(hearing));
    return async_none;
}

START_TEST(what_is_notified_is_heard)
{
    async_value v = run_real(async_coro(news));
    say("%s", repr(v));
    expect("news: one\nweather: rain\nnews: bye\nnews: to myself\nTimeoutError\n1, as before\n"
           "OperationalError\nNone\n");
}
END_TEST

int main(void)
{
    if (!start_server()) {
        puts("skipped: PostgreSQL is not installed here, or cannot run (make deps-dev gets it)\n"
             "0 passed, 0 failed, 1 skipped");
        return EXIT_SUCCESS;
    }
    Suite *suite = suite_create("postgres");
    TCase *tests = tcase_create("postgres");
    SRunner *runner = srunner_create(suite);
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, fresh_database, NULL);
    DATABASE_TESTS
    TEST(every_kind_of_cell) TEST(errors_say_what_the_server_said) TEST(what_cannot_be_connected_to)
    TEST(a_deadlock_at_the_server_is_busy) TEST(a_pool_replaces_what_broke_while_it_was_idle)
    TEST(a_server_that_is_killed_and_comes_back) TEST(a_commit_that_finds_no_server)
    TEST(a_server_that_says_nothing) TEST(what_is_notified_is_heard) TEST(a_server_told_to_end_early_leaves_nothing_behind)
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    control("stop");
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
