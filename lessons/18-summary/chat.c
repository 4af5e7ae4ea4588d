/* chat.c - a chat server. Each client has two tasks: one reads what it types, one sends it what the
 * others say, out of a queue of its own. So nobody waits for anybody: who does not read fills only
 * his own queue, and when that is full he has to go.
 *
 *     chat                    a demonstration: the server and three visitors in one process
 *     chat PORT [ADDRESS]     the server itself; join.c is a client for it
 *
 * Python twin:
 *     async def serve(reader, writer):
 *         writing = asyncio.create_task(send_lines(outbox, writer))
 *         while line := await asyncio.wait_for(reader.readline(), idle):
 *             for other in clients: other.outbox.put_nowait(line)             # QueueFull: drop it
 *     server = await asyncio.start_server(serve, address, port) */
#define _GNU_SOURCE
#include "async.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NAME 20
#define MOST_TEXT 400           /* bytes of a line; the rest of a longer one is cut off */
#define OUTBOX 1000             /* lines that may wait for a client */
#define LAST_WORDS 2.0          /* seconds that a client gets to take what waits for it */

struct line { int readers; char text[]; };      /* one text for all; the last reader frees it */

struct client {
    struct client *next;
    async_task reading, writing;
    async_stream *stream;
    async_queue *outbox;        /* of struct line */
    char name[MOST_NAME + 1];   /* "" as long as it has none */
    double since;               /* when it got its name */
    const char *why;            /* why it is sent away, or NULL */
};

static struct chat {
    async_server *server;
    struct client *clients;     /* latest first */
    double opened, idle;        /* when; and how many seconds a client may be silent */
    bool closing;
} chat;

static double now(void) { return async_loop_time(async_get_running_loop()); }

/* ------------------------------------------------------------- telling them; this never waits */

static struct line *line_new(const char *format, va_list args)
{
    char text[MOST_TEXT + MOST_NAME + 100];
    vsnprintf(text, sizeof text, format, args);
    struct line *line = malloc(sizeof *line + strlen(text) + 2);
    if (line) {
        line->readers = 1;
        sprintf(line->text, "%s\n", text);
    }
    return line;
}

static void line_done(struct line *line)
{
    if (line && --line->readers == 0)
        free(line);
}

static void empty(async_queue *outbox)
{
    for (async_value line; !(line = async_queue_get_nowait(outbox)).error;)
        line_done(line.ptr);
}

static void send_away(struct client *client, const char *why)
{
    if (!client->why)
        async_cancel(client->reading);
    client->why = why;
}

static void put(struct client *client, struct line *line)
{
    if (!line || async_queue_put_nowait(client->outbox, async_ptr(line)).error)
        send_away(client, "too slow");
    else
        line->readers++;
}

__attribute__((format(printf, 2, 3)))
static void tell(struct client *client, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct line *line = line_new(format, args);
    va_end(args);
    put(client, line);
    line_done(line);
}

__attribute__((format(printf, 1, 2)))
static void tell_all(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct line *line = line_new(format, args);
    va_end(args);
    for (struct client *client = chat.clients; client; client = client->next)
        if (*client->name)
            put(client, line);
    if (line)
        printf("%5.1f s  %s", now() - chat.opened, line->text);
    line_done(line);
}

/* A client's second task: it waits for the connection, so that nobody else has to. */
struct send_lines { struct client *client; };
static async_value send_lines(void *p)
{
    struct client *client = ((struct send_lines *)p)->client;
    for (;;) {
        struct line *line = await(async_queue_get(client->outbox)).ptr;
        async_stream_puts(client->stream, line->text);
        line_done(line);
        await(async_stream_drain(client->stream));
    }
}

/* ------------------------------------------------------------------------- what they type */

/* Without its end (LF, or CR LF as telnet sends it), and without control characters, which would
 * do things to other people's terminals. */
static void clean(char *to, const char *line)
{
    size_t n = 0;
    for (; *line && n < MOST_TEXT; line++)
        if (!iscntrl((unsigned char)*line))
            to[n++] = *line;
    to[n] = 0;
}

