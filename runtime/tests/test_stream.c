/* Streams: rows I01 to I03 of the checklist, and what happens to them when tasks, peers and loops
 * go at the wrong moment. */
#include "testing.h"
#include <fcntl.h>

/* Two ends of a connection within this process. */
static async_stream *here, *there;
static async_event *met, *over;
static async_server *server;

static async_value keep_open(async_stream *stream, void *arg)
{
    (void)arg;
    there = stream;
    async_event_set(met);
    await(async_event_wait(over));
    return async_none;
}

PROGRAM(open_pair)
{
    met = async_event_new();
    over = async_event_new();
    server = await(async_start_server(keep_open, NULL, "127.0.0.1", 0)).ptr;
    here = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    await(async_event_wait(met));
    return async_none;
}

#define OPEN_PAIR() await(async_coro(open_pair))

static int is_filled(const char *text, char with, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != with)
            return 0;
    return 1;
}

static char *filled(char with, size_t length)
{
    char *text = async_alloc(length + 1);
    memset(text, with, length);
    return text;
}

/* ------------------------------------------------------------------------------- reading */

static async_value echo(async_stream *stream, void *arg)
{
    (void)arg;
    for (;;) {
        size_t length;
        char *line = await(async_stream_readline(stream, &length)).ptr;
        if (!length)
            return async_none;
        for (size_t i = 0; i < length; i++)
            if (line[i] >= 'a' && line[i] <= 'z')
                line[i] -= 'a' - 'A';
        async_stream_write(stream, line, length);
        await(async_stream_drain(stream));
    }
}

PROGRAM(echoes)
{
    async_with(async_server_exit) async_server *s =
        await(async_start_server(echo, NULL, "127.0.0.1", 0)).ptr;
    async_stream *stream = await(async_open_connection("127.0.0.1", async_server_port(s))).ptr;
    async_stream_puts(stream, "one\ntwo\nthr");
    async_stream_write_eof(stream);
    for (int i = 0; i < 4; i++)
        say("'%s'", await(async_stream_readline(stream, NULL)).str);
    async_stream_close(stream);
    await(async_stream_wait_closed(stream));
    return async_none;
}

START_TEST(I01_an_echo_server)
{
    play(async_coro(echoes));
    expect("'ONE\n'\n"
           "'TWO\n'\n"
           "'THR'\n"
           "''\n");
}
END_TEST

enum { LIMIT = 65536 };

PROGRAM(reads)
{
    OPEN_PAIR();
    async_stream_puts(there, "abcdef");
    say("%s", await(async_stream_read(here, 4, NULL)).str);
    say("%s", await(async_stream_readexactly(here, 2)).str);
    async_stream_write(there, filled('x', LIMIT + 1), LIMIT + 1);
    async_stream_puts(there, ";");
    async_stream_write_eof(there);
    async_value v = async_catch(async_stream_readuntil(here, ";", NULL));
    say("%s", async_error_name(v.error));
    v = async_catch(async_stream_readexactly(here, LIMIT + 100));
    say("%s", repr(v));
    v = async_catch(async_stream_readuntil(here, ";", NULL));
    say("%s", v.message);
    size_t length;
    const char *text = await(async_stream_read(here, 0, &length)).str;
    say("%zu %d%s %s", length, is_filled(text, 'x', length - 1), text + length - 1,
        yes(async_stream_at_eof(here)));
    return async_none;
}

START_TEST(I02_read_readexactly_readuntil)
{
    play(async_coro(reads));
    expect("abcd\n"
           "ef\n"
           "LimitOverrunError\n"
           "IncompleteReadError('65538 bytes read on a total of 65636 expected bytes')\n"
           "Separator is found, but chunk is longer than limit\n"
           "65538 1; True\n");
}
END_TEST

static async_value reads_a_line(void *p)
{
    (void)p;
    async_value v = async_catch(async_stream_readline(here, NULL));
    say("reader: %s", v.error ? async_error_name(v.error) : v.str);
    return v;
}

