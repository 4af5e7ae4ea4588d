/* http_answer.c - what comes back from a request: headers and body as they arrive, the response
 * that is made of them, or an error with a sentence. */
#include "core/coro.h"
#include "http_parts.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/task.h"
#include <stdlib.h>
#include <strings.h>

#define MOST_HEAD (256 * 1024)      /* bytes of headers; curl takes one of 100 KB */

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
size_t answer_body(char *bytes, size_t one, size_t n, void *p)
{
    (void)one;
    struct transfer *transfer = p;
    if (transfer->streams && transfer->body.length) {   /* nobody has read what came before */
        transfer_pause(transfer);
        return CURL_WRITEFUNC_PAUSE;
    }
    transfer->received += n;
    if (transfer->body.length + n > transfer->client->options.max_size)
        transfer->refused = EMSGSIZE;
    else if (!add(&transfer->body, bytes, n))
        transfer->refused = ENOMEM;
    transfer_news(transfer);
    return transfer->refused ? 0 : n;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The head is "Name", 0, "value", 0 for each line, and a 0 behind the last. */
static const char *next_header(const char *head) { return text_after(text_after(head)); }

static const char *find_header(const char *head, const char *name)
{
    for (; head && *head; head = next_header(head))
        if (strcasecmp(head, name) == 0)
            return text_after(head);
    return NULL;
}

/* The head is complete: is it that of the answer, or does another follow it? */
static bool is_last(struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    bool elsewhere = status >= 300 && status < 400 && transfer->client->options.max_redirects > 0
                     && transfer->head.length && find_header(transfer->head.bytes, "Location");
    return status >= 200 && !elsewhere;
}

/* A line of a header, of every answer: after a redirect another begins. */
size_t answer_header(char *line, size_t one, size_t n, void *p)
{
    (void)one;
    struct transfer *transfer = p;
    const char *colon = memchr(line, ':', n), *end = line + n;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
        transfer->head.length = 0;
    if (n <= 2 && is_last(transfer)) {
        transfer->head_done = true;
        transfer_news(transfer);
    }
    if (!colon || colon == line || memchr(line, '\0', n))
        return n;
    const char *value = colon + 1;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    bool kept = add(&transfer->head, line, colon - line) && add(&transfer->head, "", 1) &&
                add(&transfer->head, value, end - value) && add(&transfer->head, "", 1);
    if (!kept)
        transfer->refused = ENOMEM;
    else if (transfer->head.length > MOST_HEAD)
        transfer->refused = EMSGSIZE;
    return transfer->refused ? 0 : n;
}

/* ------------------------------------------------------------------------------ responses */

struct response {
    struct object object;
    void *owned;                    /* its place in the memory of whoever owns it */
    char *url, *head, *body;        /* one block of that memory, and so they outlive the loop */
    size_t length;                  /* of the body */
    long status;
    struct transfer *transfer;      /* of which the body is read as it comes, until its end; or NULL */
    async_value ended;              /* then: what comes behind the last chunk */
    async_http_chunk chunk;         /* that was given out last */
};

_Static_assert(sizeof(struct response) <= OBJECT_SIZE, "a response fits its record");

/* What was not read is given up. */
static void let_go(struct response *response)
{
    struct transfer *transfer = response->transfer;
    if (!transfer)
        return;
    struct client *client = transfer->client;
    transfer_free(transfer);
    client_leave(client);
}

static void drop_response(struct object *object) { let_go((struct response *)object); }

void answer_forget(struct response *response) { response->transfer = NULL; }

static const struct future_type response_type = { .name = "HTTP response", .drop = drop_response };

/* Copies what came in. False: no memory. */
static bool keep(struct response *response, const struct transfer *transfer)
{
    const char *url = NULL;
    const struct text *head = &transfer->head, *body = &transfer->body;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response->status);
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    size_t length = url ? strlen(url) : 0;
    response->url = memory_get(memory_here(), length + 1 + head->length + 1 + body->length + 1);
    if (!response->url)
        return false;
    response->head = response->url + length + 1;
    response->body = response->head + head->length + 1;
    response->length = body->length;
    response->transfer = NULL;
    response->ended = async_error(ASYNC_STOP_ITERATION, "");
    response->chunk = (async_http_chunk){ NULL, 0 };
    if (length)
        memcpy(response->url, url, length);
    if (head->length)
        memcpy(response->head, head->bytes, head->length);
    if (body->length)
        memcpy(response->body, body->bytes, body->length);
    return true;
}

