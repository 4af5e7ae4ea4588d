/* expect: status 400" was not printed */
#include "exercise.h"
#include <stdio.h>

async_value fetch_page(void *p)
{
    struct fetch_page *args = p;
    async_http_response *response = await(async_http_get(args->session, args->url)).ptr;
    async_value status = async_http_raise_for_status(response);
    return status.error ? status : async_str(async_http_text(response, NULL));
}

/* Prints the line of a link; is it all right? */
static bool report(const char *name, async_value got)
{
    size_t length;
    if (got.error) {
        printf("%s: no answer\n", name);
        return false;
    }
    async_http_text(got.ptr, &length);
    if (async_http_status(got.ptr) <= 400)
        printf("%s: %zu bytes\n", name, length);
    else
        printf("%s: status %ld\n", name, async_http_status(got.ptr));
    return async_http_status(got.ptr) <= 400;
}

async_value check_links(void *p)
{
    struct check_links *args = p;
    long bad = 0;
    async_value *got = async_alloc(args->count * sizeof *got);
    async_awaitable *gets = async_alloc(args->count * sizeof *gets);
    if (!got || !gets)
        async_raise(ENOMEM, "no memory for so many links");
    async_with(async_http_session_exit) async_http_session *session =
        async_http_session_new(.limit = args->width);
    for (size_t i = 0; i < args->count; i++)
        gets[i] = async_http_get(session, args->links[i].url);
    await(async_gather_list(got, gets, args->count, true));
    for (size_t i = 0; i < args->count; i++)
        bad += !report(args->links[i].name, got[i]);
    return async_num(bad);
}

/* Whoever is still at it when the function ends is not needed any more. */
struct asked { async_task *tasks; size_t count; };
static void asked_exit(struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++)
        async_cancel(asked->tasks[i]);
}

async_value fetch_fastest(void *p)
{
    struct fetch_fastest *args = p;
    async_value v = async_none;
    async_task *tasks = async_alloc(args->count * sizeof *tasks);
    if (!tasks)
        async_raise(ENOMEM, "no memory for so many mirrors");
    for (size_t i = 0; i < args->count; i++)
        tasks[i] = async_create_task(async_coro(fetch_page, args->session, args->mirrors[i].url));
    async_with(asked_exit) struct asked asked = { tasks, args->count };
    for (size_t left = args->count; left > 0;) {
        size_t done = await(async_wait(tasks, left, ASYNC_NO_TIMEOUT, ASYNC_FIRST_COMPLETED)).num;
        for (size_t i = 0; i < done; i++) {
            v = async_catch(tasks[i]);
            if (!v.error)
                return v;
        }
        tasks += done;
        left -= done;
    }
    return v;
}

static async_value try_it(void *p)
{
    (void)p;
    static const struct link links[] = { { "home", "http://127.0.0.1:8000/" },
                                         { "missing", "http://127.0.0.1:8000/missing" },
                                         { "nobody", "http://127.0.0.1:1/" } };
    async_value bad = await(async_coro(check_links, links, 3, 2));
    printf("%ld of 3 are not all right\n", bad.num);
    async_with(async_http_session_exit) async_http_session *session = async_http_session_new();
    async_value page = async_catch(async_coro(fetch_fastest, session, links, 3));
    printf("%.60s\n", page.error ? page.message : page.str);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