PROGRAM(two_readers)
{
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(reads_a_line));
    await(async_sleep(0));
    async_value v = async_catch(async_stream_readline(here, NULL));
    say("%s", words_of(v.message, "already waiting for incoming data"));
    async_stream_puts(here, "never read");
    await(async_stream_drain(here));
    await(async_sleep(1));
    async_stream_abort(there);              /* with unread data: a reset */
    await(wait_all(t));
    v = async_exception(t);
    say("%s", words_of(v.message, "is broken: ECONNRESET"));
    int port = async_server_port(server);
    async_server_close(server);
    v = async_catch(async_open_connection("127.0.0.1", port));
    say("%s", async_error_name(v.error));
    return async_none;
}

START_TEST(I03_one_reader_at_a_time_and_connection_errors)
{
    play(async_coro(two_readers));
    expect("already waiting for incoming data\n"
           "reader: ECONNRESET\n"
           "is broken: ECONNRESET\n"
           "ECONNREFUSED\n");
}
END_TEST

struct sends_slowly { const char *text; };
static async_value sends_slowly(void *p)
{
    for (const char *c = ((struct sends_slowly *)p)->text; *c; c++) {
        async_stream_write(there, c, 1);
        await(async_sleep(1));
    }
    async_stream_write_eof(there);
    return async_none;
}

PROGRAM(reads_slow_lines)
{
    size_t length = 1;
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(sends_slowly, "a\r\n\n\nlast"));
    while (length) {
        const char *line = await(async_stream_readline(here, &length)).str;
        say("%zu%s", length, length && line[length - 1] == '\n' ? " with newline" : "");
    }
    return await(t);
}

START_TEST(lines_that_come_in_pieces)
{
    play(async_coro(reads_slow_lines));
    expect("3 with newline\n"
           "1 with newline\n"
           "1 with newline\n"
           "4\n"
           "0\n");
}
END_TEST

PROGRAM(reads_until)
{
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(sends_slowly, "a--b-<>-<<>>rest"));
    say("%s", await(async_stream_readuntil(here, "-<<>>", NULL)).str);
    async_value v = async_catch(async_stream_readuntil(here, "--", NULL));
    say("%s", repr(v));
    say("%s", await(async_stream_read(here, 100, NULL)).str);
    v = async_catch(async_stream_readuntil(here, "", NULL));
    say("%s", repr(v));
    return await(t);
}

START_TEST(a_separator_that_comes_in_pieces)
{
    play(async_coro(reads_until));
    expect("a--b-<>-<<>>\n"
           "IncompleteReadError('4 bytes read on a total of undefined expected bytes')\n"
           "rest\n"
           "ValueError('Separator should be at least one-byte string')\n");
}
END_TEST

PROGRAM(reads_long_lines)
{
    size_t length;
    OPEN_PAIR();
    async_stream_write(there, filled('a', LIMIT), LIMIT);
    async_stream_puts(there, "\n");
    async_stream_write(there, filled('b', LIMIT + 1), LIMIT + 1);
    async_stream_puts(there, "\nshort\n");
    const char *line = await(async_stream_readline(here, &length)).str;
    say("%zu %d", length, is_filled(line, 'a', LIMIT));
    async_value v = async_catch(async_stream_readline(here, &length));
    say("%s", async_error_name(v.error));
    do                              /* what comes of it afterwards is a line of its own */
        v = async_catch(async_stream_readline(here, &length));
    while (v.error == ASYNC_LIMIT_OVERRUN || (!v.error && length != 6));
    say("%s", v.str);
    return async_none;
}

START_TEST(lines_that_are_too_long)
{
    play(async_coro(reads_long_lines));
    expect("65537 1\n"
           "LimitOverrunError\n"
           "short\n\n");
}
END_TEST

