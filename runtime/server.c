/* server.c - connections: open_connection, start_server, and their twins for Unix sockets.
 *
 * Names are looked up in a thread, since getaddrinfo blocks. Each client is served by a task of its
 * own, which ends when its function returns; then its stream is closed. */
#define _GNU_SOURCE
#include "coro.h"
#include "line.h"
#include "loop.h"
#include "outside.h"
#include "report.h"
#include "stream.h"
#include "task.h"
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_ADDRESSES 8
#define AT_ONCE 100                 /* clients accepted in one turn, as in Python */
#define BACKLOG 4096                /* that may wait for it; who is turned away tries again a second later */

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

struct addresses {
    int count;
    struct address list[MOST_ADDRESSES];
};

struct look_up {
    const char *host, *port;        /* host NULL: any interface, to listen on */
    struct addresses *into;
};

/* In a thread. */
static async_value look_up(void *p)
{
    struct look_up *args = p;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = args->host ? 0 : AI_PASSIVE };
    struct addrinfo *found;
    int status = getaddrinfo(args->host, args->port, &hints, &found);
    if (status)
        return async_error(status == EAI_MEMORY ? ENOMEM : ENOENT,
                           async_strf("looking up %s: %s", args->host, gai_strerror(status)));
    for (struct addrinfo *a = found; a && args->into->count < MOST_ADDRESSES; a = a->ai_next) {
        struct address *address = &args->into->list[args->into->count++];
        memcpy(&address->storage, a->ai_addr, a->ai_addrlen);
        address->length = a->ai_addrlen;
    }
    freeaddrinfo(found);
    return async_none;
}

/* A number needs no looking up, and so no thread. */
static bool is_numeric(const struct look_up *args)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found;
    if (args->host && getaddrinfo(args->host, args->port, &hints, &found))
        return false;
    if (args->host)
        freeaddrinfo(found);
    return true;
}

static async_value find_addresses(const char *host, const char *port, struct addresses *into)
{
    struct look_up args = { host, port, into };
    into->count = 0;
    return is_numeric(&args) ? look_up(&args) : async_catch(async_to_thread_call(
        (async_call){ look_up, "getaddrinfo", &args, sizeof args }));
}

static struct addresses unix_address(const char *path)
{
    struct addresses one = { .count = 1 };
    struct sockaddr_un *address = (struct sockaddr_un *)&one.list[0].storage;
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
    one.list[0].length = sizeof *address;
    return one;
}

static void no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);   /* fails on others than TCP: fine */
}

/* --------------------------------------------------------------------- servers of this process */

struct server {
    struct object object;
    struct list link;               /* among those of this thread */
    int fd;
    struct job job;                 /* accepts */
    struct watch *watch;            /* NULL: closed; then the server is not pinned by it */
    async_client_fn *fn;
    void *arg;
    unsigned clients;               /* being served */
    struct line closed;             /* tasks in wait_closed */
};

_Static_assert(sizeof(struct server) <= OBJECT_SIZE, "a server fits its record");

static _Thread_local struct list servers;

static unsigned port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

bool server_is_ours(const struct sockaddr_storage *other)
{
    struct sockaddr_storage mine;
    if (!servers.next)
        return false;
    list_each(link, &servers) {
        socklen_t length = sizeof mine;
        struct server *server = container_of(link, struct server, link);
        if (server->fd < 0 || getsockname(server->fd, (struct sockaddr *)&mine, &length))
            continue;
        if (mine.ss_family != other->ss_family)
            continue;
        if (mine.ss_family == AF_UNIX ? strcmp(((struct sockaddr_un *)&mine)->sun_path,
                                               ((const struct sockaddr_un *)other)->sun_path) == 0
                                      : port_of(&mine) == port_of(other))
            return true;
    }
    return false;
}

/* Ports from which we have connected to servers of our own: who comes from there is no stranger. */
static _Thread_local unsigned char own_ports[65536 / 8];

void server_note_client(int fd)
{
    struct sockaddr_storage local = { 0 };
    socklen_t length = sizeof local;
    if (getsockname(fd, (struct sockaddr *)&local, &length) == 0)
        own_ports[port_of(&local) / 8] |= 1 << port_of(&local) % 8;
}

