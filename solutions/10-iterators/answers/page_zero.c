/* It fetches the page that follows the last one.
 *
 * answer: wrong
 * points: 0/2 0/2 3/3
 * says: Page 0 was asked for
 */
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
    struct page *log, *page;    /* the page that we read; NULL before the first */
    size_t given;               /* entries of it that were handed out */
};

static async_value next_entry(void *p)
{
    struct entries *at = p;
    if (!at)
        async_raise(ENOMEM, "no memory for an iterator");
    while (!at->page || at->given == at->page->count) {
        int number = at->page ? at->page->next : 1;
        at->page = await(async_coro(fetch_page, at->log, number)).ptr;
        at->given = 0;
    }
    return async_ptr(&at->page->entries[at->given++]);
}

async_iterator log_entries(struct page *log)
{
    struct entries *at = async_alloc(sizeof *at);
    if (at)
        *at = (struct entries){ log, NULL, 0 };
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
    double earliest = now();
    async_for (entry, log_entries(args->log)) {
        if (now() < earliest)
            await(async_sleep(earliest - now()));
        earliest = now() + args->gap;
        async_yield(entry);
    }
    return async_none;
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
    struct entry *a = await(async_coro(next_of, first)).ptr;
    struct entry *b = await(async_coro(next_of, second)).ptr;
    while (a || b)
        if (a && (!b || a->time <= b->time)) {
            async_yield(async_ptr(a));
            a = await(async_coro(next_of, first)).ptr;
        } else {
            async_yield(async_ptr(b));
            b = await(async_coro(next_of, second)).ptr;
        }
    return async_none;
}

int main(void) { return 0; }
