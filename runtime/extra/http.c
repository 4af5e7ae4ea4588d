/* http.c - see http.h: libcurl does the HTTP, our loop does the waiting.
 *
 * curl's multi interface can be driven by anybody's event loop. It tells us which sockets it wants to
 * be watched and when it wants to be woken; whenever one of that happens we call it, it does what can
 * be done without waiting, and tells which transfers are over. So no thread is needed, and a request
 * is a coroutine that waits for one future.
 *
 *      a task                  curl                               the loop
 *      start ----------------> add transfer
 *        |                     socket_changed ------------------> watch_fd
 *        | waits for             ...                                |
 *        | the future          act <------------------------------- it can be read
 *        |                     a transfer is over
 *        +<--- future_set -------+
 *
 * Two clocks: our time limits are the loop's, so that they can be virtual, and are cancels like those
 * of wait_for. curl reads the machine's clock for its own purposes (a second address to be tried), so
 * its alarm is a timerfd, which keeps real time whatever the loop's clock says.
 *
 * Invariants: a transfer is on the heap, in its client's list, from its start until the coroutine that
 * waits for it, or the client's end, takes it out of curl; so no callback ever meets a stack that is
 * gone. curl calls us only while we call it, and we never call it from a callback. A transfer holds a
 * virtual clock back (once, in loop->watched) unless the socket it uses leads to a server of ours. */
#define _GNU_SOURCE
#include "http.h"
#include "coro.h"
#include "line.h"
#include "loop.h"
#include "memory.h"
#include "outside.h"
#include "report.h"
#include "stream.h"
#include "task.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct client {                     /* what is behind a session */
    CURLM *multi;                   /* NULL: closed */
    async_loop *loop;
    struct async_http_options options;  /* complete; its texts are copies of our own */
    struct list transfers;          /* under way */
    struct list sockets;            /* that curl uses, or keeps for later */
    long running;                   /* requests that have a place; at most options.limit */
    struct line queue;              /* those without */
    struct job act;                 /* curl wants to be called: at once, */
    struct job alarm;               /* or since this has rung: */
    int alarm_fd;
    struct watch *ringing;          /* watches that; NULL: it is not set */
};

struct session {
    struct object object;
    struct client *client;
};

struct socket {
    struct list link;
    struct client *client;
    int fd;
    bool own;                       /* the other end is a server of this process */
    bool opened;                    /* by open_socket: curl will tell us when to close it */
    struct job readable, writable;
    struct watch *reading, *writing;    /* NULL: not wanted now */
};

struct text {
    char *bytes;                    /* with a 0 at the end once there is anything */
    size_t length, room;
};

struct transfer {
    struct list link;
    struct client *client;
    CURL *easy;
    struct curl_slist *headers;     /* to send */
    struct future future;           /* set when it is over */
    struct timer limit;             /* for the connection to be there */
    CURLcode result;
    int refused;                    /* an errno of ours: why the body was not taken */
    bool holds_clock;
    struct text body, head;         /* head: the lines of the last answer's header */
    char why[CURL_ERROR_SIZE];      /* curl's own words */
};

struct response {
    struct object object;
    void *owned;                    /* its place in the memory of whoever owns it */
    char *body, *head, *url;        /* allocated */
    size_t length;
    long status;
};

_Static_assert(sizeof(struct response) <= OBJECT_SIZE, "a response fits its record");

/* ------------------------------------------------------------------------- curl and the loop */

static void hold_clock(struct transfer *transfer, bool on)
{
    if (transfer->holds_clock != on)
        transfer->client->loop->watched += on ? 1 : -1;
    transfer->holds_clock = on;
}

static void over(struct transfer *transfer, CURLcode result)
{
    hold_clock(transfer, false);
    transfer->result = result;
    future_set(&transfer->future, async_none);
}

