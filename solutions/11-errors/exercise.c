/* The news: handle the errors that one can do something about, and pass on all others.
 *
 * Python twin of part 2:
 *     try:
 *         return await read_feed(feed)
 *     except FileNotFoundError:
 *         return 0
 *     except ValueError as error:
 *         raise BadFeed(f"{feed.name}: {error}") */
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
    async_awaitable list[MOST_FEEDS];
    async_value results[MOST_FEEDS];
    long items = 0;
    for (size_t i = 0; i < args->count; i++)
        list[i] = async_coro(read_feed, &args->feeds[i], 0);
    await(async_gather_list(results, list, args->count, true));
    for (size_t i = 0; i < args->count; i++) {
        if (results[i].error) {
            printf("%s: failed (%s)\n", args->feeds[i].name, results[i].message);
        } else {
            printf("%s: %ld items\n", args->feeds[i].name, results[i].num);
            items += results[i].num;
        }
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

async_value save(void *p)
{
    struct save *args = p;
    for (size_t try = 0;; try++) {
        async_value got = async_catch(async_coro(read_feed, args->feed, try));
        if (!got.error)
            return got;
        async_value removed = async_catch(async_coro(remove_half, args->feed));
        if (removed.error == ASYNC_CANCELLED)
            return removed;
        if (got.error != EAGAIN || try + 1 == args->tries)
            return got;
        await(async_sleep(args->pause));
    }
}

/* Gives the error back if nothing more is wanted, as after Ctrl-C. */
static async_value say(const char *what, async_value v)
{
    if (v.error == ASYNC_CANCELLED)
        return v;
    if (v.error)
        printf("%s: %s (%s)\n", what, async_error_name(v.error), v.message ? v.message : "");
    else
        printf("%s: %ld\n", what, v.num);
    return async_none;
}

static async_value try_it(void *p)
{
    (void)p;
    static const struct feed feeds[] = {
        { "sports", 1, 12, { 0 }, NULL, false },
        { "weather", 0.5, 3, { ASYNC_VALUE_ERROR }, "line 7 makes no sense", false },
        { "city", 1.5, 5, { EAGAIN, EAGAIN, 0 }, "too busy, come again", false },
    };
    async_value v = say("collect", async_catch(async_coro(collect, feeds, 3)));
    for (int i = 0; i < 2 && !v.error; i++)
        v = say("subscribe", async_catch(async_coro(subscribe, &feeds[i])));
    for (int i = 0; i < 3 && !v.error; i++)
        v = say("save", async_catch(async_coro(save, &feeds[i], 3, 0.5)));
    return v;
}

int main(void) { return async_main(async_coro(try_it)); }
