/* stage.c - a small web server in this process, and the student's functions as its clients.
 *
 * The run is: PART WIDTH CANCELLED-AT (0: not at all), then for each page NAME SECONDS STATUS SIZE.
 * Page number i is at /i; it comes after its seconds; its text is its name over and over, cut to
 * its size; for check_links, which wants only the length, with a 0 byte in the middle. With status
 * 0 the server hangs up instead of answering. The server is part of the loop, and so are its tasks:
 * what the student's function took, and what it left behind, is measured here.
 *
 * It has whatever port is free, and everybody takes it for the same one: a URL in a message, and so a grading with
 * the same seed, is the same everywhere. */
#include "exercise.h"
#include "stage.h"
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_PAGES 12
#define SEEMING_PORT 8000
#define OUR_SESSION "the-session-that-was-given"

static struct { const char *name; double seconds; long status, size; } pages[MOST_PAGES];
static struct link links[MOST_PAGES];
static size_t count;
static long width, asked, of_others, served, handlers, at_once, most_at_once;

/* --------------------------------------------------------------------------- the server */

static async_value answer(async_stream *stream, size_t i)
{
    long size = pages[i].size;
    char *body = async_alloc(size + 1);
    size_t length = strlen(pages[i].name);
    for (long k = 0; k < size; k++)
        body[k] = pages[i].name[k % length];
    if (stage_part("check_links"))
        body[size / 2] = 0;
    async_stream_puts(stream, async_strf("HTTP/1.1 %ld Whatever\r\nContent-Length: %ld\r\n"
                                         "Connection: close\r\n\r\n", pages[i].status, size));
    async_stream_write(stream, body, size);
    return async_catch(async_stream_drain(stream));
}

static async_value serve(async_stream *stream, void *arg)
{
    (void)arg;
    handlers++;
    async_value v = async_catch(async_stream_readuntil(stream, "\r\n\r\n", NULL));
    size_t i = v.error || strlen(v.str) < 6 ? count : strtoul(v.str + 5, NULL, 10);
    if (i < count) {
        asked++;
        of_others += !strstr(v.str, OUR_SESSION);
        if (++at_once > most_at_once)
            most_at_once = at_once;
        v = async_catch(async_sleep(pages[i].seconds));
        at_once--;
        if (!v.error && pages[i].status)
            v = answer(stream, i);
        served += !v.error;
    }
    handlers--;
    return v.error == ASYNC_CANCELLED ? v : async_none;
}

/* --------------------------------------------------------------------------- its port */

static int real_port;           /* 0: not yet known */

static bool has_port(const struct sockaddr_in *address, int port)
{
    return real_port && address->sin_family == AF_INET && address->sin_port == htons(port);
}

/* libc's, for us and for libcurl. */
int our_connect(int fd, const struct sockaddr_in *to, socklen_t length) __asm__("connect");
int our_connect(int fd, const struct sockaddr_in *to, socklen_t length)
{
    struct sockaddr_in real;
    if (length < sizeof real || !has_port(to, SEEMING_PORT))
        return syscall(SYS_connect, fd, to, length);
    real = *to;
    real.sin_port = htons(real_port);
    return syscall(SYS_connect, fd, &real, sizeof real);
}

int our_getsockname(int fd, struct sockaddr_in *name, socklen_t *length) __asm__("getsockname");
int our_getsockname(int fd, struct sockaddr_in *name, socklen_t *length)
{
    int result = syscall(SYS_getsockname, fd, name, length);
    if (result == 0 && *length >= sizeof *name && has_port(name, real_port))
        name->sin_port = htons(SEEMING_PORT);
    return result;
}

/* ------------------------------------------------------------------------- the measuring */

static void note(const char *name, long number) { stage_number(name, async_num(number)); }

/* What is there besides this task and those of the server, once whoever was cancelled has ended. */
static async_value note_left_behind(void *p)
{
    int before = *(int *)p;
    for (int i = 0; i < 10; i++)
        await(async_sleep(0));
    note("left", (long)async_all_tasks(NULL, 0) - 1 - handlers);
    note("open", before >= 0 && stage_open_files() - handlers > before);
    return async_none;
}

/* Two at once: the first has two links, the second has all others. */
static async_value two(void *p)
{
    (void)p;
    async_value got[2];
    await(async_gather(got, async_coro(check_links, links, 2, width),
                       async_coro(check_links, links + 2, count - 2, width)));
    stage_number("first", got[0]);
    stage_number("second", got[1]);
    return async_none;
}

/* The same with mirrors, while a third that began before them is given up. */
struct two_fastest { async_http_session *session; };
static async_value two_fastest(void *p)
{
    async_http_session *session = ((struct two_fastest *)p)->session;
    async_value got[3];
    await(async_gather_exceptions(got, async_wait_for(async_coro(fetch_fastest, session, links, 2), 0.2),
                                  async_coro(fetch_fastest, session, links, 2),
                                  async_coro(fetch_fastest, session, links + 2, count - 2)));
    stage_text("first", got[1]);
    stage_text("second", got[2]);
    return async_none;
}

static async_coroutine part(async_http_session *session)
{
    if (stage_part("fetch_page"))
        return async_coro(fetch_page, session, links[0].url);
    if (stage_part("check_links"))
        return async_coro(check_links, links, count, width);
    if (stage_part("two"))
        return async_coro(two);
    if (stage_part("two_fastest"))
        return async_coro(two_fastest, session);
    return async_coro(fetch_fastest, session, links, count);
}

struct cancel_later { async_task task; double seconds; };
static async_value cancel_later(void *p)
{
    struct cancel_later *args = p;
    await(async_sleep(args->seconds));
    async_cancel(args->task);
    return async_none;
}

static async_value client(void *p)
{
    (void)p;
    for (size_t i = 0; i < count; i++)
        links[i] = (struct link){ pages[i].name,
                                  async_strf("http://127.0.0.1:%d/%zu", SEEMING_PORT, i) };
    async_with(async_http_session_exit) async_http_session *session =
        async_http_session_new(.user_agent = OUR_SESSION);
    int before = stage_part("check_links") ? stage_open_files() : -1;
    if (stage_real(2))
        async_detach(async_create_task(async_coro(cancel_later, async_current_task(),
                                                  stage_real(2))));
    double start = async_loop_time(async_get_running_loop());
    async_value v = async_catch(part(session));
    note("milliseconds", lround((async_loop_time(async_get_running_loop()) - start) * 1000));
    async_catch(async_coro_new((async_call){ note_left_behind, "note", &before, sizeof before }));
    note("asked", asked);
    note("of_others", of_others);
    note("most", most_at_once);
    return v;
}

static async_value with_server(void *p)
{
    (void)p;
    async_with(async_server_exit) async_server *server =
        await(async_start_server(serve, NULL, "127.0.0.1", 0)).ptr;
    real_port = async_server_port(server);
    return async_catch(async_coro(client));
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    width = stage_integer(1);
    count = (stage_words() - 3) / 4;
    for (size_t i = 0; i < count && i < MOST_PAGES; i++) {
        pages[i].name = stage_word(3 + 4 * i);
        pages[i].seconds = stage_real(4 + 4 * i);
        pages[i].status = stage_integer(5 + 4 * i);
        pages[i].size = stage_integer(6 + 4 * i);
    }
    async_value v = stage_run(async_coro(with_server));
    if (stage_part("check_links"))
        stage_number("check_links", v);
    else if (stage_part("two") || stage_part("two_fastest"))
        stage_outcome("two", v);
    else
        stage_text(stage_word(0), v);
    return stage_close();
}
