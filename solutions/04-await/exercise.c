/* A web page: what needs another's result awaits it first, what is independent becomes a task.
 *
 * Python twin of part 3:
 *     page = await download(...)
 *     style = asyncio.create_task(download(...))
 *     image = asyncio.create_task(download(...))
 *     total = page + await style + await image */
#include "exercise.h"
#include <stdio.h>

async_value download(void *p)
{
    struct download *args = p;
    printf("%s: started\n", args->what);
    await(async_sleep(args->seconds));
    printf("%s: finished\n", args->what);
    return async_num(args->bytes);
}

static async_task start(const struct download *file)
{
    return async_create_task(async_coro(download, file->what, file->seconds, file->bytes));
}

async_value two_files(void *p)
{
    struct two_files *args = p;
    async_task first = start(&args->first);
    async_task second = start(&args->second);
    long bytes = await(first).num;
    return async_num(bytes + await(second).num);
}

async_value web_page(void *p)
{
    struct web_page *args = p;
    async_value page = await(async_coro(download, args->page.what, args->page.seconds,
                                        args->page.bytes));
    async_task style = start(&args->style);
    async_task image = start(&args->image);
    long bytes = page.num + await(style).num;
    bytes += await(image).num;
    printf("%s is complete\n", args->page.what);
    return async_num(bytes);
}

static async_value try_it(void *p)
{
    (void)p;
    await(async_coro(download, "robots.txt", 0.5, 120));
    await(async_coro(two_files, { "logo.png", 1, 9000 }, { "news.json", 1.5, 700 }));
    async_value all = await(async_coro(web_page, { "index.html", 1, 4000 },
                                       { "style.css", 0.5, 900 }, { "photo.jpg", 2, 70000 }));
    printf("%ld bytes in all\n", all.num);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