static async_http_response *response_new(const struct transfer *transfer)
{
    struct response *response = (struct response *)object_new(&response_type, loop_running);
    if (!response)
        return NULL;
    response->owned = memory_own(memory_here(), object_ticket(&response->object));
    if (response->owned && keep(response, transfer))
        return (async_http_response *)object_ticket(&response->object);
    memory_give_back(response->owned);
    object_free(&response->object);
    return NULL;
}

static struct response *response_of(async_http_response *x, const char *caller)
{
    return object_of(x, &response_type, caller, NULL);
}

long async_http_status(async_http_response *x)
{
    return response_of(x, "async_http_status")->status;
}
bool async_http_ok(async_http_response *x) { return response_of(x, "async_http_ok")->status < 400; }
const char *async_http_url(async_http_response *x) { return response_of(x, "async_http_url")->url; }

const char *async_http_text(async_http_response *x, size_t *length)
{
    struct response *response = response_of(x, "async_http_text");
    if (length)
        *length = response->length;
    return response->body;
}

const char *async_http_header(async_http_response *x, const char *name)
{
    return find_header(response_of(x, "async_http_header")->head, name);
}

bool async_http_header_at(async_http_response *x, size_t i, const char **name, const char **value)
{
    const char *head = response_of(x, "async_http_header_at")->head;
    while (*head && i--)
        head = next_header(head);
    if (!*head)
        return false;
    *name = head;
    *value = text_after(head);
    return true;
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
    memory_give_back(response->url);
    memory_give_back(response->owned);
    object_expire(&response->object);
}

/* ------------------------------------------------------------------------------ outcomes */

/* `why` is what curl says beyond that, ": " before it, or nothing. */
static async_value broken(struct transfer *transfer, const struct request *request, const char *why)
{
    double wanted = -1;
    curl_off_t announced = -1;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    wanted = announced;
    return request_fail(request, ASYNC_INCOMPLETE_READ, wanted > 0
        ? async_strf("the answer ended after %zu of %.0f bytes%s", transfer->received, wanted, why)
        : async_strf("the answer ended after %zu bytes%s", transfer->received, why));
}

/* The host is the last one, after redirects. */
static async_value unconnected(struct transfer *transfer, const struct request *request)
{
    long why = 0;
    const char *url = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &why);
    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    int error = why ? why : transfer->client->no_socket ? transfer->client->no_socket : ECONNREFUSED;
    return request_fail(request, error, async_strf("cannot connect to %s: %s%s", url ? url : "it",
        strerror(error), error == ECONNREFUSED ? " (is a server running there?)" : ""));
}

static bool has_begun(struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status != 0;
}

/* What it does not support came from the server, not from us or a redirect. */
static bool met_something_else(struct transfer *transfer)
{
    const char *address = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address);
    return address && *address && !has_begun(transfer);
}