/* Lets curl do what can be done now, and sees what is over. */
static void act(struct client *client, int fd, int events)
{
    int left;
    CURLMsg *message;
    curl_multi_socket_action(client->multi, fd, events, &left);
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        if (transfer && message->msg == CURLMSG_DONE)
            over(transfer, message->data.result);
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

static void stop_alarm(struct client *client)
{
    if (client->ringing)
        unwatch(client->ringing);
    client->ringing = NULL;
}

static void on_alarm(struct job *job)
{
    struct client *client = container_of(job, struct client, alarm);
    stop_alarm(client);
    act(client, CURL_SOCKET_TIMEOUT, 0);
}

/* curl wants to be woken after so many milliseconds of real time; below 0: no more. */
static int timer_changed(CURLM *multi, long milliseconds, void *p)
{
    (void)multi;
    struct client *client = p;
    stop_alarm(client);
    list_remove(&client->act.link);
    if (milliseconds == 0)
        loop_ready(client->loop, &client->act);
    if (milliseconds <= 0)
        return 0;
    struct itimerspec when = { .it_value = { milliseconds / 1000, milliseconds % 1000 * 1000000 } };
    timerfd_settime(client->alarm_fd, 0, &when, NULL);
    client->ringing = watch_fd(client->loop, client->alarm_fd, false, false, &client->alarm);
    return client->ringing ? 0 : -1;
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
    if (*watch && !wanted) {
        unwatch(*watch);
        *watch = NULL;
    } else if (!*watch && wanted) {
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

/* curl wants other things of a socket than before. Those that it did not ask us to open are its own,
 * by which its threads that look up names report back. */
static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *p, void *known)
{
    struct client *client = p;
    struct socket *socket = known ? known : socket_of(client, fd);
    struct transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (!socket && what == CURL_POLL_REMOVE)
        return 0;
    if (!socket && !(socket = socket_new(client, fd)))
        return -1;
    if (!known)
        curl_multi_assign(client->multi, fd, socket);
    if (socket->own && what != CURL_POLL_REMOVE)
        server_note_client(fd);
    if (transfer && transfer->future.state == PENDING)
        hold_clock(transfer, !socket->own || what == CURL_POLL_REMOVE);
    bool done = want(socket, what & CURL_POLL_IN && what != CURL_POLL_REMOVE, false) &&
                want(socket, what & CURL_POLL_OUT && what != CURL_POLL_REMOVE, true);
    if (what == CURL_POLL_REMOVE && !socket->opened)
        socket_free(socket);
    return done ? 0 : -1;
}

static curl_socket_t open_socket(void *p, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct sockaddr_storage other = { 0 };
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    struct socket *socket = fd < 0 ? NULL : socket_new(p, fd);
    if (!socket) {
        if (fd >= 0)
            close(fd);
        return CURL_SOCKET_BAD;
    }
    memcpy(&other, &address->addr, address->addrlen < sizeof other ? address->addrlen : sizeof other);
    socket->own = server_is_ours(&other);
    socket->opened = true;
    return fd;
}

static int close_socket(void *p, curl_socket_t fd)
{
    struct socket *socket = socket_of(p, fd);
    if (socket)
        socket_free(socket);
    return close(fd);
}

/* ------------------------------------------------------------------------------- sessions */

static void end_transfer(struct transfer *transfer)
{
    hold_clock(transfer, false);
    loop_timer_stop(transfer->client->loop, &transfer->limit);
    if (transfer->easy && transfer->client->multi)
        curl_multi_remove_handle(transfer->client->multi, transfer->easy);
}

static void transfer_free(struct transfer *transfer)
{
    end_transfer(transfer);
    list_remove(&transfer->link);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    free(transfer->body.bytes);
    free(transfer->head.bytes);
    free(transfer);
}

static void client_close(struct client *client)
{
    if (!client->multi)
        return;
    list_each(link, &client->transfers) {
        struct transfer *transfer = container_of(link, struct transfer, link);
        end_transfer(transfer);
        transfer->refused = ECONNABORTED;
        over(transfer, CURLE_ABORTED_BY_CALLBACK);
    }
    curl_multi_cleanup(client->multi);
    client->multi = NULL;
    stop_alarm(client);
    list_remove(&client->act.link);
    close(client->alarm_fd);
    line_wake_all(&client->queue);
}

static void client_free(struct client *client)
{
    client_close(client);
    while (!list_empty(&client->transfers))     /* of tasks that went with their loop */
        transfer_free(container_of(client->transfers.next, struct transfer, link));
    while (!list_empty(&client->sockets))
        socket_free(container_of(client->sockets.next, struct socket, link));
    free((char *)client->options.ca_file);
    free((char *)client->options.user_agent);
    free(client);
}

static void drop_session(struct object *object) { client_free(((struct session *)object)->client); }

static const struct future_type session_type = { .name = "HTTP session", .drop = drop_session };

static void curl_begin(void) { curl_global_init(CURL_GLOBAL_ALL); }

/* Zeroes are what the header says they stand for. */
static bool complete(struct async_http_options *options, const struct async_http_options *given)
{
    *options = *given;
    options->timeout = given->timeout ? given->timeout : 300;
    options->connect_timeout = given->connect_timeout ? given->connect_timeout : 30;
    options->limit = given->limit > 0 ? given->limit : 100;
    options->max_redirects = given->max_redirects ? given->max_redirects : 10;
    options->max_size = given->max_size ? given->max_size : (size_t)256 << 20;
    options->ca_file = given->ca_file ? strdup(given->ca_file) : NULL;
    if (given->user_agent)
        options->user_agent = strdup(given->user_agent);
    else
        options->user_agent = strdup("evlings " LIBCURL_VERSION);
    return options->user_agent && (options->ca_file || !given->ca_file);
}

static struct client *client_new(async_loop *loop, const struct async_http_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_begin);
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->loop = loop;
    client->act.run = on_act;
    client->alarm.run = on_alarm;
    client->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    client->multi = curl_multi_init();
    list_init(&client->act.link);
    list_init(&client->alarm.link);
    list_init(&client->transfers);
    list_init(&client->sockets);
    line_init(&client->queue, NULL);
    if (complete(&client->options, options) && client->alarm_fd >= 0 && client->multi) {
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
        curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, timer_changed);
        curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
        return client;
    }
    client_free(client);
    return NULL;
}

