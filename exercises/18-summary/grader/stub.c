/* A notice board. README.md has the task; `make grade-18` looks at it. */
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
    /* TODO, parts 2 and 3: its two tasks; a queue of lines for it; why it has to go */
};

static struct board {
    struct client *clients;
    double idle;
    struct { char key[MOST_KEY + 1], *value; } entries[MOST_KEYS];
} board;

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
    /* TODO, part 2: put the line into the client's queue, from which a second task sends it. If
     * OUTBOX lines wait there, the client has to go. */
    async_stream_puts(client->stream, line);
    free(line);
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
    /* TODO, part 1: read a line; take its end off, which is "\n" or "\r\n"; give it to answer();
     * and again, until the client closes the connection. "quit": tell it "bye: quit\n", and return.
     * Part 3: a client that is silent for board.idle seconds is told "bye: idle\n". */
    (void)client;
    (void)answer;
    return async_none;
}

static void goodbye(struct client **leaving)
{
    struct client *client = *leaving, **place = &board.clients;
    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
    /* TODO, parts 2 and 3: what waits for it is still sent, but for LAST_WORDS seconds at most */
}

static async_value serve(async_stream *stream, void *arg)
{
    (void)arg;
    struct client self = { .next = board.clients, .stream = stream };
    async_with(goodbye) struct client *client = board.clients = &self;
    return async_catch(async_coro(talk, client));
}

/* TODO, part 3: an exit function for run_board. It closes the server, tells every client
 * "bye: closing\n", and waits until all of them are gone. */

async_value run_board(void *p)
{
    struct run_board *args = p;
    board.idle = args->idle;
    async_server *server = await(async_start_server(serve, NULL, "127.0.0.1", 0)).ptr;
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
