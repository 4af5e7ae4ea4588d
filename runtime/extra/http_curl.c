/* http_curl.c - curl's multi interface on our loop: which sockets to watch, when to wake it.
 *
 * A call of curl may call us back to change what we watch; we never call curl from there. */
#define _GNU_SOURCE
#include "http_parts.h"
#include "core/loop.h"
#include "core/poll.h"
#include "core/task.h"
#include "io/io.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct socket {
    struct list link;
    struct client *client;
    int fd;
    bool own;                       /* the other end is a server of this process */
    bool opened;                    /* by curl_open_socket: curl will tell us when to close it */
    struct job readable, writable;
    struct watch *reading, *writing;    /* NULL: not wanted now */
};

/* ------------------------------------------------------------------------- curl and the loop */

void transfer_hold_clock(struct transfer *transfer, bool on)
{
    if (transfer->holds_clock != on)
        transfer->client->loop->watched += on ? 1 : -1;
    transfer->holds_clock = on;
}

void transfer_over(struct transfer *transfer, CURLcode result)
{
    transfer_hold_clock(transfer, false);
    transfer->result = result;
    future_set(&transfer->future, async_none);
    transfer_news(transfer);
}

static void no_memory(struct transfer *transfer)
{
    if (transfer->future.state != PENDING)
        return;
    transfer->refused = ENOMEM;
    transfer_over(transfer, CURLE_OUT_OF_MEMORY);
}

/* While curl waits for us, a virtual clock does not wait for curl. */
void transfer_pause(struct transfer *transfer)
{
    if (!transfer->paused)
        transfer->held_clock = transfer->holds_clock;
    transfer->paused = true;
    transfer_hold_clock(transfer, false);
}

void transfer_go_on(struct transfer *transfer)
{
    if (!transfer->paused || transfer->future.state != PENDING)
        return;
    transfer->paused = false;
    transfer_hold_clock(transfer, transfer->held_clock);
    if (curl_easy_pause(transfer->easy, CURLPAUSE_CONT) == CURLE_OUT_OF_MEMORY)
        no_memory(transfer);
}

void transfer_news(struct transfer *transfer)
{
    if (transfer->news.state == PENDING)
        future_set(&transfer->news, async_none);
}

async_value transfer_wait_for_news(struct transfer *transfer)
{
    if (transfer->news.state == PENDING)
        return async_error(ASYNC_RUNTIME_ERROR, "another task is reading this response");
    future_init(&transfer->news, transfer->future.type, transfer->client->loop);
    return task_wait(&transfer->news);
}

void transfer_end(struct transfer *transfer)
{
    transfer_hold_clock(transfer, false);
    loop_timer_stop(transfer->client->loop, &transfer->limit);
    if (transfer->easy && transfer->client->multi)
        curl_multi_remove_handle(transfer->client->multi, transfer->easy);
}

/* Lets curl do what can be done now, and sees what is over. When curl runs out of memory it loses
 * track of a socket, without a word about whose. */
static void act(struct client *client, int fd, int events)
{
    int left;
    CURLMsg *message;
    if (curl_multi_socket_action(client->multi, fd, events, &left) != CURLM_OK)
        list_each(link, &client->transfers)
            no_memory(container_of(link, struct transfer, link));
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        if (transfer && message->msg == CURLMSG_DONE)
            transfer_over(transfer, message->data.result);
    }
}

static void on_readable(struct job *job)
{
    struct socket *socket = container_of(job, struct socket, readable);
    act(socket->client, socket->fd, CURL_CSELECT_IN);
}

static void on_writable(struct job *job)
{
    struct socket *socket = container_of(job, struct socket, writable);
    act(socket->client, socket->fd, CURL_CSELECT_OUT);
}

static void on_act(struct job *job)
{
    act(container_of(job, struct client, act), CURL_SOCKET_TIMEOUT, 0);
}

static void on_alarm(struct job *job)
{
    struct client *client = container_of(job, struct client, alarm);
    unwatch(&client->ringing);
    act(client, CURL_SOCKET_TIMEOUT, 0);
}

/* curl wants to be woken after so many milliseconds of real time; below 0: no more. */
static int timer_changed(CURLM *multi, long milliseconds, void *p)
{
    (void)multi;
    struct client *client = p;
    unwatch(&client->ringing);
    list_remove(&client->act.link);
    if (milliseconds == 0)
        loop_ready(client->loop, &client->act);
    if (milliseconds <= 0)
        return 0;
    struct itimerspec when = { .it_value = { milliseconds / 1000, milliseconds % 1000 * 1000000 } };
    timerfd_settime(client->alarm_fd, 0, &when, NULL);
    client->ringing = watch_fd(client->loop, client->alarm_fd, false, false, &client->alarm);
    if (!client->ringing)           /* no memory to wait with: ask again and again */
        loop_ready(client->loop, &client->act);
    return 0;
}