async_http_session *async_http_session_make(const struct async_http_options *options)
{
    if (!loop_running)
        report_abort(report_no_loop("async_http_session_new"));
    struct client *client = client_new(loop_running, options);
    struct session *session = client ? primitive_new(&session_type) : NULL;
    if (!session) {
        if (client)
            client_free(client);
        return NULL;
    }
    session->client = client;
    client->queue.owner = &session->object;
    return (async_http_session *)object_ticket(&session->object);
}

void async_http_session_close(async_http_session *x)
{
    struct session *session = primitive_of(x, &session_type, "async_http_session_close", NULL);
    client_close(session->client);
}

bool async_http_session_closed(async_http_session *x)
{
    struct session *session = primitive_of(x, &session_type, "async_http_session_closed", NULL);
    return !session->client->multi;
}

void async_http_session_exit(async_http_session **session)
{
    if (*session)
        async_http_session_close(*session);
}

/* ------------------------------------------------------------------------------ responses */

static void drop_response(struct object *object)
{
    struct response *response = (struct response *)object;
    free(response->body);
    free(response->head);
    free(response->url);
}

static const struct future_type response_type = { .name = "HTTP response", .drop = drop_response };

/* What came in belongs to the response from now on. NULL: no memory. */
static async_http_response *response_new(struct transfer *transfer)
{
    const char *url = NULL;
    struct response *response = (struct response *)object_new(&response_type, loop_running);
    if (!response)
        return NULL;
    response->body = transfer->body.bytes;
    response->length = transfer->body.length;
    response->head = transfer->head.bytes;
    transfer->body.bytes = transfer->head.bytes = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response->status);
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    response->url = strdup(url ? url : "");
    response->owned = memory_own(memory_here(), object_ticket(&response->object));
    if (response->url && response->owned)
        return (async_http_response *)object_ticket(&response->object);
    if (response->owned)
        memory_give_back(response->owned);
    object_free(&response->object);
    return NULL;
}

static struct response *response_of(async_http_response *x, const char *caller)
{
    return primitive_of(x, &response_type, caller, NULL);
}

long async_http_status(async_http_response *x) { return response_of(x, "async_http_status")->status; }
bool async_http_ok(async_http_response *x) { return response_of(x, "async_http_ok")->status < 400; }
const char *async_http_url(async_http_response *x) { return response_of(x, "async_http_url")->url; }