static bool is_own_client(int fd, const struct sockaddr_storage *from)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (from->ss_family != AF_INET && from->ss_family != AF_INET6)
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == getpid();
    return own_ports[port_of(from) / 8] >> port_of(from) % 8 & 1;
}

/* ---------------------------------------------------------------------------- connecting */

/* A socket connected to this address; its number, or an error. */
static async_value connect_to(const struct address *address, bool external)
{
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return async_error(errno, NULL);
    async_value v = async_none;
    int error = 0;
    socklen_t length = sizeof error;
    bool connected = connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0;
    int why = errno;
    if (!external && address->storage.ss_family != AF_UNIX)
        server_note_client(fd);
    if (connected)
        return async_num(fd);
    if (why == EINPROGRESS) {
        v = stream_wait(fd, true, external);
        if (!v.error && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0)
            return async_num(fd);
    } else {
        error = why;
    }
    close(fd);
    return v.error ? v : async_error(error, NULL);
}

/* The first address that answers. */
static async_value connect_any(const struct addresses *addresses, const char *what)
{
    async_value v = async_error(EADDRNOTAVAIL, NULL);
    bool external = true;
    for (int i = 0; i < addresses->count; i++) {
        external = !server_is_ours(&addresses->list[i].storage);
        v = connect_to(&addresses->list[i], external);
        if (!v.error || v.error == ASYNC_CANCELLED)
            break;
    }
    if (v.error == ASYNC_CANCELLED)
        return v;
    if (v.error)
        return async_error(v.error, async_strf("connecting to %s: %s", what, strerror(v.error)));
    no_delay(v.num);
    async_stream *stream = stream_new(v.num, v.num, what, external);
    return stream ? async_ptr(stream) : async_error(ENOMEM, "no memory for a stream");
}

struct endpoint {
    const char *host;               /* or the path */
    int port;
    async_client_fn *fn;
    void *arg;
};

static async_value open_connection(void *p)
{
    struct endpoint *args = p;
    struct addresses addresses;
    char port[16];
    snprintf(port, sizeof port, "%d", args->port);
    async_value v = find_addresses(args->host, port, &addresses);
    return v.error ? v : connect_any(&addresses, async_strf("%s port %d", args->host, args->port));
}

async_awaitable async_open_connection(const char *host, int port)
{
    return coro_make(open_connection, "async_open_connection",
                     &(struct endpoint){ host, port, NULL, NULL }, sizeof(struct endpoint));
}

static async_value open_unix_connection(void *p)
{
    struct endpoint *args = p;
    struct addresses addresses = unix_address(args->host);
    return connect_any(&addresses, args->host);
}

async_awaitable async_open_unix_connection(const char *path)
{
    return coro_make(open_unix_connection, "async_open_unix_connection",
                     &(struct endpoint){ path, 0, NULL, NULL }, sizeof(struct endpoint));
}

/* ------------------------------------------------------------------------------- serving */

static void stop_listening(struct server *server)
{
    if (!server->watch)
        return;
    unwatch(server->watch);
    server->watch = NULL;
    close(server->fd);
    server->fd = -1;
    list_remove(&server->link);
}

static void drop(struct object *object) { stop_listening((struct server *)object); }

static const struct future_type server_type = { .name = "Server", .drop = drop };

struct serve {
    struct server *server;          /* pinned */
    int fd;
    bool external;
};

/* A client's task. */
static async_value serve(void *p)
{
    struct serve *args = p;
    struct server *server = args->server;
    async_stream *stream = stream_new(args->fd, args->fd, "client", args->external);
    async_value v = async_error(ENOMEM, "no memory for a stream");
    if (stream) {
        v = server->fn(stream, server->arg);
        async_stream_exit(&stream);
    }
    if (--server->clients == 0 && !server->watch)
        line_wake_all(&server->closed);
    object_unpin(&server->object);
    return v;
}

static void welcome(struct server *server, int fd, const struct sockaddr_storage *from)
{
    async_value error;
    struct serve args = { server, fd, !is_own_client(fd, from) };
    async_coroutine coro = coro_make(serve, "client", &args, sizeof args);
    struct task *task = coro ? task_start(server->object.future.loop, coro, NULL, "async_start_server",
                                          &error) : NULL;
    if (!task) {
        close(fd);
        return;
    }
    object_pin(&server->object);
    server->clients++;
    task->detached = true;
}

