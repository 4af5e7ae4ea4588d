/* Connections and servers: row I01 of the checklist, and crowds, leaks and failures. */
#include "testing.h"
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

static async_server *server;

static async_value echo(async_stream *stream, void *arg)
{
    (void)arg;
    for (size_t length = 1; length;) {
        const char *line = await(async_stream_readline(stream, &length)).str;
        async_stream_write(stream, line, length);
        await(async_stream_drain(stream));
    }
    return async_none;
}

PROGRAM(serve_echo)
{
    server = await(async_start_server(echo, NULL, "127.0.0.1", 0)).ptr;
    return async_none;
}

struct talk { long number; };
static async_value talk(void *p)
{
    char line[32];
    snprintf(line, sizeof line, "%ld\n", ((struct talk *)p)->number);
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    async_stream_puts(stream, line);
    const char *answer = await(async_stream_readline(stream, NULL)).str;
    return async_num(strcmp(answer, line) == 0);
}

/* ----------------------------------------------------------------------------- the address */

PROGRAM(ports)
{
    await(async_coro(serve_echo));
    int port = async_server_port(server);
    say("%s", yes(port > 0));
    async_value v = async_catch(async_start_server(echo, NULL, "127.0.0.1", port));
    say("%d %s", v.error == EADDRINUSE, words_of(v.message, "EADDRINUSE"));
    async_server_close(server);
    async_server_close(server);
    await(async_server_wait_closed(server));
    say("%d", async_server_port(server));
    server = await(async_start_server(echo, NULL, "127.0.0.1", port)).ptr;
    say("%s", yes(async_server_port(server) == port));
    v = await(async_coro(talk, 1));
    say("%ld", v.num);
    return async_none;
}

START_TEST(a_port_in_use_and_used_again)
{
    play(async_coro(ports));
    expect("True\n"
           "1 EADDRINUSE\n"
           "0\n"
           "True\n"
           "1\n");
}
END_TEST

PROGRAM(wrong_addresses)
{
    static char long_name[2000], label[80];     /* no resolver needs to be asked about these */
    memset(long_name, 'x', sizeof long_name - 1);
    memset(label, 'x', sizeof label - 1);
    const char *hosts[] = { label, long_name, "" };
    for (int i = 0; i < 3; i++) {
        async_value v = async_catch(async_open_connection(hosts[i], 80));
        say("%d %d", v.error == ENOENT, v.message && *v.message);
    }
    async_value v = async_catch(async_open_connection("127.0.0.1", 65536));
    say("%s: %s", async_error_name(v.error), v.message);
    v = async_catch(async_start_server(echo, NULL, "127.0.0.1", -1));
    say("%s: %s", async_error_name(v.error), v.message);
    v = async_catch(async_start_server(echo, NULL, label, 0));
    say("%d", v.error == ENOENT);
    const char *none = NULL;                    /* of an async_strf that had no memory */
    say("%d %d", async_catch(async_open_connection(none, 80)).error == ENOMEM,
        async_catch(async_open_unix_connection(none)).error == ENOMEM);
    v = async_catch(async_start_server(echo, NULL, "203.0.113.1", 0));
    say("%s", words_of(v.message, "Cannot assign requested address"));
    return async_none;
}

START_TEST(addresses_that_are_none)
{
    play(async_coro(wrong_addresses));
    expect("1 1\n"
           "1 1\n"
           "1 1\n"
           "ValueError: port must be 0-65535, not 65536\n"
           "ValueError: port must be 0-65535, not -1\n"
           "1\n"
           "1 1\n"
           "Cannot assign requested address\n");
}
END_TEST

PROGRAM(asks_for_addresses)
{
    char name[64] = "";
    const struct addrinfo *found = await(async_getaddrinfo("127.0.0.1", 80)).ptr;
    getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof name, NULL, 0, NI_NUMERICHOST);
    say("%s %s", name, yes(found->ai_next == NULL));
    bool loopback = false;
    found = await(async_getaddrinfo("localhost", 80)).ptr;
    for (; found; found = found->ai_next)
        loopback |= getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof name, NULL, 0,
                                NI_NUMERICHOST) == 0 && (!strcmp(name, "127.0.0.1") || !strcmp(name, "::1"));
    say("%s", yes(loopback));
    async_value v = async_catch(async_wait_for(async_getaddrinfo("localhost", 80), 0));
    say("%s", async_error_name(v.error));
    return async_none;
}

