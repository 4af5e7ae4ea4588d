/* connect.c - asyncio.open_connection and open_unix_connection: a stream to somebody who listens. */
#define _GNU_SOURCE
#include "core/coro.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/report.h"
#include "core/task.h"
#include "io/io.h"
#include <stdio.h>
#include <unistd.h>

struct attempt {                    /* on the stack of the task that waits for it */
    struct part part;               /* of its loop */
    int fd;
};

static void close_attempt(struct part *part) { close(container_of(part, struct attempt, part)->fd); }

/* A socket connected to this address; its number, or an error. */
static async_value connect_to(const struct addrinfo *address, bool external)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return async_error(errno, NULL);
    struct attempt attempt = { { .close = close_attempt }, fd };
    async_value v = async_none;
    socklen_t length = sizeof(int);
    bool connected;
    loop_has(loop_running, &attempt.part);
    while (!(connected = connect(fd, address->ai_addr, address->ai_addrlen) == 0)
           && errno == EAGAIN && !v.error)          /* a Unix server with too many at its door */
        v = async_catch(async_sleep(0.01));
    int why = connected ? 0 : v.error ? v.error : errno;
    if (!external && address->ai_family != AF_UNIX)
        server_note_client(fd);
    if (why == EINPROGRESS && !(v = ready_wait(NULL, fd, true, external)).error)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &length);
    list_remove(&attempt.part.link);
    if (!v.error && !why)
        return async_num(fd);
    close(fd);
    return v.error ? v : async_error(why, NULL);
}

/* The first address that answers. */
static async_value connect_any(const struct addrinfo *addresses, const char *what)
{
    async_value v = async_error(EADDRNOTAVAIL, NULL);
    if (!task_current())
        return report_no_task();
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        bool external = !server_is_ours((const struct sockaddr_storage *)a->ai_addr);
        v = connect_to(a, external);
        if (v.error == ASYNC_CANCELLED)
            return v;
        if (v.error)
            continue;
        async_stream *stream = stream_new(v.num, true, true, what, external);
        return stream ? async_ptr(stream) : async_error(ENOMEM, "no memory for a stream");
    }
    return async_error(v.error, async_strf("connecting to %s: %s", what, async_error_name(v.error)));
}

struct endpoint { const char *host; int port; };

static async_value open_connection(void *p)
{
    struct endpoint args = *(struct endpoint *)p;
    char what[NI_MAXHOST + 32];
    async_value v = async_catch(async_getaddrinfo(args.host, args.port));
    if (v.error)
        return v;
    void *addresses = v.ptr;
    snprintf(what, sizeof what, "%s port %d", args.host, args.port);
    v = connect_any(addresses, what);
    memory_give_back(addresses);
    return v;
}

async_awaitable async_open_connection(const char *host, int port)
{
    if (!host)                          /* of an async_strf without memory */
        return NULL;
    return coro_for(open_connection, struct endpoint, host, port);
}

static async_value open_unix_connection(void *p)
{
    const char *path = *(const char **)p;
    struct address address;
    async_value v = resolve_path(path, &address);
    return v.error ? v : connect_any(&address.info, path);
}

async_awaitable async_open_unix_connection(const char *path)
{
    return coro_for(open_unix_connection, const char *, path);
}
