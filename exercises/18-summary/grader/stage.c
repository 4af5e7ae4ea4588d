/* stage.c - clients for the student's server, in the same process, so that time may jump.
 *
 *     script IDLE END NAME AT TEXT...     clients that send TEXT at the time AT, and print what
 *                                         they get. In TEXT _ is a space, | is LF, ~ is CR LF, and
 *                                         at its end $: it will send no more, !: it is gone. At
 *                                         END the board is cancelled.
 *     slow LINES BYTES                    one client never reads; another sets a value again and
 *                                         again, until the board has dropped the first
 *     paste LINES                         one client sends all of these lines at once; another watches
 *                                         the value that they set; both read
 *     cut LINES TURNS                     one client sends all of these lines at once; when ten are
 *                                         answered, and so many turns later, the board is cancelled
 *     late LINES BYTES                    LINES wait for each of three clients that do not read;
 *                                         the board is cancelled; 1 s later one of them reads on */
#include "exercise.h"
#include "stage.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MOST_CLIENTS 6
#define LONG 1000.0             /* seconds: who waits so long waits in vain */

static int port;
static long sent[1000];         /* bytes that the system took, by descriptor */
static int full;                /* the descriptor that took no more, or 0 */
static async_task ours[2 * MOST_CLIENTS];       /* the clients' tasks: two each */
static int our_count;

static async_task our_task(async_coroutine coro)
{
    return ours[our_count++] = async_create_task(coro);
}

/* How many of the board's tasks are not done. */
static int others(void)
{
    int count = async_all_tasks(NULL, 0) - 1;
    for (int i = 0; i < our_count; i++)
        count -= !async_done(ours[i]);
    return count;
}

/* The runtime's, for all its sockets. What the system's buffers hold does not wait in the board. */
ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    ssize_t n = sendto(fd, bytes, size, flags, NULL, 0);
    if (n >= 0 && fd < 1000)
        sent[fd] += n;
    else if (errno == EAGAIN)
        full = fd;
    return n;
}

/* ------------------------------------------------------------------------------- scripts */

static const char *decoded(const char *word)
{
    char *text = async_alloc(2 * strlen(word) + 1), *to = text;
    for (; *word && !strchr("$!", *word); word++) {
        if (*word == '~')
            *to++ = '\r';
        *to++ = *word == '_' ? ' ' : *word == '|' || *word == '~' ? '\n' : *word;
    }
    return text;
}

struct print_lines { const char *name; async_stream *stream; };
static async_value print_lines(void *p)
{
    struct print_lines *args = p;
    size_t length = 1;
    while (length) {
        async_value line = async_catch(async_stream_readline(args->stream, &length));
        if (line.error == ASYNC_CANCELLED)
            return line;
        if (line.error) {
            printf("%s: the connection is broken\n", args->name);
            return async_none;
        }
        if (length)
            printf("%s: %s%s", args->name, line.str,
                   line.str[length - 1] == '\n' ? "" : " (no end)\n");
    }
    printf("%s: closed\n", args->name);
    return async_none;
}

struct client { const char *name; };
static async_value client(void *p)
{
    struct client *args = p;
    async_stream *stream = NULL;
    async_task printing = NULL;
    double now = 0;
    for (int i = 3; i + 2 < stage_words(); i += 3) {
        if (strcmp(stage_word(i), args->name) != 0)
            continue;
        await(async_sleep(stage_real(i + 1) - now));
        now = stage_real(i + 1);
        if (!stream) {
            stream = await(async_open_connection("127.0.0.1", port)).ptr;
            printing = our_task(async_coro(print_lines, args->name, stream));
        }
        async_stream_puts(stream, decoded(stage_word(i + 2)));
        if (strchr(stage_word(i + 2), '$'))
            async_stream_write_eof(stream);
        if (strchr(stage_word(i + 2), '!'))
            async_stream_abort(stream);
    }
    return async_catch(printing);
}

/* The clients, each once. */
static int find_clients(const char **names)
{
    int count = 0;
    for (int i = 3; i + 2 < stage_words() && count < MOST_CLIENTS; i += 3) {
        bool known = false;
        for (int j = 0; j < count; j++)
            known = known || !strcmp(names[j], stage_word(i));
        if (!known)
            names[count++] = stage_word(i);
    }
    return count;
}

static async_value script(void *p)
{
    (void)p;
    const char *names[MOST_CLIENTS];
    async_awaitable clients[MOST_CLIENTS];
    int count = find_clients(names);
    async_future opened = async_create_future();
    async_task running = async_create_task(async_coro(run_board, stage_real(1), opened));
    port = await(async_wait_for(opened, LONG)).num;
    for (int i = 0; i < count; i++)
        clients[i] = our_task(async_coro(client, names[i]));
    async_future all = async_gather_list(NULL, clients, count, true);
    await(async_sleep(stage_real(2)));
    async_cancel(running);
    async_value ended = async_catch(async_wait_for(running, LONG));
    if (ended.error && ended.error != ASYNC_CANCELLED)
        return ended;
    printf("the board is closed\n");
    if (others() > 0)
        printf("but %d of its tasks are still there\n", others());
    if (!async_catch(async_open_connection("127.0.0.1", port)).error)
        printf("but one can still connect\n");
    async_value gone = async_catch(async_wait_for(all, 20));
    return gone.error == ASYNC_TIMEOUT ? async_none : gone;     /* who was not closed shows */
}

