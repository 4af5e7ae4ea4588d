/* server.c - connections: open_connection, start_server, and their twins for Unix sockets.
 *
 * Names are looked up in a thread, since getaddrinfo blocks. Each client is served by a task of its
 * own, which ends when its function returns; then its stream is closed. */
#define _GNU_SOURCE
#include "coro.h"
#include "line.h"
#include "loop.h"
#include "memory.h"
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
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_ADDRESSES 8
#define AT_ONCE 100                 /* clients accepted in one turn, as in Python */
#define BACKLOG 4096                /* that may wait for it; who is turned away tries again a second later */
#define REST 1                      /* second without accepting, when no descriptors are left; as in Python */

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

struct addresses {
    int count;
    struct address list[MOST_ADDRESSES];
};

struct look_up {                    /* a copy: the thread may outlive who asked */
    char host[NI_MAXHOST];          /* empty: any interface, to listen on */
    char port[16];
};

/* In a thread: gives memory with the addresses. */
static async_value look_up(void *p)
{
    struct look_up *args = p;
    const char *host = *args->host ? args->host : NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = host ? 0 : AI_PASSIVE };
    struct addrinfo *found;
    int status = getaddrinfo(host, args->port, &hints, &found);
    int why = status == EAI_SYSTEM ? errno : status == EAI_MEMORY ? ENOMEM : ENOENT;
    if (status)
        return async_error(why, async_strf("looking up %s: %s", host ? host : args->port,
                                           status == EAI_SYSTEM ? strerror(why) : gai_strerror(status)));
    struct addresses *into = async_alloc(sizeof *into);
    for (struct addrinfo *a = found; into && a && into->count < MOST_ADDRESSES; a = a->ai_next) {
        struct address *address = &into->list[into->count++];
        memcpy(&address->storage, a->ai_addr, a->ai_addrlen);
        address->length = a->ai_addrlen;
    }
    freeaddrinfo(found);
    return into ? async_ptr(into) : async_error(ENOMEM, "no memory for addresses");
}

/* A number needs no looking up, and so no thread. */
static bool is_numeric(const struct look_up *args)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found;
    if (*args->host && getaddrinfo(args->host, args->port, &hints, &found))
        return false;
    if (*args->host)
        freeaddrinfo(found);
    return true;
}

static async_value find_addresses(const char *host, int port, struct addresses *into)
{
    struct look_up args = { .host = "" };
    if (port < 0 || port > 65535)
        return async_error(ASYNC_VALUE_ERROR, async_strf("port must be 0-65535, not %d", port));
    if (host && (!*host || strlen(host) >= sizeof args.host))
        return async_error(ENOENT, "this cannot be the name of a host: it is empty, or too long");
    if (host)
        strcpy(args.host, host);
    snprintf(args.port, sizeof args.port, "%d", port);
    async_value v = is_numeric(&args) ? look_up(&args) : async_catch(async_to_thread_call(
        (async_call){ look_up, "getaddrinfo", &args, sizeof args }));
    if (v.error)
        return v;
    *into = *(struct addresses *)v.ptr;
    memory_give_back(v.ptr);
    return async_none;
}

static async_value unix_address(const char *path, struct addresses *one)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&one->list[0].storage;
    if (!path)
        return async_error(ENOMEM, "no memory for the path");       /* of an async_strf */
    if (strlen(path) >= sizeof address->sun_path)
        return async_error(ENAMETOOLONG, async_strf("AF_UNIX path too long: %s", path));
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    strcpy(address->sun_path, path);
    one->list[0].length = sizeof *address;
    one->count = 1;
    return async_none;
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
    int fd;                         /* -1: closed */
    unsigned clients;               /* being served; each pins the server */
    struct timer timer;             /* its job accepts; it runs while we rest, else `watch` calls it */
    struct watch *watch;
    async_client_fn *fn;
    void *arg;
    ino_t inode;                    /* of its Unix socket, or 0 */
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
    bool connected;
    while (!(connected = connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0)
           && errno == EAGAIN && !v.error)          /* a Unix server with too many at its door */
        v = async_catch(async_sleep(0.01));
    int why = v.error ? v.error : errno;
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
        return async_error(v.error, async_strf("connecting to %s: %s", what,
                                               async_error_name(v.error)));
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
    char what[NI_MAXHOST + 32];
    async_value v = find_addresses(args->host, args->port, &addresses);
    snprintf(what, sizeof what, "%s port %d", args->host, args->port);
    return v.error ? v : connect_any(&addresses, what);
}

async_awaitable async_open_connection(const char *host, int port)
{
    if (!host)                          /* of an async_strf without memory */
        return NULL;
    return coro_make(open_connection, "async_open_connection",
                     &(struct endpoint){ host, port, NULL, NULL }, sizeof(struct endpoint));
}

static async_value open_unix_connection(void *p)
{
    struct endpoint *args = p;
    struct addresses addresses;
    async_value v = unix_address(args->host, &addresses);
    return v.error ? v : connect_any(&addresses, args->host);
}

async_awaitable async_open_unix_connection(const char *path)
{
    return coro_make(open_unix_connection, "async_open_unix_connection",
                     &(struct endpoint){ path, 0, NULL, NULL }, sizeof(struct endpoint));
}

/* ------------------------------------------------------------------------------- serving */

/* Of a Unix socket, or 0: there is none with this name. */
static ino_t inode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