START_TEST(names_become_addresses)
{
    play(async_coro(asks_for_addresses));
    expect("127.0.0.1 True\n"
           "True\n"
           "TimeoutError\n");
}
END_TEST

PROGRAM(is_refused)
{
    await(async_coro(serve_echo));
    int port = async_server_port(server);
    async_server_close(server);
    async_value v = async_catch(async_open_connection("127.0.0.1", port));
    say("%d %s", v.error == ECONNREFUSED, words_of(v.message, "ECONNREFUSED"));
    v = async_catch(async_open_connection("localhost", port));
    say("%d %s", v.error == ECONNREFUSED, words_of(v.message, "connecting to localhost port "));
    v = async_catch(async_open_unix_connection("/no/such/socket"));
    say("%s", v.message);
    return async_none;
}

static void say_where(async_awaitable x)
{
    async_value v = async_catch(x);
    say("%s", words_of(v.message, "outside of any event loop: only a task can wait"));
}

START_TEST(outside_of_a_loop)
{
    say_where(async_start_server(echo, NULL, "127.0.0.1", 0));
    say_where(async_start_unix_server(echo, NULL, "/no/such/socket"));
    say_where(async_open_connection("127.0.0.1", 1));
    say_where(async_open_unix_connection("/no/such/socket"));
#define SO "outside of any event loop: only a task can wait\n"
    expect(SO SO SO SO);
}
END_TEST

START_TEST(I03_refused)
{
    play(async_coro(is_refused));
    expect("1 ECONNREFUSED\n"
           "1 connecting to localhost port \n"
           "connecting to /no/such/socket: ENOENT\n");
}
END_TEST

PROGRAM(looks_up)
{
    server = await(async_start_server(echo, NULL, NULL, 0)).ptr;
    async_stream *stream = await(async_open_connection("localhost", async_server_port(server))).ptr;
    async_stream_puts(stream, "through a name\n");
    say("%s", await(async_stream_readline(stream, NULL)).str);
    for (int i = 0; i < 30; i++) {      /* a thread may still look up when nobody asks any more */
        int port = async_server_port(server);
        async_task t = async_create_task(async_open_connection("localhost", port));
        for (int j = 0; j < i % 5; j++)
            await(async_sleep(0));
        async_cancel(t);
        await(wait_all(t));
    }
    return async_none;
}

START_TEST(names_are_looked_up_in_a_thread)
{
    play(async_coro(looks_up));
    expect("through a name\n\n");
}
END_TEST

/* ---------------------------------------------------------------------------- Unix sockets */

static char directory[256], path[300];

static void make_directory(void)
{
    folder_beside_us(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/socket", directory);
}

PROGRAM(talks_unix)
{
    server = await(async_start_unix_server(echo, NULL, path)).ptr;
    say("%d", async_server_port(server));
    async_stream *stream = await(async_open_unix_connection(path)).ptr;
    async_stream_puts(stream, "hello\n");
    say("%s", await(async_stream_readline(stream, NULL)).str);
    async_stream_close(stream);
    await(async_stream_wait_closed(stream));
    async_server_close(server);
    await(async_server_wait_closed(server));
    say("%s", access(path, F_OK) ? "the socket is gone" : "the socket is still there");
    return async_none;
}

static void leave_a_stale_one(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address))
        say("no socket to leave behind");
    close(fd);
}

PROGRAM(finds_a_stale_one)
{
    leave_a_stale_one();
    return await(async_coro(talks_unix));
}

static bool allow_descriptors(rlim_t many)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < many ? limit.rlim_max : many;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == many;
}

/* As in Python: what cannot be replaced is left. */
PROGRAM(has_no_descriptor_for_it)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    leave_a_stale_one();
    int last = dup(0);
    close(last);
    ck_assert(allow_descriptors(last));
    async_value v = async_catch(async_start_unix_server(echo, NULL, path));
    setrlimit(RLIMIT_NOFILE, &limit);
    say("%s, %s", async_error_name(v.error), unlink(path) ? "the socket is gone" : "the socket is still there");
    return async_none;
}

