/* http.h - HTTP requests that don't block: libcurl's multi interface on our loop. After aiohttp.
 *
 *     async_with(async_http_session_exit) async_http_session *session = async_http_session_new();
 *     async_http_response *response = await(async_http_get(session, "https://example.com/")).ptr;
 *     printf("%ld: %s\n", async_http_status(response), async_http_text(response, NULL));
 *
 * Ownership: a session and a response belong to the task that makes them, as memory from
 * async_alloc does (rule 4 of async.h), and go with it at the latest. Who makes many requests in
 * one task leaves each response with async_http_response_exit, so that they don't pile up. What is
 * given to a request is copied at once: it may be a buffer that is used again. Times: seconds.
 *
 * Cancelling a request (async_cancel, async_wait_for, ...) gives up the transfer on the spot. On
 * the virtual clock a request to somebody else holds the clock back for as long as it is under way and does not
 * wait for us, one to a server of this process does not. */
#ifndef HTTP_H
#define HTTP_H

#include "async.h"

typedef struct async_http_session async_http_session;
typedef struct async_http_response async_http_response;

/* ---------------------------------------------------------------------------- the session */

/* aiohttp.ClientSession(...): connections that are kept for the next request, and what all requests
 * have in common. The arguments are fields by name, and every one may be left out:
 *     async_http_session_new(.limit = 4, .timeout = 10)
 * NULL when memory or descriptors ran out. */
struct async_http_options {
    double timeout;             /* ClientTimeout.total, waiting for a place included. 0: 300 */
    double connect_timeout;     /* ClientTimeout.connect: name, TCP and TLS together. 0: 30 */
    long limit;                 /* TCPConnector(limit=): requests at once; others queue. 0: 100 */
    long max_redirects;         /* before ELOOP. 0: 10; below 0: a redirect is the answer */
    size_t max_size;            /* of a body, before EMSGSIZE. 0: 256 MiB */
    const char *ca_file;        /* create_default_context(cafile=): PEM, not the system's */
    const char *user_agent;     /* NULL: "evlings" and curl's version */
    bool trust_env;             /* use the proxies that http_proxy, https_proxy, ... name */
};
#define async_http_session_new(...) (async_note(ASYNC_HERE), \
    async_http_session_make(&(struct async_http_options){ __VA_ARGS__ }))
async_http_session *async_http_session_make(const struct async_http_options *options)
    ASYNC_MUST_USE;

/* await session.close(): its connections go. Requests under way end with ECONNABORTED, later ones
 * with ASYNC_RUNTIME_ERROR. Twice is fine. async_http_session_exit does it for async_with. */
void async_http_session_close(async_http_session *session);
bool async_http_session_closed(async_http_session *session);
void async_http_session_exit(async_http_session **session);

/* --------------------------------------------------------------------------- the requests */

/* async with session.get(url): the value's ptr is the response, with its whole body. A status like
 * 404 is an answer and no error. Errors, each with a message that names the request:
 *     ASYNC_TIMEOUT           no complete answer, or no connection, in time
 *     ENOENT                  there is no such host
 *     ECONNREFUSED, ...       the connection could not be made: the system's errno
 *     EPROTO                  TLS failed (whose certificate, and why), or this is no HTTP
 *     ASYNC_INCOMPLETE_READ   the connection, or the encoding of the body, broke before its end
 *     ECONNRESET              it broke before the answer began
 *     ELOOP, EMSGSIZE         too many redirects, too long a body, headers beyond 256 KiB
 *     ASYNC_VALUE_ERROR       the URL, the method or a header is none, or not http or https
 *     ASYNC_CANCELLED, ENOMEM, and EIO for what else curl may have to say */
async_awaitable async_http_get(async_http_session *session, const char *url) ASYNC_MUST_USE;

/* session.post(url, data=text): as text/plain, unless you say more with async_http_request. */
async_awaitable async_http_post(async_http_session *session, const char *url,
                                const char *body) ASYNC_MUST_USE;

/* session.request(method, url, headers=, data=, timeout=), with fields by name:
 *     async_http_request(session, .method = "PUT", .url = url, .body = text,
 *                        .headers = (const char *const[]){ "Content-Type: text/csv", NULL }) */
