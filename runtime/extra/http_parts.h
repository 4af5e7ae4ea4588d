/* http_parts.h - what the parts of the bridge to curl share; see http.c. */
#ifndef HTTP_PARTS_H
#define HTTP_PARTS_H

#include "http.h"
#include "core/waitq.h"
#include "core/timer.h"
#include <curl/curl.h>
#include <string.h>

struct client {                     /* what is behind a session */
    CURLM *multi;                   /* NULL: closed */
    async_loop *loop;
    struct async_http_options options;  /* complete; its texts are copies of our own */
    struct list transfers;          /* under way */
    struct list sockets;            /* that curl uses, or keeps for later */
    long running;                   /* requests that have a place; at most options.limit */
    struct waitq queue;             /* those without */
    struct job act;                 /* curl wants to be called: at once, */
    struct job alarm;               /* or since this has rung: */
    int alarm_fd;
    int no_socket;                  /* the errno with which the last socket was not made, or 0 */
    struct watch *ringing;          /* watches that; NULL: it is not set */
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
    struct future news;             /* of who sends or reads by and by: there is something to do. PENDING: somebody waits */
    struct timer limit;             /* for the connection to be there */
    CURLcode result;
    int refused;                    /* an errno of ours: why the body was not taken */
    bool holds_clock, held_clock;   /* held_clock: would, if it were not paused */
    bool paused;                    /* curl waits for us: with the next chunk to send, or until one is read */
    bool streams, head_done;        /* its body is read as it comes; its head is here */
    bool sent;                      /* all chunks of the body to send */
    async_http_chunk sending;       /* what is left of the one on its way */
    struct response *response;      /* who reads it, or NULL */
    struct request *request;        /* then: what was asked for, without a body */
    size_t received;                /* bytes of the body */
    struct text body, head;         /* head: the lines of the last answer's header */
    char why[CURL_ERROR_SIZE];      /* curl's own words */
};

struct request {                    /* a coroutine's arguments; the texts follow, each with its 0 */
    async_http_session *session;
    double timeout;
    size_t length;                  /* of the body */
    async_iterator chunks;          /* .next is NULL: none */
    bool has_body, streams;
    char texts[];                   /* method, URL, headers, an empty one, the body */
};

static inline const char *text_after(const char *text) { return text + strlen(text) + 1; }
static inline const char *method_of(const struct request *request) { return request->texts; }
static inline const char *url_of(const struct request *request)
{
    return text_after(request->texts);
}

/* Of http_curl.c: opens what curl needs to be driven by the loop; false: no memory or descriptors.
 * A transfer that is over says so by its future; end takes it out of curl, then it is ours. */
bool curl_attach(struct client *client);
void curl_detach(struct client *client);
void transfer_over(struct transfer *transfer, CURLcode result);
void transfer_end(struct transfer *transfer);
void transfer_hold_clock(struct transfer *transfer, bool on);
void transfer_pause(struct transfer *transfer);     /* what tells curl so is the callback's result */
void transfer_go_on(struct transfer *transfer);
void transfer_news(struct transfer *transfer);
async_value transfer_wait_for_news(struct transfer *transfer);
curl_socket_t curl_open_socket(void *client, curlsocktype purpose, struct curl_sockaddr *address);
int curl_close_socket(void *client, curl_socket_t fd);

/* Of http_request.c: the arguments of a request in one block (free it), or NULL; is it a request at
 * all; hands it to curl: NULL and *error where that fails. */
struct request *request_new(async_http_session *session, const struct async_http_call *call,
                            size_t *size);
async_value request_check(const struct request *request);
struct request *request_names(const struct request *request);   /* a copy, for request_fail; or NULL */
struct transfer *transfer_start(struct client *client, const struct request *request,
                                async_value *error);
async_value transfer_feed(struct transfer *transfer, async_iterator chunks);    /* sends them, waits */
void transfer_free(struct transfer *transfer);

/* Of http_answer.c: takes what comes in; makes a response of it, or the error it ended with. */
size_t answer_body(char *bytes, size_t one, size_t n, void *transfer);
size_t answer_header(char *line, size_t one, size_t n, void *transfer);
async_value answer_outcome(struct transfer *transfer, const struct request *request);
void answer_forget(struct response *response);      /* its transfer goes */

/* Of http.c: somebody else may have the place. */
void client_leave(struct client *client);

/* The error of a request: which one, and what about it. */
async_value request_fail(const struct request *request, int error, const char *why);

#endif