PROGRAM(is_too_long)
{
    char longer[400];
    snprintf(longer, sizeof longer, "%s/%0100d", directory, 0);
    async_value v = async_catch(async_start_unix_server(echo, NULL, longer));
    say("%s", words_of(v.message, "AF_UNIX path too long"));
    v = async_catch(async_open_unix_connection(longer));
    say("%s", words_of(v.message, "AF_UNIX path too long"));
    v = async_catch(async_start_unix_server(echo, NULL, directory));
    say("%s", words_of(v.message, "EADDRINUSE"));
    return async_none;
}

START_TEST(unix_sockets)
{
    make_directory();
    play(async_coro(talks_unix));
    play(async_coro(finds_a_stale_one));
    play(async_coro(has_no_descriptor_for_it));
    play(async_coro(is_too_long));
    say("%s", rmdir(directory) ? "something is left" : "nothing is left");
    expect("0\n"
           "hello\n\n"
           "the socket is gone\n"
           "0\n"
           "hello\n\n"
           "the socket is gone\n"
           "Too many open files, the socket is still there\n"
           "AF_UNIX path too long\n"
           "AF_UNIX path too long\n"
           "EADDRINUSE\n"
           "nothing is left\n");
}
END_TEST

/* ---------------------------------------------------------------------------------- crowds */

PROGRAM(one_by_one)
{
    long right = 0, before = 0;
    await(async_coro(serve_echo));
    for (long i = 0; i < 2000; i++) {
        async_value v = await(async_create_task(async_coro(talk, i)));
        right += v.num;
        if (i == 100)
            before = open_descriptors();
    }
    for (int i = 0; i < 10; i++)
        await(async_sleep(1));              /* the server sees the last ones go */
    say("%ld of 2000, %s", right, open_descriptors() <= before ? "no descriptor more" : "a leak");
    return async_none;
}

START_TEST(two_thousand_one_after_the_other)
{
    play(async_coro(one_by_one));
    expect("2000 of 2000, no descriptor more\n");
}
END_TEST

struct alone { async_future over; };
static async_value alone(void *p)           /* detached: what it opened goes with it */
{
    async_value v = await(async_coro(talk, 7));
    return async_set_result(((struct alone *)p)->over, v);
}

PROGRAM(for_ever)
{
    await(async_coro(serve_echo));
    for (long i = 0; again(&i, 3000);) {
        async_future over = async_create_future();
        async_detach(async_create_task(async_coro(alone, over)));
        await(over);
    }
    return async_none;
}

START_TEST(connections_take_constant_memory)
{
    play(async_coro(for_ever));
    expect("constant memory\n");
}
END_TEST

static int inside, most_inside;
static async_event *all_are_here;

static async_value waits_for_all(async_stream *stream, void *arg)
{
    (void)arg;
    if (++inside > most_inside)
        most_inside = inside;
    if (inside == 500)
        async_event_set(all_are_here);
    await(async_event_wait(all_are_here));
    inside--;
    return async_stream_puts(stream, "all were here\n");
}

PROGRAM(joins)
{
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    const char *line = await(async_stream_readline(stream, NULL)).str;
    return async_num(!strcmp(line, "all were here\n"));
}

PROGRAM(all_at_once)
{
    enum { MANY = 500 };
    async_awaitable calls[MANY];
    async_value got[MANY];
    long right = 0;
    all_are_here = async_event_new();
    server = await(async_start_server(waits_for_all, NULL, "127.0.0.1", 0)).ptr;
    for (int i = 0; i < MANY; i++)
        calls[i] = async_coro(joins);
    await(async_gather_list(got, calls, MANY, false));
    for (int i = 0; i < MANY; i++)
        right += got[i].num;
    say("%ld answers, %d at once", right, most_inside);
    return async_none;
}

/* Both ends of 500 connections are here. */
START_TEST(five_hundred_at_the_same_time)
{
    if (!allow_descriptors(1200))
        return;
    play(async_coro(all_at_once));
    expect("500 answers, 500 at once\n");
}
END_TEST

struct is_served { async_stream *stream; };
static async_value is_served(void *p)
{
    async_stream *stream = ((struct is_served *)p)->stream;
    async_stream_puts(stream, "x\n");
    return async_num(*await(async_stream_readline(stream, NULL)).str == 'x');
}

