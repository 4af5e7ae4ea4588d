/* server.c - asyncio.start_server and start_unix_server. Each client is served by a task of its own,
 * which ends when its function returns; then its stream is closed. */
#define _GNU_SOURCE
#include "core/context.h"
#include "core/coro.h"
#include "core/exception.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"
#include "io/io.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define AT_ONCE 100                 /* clients accepted in one turn, as in Python */
#define BACKLOG 4096                /* that may wait for it; who is turned away tries again a second later */
#define REST 1                      /* second without accepting, when no descriptors are left; as in Python */

/* --------------------------------------------------------------------- servers of this process */

struct server {
    struct object object;
    struct list link;               /* among those of this thread */
    int fd;                         /* -1: closed */
    unsigned clients : 31;          /* being served; each pins the server */
    bool forever : 1;               /* a task is in serve_forever */
    struct timer timer;             /* its job accepts; it runs while we rest, else `watch` calls it */
    struct watch *watch;
    async_client_fn *fn;
    void *arg;
    struct context *context;        /* of who started it, for the tasks of clients */
    ino_t inode;                    /* of its Unix socket, or 0 */
    struct waitq closed;            /* tasks in wait_closed and serve_forever */
};

static _Thread_local struct list servers;

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
                                      : address_port(&mine) == address_port(other))
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
        own_ports[address_port(&local) / 8] |= 1 << address_port(&local) % 8;
}

static bool is_own_client(int fd, const struct sockaddr_storage *from)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (from->ss_family != AF_INET && from->ss_family != AF_INET6)
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == getpid();
    return own_ports[address_port(from) / 8] >> address_port(from) % 8 & 1;
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
    unwatch(&server->watch);
    loop_timer_stop(server->object.future.loop, &server->timer);
    if (server->inode && getsockname(server->fd, (struct sockaddr *)&mine, &length) == 0
        && inode_of(mine.sun_path) == server->inode)
        unlink(mine.sun_path);
    close(server->fd);
    server->fd = -1;
    list_remove(&server->link);
}

static void drop(struct object *object)
{
    struct server *server = (struct server *)object;
    stop_listening(server);
    context_release(server->context);
}

static void hang_up(struct object *object) { close(((struct server *)object)->fd); }

static const struct future_type server_type = { .name = "Server", .drop = drop, .hang_up = hang_up };

struct connection {                 /* in the memory of its task */
    struct job ended;               /* of that task */
    struct task *task;              /* pinned, as is the server */
    struct server *server;
    async_stream *stream;
};

/* A client's task. One that is cancelled does not wait for a client that takes nothing. */
static async_value serve(void *p)
{
    struct connection *client = *(struct connection **)p;
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
    struct connection *client = container_of(job, struct connection, ended);
    struct server *server = client->server;
    if (--server->clients == 0 && server->fd < 0)
        waitq_wake_all(&server->closed);
    object_unpin(&server->object);
    object_unpin(&client->task->coro.object);
}

/* Makes the task that is to serve the client: whatever else we make here goes to it. */
static void welcome(struct server *server, int fd, const struct sockaddr_storage *from)
{
    async_value error;
    struct memory made = { { NULL, NULL } };
    char what[ADDRESS_ROOM + 32] = "a client", host[ADDRESS_ROOM];
    if (address_port(from) && address_text(from, host))
        snprintf(what, sizeof what, "client %s port %d", host, address_port(from));
    struct context *before = context_enter(context_keep(server->context));
    memory_of_thread = &made;
    async_note(server->object.place);
    async_stream *stream = stream_new(fd, true, true, what, !is_own_client(fd, from));
    memory_of_thread = NULL;
    struct connection *client = stream ? memory_get(&made, sizeof *client) : NULL;
    async_coroutine coro = client ? coro_make(serve, "client", &client, sizeof client) : NULL;
    struct task *task = coro ? task_start(server->object.future.loop, coro, NULL, "async_start_server",
                                          &error) : NULL;
    context_leave(before);
    if (!task) {
        memory_free(&made);
        return;
    }
    *client = (struct connection){ { .run = serve_ended }, task, server, stream };
    list_append(&task->coro.object.future.waiters, &client->ended.link);
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
    unwatch(&server->watch);
    if (!loop_timer_start(loop, &server->timer, clock_after(&loop->clock, REST)))
        loop_ready(loop, &server->timer.job);
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
        from = (struct sockaddr_storage){ 0 };      /* a client of a Unix socket has no name */
        int fd = accept4(server->fd, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(server, fd, &from);
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
static async_value listen_on(const struct addrinfo *address, const char *what, async_client_fn *fn,
                             void *arg)
{
    const char *path = address->ai_family == AF_UNIX
                       ? ((const struct sockaddr_un *)address->ai_addr)->sun_path : NULL;
    if (!task_current())
        return report_no_task();
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && path && inode_of(path))      /* left behind by somebody */
        unlink(path);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int))
        || bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, BACKLOG)) {
        async_value v = async_error(errno, async_strf("listening on %s: %s", what, strerror(errno)));
        if (fd >= 0)
            close(fd);
        return v;
    }
    struct server *server = primitive_new(struct server, &server_type);
    if (!server) {
        close(fd);
        return async_error(ENOMEM, "no memory for a server");
    }
    *server = (struct server){ .object = server->object, .fd = fd, .timer.job.run = accept_clients,
                               .fn = fn, .arg = arg, .context = context_copy(),
                               .inode = path ? inode_of(path) : 0 };
    list_init(&server->timer.job.link);
    waitq_init(&server->closed, &server->object);
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