struct async_http_call {
    const char *method;         /* in capitals. NULL: GET, or POST if there is a body (or chunks of one) */
    const char *url;
    const char *const *headers; /* "Name: value" each, NULL at the end; or NULL */
    const char *body;           /* NULL: none */
    size_t length;              /* of the body; 0: up to its terminating 0 */
    async_iterator chunks;      /* data=generator: a body that comes by and by; see below */
    bool stream;                /* the await is over when the headers are here; see below */
    double timeout;             /* in place of the session's; 0: that */
};
#define async_http_request(session, ...) (async_note(ASYNC_HERE), \
    async_http_make(session, &(struct async_http_call){ __VA_ARGS__ }))
async_awaitable async_http_make(async_http_session *session,
                                const struct async_http_call *call) ASYNC_MUST_USE;

/* --------------------------------------------------------------------------- the response */

/* The texts last as long as the response. */
long async_http_status(async_http_response *response);          /* response.status: 200, 404, ... */
bool async_http_ok(async_http_response *response);              /* response.ok: below 400 */
const char *async_http_url(async_http_response *response);      /* response.url: after redirects */

/* await response.text(), response.read(): the body, with a 0 behind it. *length (may be NULL) is
 * set to its length, for there may be zeroes in it. It is here already: nothing to await. */
const char *async_http_text(async_http_response *response, size_t *length);

/* response.headers[name], in whatever case: NULL if it was not sent; of several the first. */
const char *async_http_header(async_http_response *response, const char *name);

/* response.headers.items(): header i, from 0, in the order in which they came, each of several with the
 * same name; the texts are set. False, and nothing set: there are no more. */
bool async_http_header_at(async_http_response *response, size_t i, const char **name,
                          const char **value);

/* Bodies that are too long to be held in memory, or that come as time goes by, in pieces: async for chunk in
 * response.content.iter_any() is
 *     async_with(async_http_response_exit) async_http_response *response =
 *         await(async_http_request(session, .url = url, .stream = true)).ptr;
 *     async_for (value, async_http_chunks(response)) {
 *         async_http_chunk *chunk = value.ptr;
 * A chunk is good until the next one is asked for. What nobody asks for is not fetched: the server has to wait.
 * Errors as above; the timeout is for the headers, a limit for the rest is async_timeout's. A response has a
 * place in its session (limit) until its end was read, or it is left: that gives up what was not read.
 * Of a response that is no stream it is the whole body at once; of one that is async_http_text is empty.
 *
 * To send, `chunks` is an iterator of chunks, such as an async_generator of yours, or the response of another
 * request; each is asked for when the one before is on its way, an error that it ends with is the request's. An
 * iterator that is not at its end then is not closed: async_aclose_exit does that. */
typedef struct async_http_chunk {
    const char *bytes;
    size_t length;
} async_http_chunk;
async_iterator async_http_chunks(async_http_response *response) ASYNC_MUST_USE;

/* response.raise_for_status(): async_none, or the error EREMOTEIO for a status of 400 or more. */
async_value async_http_raise_for_status(async_http_response *response);

/* response.release(): frees it now, for async_with. Of NULL nothing. */
void async_http_response_exit(async_http_response **response);

#ifndef ASYNC_RUNTIME
#define async_http_session_close(...)       ASYNC_AT(async_http_session_close, __VA_ARGS__)
#define async_http_session_closed(...)      ASYNC_AT(async_http_session_closed, __VA_ARGS__)
#define async_http_get(...)                 ASYNC_AT(async_http_get, __VA_ARGS__)
#define async_http_post(...)                ASYNC_AT(async_http_post, __VA_ARGS__)
#define async_http_status(...)              ASYNC_AT(async_http_status, __VA_ARGS__)
#define async_http_ok(...)                  ASYNC_AT(async_http_ok, __VA_ARGS__)
#define async_http_url(...)                 ASYNC_AT(async_http_url, __VA_ARGS__)
#define async_http_text(...)                ASYNC_AT(async_http_text, __VA_ARGS__)
#define async_http_header(...)              ASYNC_AT(async_http_header, __VA_ARGS__)
#define async_http_header_at(...)           ASYNC_AT(async_http_header_at, __VA_ARGS__)
#define async_http_chunks(...)              ASYNC_AT(async_http_chunks, __VA_ARGS__)
#define async_http_raise_for_status(...)    ASYNC_AT(async_http_raise_for_status, __VA_ARGS__)
#endif

#endif