PROGRAM(reads_exactly)
{
    OPEN_PAIR();
    async_stream_write(there, "\0a\0b\0", 5);
    await(async_stream_readexactly(here, 0));
    const char *bytes = await(async_stream_readexactly(here, 3)).str;
    say("%d%c%d%d", bytes[0], bytes[1], bytes[2], bytes[3]);
    size_t length;
    bytes = await(async_stream_read(here, 100, &length)).str;
    say("%zu %c%d%d", length, bytes[0], bytes[1], bytes[2]);
    async_stream_write_eof(there);
    async_value v = async_catch(async_stream_readexactly(here, 1));
    say("%s", repr(v));
    say("%s", yes(async_stream_at_eof(here)));
    await(async_stream_readexactly(here, 0));
    return async_none;
}

START_TEST(bytes_may_be_zero)
{
    play(async_coro(reads_exactly));
    expect("0a00\n"
           "2 b00\n"
           "IncompleteReadError('0 bytes read on a total of 1 expected bytes')\n"
           "True\n");
}
END_TEST

PROGRAM(reads_all)
{
    enum { MUCH = 3000000 };
    size_t length;
    OPEN_PAIR();
    char *text = filled('x', MUCH);
    for (int i = 0; i < MUCH; i += 1000)
        text[i] = 'a' + i / 1000 % 26;
    async_stream_write(there, text, MUCH);
    async_stream_close(there);
    const char *got = await(async_stream_read(here, 0, &length)).str;
    say("%zu %s", length, yes(memcmp(got, text, MUCH) == 0));
    got = await(async_stream_read(here, 0, &length)).str;
    say("%zu '%s'", length, got);
    return async_none;
}

START_TEST(all_until_the_end_and_close_sends_what_was_written)
{
    play(async_coro(reads_all));
    expect("3000000 True\n"
           "0 ''\n");
}
END_TEST

/* ---------------------------------------------------------------------- cancel and close */

PROGRAM(cancels_reads)
{
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(reads_a_line));
    await(async_sleep(1));
    async_stream_puts(there, "half a ");
    await(async_sleep(1));
    async_cancel(t);
    await(wait_all(t));
    async_stream_puts(there, "line\n");
    say("%s", await(async_stream_readline(here, NULL)).str);
    async_value v = async_catch(async_wait_for(async_stream_read(here, 1, NULL), 1));
    say("%s", async_error_name(v.error));
    async_stream_puts(there, "x");
    say("%s", await(async_stream_read(here, 10, NULL)).str);
    return async_none;
}

START_TEST(a_cancelled_read_loses_nothing)
{
    play(async_coro(cancels_reads));
    expect("reader: CancelledError\n"
           "half a line\n\n"
           "TimeoutError\n"
           "x\n");
}
END_TEST

PROGRAM(closes_under_reader)
{
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(reads_a_line));
    await(async_sleep(1));
    async_stream_close(here);
    await(wait_all(t));
    say("closing %s", yes(async_stream_is_closing(here)));
    async_value v = async_catch(async_stream_read(here, 1, NULL));
    say("'%s' %s", v.str, yes(async_stream_at_eof(here)));
    say("%s", repr(async_stream_puts(here, "x")));
    async_stream_close(here);
    async_stream_write_eof(here);
    await(async_stream_wait_closed(here));
    await(async_stream_drain(here));
    say("there: '%s'", await(async_stream_read(there, 1, NULL)).str);
    return async_none;
}

START_TEST(closing_is_the_end_for_who_reads)
{
    play(async_coro(closes_under_reader));
    expect("reader: \n"
           "closing True\n"
           "'' True\n"
           "RuntimeError('the stream is closed for writing')\n"
           "there: ''\n");
}
END_TEST

PROGRAM(half_closes)
{
    OPEN_PAIR();
    async_stream_puts(here, "question");
    async_stream_write_eof(here);
    say("%s", repr(async_stream_puts(here, "more")));
    say("%s", await(async_stream_read(there, 0, NULL)).str);
    async_stream_puts(there, "answer");
    async_stream_close(there);
    say("%s", await(async_stream_read(here, 0, NULL)).str);
    return async_none;
}