struct door {
    const char *host;               /* or the path */
    int port;
    async_client_fn *fn;
    void *arg;
};

static async_value start_server(void *p)
{
    struct door *args = p;
    char what[NI_MAXHOST + 32];
    const char *here = async_here;
    async_value v = async_catch(async_getaddrinfo(args->host, args->port));
    async_note(here);               /* others have run meanwhile */
    if (v.error)
        return v;
    struct addrinfo *addresses = v.ptr;
    snprintf(what, sizeof what, "%s port %d", args->host ? args->host : "every interface", args->port);
    v = listen_on(addresses, what, args->fn, args->arg);
    memory_give_back(addresses);
    return v;
}

async_awaitable async_start_server(async_client_fn *fn, void *arg, const char *host, int port)
{
    return coro_for(start_server, struct door, host, port, fn, arg);
}

static async_value start_unix_server(void *p)
{
    struct door *args = p;
    struct address address;
    async_value v = resolve_path(args->host, &address);
    return v.error ? v : listen_on(&address.info, args->host, args->fn, args->arg);
}

async_awaitable async_start_unix_server(async_client_fn *fn, void *arg, const char *path)
{
    return coro_for(start_unix_server, struct door, path, 0, fn, arg);
}

int async_server_port(async_server *x)
{
    struct server *server = object_of(x, &server_type, __func__, NULL);
    struct sockaddr_storage mine = { 0 };
    socklen_t length = sizeof mine;
    return getsockname(server->fd, (struct sockaddr *)&mine, &length) ? 0 : address_port(&mine);
}

void async_server_close(async_server *x)
{
    struct server *server = object_known(x, &server_type, __func__);
    if (!server)
        return;
    stop_listening(server);
    waitq_wake_all(&server->closed);
}

bool async_server_is_serving(async_server *x)
{
    struct server *server = object_known(x, &server_type, __func__);
    return server && server->fd >= 0;
}

/* They are among the loop's tasks; nobody asks often enough for a list of their own. */
static void each_client(struct server *server, void (*end)(async_stream *stream))
{
    if (!server)
        return;
    list_each(link, &server->object.future.loop->tasks) {
        struct coro *coro = container_of(link, struct coro, object.link);
        if (coro->fn == serve && (*(struct connection **)coro->args)->server == server)
            end((*(struct connection **)coro->args)->stream);
    }
}

void async_server_close_clients(async_server *x)
{
    each_client(object_known(x, &server_type, __func__), async_stream_close);
}

void async_server_abort_clients(async_server *x)
{
    each_client(object_known(x, &server_type, __func__), async_stream_abort);
}

static async_value wait_closed(void *p)
{
    async_value v = async_none;
    struct waiter waiter;
    if (object_over(*(async_server **)p))
        return async_none;
    in_use struct server *server = primitive_use(*(async_server **)p, &server_type,
                                                 "async_server_wait_closed", &v);
    while (server && !v.error && (server->fd >= 0 || server->clients))
        v = waitq_wait(&server->closed, &waiter);
    return v;
}

async_awaitable async_server_wait_closed(async_server *server)
{
    return coro_for(wait_closed, async_server *, server);
}

/* Until it is cancelled, or somebody closes the server. */
static async_value serve_forever(void *object)
{
    struct server *server = object;
    async_server *x = (async_server *)object_ticket(&server->object);
    async_value v = async_none;
    struct waiter waiter;
    if (server->forever)
        return async_error(ASYNC_RUNTIME_ERROR, "the server is already being awaited on serve_forever()");
    if (server->fd < 0)
        return async_error(ASYNC_RUNTIME_ERROR, "the server is closed");
    server->forever = true;
    while (!v.error && server->fd >= 0)
        v = waitq_wait(&server->closed, &waiter);
    server->forever = false;
    async_server_close(x);
    async_server_close_clients(x);
    async_value ended = async_catch(async_server_wait_closed(x));
    return ended.error ? ended : v.error ? v : async_error(ASYNC_CANCELLED, "");
}

async_awaitable async_server_serve_forever(async_server *x)
{
    return coro_on(x, &server_type, serve_forever, __func__);
}

/* Who leaves by an error, as with Ctrl-C, does not wait for clients that have nothing to say. */
void async_server_exit(async_server **server)
{
    if (!*server)
        return;
    async_server_close(*server);
    if (async_leaving().error)
        async_server_close_clients(*server);
    async_value v = async_catch(async_server_wait_closed(*server));
    if (v.error)
        async_leave_with(v);
}
