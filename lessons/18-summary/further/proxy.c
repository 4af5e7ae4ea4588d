/* proxy.c - a reverse proxy: whoever connects is led to one of several servers, in turn, and bytes flow
 * both ways until both sides have said all. A server that does not answer is left out.
 *
 *     proxy PORT SERVER-PORT...       serves until Ctrl-C
 *     proxy                           a demonstration with two servers of its own
 *
 * Nothing piles up here: what one side does not take is not read from the other (drain). When a client
 * says that nothing more comes, the server hears that, and may go on answering (write_eof).
 *
 * Python twin:
 *     async def serve(reader, writer):
 *         server_reader, server_writer = await asyncio.open_connection(host, next(ports))
 *         async with asyncio.TaskGroup() as both:
 *             both.create_task(copy(reader, server_writer))
 *             both.create_task(copy(server_reader, writer)) */
#include "async.h"
#include <stdio.h>
#include <stdlib.h>

#define MOST_SERVERS 16
#define AT_ONCE 16384               /* bytes */

static struct { int ports[MOST_SERVERS], count, next; } servers;

struct copy { async_stream *from, *to; };
static async_value copy(void *p)
{
    struct copy *args = p;
    size_t length;
    for (;;) {
        const char *bytes = await(async_stream_read(args->from, AT_ONCE, &length)).ptr;
        if (!length)
            break;
        async_stream_write(args->to, bytes, length);
        await(async_stream_drain(args->to));
    }
    async_stream_write_eof(args->to);
    return async_none;
}

/* A connection to the next server that is there. */
static async_value find_server(void *p)
{
    (void)p;
    async_value v = async_error(ECONNREFUSED, "there are no servers");
    for (int i = 0; i < servers.count; i++) {
        int port = servers.ports[servers.next++ % servers.count];
        v = async_catch(async_wait_for(async_open_connection("127.0.0.1", port), 2));
        if (!v.error || v.error == ASYNC_CANCELLED)
            break;
        printf("%s\n", v.message);
    }
    return v;
}

static async_value serve(async_stream *client, void *arg)
{
    (void)arg;
    async_value found = async_catch(async_coro(find_server));
    if (found.error)
        async_stream_puts(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    if (found.error)
        return found;
    async_with(async_stream_exit) async_stream *server = found.ptr;
    async_with(async_taskgroup_exit) async_taskgroup *both = async_taskgroup_enter();
    async_taskgroup_create_task(both, async_coro(copy, client, server));
    async_taskgroup_create_task(both, async_coro(copy, server, client));
    await(async_taskgroup_join(both));
    return async_none;
}

struct run { int port; };
static async_value run(void *p)
{
    struct run *args = p;
    async_with(async_server_exit) async_server *proxy =
        await(async_start_server(serve, NULL, "127.0.0.1", args->port)).ptr;
    printf("Port %d leads to %d servers. Ctrl-C ends it.\n", async_server_port(proxy), servers.count);
    await(async_server_serve_forever(proxy));
    return async_none;
}

/* ------------------------------------------------------------------------ the demonstration */

/* A server that reads all of a request, thinks for a second, and says who it is. */
static async_value answer(async_stream *stream, void *name)
{
    const char *request = await(async_stream_read(stream, 0, NULL)).str;
    await(async_sleep(1));
    async_stream_puts(stream, async_strf("%s heard: %s", (char *)name, request));
    return async_none;
}

struct ask { int port; const char *what; };
static async_value ask(void *p)
{
    struct ask *args = p;
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", args->port)).ptr;
    async_stream_puts(stream, args->what);
    async_stream_write_eof(stream);
    return async_text("%s", await(async_stream_read(stream, 0, NULL)).str);
}

static async_value demonstrate(void *p)
{
    (void)p;
    async_value answers[4];
    async_with(async_server_exit) async_server *ann =
        await(async_start_server(answer, "Ann", "127.0.0.1", 0)).ptr;
    async_with(async_server_exit) async_server *ben =
        await(async_start_server(answer, "Ben", "127.0.0.1", 0)).ptr;
    async_with(async_server_exit) async_server *proxy =
        await(async_start_server(serve, NULL, "127.0.0.1", 0)).ptr;
    servers.ports[servers.count++] = async_server_port(ann);
    servers.ports[servers.count++] = async_server_port(ben);
    int port = async_server_port(proxy);
    await(async_gather(answers, async_coro(ask, port, "one"), async_coro(ask, port, "two"),
                       async_coro(ask, port, "three"), async_coro(ask, port, "four")));
    for (int i = 0; i < 4; i++)
        printf("%s\n", answers[i].str);
    printf("at %g s\n", async_loop_time(async_get_running_loop()));
    return async_none;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 2; i < argc && servers.count < MOST_SERVERS; i++)
        servers.ports[servers.count++] = atoi(argv[i]);
    if (argc > 1)
        return async_main(async_coro(run, atoi(argv[1])));
    return async_main(async_coro(demonstrate));
}