/* The client takes the last descriptor: the server has none to accept it with. */
PROGRAM(runs_out)
{
    await(async_coro(serve_echo));
    int port = async_server_port(server);
    async_stream *first = await(async_open_connection("127.0.0.1", port)).ptr;
    say("%s", yes(await(async_coro(is_served, first)).num));
    int last = dup(0);
    close(last);
    ck_assert(allow_descriptors(last + 1));
    async_stream *second = await(async_open_connection("127.0.0.1", port)).ptr;
    async_value v = async_catch(async_open_connection("127.0.0.1", port));
    say("%s", v.error == EMFILE ? "none left" : "not what should be");
    await(async_sleep(10));                     /* the server tries every second, no more often */
    async_stream_close(first);
    if (RUNNING_ON_VALGRIND) {                  /* it drops who cannot be accepted */
        await(async_sleep(10));
        second = await(async_open_connection("127.0.0.1", port)).ptr;
    }
    say("%s", yes(await(async_coro(is_served, second)).num));
    return async_none;
}

START_TEST(when_descriptors_run_out_the_server_rests)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    listen_to_stderr();
    play(async_coro(runs_out));
    setrlimit(RLIMIT_NOFILE, &limit);
    heard();
    char *reports = strstr(said.text, "stderr| ");
    ck_assert_ptr_nonnull(reports);
    int lines = 0;
    for (char *c = reports; *c; c++)
        lines += *c == '\n';
    ck_assert_int_le(lines, 15);
    ck_assert_ptr_nonnull(strstr(reports, "accepting a client"));
    *reports = 0;
    said.length = reports - said.text;
    expect("True\n"
           "none left\n"
           "True\n");
}
END_TEST

/* ------------------------------------------------------------------------- tasks that serve */

static async_value fails(async_stream *stream, void *arg)
{
    (void)stream;
    return async_error(ASYNC_VALUE_ERROR, arg);
}