const char *async_http_text(async_http_response *x, size_t *length)
{
    struct response *response = response_of(x, "async_http_text");
    if (length)
        *length = response->length;
    return response->body ? response->body : "";
}

/* The head is "Name", 0, "value", 0 for each line, and a 0 behind the last. */
const char *async_http_header(async_http_response *x, const char *name)
{
    const char *head = response_of(x, "async_http_header")->head;
    while (head && *head) {
        const char *value = head + strlen(head) + 1;
        if (strcasecmp(head, name) == 0)
            return value;
        head = value + strlen(value) + 1;
    }
    return NULL;
}

async_value async_http_raise_for_status(async_http_response *x)
{
    struct response *response = response_of(x, "async_http_raise_for_status");
    if (response->status < 400)
        return async_none;
    return async_error(EREMOTEIO, async_strf("%s: status %ld", response->url, response->status));
}

void async_http_response_exit(async_http_response **x)
{
    if (!*x)
        return;
    struct response *response = response_of(*x, "async_http_response_exit");
    memory_give_back(response->owned);
    object_expire(&response->object);
}

/* ---------------------------------------------------------------------- what comes in */

static bool add(struct text *text, const char *bytes, size_t n)
{
    if (text->length + n + 1 > text->room) {
        size_t room = (text->length + n + 1) * 2;
        char *more = realloc(text->bytes, room);
        if (!more)
            return false;
        text->bytes = more;
        text->room = room;
    }
    memcpy(text->bytes + text->length, bytes, n);
    text->length += n;
    text->bytes[text->length] = '\0';
    return true;
}

/* Anything but n returned makes curl give up. */
static size_t on_body(char *bytes, size_t one, size_t n, void *p)
{
    (void)one;
    struct transfer *transfer = p;
    if (transfer->body.length + n > transfer->client->options.max_size)
        transfer->refused = EMSGSIZE;
    else if (!add(&transfer->body, bytes, n))
        transfer->refused = ENOMEM;
    return transfer->refused ? 0 : n;
}

/* A line of a header, of every answer: after a redirect another begins. */
static size_t on_header(char *line, size_t one, size_t n, void *p)
{
    (void)one;
    struct transfer *transfer = p;
    const char *colon = memchr(line, ':', n), *end = line + n;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
        transfer->head.length = 0;
    if (!colon)
        return n;
    const char *value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n'))
        end--;
    bool kept = add(&transfer->head, line, colon - line) && add(&transfer->head, "", 1) &&
                add(&transfer->head, value, end - value) && add(&transfer->head, "", 1);
    if (!kept)
        transfer->refused = ENOMEM;
    return kept ? n : 0;
}

/* ------------------------------------------------------------------------------- requests */

struct request {                    /* a coroutine's arguments; the texts follow, each with its 0 */
    async_http_session *session;
    double timeout;
    size_t length;                  /* of the body */
    bool has_body;
    char texts[];                   /* method, URL, headers, an empty one, the body */
};

static const char *after(const char *text) { return text + strlen(text) + 1; }
static const char *method_of(const struct request *request) { return request->texts; }
static const char *url_of(const struct request *request) { return after(request->texts); }

static const char *body_of(const struct request *request)
{
    const char *text = after(url_of(request));
    while (*text)
        text = after(text);
    return text + 1;
}

/* The coroutine's error: which request, and what about it. */
static async_value fail(const struct request *request, int error, const char *why)
{
    const char *text = async_strf("%s %s: %s", method_of(request), url_of(request), why);
    return async_error(error, text ? text : "no memory");
}

/* A word that may stand in a request: who puts a line's end there wants to say more than one thing. */
static bool is_plain(const char *text, bool header)
{
    const char *colon = strchr(text, ':');
    if (*text == '\0' || text[strcspn(text, "\r\n")] || (header && (!colon || colon == text)))
        return false;
    return header || !text[strcspn(text, " \t:")];
}

/* Options are many, and any may run out of memory. */
#define set(option, value) (failed = failed ? failed : curl_easy_setopt(easy, option, value))