START_TEST(after_write_eof_we_still_read)
{
    play(async_coro(half_closes));
    expect("RuntimeError('the stream is closed for writing')\n"
           "question\n"
           "answer\n");
}
END_TEST

PROGRAM(writes_to_broken)
{
    OPEN_PAIR();
    async_stream_abort(there);
    async_value v = async_none;
    int writes = 0;
    while (!v.error && ++writes < 1000) {
        v = async_stream_puts(here, "x");
        if (!v.error)
            v = async_catch(async_stream_drain(here));
        await(async_sleep(1));
    }
    say("%s", words_of(v.message, "is broken: EPIPE"));
    say("%s", words_of(async_stream_puts(here, "x").message, "is broken: EPIPE"));
    async_stream_close(here);
    say("%s", words_of(async_catch(async_stream_wait_closed(here)).message, "is broken: EPIPE"));
    async_with(async_stream_exit) async_stream *closed = here;      /* it says so, and an exit does not */
    return async_none;
}

START_TEST(writing_to_a_broken_connection_is_an_error_and_no_signal)
{
    play(async_coro(writes_to_broken));
    expect("is broken: EPIPE\n"
           "is broken: EPIPE\n"
           "is broken: EPIPE\n");
}
END_TEST

/* ---------------------------------------------------------------------------- backpressure */

enum { CHUNK = 16384, MOST = 4000 };
static long chunks;                 /* that were written */

static async_value writes_chunks(void *p)
{
    static char chunk[CHUNK];
    for (chunks = 0; chunks < MOST; chunks++) {
        async_stream_write(there, chunk, CHUNK);
        await(async_stream_drain(there));
    }
    async_stream_close(there);
    return async_ptr(p);
}

/* Lets the writer write until it cannot go on: virtual time only jumps when nobody can. */
static async_value until_stuck(void *p)
{
    for (long before = -1; before != chunks;) {
        before = chunks;
        await(async_sleep(100));
    }
    return async_ptr(p);
}

PROGRAM(is_slow)
{
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(writes_chunks));
    await(async_coro(until_stuck));
    say("stuck %s", yes(chunks < MOST && !async_done(t)));
    for (int i = 0; i < 3; i++) {
        long before = chunks;
        for (int j = 0; j < 10 * CHUNK; j += CHUNK)
            await(async_stream_readexactly(here, CHUNK));
        await(async_coro(until_stuck));
        if (chunks - before > 2000)
            say("%ld chunks more after 10 were read", chunks - before);
    }
    long total = 30 * CHUNK;
    for (size_t length = 1; length;) {
        await(async_stream_read(here, 100000, &length));
        total += length;
    }
    say("%s", yes(total == (long)CHUNK * MOST));
    return await(t);
}

START_TEST(a_slow_reader_slows_the_writer_down)
{
    play(async_coro(is_slow));
    expect("stuck True\n"
           "True\n");
}
END_TEST

PROGRAM(cancels_drain)
{
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(writes_chunks));
    await(async_coro(until_stuck));
    async_cancel(t);
    await(wait_all(t));
    say("%s", yes(async_cancelled(t)));
    async_value v = async_catch(async_wait_for(async_stream_drain(there), 5));
    say("%s", async_error_name(v.error));
    async_task closed = async_create_task(async_stream_wait_closed(there));
    async_stream_close(there);
    await(async_sleep(5));
    say("%s", yes(async_done(closed)));
    async_stream_abort(there);
    await(closed);
    async_value end = async_none;
    for (size_t length = 1; length && !end.error;)
        end = async_catch(async_stream_read(here, 0, &length));
    say("%s", yes(!end.error || end.error == ECONNRESET));
    return async_none;
}

