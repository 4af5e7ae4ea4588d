/* stage.c - clients for the student's server, in the same process, so that time may jump.
 *
 *     script IDLE END NAME AT TEXT...     clients that send TEXT at the time AT, and print what
 *                                         they get. In TEXT _ is a space, | is LF, ~ is CR LF. At
 *                                         END the board is cancelled.
 *     slow LINES BYTES                    one client never reads; another sets a value again and
 *                                         again, until the board has dropped the first */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CLIENTS 6
#define LONG 1000.0             /* seconds: who waits so long waits in vain */

static int port;
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

/* ------------------------------------------------------------------------------- scripts */

static const char *decoded(const char *word)
{
    char *text = async_alloc(2 * strlen(word) + 1), *to = text;
    for (; *word; word++) {
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

/* --------------------------------------------------------------------------- a slow client */

static long sets, dropped, received;

/* Sends a line; gives the answer. */
struct request { async_stream *stream; const char *line; };
static async_value request(void *p)
{
    struct request *args = p;
    async_stream_puts(args->stream, args->line);
    await(async_stream_drain(args->stream));
    return await(async_stream_readline(args->stream, NULL));
}

struct set_and_count { async_stream *setter, *reader; long lines, bytes; };
static async_value set_and_count(void *p)
{
    struct set_and_count *args = p;
    char *line = async_alloc(args->bytes + 40);
    for (sets = 0; sets < args->lines && !dropped; sets++) {
        int n = sprintf(line, "set key %ld:", sets);
        memset(line + n, 'x', args->bytes);
        strcpy(line + n + args->bytes, "\n");
        await(async_coro(request, args->setter, line));
        async_value got = await(async_stream_readline(args->reader, NULL));
        received += strncmp(got.str, "key = ", 6) == 0 && atol(got.str + 6) == sets;
        dropped = atol(await(async_coro(request, args->setter, "count\n")).str) == 2;
    }
    await(async_sleep(dropped ? 0 : 10));       /* perhaps it is just being dropped */
    dropped = atol(await(async_coro(request, args->setter, "count\n")).str) == 2;
    return async_none;
}

/* Cancels the board; does it end, although one client does not read? */
struct wait_for_end { async_task running; };
static async_value wait_for_end(void *p)
{
    struct wait_for_end *args = p;
    async_cancel(args->running);
    for (int i = 0; i < 10 && !async_done(args->running); i++)
        await(async_sleep(1));
    stage_number("ended", async_num(async_done(args->running)));
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
    async_stream_puts(mute, "watch key\n");
    async_value v = async_catch(async_wait_for(async_coro(request, reader, "watch key\n"), LONG));
    if (!v.error)
        v = async_catch(async_wait_for(async_coro(set_and_count, setter, reader, stage_integer(1),
                                                  stage_integer(2)), LONG));
    async_task watch = async_create_task(async_coro(wait_for_end, running));
    if (!v.error)
        await(watch);
    async_stream_abort(mute);       /* now everything that waited for it can end */
    async_stream_close(reader);
    async_stream_close(setter);
    await(async_sleep(1));
    return v;
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("script"))
        stage_outcome("board", stage_run(async_coro(script)));
    if (stage_part("slow")) {
        stage_outcome("board", stage_run(async_coro(slow)));
        stage_number("sets", async_num(sets));
        stage_number("received", async_num(received));
        stage_number("dropped", async_num(dropped));
    }
    return stage_close();
}
