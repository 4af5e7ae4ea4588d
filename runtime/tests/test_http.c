/* HTTP over libcurl (extra/http.c): a server of our own in the same process, on the virtual clock,
 * so that pauses and limits are exact. Peers that are not ours are in http.sh. */
#include "http.h"
#include "testing.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <strings.h>
#include <sys/socket.h>

/* ------------------------------------------------------------------------- the server */

static char base[64];               /* "http://127.0.0.1:PORT" */
static int serving, most_serving;   /* requests between question and answer; the most ever */
static int cut_off;                 /* clients that went before they had their answer */
static int connections;
static long written;                /* bytes of the last /big, as far as they were sent */

/* A URL on our server; good for the next eight calls. */
static const char *at(const char *path)
{
    static char texts[8][128];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "%s%s", base, path);
    return text;
}

struct question {
    char method[16], path[64], agent[64], type[64], extra[64];
    const char *body;
    size_t length;
    bool chunked;
};

static void header(struct question *question, const char *line)
{
    size_t end = strcspn(line, "\r\n");
    const char *value = strchr(line, ':');
    if (!value || value > line + end)
        return;
    value += strspn(value, ": ");
    int n = (int)(line + end - value);
    if (strncasecmp(line, "Content-Length:", 15) == 0)
        question->length = strtoul(value, NULL, 10);
    else if (strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0)
        question->chunked = true;
    else if (strncasecmp(line, "User-Agent:", 11) == 0)
        snprintf(question->agent, sizeof question->agent, "%.*s", n, value);
    else if (strncasecmp(line, "Content-Type:", 13) == 0)
        snprintf(question->type, sizeof question->type, "%.*s", n, value);
    else if (strncasecmp(line, "X-Extra:", 8) == 0)
        snprintf(question->extra, sizeof question->extra, "%.*s", n ? n : 5, n ? value : "empty");
}

/* A body in chunks, each behind its length, put together. */
static async_value ask_chunks(async_stream *stream, struct question *question)
{
    question->body = "";
    for (;;) {
        size_t n = strtoul(await(async_stream_readline(stream, NULL)).str, NULL, 16);
        const char *chunk = await(async_stream_readexactly(stream, n + 2)).str;
        question->length += n;
        if (!n)
            return async_none;
        if (question->length < 1000)
            question->body = async_strf("%s%.*s;", question->body, (int)n, chunk);
    }
}

/* The next request of this connection; ASYNC_INCOMPLETE_READ at its end. */
static async_value ask(async_stream *stream, struct question *question)
{
    *question = (struct question){ .body = "" };
    async_value v = async_catch(async_stream_readuntil(stream, "\r\n\r\n", NULL));
    if (v.error)
        return v;
    sscanf(v.str, "%15s %63s", question->method, question->path);
    for (const char *line = strchr(v.str, '\n'); line; line = strchr(line + 1, '\n'))
        header(question, line + 1);
    if (question->chunked)
        return ask_chunks(stream, question);
    if (question->length)
        question->body = await(async_stream_readexactly(stream, question->length)).str;
    return async_none;
}

static void answer(async_stream *stream, const char *status, const char *headers, const char *body)
{
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), headers);
    async_stream_puts(stream, head);
    async_stream_puts(stream, body);
}

/* /sleep/SECONDS */
static async_value slow(async_stream *stream, const char *path)
{
    async_value v = async_catch(async_sleep(strtod(path + 7, NULL)));
    answer(stream, "200 OK", "", "slept");
    return v;
}

