/* http_request.c - what a request is made of: method, URL, headers, body, and curl's options. */
#include "http_parts.h"
#include "core/loop.h"
#include <stdlib.h>
#include <strings.h>

/* ------------------------------------------------------------------------- its arguments */

static char *put(char *to, const char *text, size_t length)
{
    memcpy(to, text, length);
    to[length] = '\0';
    return to + length + 1;
}

/* An empty header would end the list: this is none either, and gets refused. */
static const char *header_at(const struct async_http_call *call, int i)
{
    return *call->headers[i] ? call->headers[i] : " ";
}

struct request *request_new(async_http_session *session, const struct async_http_call *call,
                            size_t *size)
{
    const char *method = call->method ? call->method : call->body || call->chunks.next ? "POST" : "GET";
    const char *url = call->url ? call->url : "";
    size_t length = call->body && !call->length ? strlen(call->body) : call->length;
    *size = sizeof(struct request) + strlen(method) + strlen(url) + length + 4;
    for (int i = 0; call->headers && call->headers[i]; i++)
        *size += strlen(header_at(call, i)) + 1;
    struct request *request = calloc(1, *size);
    if (!request)
        return NULL;
    *request = (struct request){ .session = session, .timeout = call->timeout, .length = length,
                                 .chunks = call->chunks, .has_body = call->body != NULL,
                                 .streams = call->stream };
    char *end = put(put(request->texts, method, strlen(method)), url, strlen(url));
    for (int i = 0; call->headers && call->headers[i]; i++)
        end = put(end, header_at(call, i), strlen(header_at(call, i)));
    end = put(end, "", 0);
    if (call->body)
        put(end, call->body, length);
    return request;
}

struct request *request_names(const struct request *request)
{
    size_t size = (size_t)(text_after(url_of(request)) - (const char *)request);
    struct request *names = malloc(size);
    return names ? memcpy(names, request, size) : NULL;
}

static const char *body_of(const struct request *request)
{
    const char *text = text_after(url_of(request));
    while (*text)
        text = text_after(text);
    return text + 1;
}

/* The coroutine's error: which request, and what about it. */
async_value request_fail(const struct request *request, int error, const char *why)
{
    const char *text = async_strf("%s %s: %s", method_of(request), url_of(request), why);
    return async_error(error, text ? text : "no memory");
}

/* May this stand in a request, a word that ends there? Who puts a line's end there wants to say more than
 * one thing. */
static bool is_plain(const char *text, char end)
{
    size_t word = strcspn(text, " \t:");
    return word && text[word] == end && !text[strcspn(text, "\r\n")];
}

async_value request_check(const struct request *request)
{
    if (request->has_body && request->chunks.next)
        return request_fail(request, ASYNC_VALUE_ERROR, "a body and chunks of one are two bodies");
    if (!is_plain(method_of(request), '\0'))
        return request_fail(request, ASYNC_VALUE_ERROR, "this is no method");
    for (const char *line = text_after(url_of(request)); *line; line = text_after(line))
        if (!is_plain(line, ':'))
            return request_fail(request, ASYNC_VALUE_ERROR,
                                async_strf("this is no header: %s", line));
    return async_none;
}

/* ------------------------------------------------------------------------ curl's options */

/* curl asks for what to send: of the chunk on its way, or it has to wait for the next. */
static size_t give_body(char *to, size_t one, size_t n, void *p)
{
    (void)one;
    struct transfer *transfer = p;
    async_http_chunk *left = &transfer->sending;
    if (!left->length && transfer->sent)
        return 0;
    if (!left->length) {
        transfer_pause(transfer);
        return CURL_READFUNC_PAUSE;
    }
    n = n < left->length ? n : left->length;
    memcpy(to, left->bytes, n);
    left->bytes += n;
    left->length -= n;
    if (!left->length)
        transfer_news(transfer);
    return n;
}

async_value transfer_feed(struct transfer *transfer, async_iterator chunks)
{
    async_value v = async_none;
    while (transfer->future.state == PENDING && !transfer->sent) {
        v = async_catch(async_anext(chunks));
        transfer->sent = v.error == ASYNC_STOP_ITERATION;
        if (v.error && !transfer->sent)
            return v;
        if (!transfer->sent)
            transfer->sending = *(async_http_chunk *)v.ptr;
        transfer_go_on(transfer);
        while (transfer->sending.length && transfer->future.state == PENDING)
            if ((v = transfer_wait_for_news(transfer)).error)
                return v;
    }
    return async_none;
}