/* What is wrong with this name, or NULL. */
static const char *objection(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz" "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_-");
    if (length == 0 || name[length] || length > MOST_NAME)
        return "A name has 1 to 20 letters or digits";
    for (struct client *client = chat.clients; client; client = client->next)
        if (strcasecmp(client->name, name) == 0)
            return "That name is taken";
    return NULL;
}

static void take_name(struct client *client, const char *name)
{
    const char *wrong = objection(name);
    if (wrong) {
        tell(client, "* %s. Try another.", wrong);
        return;
    }
    if (*client->name)
        tell_all("* %s is now called %s", client->name, name);
    bool comes = !*client->name;
    strcpy(client->name, name);
    async_set_name(client->reading, name);          /* for reports, and for pictures */
    async_set_name(client->writing, name);
    if (comes) {
        client->since = now();
        tell_all("* %s has come", name);
    }
}

static void tell_who(struct client *client)
{
    char names[MOST_TEXT] = "";
    size_t count = 0, n = 0;
    for (struct client *other = chat.clients; other; other = other->next) {
        count += *other->name != 0;
        if (*other->name && n + MOST_NAME + 30 < sizeof names)
            n += sprintf(names + n, ", %s for %.0f s", other->name, now() - other->since);
    }
    tell(client, "* open for %.0f s, %zu here%s", now() - chat.opened, count, names);
}

/* False: it wants to go. */
static bool obey(struct client *client, const char *text)
{
    if (!*client->name)
        take_name(client, text);
    else if (strncmp(text, "/name ", 6) == 0)
        take_name(client, text + 6);
    else if (strcmp(text, "/who") == 0)
        tell_who(client);
    else if (*text == '/' && strcmp(text, "/quit") != 0)
        tell(client, "* There are /who, /name NEW-NAME and /quit");
    else if (*text && *text != '/')
        tell_all("%s: %s", client->name, text);
    return strcmp(text, "/quit") != 0;
}

struct talk { struct client *client; };
static async_value talk(void *p)
{
    struct client *client = ((struct talk *)p)->client;
    char text[MOST_TEXT + 1];
    size_t length;
    tell(client, "* Welcome! What is your name?");
    do {
        const char *line =
            await(async_wait_for(async_stream_readline(client->stream, &length), chat.idle)).str;
        clean(text, line);
        await(async_sleep(0));          /* one line in each turn of the loop, then the others */
    } while (length && obey(client, text));
    return async_none;
}

/* ----------------------------------------------------------------------- coming and going */

static void goodbye(struct client **leaving)
{
    struct client *client = *leaving, **place = &chat.clients;
    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
    if (async_queue_full(client->outbox))
        empty(client->outbox);
    if (client->why)
        tell(client, "* Goodbye: %s", client->why);
    if (*client->name && !chat.closing)
        tell_all("* %s has left%s%s", client->name, client->why ? ": " : "",
                 client->why ? client->why : "");
    async_queue_shutdown(client->outbox, false);        /* what is in it is still sent */
    async_catch(async_wait_for(client->writing, LAST_WORDS));
    empty(client->outbox);
    async_stream_close(client->stream);
    if (async_catch(async_wait_for(async_stream_wait_closed(client->stream), LAST_WORDS)).error)
        async_stream_abort(client->stream);
}

/* A client's first task; it begins when the server has accepted the connection. */
static async_value serve(async_stream *stream, void *arg)
{
    (void)arg;
    if (chat.closing)
        return async_none;
    struct client self = { .next = chat.clients, .reading = async_current_task(), .stream = stream,
                           .outbox = async_queue_new(OUTBOX) };
    async_with(goodbye) struct client *client = chat.clients = &self;
    self.writing = async_create_task(async_coro(send_lines, client));
    int error = async_catch(async_coro(talk, client)).error;
    if (error == ASYNC_TIMEOUT)
        self.why = "silent for too long";
    else if (error == ASYNC_LIMIT_OVERRUN)
        self.why = "a line without an end";
    return async_none;
}

