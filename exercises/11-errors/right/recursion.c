/* The next try is a call of the same function; the readings are waited for. */
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
    async_task tasks[MOST_FEEDS], sorted[MOST_FEEDS];
    long items = 0;
    for (size_t i = args->count; i-- > 0;)
        sorted[i] = tasks[i] = async_create_task(async_coro(read_feed, &args->feeds[i], 0));
    async_value waited = async_catch(async_wait(sorted, args->count, ASYNC_NO_TIMEOUT,
                                                ASYNC_ALL_COMPLETED));
    if (waited.error) {
        for (size_t i = 0; i < args->count; i++)
            async_cancel(tasks[i]);
        await(async_wait(sorted, args->count, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
        return waited;
    }
    for (size_t i = 0; i < args->count; i++) {
        async_value v = async_catch(tasks[i]);
        if (!v.error)
            items += v.num;
        printf(v.error ? "%s: failed (" : "%s: ", args->feeds[i].name);
        if (v.error)
            printf("%s)\n", v.message);
        else
            printf("%ld items\n", v.num);
    }
    return async_num(items);
}

async_value subscribe(void *p)
{
    struct subscribe *args = p;
    async_value got = async_catch(async_coro(read_feed, args->feed, 0));
    if (got.error == ENOENT)
        return async_num(0);
    if (got.error == ASYNC_VALUE_ERROR)
        async_raise(BAD_FEED, async_strf("%s: %s", args->feed->name, got.message));
    return got;
}

struct save_from { const struct save *args; size_t try; };
static async_value save_from(void *p)
{
    struct save_from *from = p;
    const struct save *args = from->args;
    async_value got = async_catch(async_coro(read_feed, args->feed, from->try));
    if (!got.error)
        return got;
    async_value removed = async_catch(async_create_task(async_coro(remove_half, args->feed)));
    if (removed.error == ASYNC_CANCELLED)
        return removed;
    if (got.error == EAGAIN && from->try + 1 < args->tries) {
        await(async_sleep(args->pause));
        return await(async_coro(save_from, args, from->try + 1));
    }
    return got;
}

async_value save(void *p)
{
    struct save *args = p;
    return await(async_coro(save_from, args, 0));
}

int main(void) { return 0; }