PROGRAM(meets_failure)
{
    server = await(async_start_server(fails, "x", "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    say("'%s'", await(async_stream_readline(stream, NULL)).str);
    return async_none;
}

START_TEST(a_task_that_fails_is_reported_and_its_client_let_go)
{
    listen_to_stderr();
    play(async_coro(meets_failure));
    heard();
    expect("''\n"
           "stderr| Task exception was never retrieved: task 'Task-2' (client, created at FILE:N): "
           "ValueError: x\n");
}
END_TEST

/* A client's task was made where the server was, whoever waits in the meantime. */
static async_value says_where(async_stream *stream, void *arg)
{
    say("%s", yes(strcmp(async_get_task_info(async_current_task()).created_at, arg) == 0));
    async_stream_puts(stream, "x");
    return async_none;
}

PROGRAM(knows_where)
{
    async_task other = async_create_task(async_sleep(1));
    server = await(async_start_server(says_where, (void *)ASYNC_HERE, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    await(async_stream_read(stream, 1, NULL));
    await(other);
    return async_none;
}

START_TEST(a_client_was_made_where_its_server_was)
{
    play(async_coro(knows_where));
    expect("True\n");
}
END_TEST

static async_value takes_long(async_stream *stream, void *arg)
{
    (void)arg;
    async_stream_puts(stream, "begun\n");
    async_value v = async_catch(async_sleep(10));
    say("%s at %g", v.error ? async_error_name(v.error) : "served", now());
    return v;
}

PROGRAM(closes_while_serving)
{
    server = await(async_start_server(takes_long, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    say("%s", await(async_stream_readline(stream, NULL)).str);
    async_server_close(server);
    async_value v = async_catch(async_wait_for(async_server_wait_closed(server), 2));
    say("%s", async_error_name(v.error));
    await(async_server_wait_closed(server));
    say("closed at %g", now());
    await(async_server_wait_closed(server));
    return async_none;
}

START_TEST(a_closed_server_goes_on_serving)
{
    play(async_coro(closes_while_serving));
    expect("begun\n\n"
           "TimeoutError\n"
           "served at 10\n"
           "closed at 10\n");
}
END_TEST

PROGRAM(ends_while_serving)
{
    server = await(async_start_server(takes_long, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    say("%s", await(async_stream_readline(stream, NULL)).str);
    return async_none;
}

static async_value floods(async_stream *stream, void *arg)
{
    static char chunk[65536];
    (void)arg;
    for (;;) {
        async_stream_write(stream, chunk, sizeof chunk);
        await(async_stream_drain(stream));
    }
}

PROGRAM(ends_while_flooded)
{
    server = await(async_start_server(floods, NULL, "127.0.0.1", 0)).ptr;
    (void)await(async_open_connection("127.0.0.1", async_server_port(server)));
    await(async_sleep(1));
    return async_none;
}

PROGRAM(ends_at_the_door)
{
    server = await(async_start_server(takes_long, NULL, "127.0.0.1", 0)).ptr;
    for (int i = 0; i < 10; i++)
        (void)await(async_open_connection("127.0.0.1", async_server_port(server)));
    return async_none;              /* their tasks are made, and some cancelled before they run */
}

START_TEST(who_is_served_at_the_end_is_let_go)
{
    long before = open_descriptors();
    play(async_coro(ends_while_serving));
    play(async_coro(ends_while_flooded));
    for (int i = 0; i < 20; i++)
        play(async_coro(ends_at_the_door));
    say("%ld descriptors more", open_descriptors() - before);
    const char *rest = strstr(said.text, "0 descriptors more");
    ck_assert_ptr_nonnull(rest);
    ck_assert_int_eq(strncmp(said.text, "begun\n\nCancelledError at 0\n", 27), 0);
}
END_TEST

/* ---------------------------------------------------------------------------------- time */

static async_value says_twice(async_stream *stream, void *arg)
{
    (void)arg;
    async_stream_puts(stream, "at once\n");
    await(async_sleep(3600));
    return async_stream_puts(stream, "an hour later\n");
}

PROGRAM(hears_twice)
{
    server = await(async_start_server(says_twice, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    for (int i = 0; i < 2; i++) {
        const char *line = await(async_wait_for(async_stream_readline(stream, NULL), 4000)).str;
        say("%g %s", now(), line);
    }
    async_value v = async_catch(async_wait_for(async_stream_readline(stream, NULL), 10));
    say("'%s'", v.error ? async_error_name(v.error) : v.str);
    return async_none;
}

START_TEST(virtual_time_jumps_when_nobody_has_sent_anything)
{
    play(async_coro(hears_twice));
    expect("0 at once\n\n"
           "3600 an hour later\n\n"
           "''\n");
}
END_TEST

/* In a process of its own, slow by the clock on the wall. */
static int visit(int port, int tell)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char text[8] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) || write(tell, "!", 1) != 1)
        return 1;
    usleep(50000);
    if (write(fd, "hi\n", 3) != 3 || read(fd, text, sizeof text - 1) != 3)
        return 2;
    usleep(50000);
    return strcmp(text, "hi\n") ? 3 : 0;
}

static async_value serves_visitor(async_stream *stream, void *over)
{
    for (size_t length = 1; length;) {
        const char *line = await(async_stream_readline(stream, &length)).str;
        say("'%s' at %g", line, now());
        async_stream_write(stream, line, length);
    }
    return async_set_result(over, async_none);
}

PROGRAM(is_visited)
{
    char ready;
    int ends[2], status = -1;
    async_future over = async_create_future();
    server = await(async_start_server(serves_visitor, over, "127.0.0.1", 0)).ptr;
    if (pipe(ends))
        return async_error(errno, "no pipe");
    pid_t child = fork();
    if (child == 0)
        _exit(visit(async_server_port(server), ends[1]));
    if (read(ends[0], &ready, 1) != 1)
        return async_error(EIO, "no visitor");
    async_task timer = async_create_task(async_sleep(1000));
    await(over);
    await(timer);
    say("%g", now());
    waitpid(child, &status, 0);
    say("%d", WEXITSTATUS(status));
    return async_none;
}

START_TEST(a_visitor_from_outside_holds_virtual_time)
{
    play(async_coro(is_visited));
    expect("'hi\n' at 0\n"
           "'' at 0\n"
           "1000\n"
           "0\n");
}
END_TEST

/* ------------------------------------------------------------------------- clients and their end */

/* Reads a line of a long request, answers at length, and goes. */
static async_value answers_early(async_stream *stream, void *arg)
{
    (void)arg;
    await(async_stream_readline(stream, NULL));
    await(async_sleep(0.01));
    char *answer = async_alloc(200000);
    memset(answer, 'r', 199999);
    async_stream_write(stream, answer, 199999);
    return async_none;
}

struct answered { long *right; };
static async_value answered(void *p)
{
    struct answered *args = p;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    char *request = async_alloc(20000);
    size_t length;
    memset(request, 'h', 19999);
    async_stream_puts(stream, "GET /\n");
    async_stream_puts(stream, request);
    async_value v = async_catch(async_stream_read(stream, 0, &length));
    *args->right += !v.error && length == 199999;
    return async_none;
}

PROGRAM(loses_nothing)
{
    long right = 0;
    async_value v = await(async_start_server(answers_early, NULL, "127.0.0.1", 0));
    server = v.ptr;
    for (int i = 0; i < 20; i++)
        await(async_create_task(async_coro(answered, &right)));
    async_server_close(server);
    await(async_server_wait_closed(server));
    say("%ld", right);
    return async_none;
}

static async_value sends_for_ever(async_stream *stream, void *arg)
{
    (void)arg;
    char *much = async_alloc(10000);
    memset(much, '\n', 9999);
    while (!async_stream_puts(stream, much).error)
        await(async_stream_drain(stream));
    return async_none;
}

/* One who sends for ever is not listened to for ever. */
PROGRAM(has_its_limits)
{
    server = await(async_start_server(sends_for_ever, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    await(async_stream_readline(stream, NULL));
    listen_to_stderr();
    async_stream_close(stream);
    await(async_stream_wait_closed(stream));
    async_server_close(server);
    await(async_server_wait_closed(server));
    fflush(stderr);
    dup2(ear.before, 2);
    say("closed");
    return async_none;
}

START_TEST(what_was_sent_arrives_though_input_is_unread)
{
    play(async_coro(loses_nothing));
    ck_assert_int_eq(run_real(async_coro(loses_nothing)).error, 0);
    play(async_coro(has_its_limits));
    expect("20\n20\nclosed\n");
}
END_TEST

static async_value goes_at_once(async_stream *stream, void *arg)
{
    await(async_sleep(1));
    async_stream_puts(stream, "bye");
    async_stream_close(stream);
    async_stream_write_eof(stream);
    return async_ptr(arg);
}

PROGRAM(says_more)
{
    server = await(async_start_server(goes_at_once, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    async_stream_puts(stream, "unread");
    await(async_sleep(2));
    async_stream_puts(stream, "more");
    await(async_sleep(0.5));
    say("%s", await(async_stream_read(stream, 0, NULL)).str);
    async_stream_puts(stream, "and more");
    say("%d", async_catch(async_stream_drain(stream)).error);
    async_server_close(server);
    return async_none;
}

START_TEST(one_that_is_closed_listens_on_whatever_else_is_asked_of_it)
{
    play(async_coro(says_more));
    expect("bye\n0\n");
}
END_TEST

static async_value reads_a_line(async_stream *stream, void *arg)
{
    (void)arg;
    int port = 0, mine;
    say("from %s to %s", async_stream_peername(stream, &port), async_stream_sockname(stream, &mine));
    say("%s", yes(port > 0 && mine == async_server_port(server)));
    async_value v = async_catch(async_stream_readline(stream, NULL));
    say("%s", v.error ? repr(v) : *v.str ? v.str : "the end");
    return async_none;
}

struct lets_go { void (*of_clients)(async_server *server); };
static async_value lets_go(void *p)
{
    struct lets_go *args = p;
    server = await(async_start_server(reads_a_line, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    await(async_sleep(1));
    args->of_clients(server);
    async_value v = async_catch(async_stream_read(stream, 0, NULL));
    say("%s at %g, %s", v.error ? repr(v) : "the end", now(), yes(async_server_is_serving(server)));
    async_server_close(server);
    await(async_server_wait_closed(server));
    return async_none;
}

PROGRAM(serves_for_ever)
{
    server = await(async_start_server(reads_a_line, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    async_task task = async_create_task(async_server_serve_forever(server));
    await(async_sleep(1));
    say("%s", repr(async_catch(async_server_serve_forever(server))));
    async_cancel(task);
    say("%s", repr(async_catch(task)));
    say("%s", *await(async_stream_readline(stream, NULL)).str ? "?" : "the end");
    say("%s", repr(async_catch(async_server_serve_forever(server))));
    say("at %g", now());
    return async_none;
}

PROGRAM(is_interrupted)
{
    async_with(async_server_exit) async_server *mine = server =
        await(async_start_server(reads_a_line, NULL, "127.0.0.1", 0)).ptr;
    await(async_open_connection("127.0.0.1", async_server_port(mine)));
    await(async_sleep(1));
    async_raise(ASYNC_CANCELLED, "as by Ctrl-C");
}

START_TEST(clients_can_be_closed)
{
    play(async_coro(lets_go, async_server_close_clients));
    play(async_coro(lets_go, async_server_abort_clients));
    play(async_coro(serves_for_ever));
    play(async_coro(is_interrupted));
#define CAME "from 127.0.0.1 to 127.0.0.1\nTrue\n"
    expect(CAME "the end at 1, True\nthe end\n"
           CAME "the end at 1, True\nthe end\n"
           CAME "RuntimeError('the server is already being awaited on serve_forever()')\n"
           "the end\n"
           "CancelledError()\n"
           "the end\n"
           "RuntimeError('the server is closed')\n"
           "at 1\n"
           CAME "the end\nraised CancelledError('as by Ctrl-C')\n");
}
END_TEST

/* A socket at whose door nobody opens, and its port. */
static int deaf_socket(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 0) == 0
              && getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

PROGRAM(is_never_accepted)
{
    int port, fd = deaf_socket(&port), timeouts = 0;
    long before = open_descriptors(), opened = 0;
    for (int i = 0; i < 8; i++) {
        async_value v = async_catch(async_wait_for(
            async_open_connection("127.0.0.1", port), 0.03));
        timeouts += v.error == ASYNC_TIMEOUT;
        opened += !v.error;
    }
    say("%s, %ld descriptors more", timeouts ? "timeouts" : "none",
        open_descriptors() - before - opened);
    close(fd);
    return async_none;
}

START_TEST(a_connect_may_be_given_up)
{
    async_value v = run_real(async_coro(is_never_accepted));
    say("%s", repr(v));
    expect("timeouts, 0 descriptors more\n"
           "None\n");
}
END_TEST

START_TEST(a_loop_that_closes_lets_go_of_who_connects)
{
    int port, fd = deaf_socket(&port);
    long before = open_descriptors();
    listen_to_stderr();
    async_loop *loop = async_new_event_loop();
    async_task task = async_loop_create_task(loop, async_open_connection("127.0.0.1", port));
    async_loop_call_soon(loop, stop_it, loop);
    ck_assert_int_eq(async_loop_run_forever(loop).error, 0);
    say("%s", yes(async_done(task)));
    async_loop_close(loop);
    heard();
    said.length = strchr(said.text, '\n') + 1 - said.text;      /* that it was pending is told as well */
    say("%ld descriptors more", open_descriptors() - before);
    close(fd);
    expect("False\n"
           "0 descriptors more\n");
}
END_TEST

MAIN("server",
     TEST(a_port_in_use_and_used_again)
     TEST(addresses_that_are_none)
     TEST(names_become_addresses)
     TEST(outside_of_a_loop)
     TEST(I03_refused)
     TEST(names_are_looked_up_in_a_thread)
     TEST(unix_sockets)
     TEST(two_thousand_one_after_the_other)
     TEST(connections_take_constant_memory)
     TEST(five_hundred_at_the_same_time)
     TEST(when_descriptors_run_out_the_server_rests)
     TEST(a_task_that_fails_is_reported_and_its_client_let_go) TEST(a_client_was_made_where_its_server_was)
     TEST(a_closed_server_goes_on_serving)
     TEST(who_is_served_at_the_end_is_let_go)
     TEST(virtual_time_jumps_when_nobody_has_sent_anything)
     TEST(a_visitor_from_outside_holds_virtual_time)
     TEST(what_was_sent_arrives_though_input_is_unread)
     TEST(one_that_is_closed_listens_on_whatever_else_is_asked_of_it)
     TEST(clients_can_be_closed)
     TEST(a_connect_may_be_given_up)
     TEST(a_loop_that_closes_lets_go_of_who_connects))