static CURLcode set_method(CURL *easy, const struct request *request)
{
    CURLcode failed = CURLE_OK;
    const char *method = method_of(request);
    if (request->has_body) {
        set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
        set(CURLOPT_POSTFIELDS, body_of(request));
    } else if (strcmp(method, "HEAD") == 0) {
        set(CURLOPT_NOBODY, 1L);
    } else if (strcmp(method, "POST") == 0) {
        set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
        set(CURLOPT_POST, 1L);
    }
    if (strcmp(method, request->has_body ? "POST" : "GET") && strcmp(method, "HEAD") &&
        strcmp(method, "POST"))
        set(CURLOPT_CUSTOMREQUEST, method);
    return failed;
}

/* Ours first; a header that the program gives replaces it. "Expect:" without a value is not sent: it
 * would make curl wait a second for a server's leave to send a long body. */
static bool set_headers(struct transfer *transfer, const struct request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool typed = false;
    for (const char *line = after(url_of(request)); list && *line; line = after(line)) {
        struct curl_slist *longer = curl_slist_append(list, line);
        typed = typed || strncasecmp(line, "Content-Type:", 13) == 0;
        if (!longer)
            curl_slist_free_all(list);
        list = longer;
    }
    if (list && request->has_body && !typed) {
        struct curl_slist *longer = curl_slist_append(list, "Content-Type: text/plain; charset=utf-8");
        if (!longer)
            curl_slist_free_all(list);
        list = longer;
    }
    transfer->headers = list;
    return list && curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list) == CURLE_OK;
}

static CURLcode set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    CURLcode failed = CURLE_OK;
    set(CURLOPT_PRIVATE, transfer);
    set(CURLOPT_ERRORBUFFER, transfer->why);
    set(CURLOPT_WRITEFUNCTION, on_body);
    set(CURLOPT_WRITEDATA, transfer);
    set(CURLOPT_HEADERFUNCTION, on_header);
    set(CURLOPT_HEADERDATA, transfer);
    set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    set(CURLOPT_OPENSOCKETDATA, transfer->client);
    set(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    set(CURLOPT_CLOSESOCKETDATA, transfer->client);
    return failed;
}

static CURLcode set_options(CURL *easy, const struct async_http_options *options, const char *url)
{
    CURLcode failed = CURLE_OK;
    set(CURLOPT_URL, url);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, 0x7fffffffL);        /* we keep time ourselves */
    set(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    set(CURLOPT_ACCEPT_ENCODING, "");                   /* all that curl can unpack */
    set(CURLOPT_USERAGENT, options->user_agent);
    set(CURLOPT_FOLLOWLOCATION, options->max_redirects > 0 ? 1L : 0L);
    set(CURLOPT_MAXREDIRS, options->max_redirects);
#if LIBCURL_VERSION_NUM >= 0x075500
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    set(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    set(CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (!options->trust_env)
        set(CURLOPT_PROXY, "");
    if (options->ca_file)
        set(CURLOPT_CAINFO, options->ca_file);
    return failed;
}

#undef set

static const struct future_type transfer_type = {
    .name = "HTTP request", .cancel = future_cancel_plain, .unnamed = true
};

/* The limit for connecting: has the request been sent by now? */
static void on_limit(struct job *job)
{
    struct transfer *transfer = container_of(job, struct transfer, limit.job);
    double sent = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME, &sent);
    if (sent == 0 && transfer->future.state == PENDING)
        over(transfer, CURLE_OPERATION_TIMEDOUT);
}

/* Hands the request to curl. NULL and *error where that fails. */
static struct transfer *start(struct client *client, const struct request *request,
                              async_value *error)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    *error = async_error(ENOMEM, "no memory for a request");
    if (!transfer)
        return NULL;
    transfer->client = client;
    transfer->limit.job.run = on_limit;
    future_init(&transfer->future, &transfer_type, client->loop);
    list_init(&transfer->limit.job.link);
    list_append(&client->transfers, &transfer->link);
    transfer->easy = curl_easy_init();
    if (!transfer->easy || set_callbacks(transfer) || set_method(transfer->easy, request) ||
        set_options(transfer->easy, &client->options, url_of(request)) ||
        !set_headers(transfer, request) || curl_multi_add_handle(client->multi, transfer->easy)) {
        transfer_free(transfer);
        return NULL;
    }
    hold_clock(transfer, true);
    if (client->options.connect_timeout < ASYNC_NO_TIMEOUT)
        loop_timer_start(client->loop, &transfer->limit,
                         clock_after(&client->loop->clock, client->options.connect_timeout));
    return transfer;
}

