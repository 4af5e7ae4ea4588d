/* The log of a server. README.md has the task; `make grade-10` looks at it. */
#include "exercise.h"
#include <stdio.h>
#include <string.h>

/* This one is done: it fetches a page of a log. */
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

/* Part 1: an iterator over the entries of all pages. */
async_iterator log_entries(struct page *log)
{
    /* TODO: give an iterator, which is a coroutine function and what it remembers from one call to
     * the next: (async_iterator){ function, state }. The function gives async_ptr(entry), or
     * ASYNC_STOP_ITERATION as an error. The state has to outlive this function: async_alloc makes
     * memory that does. A page is fetched like this:
     *     struct page *page = await(async_coro(fetch_page, log, number)).ptr; */
    (void)log;
    return (async_iterator){ NULL, NULL };
}

/* These two are done, too. */
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

/* Part 2: a generator that reads the log without haste. */
async_value read_gently(void *p)
{
    struct read_gently *args = p;
    /* TODO: open the log; yield each entry of log_entries(args->log) as soon as it is here, but not
     * earlier than args->gap seconds after the one before; close the log on every way out. The time
     * is async_loop_time(async_get_running_loop()). */
    (void)args;
    return async_none;
}

async_value find(void *p)
{
    struct find *args = p;
    /* TODO: walk over async_generator(read_gently, args->log, args->gap) until an entry contains
     * args->word, and return its text, or "nothing". Before that the generator has to be closed. */
    (void)args;
    return async_none;
}

/* Part 3: a generator that makes one of two. */
async_value merge(void *p)
{
    struct merge *args = p;
    /* TODO: yield the entries of args->first and args->second in the order of their times; of equal
     * times the first one's goes first. Close both on every way out. */
    (void)args;
    return async_none;
}

/* Two logs to try it with. */
static struct entry night[] = { { 1, "door opened" }, { 3, "light on" }, { 8, "light off" } };
static struct entry day[] = { { 9, "door opened" }, { 12, "bell rang" }, { 14, "door closed" } };
static struct entry garden[] = { { 2, "gate opened" }, { 8, "rain" } };

static struct page house_log[MOST_PAGES + 1] = {
    [1] = { .seconds = 0.5, .entries = night, .count = 3, .next = 3 },
    [3] = { .seconds = 0.8, .entries = day, .count = 3, .next = 0 },
};
static struct page garden_log[MOST_PAGES + 1] = {
    [1] = { .seconds = 0.3, .entries = garden, .count = 2, .next = 0 },
};

static void print_entry(struct entry *entry) { printf("%ld %s\n", entry->time, entry->text); }

/* To try it: make exercise-10. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    async_iterator entries = log_entries(house_log);
    if (entries.next)
        async_for (entry, entries)
            print_entry(entry.ptr);

    async_value found = await(async_coro(find, house_log, 0.1, "bell"));
    printf("found: %s\n", found.str ? found.str : "(no text)");

    async_for (entry, async_generator(merge, async_generator(read_gently, house_log, 0),
                                      async_generator(read_gently, garden_log, 0)))
        print_entry(entry.ptr);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