START_TEST(drain_may_be_cancelled_and_abort_does_not_wait)
{
    play(async_coro(cancels_drain));
    expect("True\n"
           "TimeoutError\n"
           "False\n"
           "True\n");
}
END_TEST

PROGRAM(breaks_while_draining)
{
    OPEN_PAIR();
    async_task t = async_create_task(async_coro(writes_chunks));
    await(async_coro(until_stuck));
    async_stream_abort(here);
    await(wait_all(t));
    async_value v = async_exception(t);
    say("%s", words_of(v.message, "is broken: ECONNRESET"));
    return async_none;
}

START_TEST(a_drain_ends_when_the_connection_breaks)
{
    play(async_coro(breaks_while_draining));
    expect("is broken: ECONNRESET\n");
}
END_TEST

PROGRAM(never_drains)
{
    enum { LINES = 100000 };
    OPEN_PAIR();
    for (int i = 0; i < LINES; i++) {
        char line[20];
        snprintf(line, sizeof line, "%d\n", i);
        async_stream_puts(there, line);
    }
    async_stream_close(there);
    long right = 0;
    for (size_t length = 1; length;)
        right += atol(await(async_stream_readline(here, &length)).str) == right && length;
    say("%ld", right);
    return async_none;
}

START_TEST(what_is_never_drained_comes_in_order)
{
    play(async_coro(never_drains));
    expect("100000\n");
}
END_TEST

/* -------------------------------------------------------------------- who owns the stream */

static async_value opens(void *p)
{
    OPEN_PAIR();
    await(async_sleep(1));
    return async_ptr(p);
}

PROGRAM(outlives_owner)
{
    async_task owner = async_create_task(async_coro(opens));
    async_detach(owner);
    await(async_sleep(0.5));
    async_task reader = async_create_task(async_coro(reads_a_line));
    await(async_sleep(1));
    for (int i = 0; i < 200; i++)               /* until its record is used again */
        await(async_create_task(async_coro(nothing)));
    async_stream_puts(there, "line\n");
    async_value v = async_catch(reader);
    say("%s", v.message);
    v = async_catch(async_stream_readline(here, NULL));
    say("%s", words_of(v.message, "this handle is too old"));
    return async_none;
}

START_TEST(a_stream_goes_with_the_task_that_opened_it)
{
    play(async_coro(outlives_owner));
    expect("reader: RuntimeError\n"
           "the stream has gone with the task that opened it\n"
           "this handle is too old\n");
}
END_TEST

static async_value waits_for_writer(void *p)
{
    (void)p;
    return async_catch(async_stream_drain(there));
}

PROGRAM(leaves_all_open)
{
    OPEN_PAIR();
    async_detach(async_create_task(async_coro(reads_a_line)));
    async_detach(async_create_task(async_coro(writes_chunks)));
    await(async_coro(until_stuck));
    async_detach(async_create_task(async_coro(waits_for_writer)));
    await(async_sleep(1));
    return async_none;
}

