/* An exit function removes the half; each feed is read in a task of its own. */
#include "exercise.h"
#include <stdio.h>

async_value read_feed(void *p)
{
    struct read_feed *args = p;
    const struct feed *feed = args->feed;
    printf("%s: reading\n", feed->name);
    async_value slept = async_catch(async_sleep(feed->seconds));
    if (slept.error) {
        printf("%s: stopped\n", feed->name);
        return slept;
    }
    if (feed->errors[args->try])
        async_raise(feed->errors[args->try], feed->message);
    printf("%s: read\n", feed->name);
    return async_num(feed->items);
}

async_value remove_half(void *p)
{
    const struct feed *feed = ((struct remove_half *)p)->feed;
    printf("%s: removing\n", feed->name);
    await(async_sleep(0.1));
    if (feed->stuck)
        async_raise(EBUSY, "the file is stuck");
    printf("%s: removed\n", feed->name);
    return async_none;
}

async_value collect(void *p)
{
    struct collect *args = p;
    async_task tasks[MOST_FEEDS];
    long items = 0;
    for (size_t i = 0; i < args->count; i++)
        tasks[i] = async_create_task(async_coro(read_feed, &args->feeds[i], 0));
    await(async_gather_list(NULL, tasks, args->count, true));
    for (size_t i = 0; i < args->count; i++) {
        async_value v = async_result(tasks[i]);
        if (v.error)
            printf("%s: failed (%s)\n", args->feeds[i].name, v.message);
        else
            printf("%s: %ld items\n", args->feeds[i].name, v.num);
        items += v.error ? 0 : v.num;
    }
    return async_num(items);
}

async_value subscribe(void *p)
{
    struct subscribe *args = p;
    async_value got = async_catch(async_coro(read_feed, args->feed, 0));
    switch (got.error) {
    case ENOENT:
        return async_num(0);
    case ASYNC_VALUE_ERROR:
        return async_error(BAD_FEED, async_strf("%s: %s", args->feed->name, got.message));
    }
    return got;
}

static void half_exit(const struct feed **feed)
{
    if (!async_leaving().error)
        return;
    async_value removed = async_catch(async_coro(remove_half, *feed));
    if (removed.error == ASYNC_CANCELLED)
        async_leave_with(removed);
}

struct read_once { const struct feed *feed; size_t try; };
static async_value read_once(void *p)
{
    struct read_once *args = p;
    async_with(half_exit) const struct feed *feed = args->feed;
    return await(async_coro(read_feed, feed, args->try));
}

async_value save(void *p)
{
    struct save *args = p;
    async_value got = async_none;
    for (size_t try = 0; try < args->tries; try++) {
        if (try)
            await(async_sleep(args->pause));
        got = async_catch(async_coro(read_once, args->feed, try));
        if (got.error != EAGAIN)
            break;
    }
    return got;
}

int main(void) { return 0; }