/* ------------------------------------------------------------------ clients that do not read */

static long sets, dropped, dropped_late, waiting, received, ended = -1;
static bool connected;

/* Sends a line; gives the answer. */
struct request { async_stream *stream; const char *line; };
static async_value request(void *p)
{
    struct request *args = p;
    async_stream_puts(args->stream, args->line);
    await(async_stream_drain(args->stream));
    return await(async_stream_readline(args->stream, NULL));
}

/* Sets a key to the next value, of so many bytes. Afterwards `waiting` is how many such lines wait
 * in the board for the one who watches the key and does not read. */
struct set_next { async_stream *setter; char key; long n, bytes; };
static async_value set_next(void *p)
{
    struct set_next *args = p;
    static char line[20000];
    int n = sprintf(line, "set %c %05ld:", args->key, args->n);
    memset(line + n, 'x', args->bytes);
    strcpy(line + n + args->bytes, "\n");
    await(async_coro(request, args->setter, line));
    waiting = full ? args->n + 1 - sent[full] / (args->bytes + (long)strlen("k = 00000:\n")) : 0;
    return async_none;
}

struct set_and_count { async_stream *setter, *reader; long lines, bytes; };
static async_value set_and_count(void *p)
{
    struct set_and_count *args = p;
    for (sets = 0; sets < args->lines && !dropped; sets++) {
        await(async_coro(set_next, args->setter, 'k', sets, args->bytes));
        async_value got = await(async_stream_readline(args->reader, NULL));
        received += strncmp(got.str, "k = ", 4) == 0 && atol(got.str + 4) == sets;
        dropped = atol(await(async_coro(request, args->setter, "count\n")).str) == 2;
    }
    await(async_sleep(dropped ? 0 : 10));       /* perhaps it is just being dropped */
    dropped_late = atol(await(async_coro(request, args->setter, "count\n")).str) == 2;
    return async_none;
}

static async_value slow(void *p)
{
    (void)p;
    async_future opened = async_create_future();
    async_task running = async_create_task(async_coro(run_board, 2 * LONG, opened));
    port = await(async_wait_for(opened, LONG)).num;
    async_stream *mute = await(async_open_connection("127.0.0.1", port)).ptr;
    async_stream *reader = await(async_open_connection("127.0.0.1", port)).ptr;
    async_stream *setter = await(async_open_connection("127.0.0.1", port)).ptr;
    async_stream_puts(mute, "watch k\n");
    async_value v = async_catch(async_wait_for(async_coro(request, reader, "watch k\n"), LONG));
    if (!v.error)
        v = async_catch(async_wait_for(async_coro(set_and_count, setter, reader, stage_integer(1),
                                                  stage_integer(2)), LONG));
    async_cancel(running);
    async_stream_abort(mute);       /* now everything that waited for it can end */
    async_stream_close(reader);
    async_stream_close(setter);
    await(async_sleep(1));
    return v;
}

/* Reads so many lines, or fewer if the connection is closed; gives how many began like this. */
struct count_lines { async_stream *stream; const char *begin; long lines; };
static async_value count_lines(void *p)
{
    struct count_lines *args = p;
    long count = 0;
    size_t length = 1;
    for (long i = 0; i < args->lines && length; i++) {
        async_value got = await(async_stream_readline(args->stream, &length));
        count += !strncmp(got.str, args->begin, strlen(args->begin));
    }
    return async_num(count);
}

static async_value paste(void *p)
{
    (void)p;
    async_future opened = async_create_future();
    async_task running = async_create_task(async_coro(run_board, 2 * LONG, opened));
    port = await(async_wait_for(opened, LONG)).num;
    async_stream *watcher = await(async_open_connection("127.0.0.1", port)).ptr;
    async_stream *setter = await(async_open_connection("127.0.0.1", port)).ptr;
    await(async_coro(request, watcher, "watch k\n"));
    for (sets = 0; sets < stage_integer(1); sets++)
        async_stream_puts(setter, async_strf("set k %ld\n", sets));
    async_task watching = async_create_task(async_coro(count_lines, watcher, "k = ", sets));
    async_task setting = async_create_task(async_coro(count_lines, setter, "ok", sets));
    async_value got = async_catch(async_wait_for(watching, LONG));
    async_value done = async_catch(async_wait_for(setting, LONG));
    received = got.error ? 0 : got.num;
    stage_number("answered", done.error ? async_num(0) : done);
    async_cancel(running);
    async_stream_close(watcher);
    async_stream_close(setter);
    await(async_sleep(1));
    return async_none;
}