START_TEST(a_loop_may_close_in_the_middle_of_everything)
{
    long before = open_descriptors();
    async_loop *loop = async_new_event_loop();
    listen_to_stderr();
    async_value v = async_loop_run_until_complete(loop, async_coro(leaves_all_open));
    async_loop_close(loop);
    heard();
    said.length = 0;
    ck_assert_ptr_nonnull(strstr(said.text, "Task was destroyed but it is pending!"));
    ck_assert_int_eq(v.error, 0);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

PROGRAM(echoes_often)
{
    await(async_coro(nothing));
    server = await(async_start_server(echo, NULL, "127.0.0.1", 0)).ptr;
    here = await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    for (long i = 0; again(&i, 20000);) {
        async_stream_puts(here, "line\n");
        await(async_stream_drain(here));
        await(async_stream_readline(here, NULL));
    }
    return async_none;
}

START_TEST(many_lines_take_constant_memory)
{
    play(async_coro(echoes_often));
    expect("constant memory\n");
}
END_TEST

/* A cancellation may come while the exit of a block waits until all is sent. */
static async_value leaves_much_unsent(void *p)
{
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    for (int i = 0; i < MOST; i++)
        async_stream_write(stream, (char[CHUNK]){ 0 }, CHUNK);
    return async_ptr(p);
}

static async_value reads_nothing(async_stream *stream, void *arg)
{
    (void)stream, (void)arg;
    return async_catch(async_sleep(1000));
}

static async_value serves_a_while(void *p)
{
    async_with(async_server_exit) async_server *one =
        await(async_start_server(reads_nothing, NULL, "127.0.0.1", 0)).ptr;
    await(async_open_connection("127.0.0.1", async_server_port(one)));
    return async_ptr(p);
}

PROGRAM(cancels_exits)
{
    server = await(async_start_server(reads_nothing, NULL, "127.0.0.1", 0)).ptr;
    async_task t = async_create_task(async_coro(leaves_much_unsent));
    await(async_sleep(5));
    async_cancel(t);
    await(wait_all(t));
    say("%s", yes(async_cancelled(t)));
    say("%s", async_error_name(async_catch(async_wait_for(async_coro(leaves_much_unsent), 5)).error));
    say("%s", async_error_name(async_catch(async_wait_for(async_coro(serves_a_while), 5)).error));
    return async_none;
}

START_TEST(a_cancellation_in_an_exit_is_not_lost)
{
    play(async_coro(cancels_exits));
    expect("True\n"
           "TimeoutError\n"
           "TimeoutError\n");
}
END_TEST

/* ------------------------------------------------------------------------ lines, standard input */

PROGRAM(reads_lines)
{
    async_stream *in = async_stdin();
    async_for (line, async_stream_lines(in))
        say("[%.*s]", (int)strcspn(line.str, "\n"), line.str);
    say("%s", yes(async_stream_at_eof(in)));
    return async_none;
}

static void with_input(FILE *file, int fd)
{
    int usual = dup(0);
    dup2(fd, 0);
    play(async_coro(reads_lines));
    say("%s", yes(fcntl(0, F_GETFL) & O_NONBLOCK));
    dup2(usual, 0);
    close(usual);
    if (file)
        fclose(file);
}

START_TEST(lines_of_standard_input)
{
    int ends[2];
    FILE *file = tmpfile();
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "one\ntwo\n\nlast", 13), 13);
    close(ends[1]);
    with_input(NULL, ends[0]);
    close(ends[0]);
    fputs("of a file\n", file);
    rewind(file);
    with_input(file, fileno(file));
    expect("[one]\n[two]\n[]\n[last]\nTrue\nFalse\n[of a file]\nTrue\nTrue\n");
}
END_TEST

MAIN("stream",
     TEST(I01_an_echo_server)
     TEST(I02_read_readexactly_readuntil)
     TEST(I03_one_reader_at_a_time_and_connection_errors)
     TEST(lines_that_come_in_pieces)
     TEST(a_separator_that_comes_in_pieces)
     TEST(lines_that_are_too_long)
     TEST(bytes_may_be_zero)
     TEST(all_until_the_end_and_close_sends_what_was_written)
     TEST(a_cancelled_read_loses_nothing)
     TEST(closing_is_the_end_for_who_reads)
     TEST(after_write_eof_we_still_read)
     TEST(writing_to_a_broken_connection_is_an_error_and_no_signal)
     TEST(a_slow_reader_slows_the_writer_down)
     TEST(drain_may_be_cancelled_and_abort_does_not_wait)
     TEST(a_drain_ends_when_the_connection_breaks)
     TEST(what_is_never_drained_comes_in_order)
     TEST(a_cancellation_in_an_exit_is_not_lost)
     TEST(a_stream_goes_with_the_task_that_opened_it)
     TEST(a_loop_may_close_in_the_middle_of_everything)
     TEST(many_lines_take_constant_memory)
     TEST(lines_of_standard_input))