/* ------------------------------------------------------------------------------- sockets */

static struct socket *socket_new(struct client *client, int fd)
{
    struct socket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return NULL;
    socket->client = client;
    socket->fd = fd;
    socket->readable.run = on_readable;
    socket->writable.run = on_writable;
    list_append(&client->sockets, &socket->link);
    return socket;
}

static struct socket *socket_of(struct client *client, int fd)
{
    list_each(link, &client->sockets) {
        struct socket *socket = container_of(link, struct socket, link);
        if (socket->fd == fd)
            return socket;
    }
    return NULL;
}

/* Begins or ends one of its watches. False: no memory. */
static bool want(struct socket *socket, bool wanted, bool for_writing)
{
    struct watch **watch = for_writing ? &socket->writing : &socket->reading;
    if (!wanted) {
        unwatch(watch);
    } else if (!*watch) {
        *watch = watch_fd(socket->client->loop, socket->fd, for_writing, false,
                          for_writing ? &socket->writable : &socket->readable);
        return *watch != NULL;
    }
    return true;
}

static void socket_free(struct socket *socket)
{
    want(socket, false, false);
    want(socket, false, true);
    list_remove(&socket->link);
    free(socket);
}

/* curl wants other things of a socket than before. Those that it did not ask us to open are its
 * own, by which its threads that look up names report back. */
static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *p, void *known)
{
    struct client *client = p;
    struct socket *socket = known ? known : socket_of(client, fd);
    struct transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (!socket && what == CURL_POLL_REMOVE)
        return 0;
    if (!socket && !(socket = socket_new(client, fd))) {
        if (transfer)
            no_memory(transfer);
        return 0;
    }
    if (!known)
        curl_multi_assign(client->multi, fd, socket);
    if (socket->own && what != CURL_POLL_REMOVE)
        server_note_client(fd);
    if (transfer && transfer->paused)
        transfer->held_clock = !socket->own || what == CURL_POLL_REMOVE;
    else if (transfer && transfer->future.state == PENDING)
        transfer_hold_clock(transfer, !socket->own || what == CURL_POLL_REMOVE);
    bool done = want(socket, what & CURL_POLL_IN && what != CURL_POLL_REMOVE, false) &&
                want(socket, what & CURL_POLL_OUT && what != CURL_POLL_REMOVE, true);
    if (!done && transfer)          /* curl itself does not survive that a callback fails */
        no_memory(transfer);
    if (what == CURL_POLL_REMOVE && !socket->opened)
        socket_free(socket);
    return 0;
}

curl_socket_t curl_open_socket(void *p, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct sockaddr_storage other = { 0 };
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    ((struct client *)p)->no_socket = fd < 0 ? errno : 0;
    struct socket *socket = fd < 0 ? NULL : socket_new(p, fd);
    if (!socket) {
        if (fd >= 0)
            close(fd);
        return CURL_SOCKET_BAD;
    }
    memcpy(&other, &address->addr,
           address->addrlen < sizeof other ? address->addrlen : sizeof other);
    socket->own = server_is_ours(&other);
    socket->opened = true;
    return fd;
}

int curl_close_socket(void *p, curl_socket_t fd)
{
    struct socket *socket = socket_of(p, fd);
    if (socket)
        socket_free(socket);
    return close(fd);
}

/* ------------------------------------------------------------------------ beginning and end */

bool curl_attach(struct client *client)
{
    client->act.run = on_act;
    client->alarm.run = on_alarm;
    list_init(&client->act.link);
    list_init(&client->alarm.link);
    list_init(&client->sockets);
    client->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    client->multi = client->alarm_fd < 0 ? NULL : curl_multi_init();
    if (!client->multi) {
        if (client->alarm_fd >= 0)
            close(client->alarm_fd);
        return false;
    }
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, timer_changed);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return true;
}

/* There are no transfers any more. */
void curl_detach(struct client *client)
{
    curl_multi_cleanup(client->multi);
    client->multi = NULL;
    unwatch(&client->ringing);
    list_remove(&client->act.link);
    close(client->alarm_fd);
    while (!list_empty(&client->sockets))
        socket_free(container_of(client->sockets.next, struct socket, link));
}
