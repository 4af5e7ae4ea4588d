/* http.c - see http.h: libcurl does the HTTP, our loop does the waiting.
 *
 * curl's multi interface can be driven by anybody's event loop. It tells us which sockets it wants
 * to be watched and when it wants to be woken; whenever one of that happens we call it, it does
 * what can be done without waiting, and tells which transfers are over. So no thread is needed, and
 * a request is a coroutine that waits for one future.
 *
 *      a task                  curl                               the loop
 *      start ----------------> add transfer
 *        |                     socket_changed ------------------> watch_fd
 *        | waits for             ...                                |
 *        | the future          act <------------------------------- it can be read
 *        |                     a transfer is over
 *        +<--- future_set -------+
 *
 * Two clocks: our time limits are the loop's, so that they can be virtual, and are cancels like
 * those of wait_for. curl reads the machine's clock for its own purposes (a second address to be
 * tried), so its alarm is a timerfd, which keeps real time whatever the loop's clock says.
 *
 * Invariants: a transfer is on the heap, in its client's list, from its start until the coroutine
 * that waits for it, or the client's end, takes it out of curl; so no callback ever meets a stack
 * that is gone. curl calls us only while we call it, and we never call it from a callback. A
 * transfer holds a virtual clock back (once, in loop->watched) unless the socket it uses leads to a
 * server of ours.
 *
 * Here: sessions, and the coroutine of a request. http_curl.c: curl and the loop. http_request.c:
 * what is sent. http_answer.c: what comes back. */
#include "core/coro.h"
#include "http_parts.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include <pthread.h>
#include <stdlib.h>

struct session {
    struct object object;
    struct client *client;
};

/* ------------------------------------------------------------------------------- sessions */

static void client_close(struct client *client)
{
    if (!client->multi)
        return;
    list_each(link, &client->transfers) {
        struct transfer *transfer = container_of(link, struct transfer, link);
        transfer_end(transfer);
        transfer->refused = ECONNABORTED;
        transfer_over(transfer, CURLE_ABORTED_BY_CALLBACK);
    }
    curl_detach(client);
    waitq_wake_all(&client->queue);
}

static void client_free(struct client *client)
{
    client_close(client);
    while (!list_empty(&client->transfers))     /* of tasks that went with their loop */
        transfer_free(container_of(client->transfers.next, struct transfer, link));
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
    list_init(&client->transfers);
    waitq_init(&client->queue, NULL);
    if (complete(&client->options, options) && curl_attach(client))
        return client;
    client_free(client);
    return NULL;
}

async_http_session *async_http_session_make(const struct async_http_options *options)
{
    loop_given(loop_running, "async_http_session_new");
    struct client *client = client_new(loop_running, options);
    struct session *session = client ? primitive_new(struct session, &session_type) : NULL;
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
    struct session *session = object_of(x, &session_type, "async_http_session_close", NULL);
    client_close(session->client);
}

bool async_http_session_closed(async_http_session *x)
{
    struct session *session = object_of(x, &session_type, "async_http_session_closed", NULL);
    return !session->client->multi;
}

void async_http_session_exit(async_http_session **session)
{
    if (*session)
        async_http_session_close(*session);
}

/* ------------------------------------------------------------------------ the coroutine */

/* A place among the requests under way, first come first served; it is handed on by client_leave. */
static async_value take_place(struct client *client)
{
    struct waiter waiter;
    async_value v = async_none;
    if (client->running < client->options.limit) {
        client->running++;
        return v;
    }
    v = waitq_wait(&client->queue, &waiter);
    if (v.error && waiter_woken(&waiter) && client->multi && !waitq_serve_next(&client->queue))
        client->running--;
    return v;
}

void client_leave(struct client *client)
{
    if (!waitq_serve_next(&client->queue))
        client->running--;
}

/* From when it has its place, until it leaves that; or a response that is read by and by does. */
static async_value transfer(struct client *client, const struct request *request)
{
    async_value v;
    struct transfer *transfer = NULL;
    if (!client->multi)
        v = request_fail(request, ASYNC_RUNTIME_ERROR, "the session is closed");
    else
        transfer = transfer_start(client, request, &v);
    if (!transfer) {
        client_leave(client);
        return v;
    }
    v = async_none;
    if (request->chunks.next)
        v = transfer_feed(transfer, request->chunks);
    while (!v.error && request->streams && !transfer->head_done && transfer->future.state == PENDING)
        v = transfer_wait_for_news(transfer);
    if (!v.error && !request->streams && transfer->future.state == PENDING)
        v = task_wait(&transfer->future);
    if (!v.error)
        v = answer_outcome(transfer, request);
    if (!transfer->response) {
        transfer_free(transfer);
        client_leave(client);
    }
    return v;
}

static async_value perform(void *p)
{
    struct request *request = *(struct request **)p;
    async_value v;
    in_use struct session *session = primitive_use(request->session, &session_type,
                                                   "async_http_get", &v);
    if (!session || (v = request_check(request)).error || (v = take_place(session->client)).error)
        return v;
    return transfer(session->client, request);
}

/* The limit for all of it is wait_for's, and so a cancel of our own. */
static async_value request_within(void *p)
{
    struct request *request = p;
    async_value v;
    if (!task_current())
        return report_no_task();
    struct session *session = object_of(request->session, &session_type, "async_http_get", &v);
    if (!session)
        return v;
    double timeout = request->timeout ? request->timeout : session->client->options.timeout;
    v = async_catch(async_wait_for(coro_make(perform, "async_http_get", &request, sizeof request),
                                   timeout));
    if (v.error == ASYNC_TIMEOUT && !(v.message && *v.message))
        return request_fail(request, ASYNC_TIMEOUT,
                            async_strf("no complete answer within %g s", timeout));
    return v;
}

async_awaitable async_http_make(async_http_session *session, const struct async_http_call *call)
{
    size_t size;
    struct request *request = request_new(session, call, &size);
    if (!request)
        return NULL;
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
    return async_http_make(session,
                           &(struct async_http_call){ .url = url, .body = body ? body : "" });
}