/* What is not answered as it should be. False: the connection is to be closed. */
static bool oddities(async_stream *stream, const char *path)
{
    if (strcmp(path, "/truncated") == 0)
        async_stream_puts(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes!");
    else if (strcmp(path, "/chunks") == 0)
        async_stream_puts(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n");
    else if (strcmp(path, "/broken-chunks") == 0)
        async_stream_puts(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    else if (strcmp(path, "/no-chunks") == 0)
        async_stream_puts(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n");
    else if (strcmp(path, "/long-header") == 0)
        async_stream_puts(stream, async_strf("HTTP/1.1 200 OK\r\nX: %0200000d\r\n\r\n", 1));
    else if (strcmp(path, "/long-headers") == 0) {
        async_stream_puts(stream, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 20; i++)
            async_stream_puts(stream, async_strf("X-%d: %015000d\r\n", i, 1));
    } else if (strcmp(path, "/until-closed") == 0)
        async_stream_puts(stream, "HTTP/1.0 200 OK\r\n\r\nall of it");
    else if (strcmp(path, "/zeroes") == 0)
        async_stream_write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0b", 41);
    else if (strcmp(path, "/no-http") == 0)
        async_stream_puts(stream, "220 smtp.example.com ready\r\n");
    else if (strcmp(path, "/nothing") != 0)
        return true;
    return false;
}

static async_value big(async_stream *stream, long bytes)
{
    char block[1000], head[80];
    memset(block, 'x', sizeof block);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", bytes);
    async_stream_puts(stream, head);
    for (written = 0; bytes > 0; bytes -= sizeof block, written += sizeof block) {
        async_value v = async_stream_write(stream, block, sizeof block);
        if (v.error)
            return v;
        await(async_stream_drain(stream));
    }
    return async_none;
}

/* Three chunks, a second between them. */
static async_value slowly(async_stream *stream)
{
    async_stream_puts(stream, "HTTP/1.1 200 OK\r\nX-Slow: yes\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 1; i <= 3; i++) {
        await(async_sleep(1));
        async_stream_puts(stream, async_strf("7\r\nchunk %d\r\n%s", i, i == 3 ? "0\r\n\r\n" : ""));
    }
    return async_none;
}

static async_value reply(async_stream *stream, struct question *question)
{
    const char *path = question->path;
    char text[256];
    if (strcmp(path, "/count") == 0) {
        answer(stream, "200 OK", "", async_strf("%s %zu", question->method, question->length));
    } else if (strcmp(path, "/slowly") == 0) {
        return slowly(stream);
    } else if (strcmp(path, "/echo") == 0) {
        snprintf(text, sizeof text, "%s|%s|%s|%s|%s", question->method, question->agent,
                 question->type, question->extra, question->body);
        answer(stream, "200 OK", "X-One: 1\r\nx-two:  two \r\nX-Empty:\r\n", text);
    } else if (strncmp(path, "/sleep/", 7) == 0) {
        await(async_coro_new((async_call){ nothing, "nothing", NULL, 0 }));
        return slow(stream, path);
    } else if (strcmp(path, "/moved") == 0) {
        answer(stream, "302 Found", "Location: /echo\r\nX-Old: yes\r\n", "moved");
    } else if (strcmp(path, "/round") == 0) {
        answer(stream, "302 Found", "Location: /round\r\n", "");
    } else if (strcmp(path, "/to-file") == 0) {
        answer(stream, "302 Found", "Location: file:///etc/passwd\r\n", "");
    } else if (strncmp(path, "/big/", 5) == 0) {
        return big(stream, atol(path + 5));
    } else {
        answer(stream, "404 Not Found", "", "no such page");
    }
    return async_none;
}

static async_value serve(async_stream *stream, void *arg)
{
    (void)arg;
    struct question question;
    connections++;
    for (;;) {
        async_value v = async_catch(async_coro_new((async_call){ nothing, "nothing", NULL, 0 }));
        if (!v.error)
            v = ask(stream, &question);
        if (v.error || !oddities(stream, question.path))
            break;
        if (++serving > most_serving)
            most_serving = serving;
        v = reply(stream, &question);
        serving--;
        if (!v.error)
            v = async_catch(async_stream_drain(stream));
        cut_off += v.error != 0;
        if (v.error)
            return v.error == ASYNC_CANCELLED ? v : async_none;
    }
    return async_none;
}

static async_http_session *session;

/* The program of every test: a server, a session, and fn in between. */
struct with_server { async_fn *fn; struct async_http_options options; };
static async_value with_server(void *p)
{
    struct with_server *args = p;
    async_with(async_server_exit) async_server *server =
        await(async_start_server(serve, NULL, "127.0.0.1", 0)).ptr;
    snprintf(base, sizeof base, "http://127.0.0.1:%d", async_server_port(server));
    async_with(async_http_session_exit) async_http_session *mine =
        async_http_session_make(&args->options);
    session = mine;
    return await(async_coro_new((async_call){ args->fn, "test", NULL, 0 }));
}

/* On the virtual clock; options by name may follow. */
#define play_http(fn, ...) \
    (serving = most_serving = cut_off = connections = 0, \
     play(async_coro(with_server, fn, (struct async_http_options){ __VA_ARGS__ })))

/* Writes down "status text", or the error, without where the server listens. */
static async_value say_answer(async_value v)
{
    char text[512];
    if (v.error) {
        const char *message = v.message, *found = strstr(message, base);
        snprintf(text, sizeof text, "%.*s%s", found ? (int)(found - message) : 0, message,
                 found ? found + strlen(base) : message);
        for (char *again; (again = strstr(text, base));)
            memmove(again, again + strlen(base), strlen(again + strlen(base)) + 1);
        say("%s: %s", async_error_name(v.error), text);
    } else {
        say("%ld %s", async_http_status(v.ptr), async_http_text(v.ptr, NULL));
    }
    return async_none;
}

#define try_get(path) say_answer(async_catch(async_http_get(session, at(path))))

/* Of a sentence that ends with words of libcurl: ours. */
#define try_get_words(path, words) \
    try_words(async_catch(async_http_get(session, at(path))), words)
static void try_words(async_value v, const char *words)
{
    say("%s: %s", async_error_name(v.error), words_of(v.message, words));
}

/* ------------------------------------------------------------------------- what comes back */

PROGRAM(answers)
{
    async_http_response *r = await(async_http_get(session, at("/echo"))).ptr;
    size_t length;
    say("%ld %s %s", async_http_status(r), yes(async_http_ok(r)), async_http_url(r) + strlen(base));
    say("%s", strncmp(async_http_text(r, &length), "GET|evlings", 11) ? "?" : "GET by us");
    say("%s", yes(length == strlen(async_http_text(r, NULL))));
    const char *name, *value;
    for (size_t i = 1; async_http_header_at(r, i, &name, &value); i++)
        say("%s=%s", name, value);
    say("[%s] [%s] [%s] %s", async_http_header(r, "x-one"), async_http_header(r, "X-TWO"),
        async_http_header(r, "X-Empty"), async_http_header(r, "X-None") ? "?" : "none");
    say("%d", async_http_raise_for_status(r).error);
    r = await(async_http_get(session, at("/missing"))).ptr;
    say("%ld %s %s", async_http_status(r), yes(async_http_ok(r)), async_http_text(r, NULL));
    async_value v = async_http_raise_for_status(r);
    say("%s: %s", v.error == EREMOTEIO ? "EREMOTEIO" : "?", v.message + strlen(base));
    try_get("/chunks");
    try_get("/until-closed");
    r = await(async_http_get(session, at("/zeroes"))).ptr;
    say("%s", yes(memcmp(async_http_text(r, &length), "a\0b", 4) == 0 && length == 3));
    return async_none;
}

START_TEST(status_headers_and_body)
{
    play_http(answers);
    expect("200 True /echo\n"
           "GET by us\n"
           "True\n"
           "X-One=1\n"
           "x-two=two\n"
           "X-Empty=\n"
           "[1] [two] [] none\n"
           "0\n"
           "404 False no such page\n"
           "EREMOTEIO: /missing: status 404\n"
           "200 hello, world\n"
           "200 all of it\n"
           "True\n");
}
END_TEST

PROGRAM(sending)
{
    say_answer(async_catch(async_http_post(session, at("/echo"), "a text")));
    say_answer(async_catch(async_http_post(session, at("/echo"), "")));
    say_answer(async_catch(async_http_request(session, .url = at("/echo"), .method = "PUT",
        .headers = (const char *const[]){ "Content-Type: text/csv", "X-Extra: more", NULL },
        .body = "1,2,3", .length = 3)));
    say_answer(async_catch(async_http_request(session, .url = at("/echo"), .method = "DELETE",
        .headers = (const char *const[]){ "X-Extra: ", NULL })));
    say_answer(async_catch(async_http_request(session, .url = at("/echo"), .method = "HEAD")));
    say_answer(async_catch(async_http_request(session, .url = at("/echo"), .method = "POST")));
    return async_none;
}

START_TEST(post_and_other_methods)
{
    play_http(sending, .user_agent = "me/1");
    expect("200 POST|me/1|text/plain; charset=utf-8||a text\n"
           "200 POST|me/1|text/plain; charset=utf-8||\n"
           "200 PUT|me/1|text/csv|more|1,2\n"
           "200 DELETE|me/1||empty|\n"
           "200 \n"
           "200 POST|me/1|application/x-www-form-urlencoded||\n");
}
END_TEST

PROGRAM(a_long_body)
{
    const size_t n = 3000000;
    char *body = async_alloc(n + 1);
    memset(body, 'y', n);
    size_t length;
    async_http_response *r = await(async_http_get(session, at("/big/3000000"))).ptr;
    async_http_text(r, &length);
    say("%zu", length);
    r = await(async_http_request(session, .url = at("/missing"), .body = body)).ptr;
    say("%ld after %g s", async_http_status(r), now());
    return async_none;
}

START_TEST(long_bodies_both_ways)
{
    play_http(a_long_body);
    expect("3000000\n404 after 0 s\n");
}
END_TEST

PROGRAM(redirects)
{
    async_http_response *r = await(async_http_get(session, at("/moved"))).ptr;
    say("%ld %s %s", async_http_status(r), async_http_url(r) + strlen(base),
        async_http_header(r, "X-Old") ? "?" : "the last headers");
    try_get("/round");
    try_get_words("/to-file", "/to-file: this is no http or https URL: ");
    return async_none;
}

START_TEST(redirects_are_followed_so_far)
{
    play_http(redirects, .max_redirects = 3);
    expect("200 /echo the last headers\n"
           "ELOOP: GET /round: redirected more than 3 times\n"
           "ValueError: /to-file: this is no http or https URL: \n");
}
END_TEST

PROGRAM(no_redirects)
{
    return try_get("/moved");
}

START_TEST(or_not_at_all)
{
    play_http(no_redirects, .max_redirects = -1);
    expect("302 moved\n");
}
END_TEST

/* ----------------------------------------------------------------------------- many at once */

PROGRAM(three_at_once)
{
    async_value v[3];
    await(async_gather(v, async_http_get(session, at("/sleep/3")),
                       async_http_get(session, at("/sleep/2")),
                       async_http_get(session, at("/sleep/1"))));
    say("%s %s after %g s, %d served at once", async_http_text(v[0].ptr, NULL),
        async_http_text(v[2].ptr, NULL), now(), most_serving);
    return async_none;
}

START_TEST(requests_overlap)
{
    play_http(three_at_once);
    expect("slept slept after 3 s, 3 served at once\n");
}
END_TEST

struct one_get { int number; };
static async_value one_get(void *p)
{
    struct one_get *args = p;
    await(async_http_get(session, at("/sleep/1")));
    say("%d at %g", args->number, now());
    return async_none;
}

struct timed_get { int number; };
static async_value timed_get(void *p)
{
    struct timed_get *args = p;
    char path[32];
    snprintf(path, sizeof path, "/sleep/1.%d", args->number);
    await(async_http_get(session, at(path)));
    say("%d at %g", args->number, now());
    return async_none;
}

PROGRAM(seven_gets)
{
    async_awaitable gets[7];
    for (int i = 0; i < 7; i++)
        gets[i] = async_coro(timed_get, i);
    await(async_gather_list(NULL, gets, 7, false));
    say("most at once %d, connections %d", most_serving, connections);
    return async_none;
}

START_TEST(limit_of_requests_at_once)
{
    play_http(seven_gets, .limit = 3);
    expect("0 at 1\n1 at 1.1\n2 at 1.2\n3 at 2.3\n4 at 2.5\n5 at 2.7\n6 at 3.9\n"
           "most at once 3, connections 3\n");
}
END_TEST

PROGRAM(cancelled_in_the_queue)
{
    async_task gets[4];
    for (int i = 0; i < 4; i++)
        gets[i] = async_create_task(async_coro(one_get, i));
    await(async_sleep(0.5));
    async_cancel(gets[1]);              /* never gets a place */
    await(async_sleep(0.5));            /* 0 is over, 2 was just woken */
    async_cancel(gets[2]);
    async_value v[4];
    await(async_gather_list(v, gets, 4, true));
    say("%s %s", repr(v[1]), repr(v[2]));
    return async_none;
}

START_TEST(a_place_is_handed_on_by_who_is_cancelled)
{
    play_http(cancelled_in_the_queue, .limit = 1);
    expect("0 at 1\n3 at 2\nCancelledError() CancelledError()\n");
}
END_TEST

/* ------------------------------------------------------------------------------- errors */

PROGRAM(what_goes_wrong)
{
    char refused[64];
    async_server *other = await(async_start_server(serve, NULL, "127.0.0.1", 0)).ptr;
    snprintf(refused, sizeof refused, "http://127.0.0.1:%d/", async_server_port(other));
    async_server_close(other);
    async_value v = async_catch(async_http_get(session, refused));
    say("%s, %s", async_error_name(v.error), words_of(v.message, "is a server running there?"));
    try_get("/truncated");
    try_get("/broken-chunks");
    try_get_words("/no-chunks", "/no-chunks: the answer ended after 0 bytes: ");
    try_get_words("/long-header", "/long-header: a header is longer than curl takes, 100 KB");
    try_get("/long-headers");
    try_get("/nothing");
    try_get_words("/no-http", "/no-http: the answer is no HTTP: ");
    say("%d", async_catch(async_http_get(session, "ftp://127.0.0.1/")).error == ASYNC_VALUE_ERROR);
    say("%d", async_catch(async_http_get(session, "http://a b/")).error == ASYNC_VALUE_ERROR);
    say("%d", async_catch(async_http_get(session, "")).error == ASYNC_VALUE_ERROR);
    say_answer(async_catch(async_http_request(session, .url = at("/"), .method = "A B")));
    say_answer(async_catch(async_http_request(session, .url = at("/"),
        .headers = (const char *const[]){ "X-Extra: a\r\nX: b", NULL })));
    say_answer(async_catch(async_http_request(session, .url = at("/"), .body = "b",
        .headers = (const char *const[]){ "", "X-Extra: a", NULL })));
    say_answer(async_catch(async_http_request(session, .url = at("/"),
        .headers = (const char *const[]){ "X Extra: a", NULL })));
    return async_none;
}

START_TEST(errors_are_values_with_a_sentence)
{
    play_http(what_goes_wrong);
    expect(
        "ECONNREFUSED, is a server running there?\n"
        "IncompleteReadError: GET /truncated: the answer ended after 10 of 100 bytes\n"
        "IncompleteReadError: GET /broken-chunks: the answer ended after 3 bytes\n"
        "IncompleteReadError: /no-chunks: the answer ended after 0 bytes: \n"
        "EMSGSIZE: /long-header: a header is longer than curl takes, 100 KB\n"
        "EMSGSIZE: GET /long-headers: the headers are longer than 262144 bytes\n"
        "ECONNRESET: GET /nothing: the server closed the connection without an "
        "answer\n"
        "EPROTO: /no-http: the answer is no HTTP: \n"
        "1\n1\n1\n"
        "ValueError: A B /: this is no method\n"
        "ValueError: GET /: this is no header: X-Extra: a\r\nX: b\n"
        "ValueError: POST /: this is no header:  \n"
        "ValueError: GET /: this is no header: X Extra: a\n");
}
END_TEST

PROGRAM(too_long)
{
    try_get("/big/100000");
    return try_get("/echo");
}

START_TEST(a_body_has_a_limit)
{
    play_http(too_long, .max_size = 50000, .user_agent = "me");
    expect("EMSGSIZE: GET /big/100000: the body is longer than 50000 bytes\n"
           "200 GET|me|||\n");
}
END_TEST

PROGRAM(limits)
{
    try_get("/sleep/10");
    say("at %g", now());
    say_answer(async_catch(async_http_request(session, .url = at("/sleep/10"), .timeout = 0.5)));
    say("at %g", now());
    async_value v = async_catch(async_wait_for(async_http_get(session, at("/sleep/10")), 1));
    say("%s at %g", repr(v), now());
    await(async_sleep(10));
    return try_get("/echo");
}

START_TEST(total_timeout)
{
    play_http(limits, .timeout = 2, .user_agent = "me");
    expect("TimeoutError: GET /sleep/10: no complete answer within 2 s\n"
           "at 2\n"
           "TimeoutError: GET /sleep/10: no complete answer within 0.5 s\n"
           "at 2.5\n"
           "TimeoutError('') at 3.5\n"
           "200 GET|me|||\n");
}
END_TEST

/* A socket that listens and whose queue is full, as nobody accepts: who connects has to wait. */
PROGRAM(nobody_accepts)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof here;
    int listening = socket(AF_INET, SOCK_STREAM, 0), others[4];
    bind(listening, (struct sockaddr *)&here, sizeof here);
    listen(listening, 0);
    getsockname(listening, (struct sockaddr *)&here, &length);
    for (int i = 0; i < 4; i++) {
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(others[i], (struct sockaddr *)&here, sizeof here) == 0)
            continue;
    }
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(here.sin_port));
    async_value v = async_catch(async_http_get(session, url));
    say("%s: %s", async_error_name(v.error), words_of(v.message, "no connection within 0.05 s"));
    for (int i = 0; i < 4; i++)
        close(others[i]);
    close(listening);
    return async_none;
}

START_TEST(connect_timeout)
{
    async_value v = run_real(async_coro(with_server, nobody_accepts,
                                        (struct async_http_options){ .connect_timeout = 0.05 }));
    ck_assert_int_eq(v.error, 0);
    expect("TimeoutError: no connection within 0.05 s\n");
}
END_TEST

/* -------------------------------------------------------------------------- giving up */

PROGRAM(cancelled)
{
    async_task task = async_create_task(async_http_get(session, at("/sleep/5")));
    await(async_sleep(1));
    async_cancel(task);
    say("%s at %g", repr(async_catch(task)), now());
    task = async_create_task(async_http_get(session, at("/big/50000000")));
    while (!serving)
        await(async_sleep(0));
    async_cancel(task);
    say("%s in the body", repr(async_catch(task)));
    task = async_create_task(async_http_get(session, at("/echo")));
    async_cancel(task);
    say("%s before it began", repr(async_catch(task)));
    task = async_create_task(async_http_get(session, at("/echo")));
    await(async_sleep(0));
    async_cancel(task);
    say("%s while connecting", repr(async_catch(task)));
    return try_get("/chunks");
}

START_TEST(cancel_in_the_middle)
{
    play_http(cancelled);
    expect("CancelledError() at 1\n"
           "CancelledError() in the body\n"
           "CancelledError() before it began\n"
           "CancelledError() while connecting\n"
           "200 hello, world\n");
}
END_TEST

PROGRAM(closing)
{
    async_task task = async_create_task(async_http_get(session, at("/sleep/5")));
    await(async_sleep(1));
    say("%s", yes(async_http_session_closed(session)));
    async_http_session_close(session);
    async_http_session_close(session);
    say_answer(async_catch(task));
    say("%s at %g", yes(async_http_session_closed(session)), now());
    return try_get("/echo");
}

START_TEST(closing_ends_what_is_under_way)
{
    play_http(closing);
    expect("False\n"
           "Software caused connection abort: GET /sleep/5: the session was closed meanwhile\n"
           "True at 1\n"
           "RuntimeError: GET /echo: the session is closed\n");
}
END_TEST

struct quiet_get { async_http_session *from; };
static async_value quiet_get(void *p)
{
    struct quiet_get *args = p;
    async_value v = async_catch(async_http_get(args->from, at("/sleep/5")));
    return v.error == ASYNC_CANCELLED ? v : async_none;
}

PROGRAM(left_behind)
{
    async_with(async_http_session_exit)
        async_http_session *other = async_http_session_new(.limit = 1);
    async_detach(async_create_task(async_coro(quiet_get, session)));
    for (int i = 0; i < 3; i++)
        async_detach(async_create_task(async_coro(quiet_get, other)));
    await(async_sleep(1));
    return async_none;
}

START_TEST(main_may_leave_while_others_wait)
{
    play_http(left_behind);
    expect("");
}
END_TEST

/* The loop is closed without run's politeness: nobody resumes those that wait. */
START_TEST(a_loop_that_is_just_closed)
{
    async_loop *loop = async_new_event_loop();
    async_task task = async_loop_create_task(loop, async_coro(with_server, left_behind,
                                                              (struct async_http_options){ 0 }));
    async_loop_call_later(loop, 0.5, stop_it, loop);
    listen_to_stderr();
    async_loop_run_forever(loop);
    async_loop_close(loop);
    (void)task;
    said.length = 0;
    heard();
    ck_assert_ptr_nonnull(strstr(said.text, "Task was destroyed but it is pending!"));
}
END_TEST

static int descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* ----------------------------------------------------------------- bodies by and by, both ways */

#define try_stream(path) async_catch(async_http_request(session, .url = at(path), .stream = true))

/* All chunks of a response, each with its time; then what ended it. */
static void say_chunks(async_http_response *response)
{
    async_iterator chunks = async_http_chunks(response);
    async_value v;
    while (!(v = async_catch(async_anext(chunks))).error) {
        async_http_chunk *chunk = v.ptr;
        say("%.*s at %g", (int)chunk->length, chunk->bytes, now());
    }
    if (v.error == ASYNC_CANCELLED)
        say("%s", repr(v));
    else if (v.error != ASYNC_STOP_ITERATION)
        say_answer(v);
    say("%s", yes(async_catch(async_anext(chunks)).error == v.error));
}

PROGRAM(reads_slowly)
{
    async_http_response *r = try_stream("/slowly").ptr;
    say("%ld %s [%s] at %g", async_http_status(r), async_http_header(r, "X-Slow"),
        async_http_text(r, NULL), now());
    say_chunks(r);
    r = try_stream("/moved").ptr;
    say("%ld %s", async_http_status(r), async_http_url(r) + strlen(base));
    say_chunks(await(async_http_get(session, at("/chunks"))).ptr);
    say_chunks(try_stream("/truncated").ptr);
    say_chunks(try_stream("/broken-chunks").ptr);
    say_answer(try_stream("/nothing"));
    try_words(try_stream("/no-http"), "the answer is no HTTP");
    return async_none;
}

START_TEST(chunks_are_read_as_they_come)
{
    play_http(reads_slowly, .user_agent = "me");
    expect("200 yes [] at 0\n"
           "chunk 1 at 1\n"
           "chunk 2 at 2\n"
           "chunk 3 at 3\n"
           "True\n"
           "200 /echo\n"
           "hello, world at 3\n"
           "True\n"
           "ten bytes! at 3\n"
           "IncompleteReadError: GET /truncated: the answer ended after 10 of 100 bytes\n"
           "True\n"
           "hel at 3\n"
           "IncompleteReadError: GET /broken-chunks: the answer ended after 3 bytes\n"
           "True\n"
           "ECONNRESET: GET /nothing: the server closed the connection without an answer\n"
           "EPROTO: the answer is no HTTP\n");
}
END_TEST

#define LARGE 100000000L            /* more than the system keeps for a connection */

PROGRAM(reads_some)
{
    async_with(async_http_response_exit) async_http_response *r = try_stream("/big/100000000").ptr;
    size_t length = 0;
    async_for (value, async_http_chunks(r))
        if ((length += ((async_http_chunk *)value.ptr)->length) > 100000)
            break;
    await(async_sleep(5));
    say("%s %s", yes(length < 200000), yes(written < LARGE / 2));
    return async_none;
}

PROGRAM(reads_all)
{
    async_http_response *r = try_stream("/big/100000000").ptr;
    long length = 0;
    async_for (value, async_http_chunks(r))
        length += ((async_http_chunk *)value.ptr)->length;
    return async_num(length);
}

PROGRAM(reads_all_and_some)
{
    await(async_coro(reads_some));
    await(async_sleep(1));
    say("%d cut off", cut_off);
    say("%ld", await(async_coro(reads_all)).num);
    async_http_response *r = try_stream("/big/100000000").ptr;
    say_answer(async_catch(async_wait_for(async_http_get(session, at("/echo")), 2)));
    async_http_response_exit(&r);
    try_get("/chunks");
    say("at %g", now());
    return async_none;
}

START_TEST(who_does_not_read_is_not_sent_to)
{
    play_http(reads_all_and_some, .limit = 1);
    expect("True True\n"
           "1 cut off\n"
           "100000000\n"
           "TimeoutError: \n"
           "200 hello, world\n"
           "at 8\n");
}
END_TEST

PROGRAM(reads_in_peace)
{
    say_chunks(try_stream("/slowly").ptr);
    return async_none;
}

PROGRAM(reading_is_given_up)
{
    async_task task = async_create_task(async_coro(reads_in_peace));
    await(async_sleep(1.5));
    async_cancel(task);
    say("%s", repr(async_catch(task)));
    await(async_sleep(2));
    task = async_create_task(async_coro(reads_in_peace));
    await(async_sleep(1.5));
    async_http_session_close(session);
    await(task);
    return async_none;
}

START_TEST(reading_that_is_given_up)
{
    play_http(reading_is_given_up);
    expect("chunk 1 at 1\n"
           "CancelledError()\n"
           "False\n"
           "None\n"
           "chunk 1 at 5\n"
           "Software caused connection abort: GET /slowly: the session was closed meanwhile\n"
           "True\n");
}
END_TEST

struct pieces { int n, fail; size_t size; };
static async_value pieces(void *p)
{
    struct pieces *args = p;
    for (int i = 1; i <= args->n; i++) {
        const char *text = async_strf("%0*d", (int)args->size, i);
        await(async_sleep(1));
        if (i == args->fail)
            async_raise(ASYNC_VALUE_ERROR, "no more");
        async_yield(async_ptr(&(async_http_chunk){ text, strlen(text) }));
        async_free(text);
    }
    return async_none;
}

#define try_send(path, ...) \
    say_answer(async_catch(async_http_request(session, .url = at(path), .chunks = __VA_ARGS__)))

PROGRAM(sends_by_and_by)
{
    try_send("/echo", async_generator(pieces, .n = 3, .size = 2));
    try_send("/echo", async_generator(pieces, .n = 0), .method = "PUT");
    try_send("/count", async_generator(pieces, .n = 20, .size = 100000), .method = "PUT");
    say("at %g", now());
    async_http_response *r = try_stream("/big/10000000").ptr;
    try_send("/count", async_http_chunks(r));
    try_send("/echo", async_generator(pieces, .n = 3, .size = 2, .fail = 2));
    try_send("/count", async_generator(pieces, .n = 3, .size = 2), .body = "another");
    try_send("/count", async_generator(pieces, .n = 1, .size = 2));     /* leaves a connection */
    try_send("/nothing", async_generator(pieces, .n = 3, .size = 2));
    say_answer(async_catch(async_http_request(session, .url = "http://127.0.0.1:1/",
                                              .chunks = async_generator(pieces, .n = 1, .size = 2))));
    return async_none;
}

START_TEST(a_body_that_is_made_by_and_by)
{
    play_http(sends_by_and_by, .user_agent = "me");
    expect("200 POST|me|text/plain; charset=utf-8||01;02;03;\n"
           "200 PUT|me|text/plain; charset=utf-8||\n"
           "200 PUT 2000000\n"
           "at 23\n"
           "200 POST 10000000\n"
           "ValueError: no more\n"
           "ValueError: POST /count: a body and chunks of one are two bodies\n"
           "200 POST 2\n"
           "ECONNRESET: POST /nothing: the server closed the connection without an answer\n"
           "ECONNREFUSED: POST http://127.0.0.1:1/: cannot connect to http://127.0.0.1:1/: ECONNREFUSED "
           "(is a server running there?)\n");
}
END_TEST

static int halves;

PROGRAM(reads_half)
{
    async_with(async_http_response_exit) async_http_response *r = try_stream("/big/100000000").ptr;
    await(async_anext(async_http_chunks(r)));
    halves++;
    return async_none;
}

/* The last one is left to the end of the session. */
PROGRAM(a_hundred_halves)
{
    int before = descriptors();
    for (int i = 0; i < 100; i++)
        async_detach(async_create_task(async_coro(reads_half)));
    while (halves < 100)
        await(async_sleep(1));
    await(async_sleep(1));
    say("%s", yes(descriptors() <= before));
    say("%ld", async_http_status(try_stream("/big/100000000").ptr));
    return async_none;
}

START_TEST(what_is_not_read_is_given_up)
{
    play_http(a_hundred_halves, .limit = 2);
    expect("True\n"
           "200\n");
}
END_TEST

/* -------------------------------------------------------------------------- in the long run */

PROGRAM(one_short_get)
{
    async_with(async_http_response_exit) async_http_response *r =
        await(async_http_get(session, at("/big/5000"))).ptr;
    return async_num(async_http_status(r));
}

PROGRAM(a_thousand)
{
    await(async_coro(one_short_get));
    int before = descriptors();
    for (long i = 0; again(&i, 1000);) {
        async_value v = async_catch(
            i % 10 ? async_coro(one_short_get)
                   : async_wait_for(async_http_get(session, at("/sleep/0.3")), 0.1));
        if (v.error != (i % 10 ? 0 : ASYNC_TIMEOUT))
            say("%ld: %s", i, repr(v));
    }
    await(async_sleep(10));
    say("%s", yes(descriptors() <= before + 2));
    return async_none;
}

START_TEST(a_thousand_requests_in_constant_memory)
{
    play_http(a_thousand);
    expect("constant memory\nTrue\n");
}
END_TEST

PROGRAM(stale)
{
    async_http_response *r = await(async_http_get(session, at("/echo"))).ptr;
    async_http_response_exit(&r);
    async_http_status(r);
    return async_none;
}

static void use_a_released_response(void) { play_http(stale); }

START_TEST(a_released_response_is_recognised)
{
    expect_abort(use_a_released_response, "async_http_status");
}
END_TEST

MAIN("http",
    TEST(status_headers_and_body) TEST(post_and_other_methods) TEST(long_bodies_both_ways)
    TEST(redirects_are_followed_so_far) TEST(or_not_at_all) TEST(requests_overlap)
    TEST(limit_of_requests_at_once) TEST(a_place_is_handed_on_by_who_is_cancelled)
    TEST(errors_are_values_with_a_sentence) TEST(a_body_has_a_limit) TEST(total_timeout)
    TEST(connect_timeout) TEST(cancel_in_the_middle) TEST(closing_ends_what_is_under_way)
    TEST(main_may_leave_while_others_wait) TEST(a_loop_that_is_just_closed)
    TEST(chunks_are_read_as_they_come) TEST(who_does_not_read_is_not_sent_to)
    TEST(reading_that_is_given_up) TEST(a_body_that_is_made_by_and_by)
    TEST(what_is_not_read_is_given_up)
    TEST(a_thousand_requests_in_constant_memory) TEST(a_released_response_is_recognised))