/* ------------------------------------------------------------------------------ outcomes */

static async_value broken(struct transfer *transfer, const struct request *request)
{
    double wanted = -1;
    curl_off_t announced = -1;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    wanted = announced;
    return fail(request, ASYNC_INCOMPLETE_READ, wanted > 0
        ? async_strf("the connection broke after %zu of %.0f bytes", transfer->body.length, wanted)
        : async_strf("the connection broke after %zu bytes", transfer->body.length));
}

/* The host is the last one, after redirects. */
static async_value unconnected(struct transfer *transfer, const struct request *request)
{
    long why = 0;
    const char *url = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &why);
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    int error = why ? why : ECONNREFUSED;
    return fail(request, error, async_strf("cannot connect to %s: %s%s", url ? url : "it",
        strerror(error), error == ECONNREFUSED ? " (is a server running there?)" : ""));
}

/* What it does not support came from the server, not from us or a redirect. */
static bool met_something_else(struct transfer *transfer)
{
    const char *address = NULL;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return address && *address && status == 0;
}

static async_value refused(struct transfer *transfer, const struct request *request)
{
    size_t most = transfer->client->options.max_size;
    switch (transfer->refused) {
    case EMSGSIZE:
        return fail(request, EMSGSIZE, async_strf("the body is longer than %zu bytes", most));
    case ECONNABORTED:
        return fail(request, ECONNABORTED, "the session was closed meanwhile");
    default:
        return fail(request, ENOMEM, "no memory for the answer");
    }
}

static async_value failure(struct transfer *transfer, const struct request *request)
{
    const struct async_http_options *options = &transfer->client->options;
    const char *why = *transfer->why ? transfer->why : curl_easy_strerror(transfer->result);
    if (transfer->refused)
        return refused(transfer, request);
    switch (transfer->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return fail(request, ENOENT, async_strf("%s: is it spelt right, and is there a network?", why));
    case CURLE_COULDNT_CONNECT:
        return unconnected(transfer, request);
    case CURLE_OPERATION_TIMEDOUT:
        return fail(request, ASYNC_TIMEOUT,
                    async_strf("no connection within %g s", options->connect_timeout));
    case CURLE_PARTIAL_FILE:
        return broken(transfer, request);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        if (transfer->head.length)
            return broken(transfer, request);
        return fail(request, ECONNRESET, "the server closed the connection without an answer");
    case CURLE_TOO_MANY_REDIRECTS:
        return fail(request, ELOOP,
                    async_strf("redirected more than %ld times", options->max_redirects));
    case CURLE_UNSUPPORTED_PROTOCOL:
        if (met_something_else(transfer))
            return fail(request, EPROTO, async_strf("the answer is no HTTP: %s", why));
        /* fall through */
    case CURLE_URL_MALFORMAT:
        return fail(request, ASYNC_VALUE_ERROR, async_strf("this is no http or https URL: %s", why));
    case CURLE_SSL_CACERT_BADFILE:
        return fail(request, ENOENT, async_strf("the certificates in %s cannot be read: %s",
                                                options->ca_file ? options->ca_file : "the system", why));
    case CURLE_PEER_FAILED_VERIFICATION:
        return fail(request, EPROTO, async_strf("the server cannot prove who it is: %s", why));
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return fail(request, EPROTO, async_strf("no agreement on TLS: %s", why));
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return fail(request, EPROTO, async_strf("the answer is no HTTP: %s", why));
    case CURLE_OUT_OF_MEMORY:
        return fail(request, ENOMEM, why);
    default:
        return fail(request, EIO, why);
    }
}

/* ------------------------------------------------------------------------ the coroutine */