/* Reads to the end; gives the last line. */
struct read_on { async_stream *stream; };
static async_value read_on(void *p)
{
    struct read_on *args = p;
    char last[40] = "";
    for (size_t length = 1; length;) {
        async_value got = async_catch(async_stream_readline(args->stream, &length));
        if (got.error)
            return got;
        received += strncmp(got.str, "a = ", 4) == 0 && atol(got.str + 4) == received;
        if (length)
            snprintf(last, sizeof last, "%.*s", (int)strcspn(got.str, "\n"), got.str);
    }
    return async_str(async_strf("%s", last));
}

/* Reads on until the board, which has been cancelled, has ended. */
struct see_the_end { async_task running; async_stream *client; double begin; };
static async_value see_the_end(void *p)
{
    struct see_the_end *args = p;
    stage_text("last", async_catch(async_wait_for(async_coro(read_on, args->client), 10)));
    if (async_catch(async_wait_for(args->running, 20)).error != ASYNC_TIMEOUT)
        ended = 1000 * (async_loop_time(async_get_running_loop()) - args->begin) + 0.5;
    return async_none;
}

static async_value cut(void *p)
{
    (void)p;
    async_future opened = async_create_future();
    async_task running = async_create_task(async_coro(run_board, 2 * LONG, opened));
    port = await(async_wait_for(opened, LONG)).num;
    async_stream *client = await(async_open_connection("127.0.0.1", port)).ptr;
    for (int i = 0; i < stage_integer(1); i++)
        async_stream_puts(client, "count\n");
    async_value v = async_catch(async_wait_for(async_coro(count_lines, client, "1", 10), LONG));
    for (int i = 0; i < stage_integer(2); i++)
        await(async_sleep(0));
    async_cancel(running);
    if (!v.error)
        await(async_coro(see_the_end, running, client, async_loop_time(async_get_running_loop())));
    async_stream_abort(client);
    await(async_sleep(1));
    return v;
}

/* Sets what the three watch, each a key of its own, until so many lines wait for it. */
struct fill { async_stream **mutes, *setter; long lines, bytes; };
static async_value fill(void *p)
{
    struct fill *args = p;
    for (int i = 2; i >= 0; i--) {
        char watch[] = "watch a\n";
        watch[6] += i;
        await(async_coro(request, args->mutes[i], watch));
        full = waiting = 0;
        for (sets = 0; waiting < args->lines && sets < 10000; sets++)
            await(async_coro(set_next, args->setter, 'a' + i, sets, args->bytes));
    }
    return async_none;
}

struct close_and_read { async_task running; async_stream *mute; };
static async_value close_and_read(void *p)
{
    struct close_and_read *args = p;
    double begin = async_loop_time(async_get_running_loop());
    async_cancel(args->running);
    await(async_sleep(0.5));
    connected = !async_catch(async_open_connection("127.0.0.1", port)).error;
    await(async_sleep(0.5));
    return await(async_coro(see_the_end, args->running, args->mute, begin));
}

static async_value late(void *p)
{
    (void)p;
    async_future opened = async_create_future();
    async_task running = async_create_task(async_coro(run_board, 2 * LONG, opened));
    port = await(async_wait_for(opened, LONG)).num;
    async_stream *mutes[3];
    for (int i = 0; i < 3; i++)
        mutes[i] = await(async_open_connection("127.0.0.1", port)).ptr;
    async_stream *setter = await(async_open_connection("127.0.0.1", port)).ptr;
    async_value v = async_catch(async_wait_for(async_coro(fill, mutes, setter, stage_integer(1),
                                                          stage_integer(2)), LONG));
    if (!v.error)               /* a task, so that its connection goes with it */
        await(async_create_task(async_coro(close_and_read, running, mutes[0])));
    for (int i = 0; i < 3; i++)
        async_stream_abort(mutes[i]);       /* now everything that waited for it can end */
    async_stream_close(setter);
    await(async_sleep(1));
    return v;
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("script"))
        stage_outcome("board", stage_run(async_coro(script)));
    if (stage_part("slow"))
        stage_outcome("board", stage_run(async_coro(slow)));
    if (stage_part("paste"))
        stage_outcome("board", stage_run(async_coro(paste)));
    if (stage_part("late"))
        stage_outcome("board", stage_run(async_coro(late)));
    if (stage_part("cut"))
        stage_outcome("board", stage_run(async_coro(cut)));
    stage_number("sets", async_num(sets));
    stage_number("received", async_num(received));
    stage_number("waiting", async_num(waiting));
    stage_number("dropped", async_num(dropped));
    stage_number("dropped_late", async_num(dropped_late));
    stage_number("connected", async_num(connected));
    stage_number("ended", async_num(ended));
    return stage_close();
}