static async_value refused(struct transfer *transfer, const struct request *request)
{
    size_t most = transfer->client->options.max_size;
    switch (transfer->refused) {
    case EMSGSIZE:
        return request_fail(request, EMSGSIZE, transfer->head.length > MOST_HEAD
                            ? async_strf("the headers are longer than %d bytes", MOST_HEAD)
                            : async_strf("the body is longer than %zu bytes", most));
    case ECONNABORTED:
        return request_fail(request, ECONNABORTED, "the session was closed meanwhile");
    default:
        return request_fail(request, ENOMEM, "no memory for the answer");
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
        return request_fail(request, ENOENT,
                            async_strf("%s: is it spelt right, and is there a network?", why));
    case CURLE_COULDNT_CONNECT:
        return unconnected(transfer, request);
    case CURLE_OPERATION_TIMEDOUT:
        return request_fail(request, ASYNC_TIMEOUT,
                    async_strf("no connection within %g s", options->connect_timeout));
    case CURLE_PARTIAL_FILE:
        return broken(transfer, request, "");
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_FAIL_REWIND:    /* on a kept connection: curl would try once more, but chunks come once */
        if (has_begun(transfer))
            return broken(transfer, request, async_strf(": %s", why));
        return request_fail(request, ECONNRESET,
                            "the server closed the connection without an answer");
    case CURLE_TOO_MANY_REDIRECTS:
        return request_fail(request, ELOOP,
                    async_strf("redirected more than %ld times", options->max_redirects));
    case CURLE_UNSUPPORTED_PROTOCOL:
        if (met_something_else(transfer))
            return request_fail(request, EPROTO, async_strf("the answer is no HTTP: %s", why));
        /* fall through */
    case CURLE_URL_MALFORMAT:
        return request_fail(request, ASYNC_VALUE_ERROR,
                            async_strf("this is no http or https URL: %s", why));
    case CURLE_SSL_CACERT_BADFILE:
        return request_fail(request, ENOENT,
                            async_strf("the certificates in %s cannot be read: %s",
                                       options->ca_file ? options->ca_file : "the system", why));
    case CURLE_PEER_FAILED_VERIFICATION:
        return request_fail(request, EPROTO,
                            async_strf("the server cannot prove who it is: %s", why));
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return request_fail(request, EPROTO, async_strf("no agreement on TLS: %s", why));
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return request_fail(request, EPROTO, async_strf("the answer is no HTTP: %s", why));
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
#endif
    case CURLE_OUT_OF_MEMORY:
        if (has_begun(transfer))
            return request_fail(request, EMSGSIZE, "a header is longer than curl takes, 100 KB, or "
                                                   "memory ran out");
        return request_fail(request, ENOMEM, why);
    default:
        return request_fail(request, EIO, why);
    }
}

/* Of a body that is read as it comes: the response has the transfer from now on. */
static async_value begin_stream(struct transfer *transfer, const struct request *request)
{
    struct text body = transfer->body;
    transfer->request = request_names(request);
    transfer->body = (struct text){ NULL, 0, 0 };
    async_http_response *x = transfer->request ? response_new(transfer) : NULL;
    transfer->body = body;
    if (!x)
        return request_fail(request, ENOMEM, "no memory for the answer");
    struct response *response = response_of(x, "async_http_request");
    response->transfer = transfer;
    transfer->response = response;
    return async_ptr(x);
}

async_value answer_outcome(struct transfer *transfer, const struct request *request)
{
    if (transfer->streams && transfer->head_done)
        return begin_stream(transfer, request);
    if (transfer->result || transfer->refused)
        return failure(transfer, request);
    async_http_response *response = response_new(transfer);
    return response ? async_ptr(response)
                    : request_fail(request, ENOMEM, "no memory for the answer");
}

/* ---------------------------------------------------------------------- chunk by chunk */

/* There is none to come: the end, or what broke it. */
static async_value finish(struct response *response)
{
    struct transfer *transfer = response->transfer;
    if (transfer && (transfer->result || transfer->refused))
        response->ended = failure(transfer, transfer->request);
    let_go(response);
    return response->ended;
}

static async_value next_chunk(void *x)
{
    async_value v;
    in_use struct response *response = primitive_use(x, &response_type, "async_http_chunks", &v);
    if (!response)
        return v;
    struct transfer *transfer = response->transfer;
    if (!transfer && (response->chunk.bytes || !response->length))
        return response->ended;
    if (!transfer) {
        response->chunk = (async_http_chunk){ response->body, response->length };
        return async_ptr(&response->chunk);
    }
    if (response->chunk.bytes)                          /* that one is read */
        transfer->body.length = 0;
    response->chunk.bytes = NULL;
    if (!transfer->body.length)
        transfer_go_on(transfer);
    while (!transfer->body.length && transfer->future.state == PENDING) {
        v = transfer_wait_for_news(transfer);
        if (v.error)
            return v;
        if (!(transfer = response->transfer))           /* the session has gone meanwhile */
            return response->ended;
    }
    if (!transfer->body.length)
        return finish(response);
    response->chunk = (async_http_chunk){ transfer->body.bytes, transfer->body.length };
    return async_ptr(&response->chunk);
}

async_iterator async_http_chunks(async_http_response *x)
{
    response_of(x, "async_http_chunks");
    return (async_iterator){ next_chunk, x };
}
