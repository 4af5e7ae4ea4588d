/* crawler.c - visits all pages of a site that can be reached from one, with a few workers at a time.
 *
 *     crawler URL [WORKERS]           prints each page's status, size and path
 *     crawler                         a demonstration with a small site of its own
 *
 * The queue holds what is still to be visited, `seen` what was ever put into it. Whoever finds a link puts
 * it there and waits for nobody. When every page that was put in has been dealt with, queue_join ends,
 * and the workers, which know no end of their own, are cancelled.
 *
 * Python twin:
 *     workers = [asyncio.create_task(work()) for _ in range(count)]
 *     await queue.join()
 *     for worker in workers: worker.cancel() */
#define _GNU_SOURCE
#include "async.h"
#include "http.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PAGES 10000
#define MOST_WORKERS 100
#define MOST_URL 2000

static struct {
    async_http_session *session;
    async_queue *queue;
    const char *site;               /* "http://host:port": nothing else is visited */
    char *seen[MOST_PAGES];         /* ours to free */
    size_t count;
} crawl;

/* Puts a page in line, the first time that somebody names it. */
static void visit(const char *url, size_t length)
{
    for (size_t i = 0; i < crawl.count; i++)
        if (strncmp(crawl.seen[i], url, length) == 0 && !crawl.seen[i][length])
            return;
    char *copy = crawl.count < MOST_PAGES ? strndup(url, length) : NULL;
    if (!copy)
        return;
    crawl.seen[crawl.count++] = copy;
    async_queue_put_nowait(crawl.queue, async_str(copy));       /* it has no limit */
}

/* A link's URL, from the site's root or in full; other links are left alone. */
static void follow(const char *link, size_t length)
{
    char url[MOST_URL];
    bool here = *link == '/' && link[1] != '/';
    int n = snprintf(url, sizeof url, "%s%.*s", here ? crawl.site : "", (int)length, link);
    if (n < (int)sizeof url && strncmp(url, crawl.site, strlen(crawl.site)) == 0)
        visit(url, strcspn(url, "#"));
}

struct look_at { const char *url; };
static async_value look_at(void *p)
{
    struct look_at *args = p;
    size_t size;
    async_with(async_http_response_exit) async_http_response *page =
        await(async_http_get(crawl.session, args->url)).ptr;
    const char *text = async_http_text(page, &size), *type = async_http_header(page, "Content-Type");
    printf("%ld %6zu %s\n", async_http_status(page), size, args->url + strlen(crawl.site));
    if (!async_http_ok(page) || (type && strncmp(type, "text/html", 9) != 0))
        return async_none;
    for (const char *link = text; (link = strcasestr(link, "href=\"")); link += strcspn(link, "\"")) {
        link += strlen("href=\"");
        follow(link, strcspn(link, "\""));
    }
    return async_none;
}

static async_value work(void *p)
{
    (void)p;
    for (;;) {
        const char *url = await(async_queue_get(crawl.queue)).str;
        async_value v = async_catch(async_coro(look_at, url));
        if (v.error == ASYNC_CANCELLED)
            return v;
        if (v.error)
            printf("--- %s\n", v.message);
        async_queue_task_done(crawl.queue);
    }
}

static void forget(size_t **count)
{
    while (**count)
        free(crawl.seen[--**count]);
}

struct crawl_from { const char *url; size_t workers; };
static async_value crawl_from(void *p)
{
    struct crawl_from *args = p;
    async_task workers[MOST_WORKERS];
    const char *host = strstr(args->url, "://");
    if (!host)
        async_raise(ASYNC_VALUE_ERROR, "a URL begins with http://");
    async_with(forget) size_t *pages = &crawl.count;
    async_with(async_http_session_exit) async_http_session *session =
        async_http_session_new(.timeout = 20);
    crawl.session = session;
    crawl.queue = async_queue_new(0);
    crawl.site = async_strf("%.*s", (int)(host + 3 + strcspn(host + 3, "/") - args->url), args->url);
    visit(args->url, strlen(args->url));
    for (size_t i = 0; i < args->workers; i++)
        workers[i] = async_create_task(async_coro(work));
    await(async_queue_join(crawl.queue));
    for (size_t i = 0; i < args->workers; i++)
        async_cancel(workers[i]);
    printf("%zu pages\n", *pages);
    return async_none;
}

/* ------------------------------------------------------------------------ the demonstration */

static const struct { const char *path, *text; } pages[] = {
    { "/", "<a href=\"/tea\">Tea</a> <a href=\"/cake#best\">Cake</a> <a href=\"https://example.org/\">Others</a>" },
    { "/tea", "<a href=\"/\">Home</a> <a href=\"/cake\">Cake</a>" },
    { "/cake", "<a href=\"/bread\">Bread</a> <a href=\"/gone\">Pie</a>" },
    { "/bread", "Flour, water, salt, and a day." },
};

/* A page takes half a second. */
static async_value answer(async_stream *stream, void *arg)
{
    (void)arg;
    char path[100] = "";
    async_for (line, async_stream_lines(stream)) {
        sscanf(line.str, "GET %99s", path);
        if (strcmp(line.str, "\r\n") != 0)
            continue;
        const char *text = NULL;
        for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
            text = strcmp(pages[i].path, path) ? text : pages[i].text;
        await(async_sleep(0.5));
        async_stream_puts(stream, async_strf("HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: "
            "%zu\r\n\r\n%s", text ? "200 OK" : "404 Not Found", text ? strlen(text) : 0, text ? text : ""));
    }
    return async_none;
}

static async_value demonstrate(void *p)
{
    (void)p;
    async_with(async_server_exit) async_server *server =
        await(async_start_server(answer, NULL, "127.0.0.1", 0)).ptr;
    await(async_coro(crawl_from, async_strf("http://127.0.0.1:%d/", async_server_port(server)), 2));
    printf("at %g s\n", async_loop_time(async_get_running_loop()));
    return async_none;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    size_t workers = argc > 2 ? strtoul(argv[2], NULL, 10) : 10;
    if (workers < 1 || workers > MOST_WORKERS) {
        fprintf(stderr, "WORKERS is a number from 1 to %d.\n", MOST_WORKERS);
        return 2;
    }
    return async_main(argc > 1 ? async_coro(crawl_from, argv[1], workers) : async_coro(demonstrate));
}