static void close_chat(struct chat **open)
{
    (void)open;
    chat.closing = true;
    async_server_close(chat.server);
    for (struct client *client = chat.clients; client; client = client->next)
        send_away(client, "the chat closes");
    async_catch(async_server_wait_closed(chat.server));
    printf("%5.1f s  closed\n", now() - chat.opened);
}

struct open_chat { const char *address; int port; double idle; };
static async_value open_chat(void *p)
{
    struct open_chat *args = p;
    chat = (struct chat){ .opened = now(), .idle = args->idle };
    chat.server = await(async_start_server(serve, NULL, args->address, args->port)).ptr;
    return async_none;
}

/* --------------------------------------------------------------------------- chat PORT */

struct run_server { const char *address; int port; };
static async_value run_server(void *p)
{
    struct run_server *args = p;
    await(async_coro(open_chat, args->address, args->port, 600));
    async_with(close_chat) struct chat *open = &chat;
    printf("The chat is open at %s, port %d. Ctrl-C closes it.\n", args->address,
           async_server_port(chat.server));
    await(async_server_wait_closed(chat.server));       /* until Ctrl-C cancels us */
    return async_none;
}

/* ----------------------------------------- the demonstration: three visitors, and what they see */

struct say { double at; const char *text; };

static const struct say ann[] = {
    { 0, "Ann\n" }, { 2, "Good morning!\n" }, { 6, "/who\n" }, { 11, "Anybody there?\n" },
    { 0, NULL }
};
static const struct say ben[] = {
    { 1, "ann\nBen\n" }, { 3, "Hello, Ann.\n" }, { 7, "/name Benjamin\n" }, { 9, "/quit\n" },
    { 0, NULL }
};
static const struct say cleo[] = { { 4, "Cleo\r\n" }, { 0, NULL } };  /* telnet; then silence */

/* Reads until the server closes the connection; gives all of it, as one text. */
struct watch_screen { async_stream *stream; };
static async_value watch_screen(void *p)
{
    async_stream *stream = ((struct watch_screen *)p)->stream;
    const char *screen = "";
    for (;;) {
        const char *line = await(async_stream_readline(stream, NULL)).str;
        if (!*line)
            return async_str(screen);
        screen = async_strf("%s%5.1f s  %s", screen, now() - chat.opened, line);
    }
}

struct visit { int port; const struct say *script; };
static async_value visit(void *p)
{
    struct visit *args = p;
    await(async_sleep(args->script->at));
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", args->port)).ptr;
    async_task watching = async_create_task_named(async_coro(watch_screen, stream),
                                                  async_get_name(async_current_task()));
    for (const struct say *say = args->script; say->text; say++) {
        await(async_sleep(chat.opened + say->at - now()));
        async_stream_puts(stream, say->text);
        await(async_stream_drain(stream));
    }
    return await(watching);
}

static async_value demonstrate(void *p)
{
    (void)p;
    async_value screens[3];
    async_future visits;
    await(async_coro(open_chat, "127.0.0.1", 0, 8));
    {
        async_with(close_chat) struct chat *open = &chat;
        int port = async_server_port(chat.server);
        visits = async_gather(screens, async_create_task_named(async_coro(visit, port, ann), "Ann"),
                              async_create_task_named(async_coro(visit, port, ben), "Ben"),
                              async_create_task_named(async_coro(visit, port, cleo), "Cleo"));
        await(async_sleep(14));
    }
    await(visits);
    printf("\nAnn's screen:\n%s\nBen's screen:\n%s\nCleo's screen:\n%s", screens[0].str,
           screens[1].str, screens[2].str);
    return async_none;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return async_main(async_coro(demonstrate));
    setvbuf(stdout, NULL, _IOLBF, 0);
    return async_main(async_coro(run_server, argc > 2 ? argv[2] : "127.0.0.1", atoi(argv[1])));
}