/* Options are many, and any may run out of memory. */
#define set(option, value) (failed = failed ? failed : curl_easy_setopt(easy, option, value))

static CURLcode set_method(CURL *easy, const struct request *request)
{
    CURLcode failed = CURLE_OK;
    const char *method = method_of(request);
    if (request->chunks.next) {
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_READFUNCTION, give_body);
        set(CURLOPT_CUSTOMREQUEST, method);
        return failed;
    }
    if (request->has_body) {            /* a copy: a response that is read by and by outlives the request */
        set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
        set(CURLOPT_COPYPOSTFIELDS, body_of(request));
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

/* One header more, or NULL and no list. One without a value curl sends if a semicolon stands behind its name. */
static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
    size_t name = strcspn(line, ":");
    struct curl_slist *longer = curl_slist_append(list, line), *last = longer;
    if (!longer)
        curl_slist_free_all(list);
    while (last && last->next)
        last = last->next;
    if (last && !line[name + 1 + strspn(line + name + 1, " \t")])
        strcpy(last->data + name, ";");
    return longer;
}

/* Ours first; a header that the program gives replaces it. "Expect:" without a value is not sent:
 * it would make curl wait a second for a server's leave to send a long body. */
static bool set_headers(struct transfer *transfer, const struct request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool typed = false;
    for (const char *line = text_after(url_of(request)); list && *line; line = text_after(line)) {
        list = add_header(list, line);
        typed = typed || strncasecmp(line, "Content-Type:", 13) == 0;
    }
    if (list && (request->has_body || request->chunks.next) && !typed)
        list = add_header(list, "Content-Type: text/plain; charset=utf-8");
    transfer->headers = list;
    return list && curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list) == CURLE_OK;
}

static CURLcode set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    CURLcode failed = CURLE_OK;
    set(CURLOPT_PRIVATE, transfer);
    set(CURLOPT_ERRORBUFFER, transfer->why);
    set(CURLOPT_READDATA, transfer);
    set(CURLOPT_WRITEFUNCTION, answer_body);
    set(CURLOPT_WRITEDATA, transfer);
    set(CURLOPT_HEADERFUNCTION, answer_header);
    set(CURLOPT_HEADERDATA, transfer);
    set(CURLOPT_OPENSOCKETFUNCTION, curl_open_socket);
    set(CURLOPT_OPENSOCKETDATA, transfer->client);
    set(CURLOPT_CLOSESOCKETFUNCTION, curl_close_socket);
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
        transfer_over(transfer, CURLE_OPERATION_TIMEDOUT);
}

/* Hands the request to curl. NULL and *error where that fails. */
struct transfer *transfer_start(struct client *client, const struct request *request,
                              async_value *error)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    *error = async_error(ENOMEM, "no memory for a request");
    if (!transfer)
        return NULL;
    transfer->client = client;
    transfer->limit.job.run = on_limit;
    transfer->streams = request->streams;
    future_init(&transfer->future, &transfer_type, client->loop);
    transfer->news.state = FINISHED;
    list_init(&transfer->limit.job.link);
    list_append(&client->transfers, &transfer->link);
    transfer->easy = curl_easy_init();
    if (!transfer->easy || set_callbacks(transfer) || set_method(transfer->easy, request) ||
        set_options(transfer->easy, &client->options, url_of(request)) ||
        !set_headers(transfer, request) || curl_multi_add_handle(client->multi, transfer->easy)) {
        transfer_free(transfer);
        return NULL;
    }
    transfer_hold_clock(transfer, true);
    if (client->options.connect_timeout < ASYNC_NO_TIMEOUT
        && !loop_timer_start(client->loop, &transfer->limit,
                             clock_after(&client->loop->clock, client->options.connect_timeout))) {
        transfer_free(transfer);
        return NULL;
    }
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    transfer_end(transfer);
    if (transfer->response)
        answer_forget(transfer->response);
    list_remove(&transfer->link);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    free(transfer->body.bytes);
    free(transfer->head.bytes);
    free(transfer->request);
    free(transfer);
}
