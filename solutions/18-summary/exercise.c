/* A notice board. Each client has a task that reads and a task that writes, with a queue between
 * what is said and what is sent: who does not read fills his own queue, and nobody waits for him.
 *
 * Python twin of the two tasks:
 *     async def write_lines(outbox, writer):
 *         while True:
 *             writer.write(await outbox.get())
 *             await writer.drain()
 *     async def serve(reader, writer):
 *         writing = asyncio.create_task(write_lines(outbox, writer))
 *         while line := await asyncio.wait_for(reader.readline(), idle):
 *             answer(client, line) */
#define _GNU_SOURCE
#include "exercise.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KEYS 20
#define MOST_KEY 31

struct client {
    struct client *next;
    async_stream *stream;
    char watched[MOST_KEY + 1]; /* the key it watches, or "" */
    async_task reading, writing;
    async_queue *outbox;        /* lines for it, each from malloc */
    const char *bye;            /* why it has to go, or NULL */
};

static struct board {
    struct client *clients;
    double idle;
    bool closing;
    struct { char key[MOST_KEY + 1], *value; } entries[MOST_KEYS];
} board;

static void send_away(struct client *client, const char *bye)
{
    if (!client->bye)
        async_cancel(client->reading);
    client->bye = bye;
}

/* Sends a line to a client, or sees to it that it will be sent. Never waits. */
__attribute__((format(printf, 2, 3)))
static void tell(struct client *client, const char *format, ...)
{
    char *line;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&line, format, args);
    va_end(args);
    if (length < 0)
        return;
    if (async_queue_put_nowait(client->outbox, async_ptr(line)).error) {
        free(line);
        send_away(client, "slow");
    }
}

struct write_lines { struct client *client; };
static async_value write_lines(void *p)
{
    struct client *client = ((struct write_lines *)p)->client;
    for (;;) {
        char *line = await(async_queue_get(client->outbox)).ptr;
        async_stream_puts(client->stream, line);
        free(line);
        await(async_stream_drain(client->stream));
    }
}

/* ------------------------------------------------------------------- the board: this is done */

static int place_of(const char *key)
{
    int i = 0;
    while (i < MOST_KEYS - 1 && *board.entries[i].key && strcmp(board.entries[i].key, key) != 0)
        i++;
    return i;
}

static void set(const char *key, const char *value)
{
    int i = place_of(key);
    free(board.entries[i].value);
    strcpy(board.entries[i].key, key);
    board.entries[i].value = strdup(value);
    for (struct client *client = board.clients; client; client = client->next)
        if (strcmp(client->watched, key) == 0)
            tell(client, "%s = %s\n", key, value);
}

static void answer(struct client *client, const char *line)
{
    char key[MOST_KEY + 1];
    int end = 0, count = 0;
    for (struct client *one = board.clients; one; one = one->next)
        count++;
    if (sscanf(line, "set %31s %n", key, &end) == 1 && end && line[end]) {
        tell(client, "ok\n");
        set(key, line + end);
    } else if (sscanf(line, "get %31s", key) == 1) {
        const char *value = board.entries[place_of(key)].value;
        tell(client, value ? "%s = %s\n" : "%s?\n", key, value);
    } else if (sscanf(line, "watch %31s", key) == 1) {
        strcpy(client->watched, key);
        tell(client, "ok\n");
    } else if (strcmp(line, "count") == 0) {
        tell(client, "%d\n", count);
    } else {
        tell(client, "what?\n");
    }
}

/* ---------------------------------------------------------------------------------- clients */

struct talk { struct client *client; };
static async_value talk(void *p)
{
    struct client *client = ((struct talk *)p)->client;
    for (;;) {
        size_t length;
        char *line = await(async_wait_for(async_stream_readline(client->stream, &length),
                                          board.idle)).ptr;
        if (!length)
            return async_none;
        line[strcspn(line, "\r\n")] = 0;
        if (strcmp(line, "quit") == 0) {
            client->bye = "quit";
            return async_none;
        }
        answer(client, line);
        await(async_sleep(0));
    }
}

static void goodbye(struct client **leaving)
{
    struct client *client = *leaving, **place = &board.clients;
    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
    if (client->bye)
        tell(client, "bye: %s\n", client->bye);
    async_queue_shutdown(client->outbox, false);
    async_catch(async_wait_for(client->writing, LAST_WORDS));
    for (async_value line; !(line = async_queue_get_nowait(client->outbox)).error;)
        free(line.ptr);
    async_stream_close(client->stream);
    if (async_catch(async_wait_for(async_stream_wait_closed(client->stream), LAST_WORDS)).error)
        async_stream_abort(client->stream);
}

static async_value serve(async_stream *stream, void *arg)
{
    (void)arg;
    if (board.closing)
        return async_none;
    struct client self = { .next = board.clients, .stream = stream,
                           .reading = async_current_task(), .outbox = async_queue_new(OUTBOX) };
    async_with(goodbye) struct client *client = board.clients = &self;
    self.writing = async_create_task(async_coro(write_lines, client));
    if (async_catch(async_coro(talk, client)).error == ASYNC_TIMEOUT)
        self.bye = "idle";
    return async_none;
}

static void close_board(async_server **server)
{
    board.closing = true;
    async_server_close(*server);
    for (struct client *client = board.clients; client; client = client->next)
        send_away(client, "closing");
    async_catch(async_server_wait_closed(*server));
}

async_value run_board(void *p)
{
    struct run_board *args = p;
    board.idle = args->idle;
    async_with(close_board) async_server *server =
        await(async_start_server(serve, NULL, "127.0.0.1", 0)).ptr;
    async_set_result(args->opened, async_num(async_server_port(server)));
    await(async_server_wait_closed(server));        /* until somebody cancels us */
    return async_none;
}

/* To try it: make exercise-18, then make chat PORT=NUMBER. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    async_future opened = async_create_future();
    async_task running = async_create_task(async_coro(run_board, 60, opened));
    printf("the board is open at 127.0.0.1, port %ld\n", await(opened).num);
    fflush(stdout);
    return async_catch(running);
}

int main(void) { return async_main(async_coro(try_it)); }