static void accept_clients(struct job *job)
{
    struct server *server = container_of(job, struct server, job);
    struct sockaddr_storage from;
    for (int i = 0; i < AT_ONCE; i++) {
        socklen_t length = sizeof from;
        int fd = accept4(server->fd, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;                 /* none is waiting, or no descriptors are left: try again later */
        no_delay(fd);
        welcome(server, fd, &from);
    }
}

/* A listening socket, as a server. Its value is the handle. */
static async_value listen_on(const struct address *address, const char *what, async_client_fn *fn,
                             void *arg)
{
    int on = 1, fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return async_error(errno, async_strf("listening on %s: %s", what, strerror(errno)));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->length) || listen(fd, BACKLOG)) {
        async_value v = async_error(errno, async_strf("listening on %s: %s", what, strerror(errno)));
        close(fd);
        return v;
    }
    struct server *server = primitive_new(&server_type);
    if (!server) {
        close(fd);
        return async_error(ENOMEM, "no memory for a server");
    }
    *server = (struct server){ .object = server->object, .fd = fd, .job.run = accept_clients,
                               .fn = fn, .arg = arg };
    list_init(&server->object.link);
    list_init(&server->object.future.waiters);
    line_init(&server->closed, &server->object);
    if (!servers.next)
        list_init(&servers);
    list_append(&servers, &server->link);
    server->watch = watch_fd(loop_running, fd, false, false, &server->job);
    if (!server->watch) {
        list_remove(&server->link);
        close(fd);
        return async_error(ENOMEM, "no memory for a server");
    }
    return async_ptr(object_ticket(&server->object));
}

static async_value start_server(void *p)
{
    struct endpoint *args = p;
    struct addresses addresses;
    char port[16];
    snprintf(port, sizeof port, "%d", args->port);
    async_value v = find_addresses(args->host, port, &addresses);
    const char *what = async_strf("%s port %d", args->host ? args->host : "every interface", args->port);
    for (int i = 0; !v.error && i < addresses.count; i++) {
        v = listen_on(&addresses.list[i], what, args->fn, args->arg);
        if (!v.error)
            return v;
    }
    return v.error ? v : async_error(EADDRNOTAVAIL, async_strf("listening on %s: no address", what));
}

async_awaitable async_start_server(async_client_fn *fn, void *arg, const char *host, int port)
{
    return coro_make(start_server, "async_start_server", &(struct endpoint){ host, port, fn, arg },
                     sizeof(struct endpoint));
}

static async_value start_unix_server(void *p)
{
    struct endpoint *args = p;
    struct addresses addresses = unix_address(args->host);
    return listen_on(&addresses.list[0], args->host, args->fn, args->arg);
}

async_awaitable async_start_unix_server(async_client_fn *fn, void *arg, const char *path)
{
    return coro_make(start_unix_server, "async_start_unix_server",
                     &(struct endpoint){ path, 0, fn, arg }, sizeof(struct endpoint));
}

int async_server_port(async_server *x)
{
    struct server *server = primitive_of(x, &server_type, "async_server_port", NULL);
    struct sockaddr_storage mine = { 0 };
    socklen_t length = sizeof mine;
    if (getsockname(server->fd, (struct sockaddr *)&mine, &length) || mine.ss_family == AF_UNIX)
        return 0;
    return port_of(&mine);
}

void async_server_close(async_server *x)
{
    struct server *server = primitive_of(x, &server_type, "async_server_close", NULL);
    stop_listening(server);
    if (server->clients == 0)
        line_wake_all(&server->closed);
}

static async_value wait_closed(void *p)
{
    async_value v = async_none;
    struct waiter waiter;
    in_use struct server *server = primitive_use(*(async_server **)p, &server_type,
                                                 "async_server_wait_closed", &v);
    if (server && (server->watch || server->clients))
        v = line_wait(&server->closed, &waiter);
    return v;
}

async_awaitable async_server_wait_closed(async_server *server)
{
    return coro_make(wait_closed, "async_server_wait_closed", &server, sizeof server);
}

void async_server_exit(async_server **server)
{
    if (!*server)
        return;
    async_server_close(*server);
    async_catch(async_server_wait_closed(*server));
}