static void stop_listening(struct server *server)
{
    struct sockaddr_un mine;
    socklen_t length = sizeof mine;
    if (server->fd < 0)
        return;
    if (server->watch)
        unwatch(server->watch);
    server->watch = NULL;
    loop_timer_stop(server->object.future.loop, &server->timer);
    if (server->inode && getsockname(server->fd, (struct sockaddr *)&mine, &length) == 0
        && inode_of(mine.sun_path) == server->inode)
        unlink(mine.sun_path);
    close(server->fd);
    server->fd = -1;
    list_remove(&server->link);
}

static void drop(struct object *object) { stop_listening((struct server *)object); }

static const struct future_type server_type = { .name = "Server", .drop = drop };

void server_hang_up(struct object *object, void *unused)
{
    (void)unused;
    if (object->future.type == &server_type)
        close(((struct server *)object)->fd);
}

struct client {                     /* in the memory of its task */
    struct job ended;               /* of that task */
    struct task *task;              /* pinned, as is the server */
    struct server *server;
    async_stream *stream;
};

/* A client's task. One that is cancelled does not wait for a client that takes nothing. */
static async_value serve(void *p)
{
    struct client *client = *(struct client **)p;
    async_value v = client->server->fn(client->stream, client->server->arg);
    if (v.error == ASYNC_CANCELLED)
        async_stream_close(client->stream);
    else
        async_stream_exit(&client->stream);
    return v;
}

/* Also of one that was cancelled before it began. */
static void serve_ended(struct job *job)
{
    struct client *client = container_of(job, struct client, ended);
    struct server *server = client->server;
    if (--server->clients == 0 && server->fd < 0)
        line_wake_all(&server->closed);
    object_unpin(&server->object);
    object_unpin(&client->task->coro.object);
}

/* Whatever we make here goes to the task that is to serve the client. */
static struct task *make_task(struct server *server, int fd, bool external, struct memory *made)
{
    async_value error;
    memory_of_thread = made;
    async_stream *stream = stream_new(fd, fd, "client", external);
    memory_of_thread = NULL;
    struct client *client = stream ? memory_get(made, sizeof *client) : NULL;
    async_coroutine coro = client ? coro_make(serve, "client", &client, sizeof client) : NULL;
    struct task *task = coro ? task_start(server->object.future.loop, coro, NULL, "async_start_server",
                                          &error) : NULL;
    if (!task)
        return NULL;
    *client = (struct client){ { .run = serve_ended }, task, server, stream };
    list_append(&task->coro.object.future.waiters, &client->ended.link);
    return task;
}

static void welcome(struct server *server, int fd, bool external)
{
    struct memory made = { { NULL, NULL } };
    struct task *task = make_task(server, fd, external, &made);
    if (!task) {
        memory_free(&made);
        return;
    }
    memory_move(&task->memory, &made);
    task->detached = true;
    object_pin(&task->coro.object);
    object_pin(&server->object);
    server->clients++;
}

/* No descriptors are left: who waits at the door would only keep us busy. */
static void rest(struct server *server)
{
    async_loop *loop = server->object.future.loop;
    if (server->watch)
        unwatch(server->watch);
    server->watch = NULL;
    loop_timer_start(loop, &server->timer, clock_after(&loop->clock, REST));
}

static void accept_clients(struct job *job)
{
    struct server *server = container_of(job, struct server, timer.job);
    async_loop *loop = server->object.future.loop;
    struct sockaddr_storage from;
    if (!server->watch && !(server->watch = watch_fd(loop, server->fd, false, false, job))) {
        rest(server);
        return;
    }
    for (int i = 0; i < AT_ONCE; i++) {
        socklen_t length = sizeof from;
        int fd = accept4(server->fd, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            no_delay(fd);
            welcome(server, fd, !is_own_client(fd, &from));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            report_exception(loop, "accepting a client", async_error(errno, "it has to wait a second"),
                             &server->object);
            rest(server);
            return;
        }
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
    const char *path = address->storage.ss_family == AF_UNIX
                       ? ((const struct sockaddr_un *)&address->storage)->sun_path : NULL;
    if (path && inode_of(path))     /* left behind by somebody */
        unlink(path);
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
    *server = (struct server){ .object = server->object, .fd = fd, .timer.job.run = accept_clients,
                               .fn = fn, .arg = arg, .inode = path ? inode_of(path) : 0 };
    list_init(&server->timer.job.link);
    list_init(&server->object.link);
    list_init(&server->object.future.waiters);
    line_init(&server->closed, &server->object);
    if (!servers.next)
        list_init(&servers);
    list_append(&servers, &server->link);
    server->watch = watch_fd(loop_running, fd, false, false, &server->timer.job);
    if (!server->watch) {
        stop_listening(server);
        return async_error(ENOMEM, "no memory for a server");
    }
    return async_ptr(object_ticket(&server->object));
}

static async_value start_server(void *p)
{
    struct endpoint *args = p;
    struct addresses addresses;
    char what[NI_MAXHOST + 32];
    async_value v = find_addresses(args->host, args->port, &addresses);
    snprintf(what, sizeof what, "%s port %d", args->host ? args->host : "every interface", args->port);
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
    struct addresses addresses;
    async_value v = unix_address(args->host, &addresses);
    return v.error ? v : listen_on(&addresses.list[0], args->host, args->fn, args->arg);
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
    if (server && (server->fd >= 0 || server->clients))
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
    async_value v = async_catch(async_server_wait_closed(*server));
    if (v.error)
        async_leave_with(v);
}
