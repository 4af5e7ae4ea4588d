/* Is the website all right? README.md has the task; `make grade-12` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: one page. */
async_value fetch_page(void *p)
{
    struct fetch_page *args = p;
    /* TODO: get args->url with args->session and return the text of the page. If the status is 400
     * or more, return the error of async_http_raise_for_status instead. */
    (void)args;
    return async_none;
}

/* Part 2: many links, but not all at once. */
async_value check_links(void *p)
{
    struct check_links *args = p;
    /* TODO: make a session of your own that lets args->width requests run at a time, and closes on
     * every way out. Get all the URLs with it. When all are through print a line for each, in
     * order:
     *     NAME: N bytes          a status below 400
     *     NAME: status N         a status of 400 or more
     *     NAME: no answer        an error
     * and return how many were not all right. */
    (void)args;
    return async_none;
}

/* Part 3: the same page is in several places. */
async_value fetch_fastest(void *p)
{
    struct fetch_fastest *args = p;
    /* TODO: ask all mirrors at once; return the first text that fetch_page gives, and cancel the
     * requests that are still under way. A mirror that fails is passed over; if all do, return the
     * error of the one that failed last. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-12, with a server of Python's (python3 -m http.server 8000) beside it.
 * The grader uses a main of its own, and a server as well. */
static async_value try_it(void *p)
{
    (void)p;
    static const struct link links[] = { { "home", "http://127.0.0.1:8000/" },
                                         { "missing", "http://127.0.0.1:8000/missing" },
                                         { "nobody", "http://127.0.0.1:1/" } };
    async_value bad = await(async_coro(check_links, links, 3, 2));
    printf("%ld of 3 are not all right\n", bad.num);
    async_with(async_http_session_exit) async_http_session *session = async_http_session_new();
    async_value page = await(async_coro(fetch_fastest, session, links, 3));
    printf("%.60s\n", page.str ? page.str : "(nothing)");
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
