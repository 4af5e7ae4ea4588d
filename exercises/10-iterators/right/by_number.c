/* The state is the number of the next page; the gap is always slept; arrays of two in merge. */
#include "exercise.h"
#include <stdio.h>
#include <string.h>

async_value fetch_page(void *p)
{
    struct fetch_page *args = p;
    if (args->number < 1 || args->number > MOST_PAGES)
        async_raise(ENOENT, async_strf("there is no page %d", args->number));
    struct page *page = &args->log[args->number];
    printf("fetching page %d\n", args->number);
    await(async_sleep(page->seconds));
    if (page->failures > 0) {
        page->failures--;
        async_raise(ECONNRESET, async_strf("page %d did not come", args->number));
    }
    return async_ptr(page);
}

struct entries {
    struct page *log;
    struct entry *left, *end;   /* of the page that is here */
    int next;
};

static async_value next_entry(void *p)
{
    struct entries *at = p;
    for (;;) {
        if (at->left != at->end)
            return async_ptr(at->left++);
        if (at->next == 0)
            async_raise(ASYNC_STOP_ITERATION, "");
        async_value got = async_catch(async_coro(fetch_page, at->log, at->next));
        if (got.error)
            return got;
        struct page *page = got.ptr;
        at->next = page->next;
        at->left = page->entries;
        at->end = page->entries + page->count;
    }
}

async_iterator log_entries(struct page *log)
{
    struct entries *at = async_alloc(sizeof *at);
    if (at)
        *at = (struct entries){ log, NULL, NULL, 1 };
    return (async_iterator){ next_entry, at };
}

async_value open_log(void *p)
{
    (void)p;
    await(async_sleep(0.2));
    struct connection *connection = async_alloc(sizeof *connection);
    if (!connection)
        async_raise(ENOMEM, "no memory for a connection");
    connection->open = true;
    printf("log opened\n");
    return async_ptr(connection);
}

async_value close_log(void *p)
{
    struct close_log *args = p;
    if (!args->connection->open)
        async_raise(ENOTCONN, "the log is closed already");
    args->connection->open = false;
    await(async_sleep(0.1));
    printf("log closed\n");
    return async_none;
}

static void log_exit(struct connection **connection)
{
    async_value closed = async_catch(async_coro(close_log, *connection));
    if (closed.error)
        async_leave_with(closed);
}

static double now(void) { return async_loop_time(async_get_running_loop()); }

async_value read_gently(void *p)
{
    struct read_gently *args = p;
    async_with(log_exit) struct connection *connection = await(async_coro(open_log)).ptr;
    async_iterator entries = log_entries(args->log);
    double last = -args->gap;
    for (;;) {
        async_value entry = async_catch(async_anext(entries));
        if (entry.error == ASYNC_STOP_ITERATION)
            return async_none;
        if (entry.error)
            async_raise(entry.error, entry.message);
        await(async_sleep(last + args->gap - now()));
        last = now();
        async_yield(entry);
    }
}

async_value find(void *p)
{
    struct find *args = p;
    async_with(async_aclose_exit) async_iterator entries =
        async_generator(read_gently, args->log, args->gap);
    async_for (value, entries) {
        struct entry *entry = value.ptr;
        if (strstr(entry->text, args->word))
            return async_str(entry->text);
    }
    return async_str("nothing");
}

/* The next entry of a source; at its end there is none. */
struct next_of { async_iterator source; };
static async_value next_of(void *p)
{
    struct next_of *args = p;
    async_value entry = async_catch(async_anext(args->source));
    return entry.error == ASYNC_STOP_ITERATION ? async_ptr(NULL) : entry;
}

async_value merge(void *p)
{
    struct merge *args = p;
    async_with(async_aclose_exit) async_iterator first = args->first;
    async_with(async_aclose_exit) async_iterator second = args->second;
    async_iterator sources[2] = { first, second };
    struct entry *next[2];
    for (int i = 0; i < 2; i++)
        next[i] = await(async_coro(next_of, sources[i])).ptr;
    while (next[0] || next[1]) {
        int i = !next[0] || (next[1] && next[1]->time < next[0]->time);
        async_yield(async_ptr(next[i]));
        next[i] = await(async_coro(next_of, sources[i])).ptr;
    }
    return async_none;
}

int main(void) { return 0; }
