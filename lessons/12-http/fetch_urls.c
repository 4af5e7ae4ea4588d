/* fetch_urls.c - one session, several URLs at once: real requests over real sockets.
 *
 *     fetch_urls                 asks a small server of its own, so that no internet is needed
 *     fetch_urls URL...          asks whom you like
 *
 * Python twin:
 *     async with aiohttp.ClientSession() as session:
 *         pages = await asyncio.gather(*(fetch_url(session, url) for url in urls)) */
#include "http.h"
#include <stdio.h>
#include <string.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

struct page { const char *url; size_t bytes; double seconds; };

struct fetch_url { async_http_session *session; struct page *page; };
static async_value fetch_url(void *p)
{
    struct fetch_url *args = p;
    struct page *page = args->page;
    double start = now();
    async_with(async_http_response_exit) async_http_response *response =
        await(async_http_get(args->session, page->url)).ptr;
    async_http_text(response, &page->bytes);
    page->seconds = now() - start;
    return async_none;
}

struct fetch_urls { const char **urls; int count; };
static async_value fetch_urls(void *p)
{
    struct fetch_urls *args = p;
    struct page pages[args->count];
    async_awaitable fetches[args->count];
    async_value outcomes[args->count];
    double start = now(), sum = 0;

    async_with(async_http_session_exit) async_http_session *session = async_http_session_new();
    for (int i = 0; i < args->count; i++) {
        pages[i] = (struct page){ .url = args->urls[i] };
        fetches[i] = async_coro(fetch_url, session, &pages[i]);
    }
    await(async_gather_list(outcomes, fetches, args->count, true));

    for (int i = 0; i < args->count; i++) {
        if (outcomes[i].error)
            printf("%s\n", outcomes[i].message);
        else
            printf("%s: %zu bytes, after %.1f s\n", pages[i].url, pages[i].bytes, pages[i].seconds);
        sum += pages[i].seconds;
    }
    printf("All at once took %.1f s; one after the other, %.1f s\n", now() - start, sum);
    return async_none;
}

/* The server: user 1 after 0.3 s, user 2 after 0.2 s, user 3 after 0.1 s. */
static async_value serve(async_stream *stream, void *arg)
{
    (void)arg;
    static const char *const names[] = { "Ada", "Grace", "Radia" };
    const char *request = await(async_stream_readuntil(stream, "\r\n\r\n", NULL)).str;
    int id = request[strlen("GET /users/")] - '0';
    if (id < 1 || id > 3)
        return async_stream_puts(stream, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    await(async_sleep((4 - id) * 0.1));
    async_stream_puts(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    async_stream_puts(stream, async_strf("{\"id\": %d, \"name\": \"%s\"}\n", id, names[id - 1]));
    await(async_stream_drain(stream));
    return async_none;
}

static async_value fetch_from_ourselves(void *p)
{
    (void)p;
    async_with(async_server_exit) async_server *server =
        await(async_start_server(serve, NULL, "127.0.0.1", 0)).ptr;
    const char *urls[3];
    for (int i = 0; i < 3; i++)
        urls[i] = async_strf("http://127.0.0.1:%d/users/%d", async_server_port(server), i + 1);
    return await(async_coro(fetch_urls, urls, 3));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return async_main(async_coro(fetch_urls, (const char **)argv + 1, argc - 1));
    return async_main(async_coro(fetch_from_ourselves));
}