/* A place among the requests under way, first come first served; it is handed on by leave_place. */
static async_value take_place(struct client *client)
{
    struct waiter waiter;
    async_value v = async_none;
    if (client->running < client->options.limit) {
        client->running++;
        return v;
    }
    v = line_wait(&client->queue, &waiter);
    if (v.error && waiter_woken(&waiter) && client->multi && !line_serve_next(&client->queue))
        client->running--;
    return v;
}

static void leave_place(struct client *client)
{
    if (!line_serve_next(&client->queue))
        client->running--;
}

/* From when it has its place. */
static async_value transfer(struct client *client, const struct request *request)
{
    async_value v;
    if (!client->multi)
        return fail(request, ASYNC_RUNTIME_ERROR, "the session is closed");
    struct transfer *transfer = start(client, request, &v);
    if (!transfer)
        return v;
    v = task_wait(&transfer->future);
    if (!v.error && (transfer->result || transfer->refused))
        v = failure(transfer, request);
    if (!v.error) {
        async_http_response *response = response_new(transfer);
        v = response ? async_ptr(response) : fail(request, ENOMEM, "no memory for the answer");
    }
    transfer_free(transfer);
    return v;
}

static async_value check(const struct request *request)
{
    if (!is_plain(method_of(request), false))
        return fail(request, ASYNC_VALUE_ERROR, "this is no method");
    for (const char *line = after(url_of(request)); *line; line = after(line))
        if (!is_plain(line, true))
            return fail(request, ASYNC_VALUE_ERROR, async_strf("this is no header: %s", line));
    return async_none;
}

static async_value perform(void *p)
{
    struct request *request = *(struct request **)p;
    async_value v;
    in_use struct session *session = primitive_use(request->session, &session_type, "async_http_get", &v);
    if (!session || (v = check(request)).error || (v = take_place(session->client)).error)
        return v;
    v = transfer(session->client, request);
    leave_place(session->client);
    return v;
}

/* The limit for all of it is wait_for's, and so a cancel of our own. */
static async_value request_within(void *p)
{
    struct request *request = p;
    async_value v;
    if (!task_current())
        return report_no_task();
    struct session *session = primitive_of(request->session, &session_type, "async_http_get", &v);
    if (!session)
        return v;
    double timeout = request->timeout ? request->timeout : session->client->options.timeout;
    v = async_catch(async_wait_for(coro_make(perform, "async_http_get", &request, sizeof request),
                                   timeout));
    if (v.error == ASYNC_TIMEOUT && !(v.message && *v.message))
        return fail(request, ASYNC_TIMEOUT, async_strf("no complete answer within %g s", timeout));
    return v;
}

static char *put(char *to, const char *text, size_t length)
{
    memcpy(to, text, length);
    to[length] = '\0';
    return to + length + 1;
}

async_awaitable async_http_make(async_http_session *session, const struct async_http_call *call)
{
    const char *method = call->method ? call->method : call->body ? "POST" : "GET";
    const char *url = call->url ? call->url : "";
    size_t length = call->body && !call->length ? strlen(call->body) : call->length;
    size_t size = sizeof(struct request) + strlen(method) + strlen(url) + length + 4;
    for (int i = 0; call->headers && call->headers[i]; i++)
        size += strlen(call->headers[i]) + 1;
    struct request *request = calloc(1, size);
    if (!request)
        return NULL;
    *request = (struct request){ .session = session, .timeout = call->timeout, .length = length,
                                 .has_body = call->body != NULL };
    char *end = put(put(request->texts, method, strlen(method)), url, strlen(url));
    for (int i = 0; call->headers && call->headers[i]; i++)
        end = put(end, call->headers[i], strlen(call->headers[i]));
    end = put(end, "", 0);
    if (call->body)
        put(end, call->body, length);
    async_awaitable coro = coro_make(request_within, "async_http_request", request, size);
    free(request);
    return coro;
}

async_awaitable async_http_get(async_http_session *session, const char *url)
{
    return async_http_make(session, &(struct async_http_call){ .url = url });
}

async_awaitable async_http_post(async_http_session *session, const char *url, const char *body)
{
    return async_http_make(session, &(struct async_http_call){ .url = url, .body = body ? body : "" });
}
