/* Frees the same memory twice, which the C library says before AddressSanitizer can.
 *
 * answer: wrong
 * points: 0/1 0/2 0/3
 * says: Memory was damaged, which the C library noticed later in download() at exercise.c
 * says: or freed twice
 */
#include "exercise.h"
#include <stdio.h>
#include <stdlib.h>
async_value download(void *p)
{
    struct download *args = p;
    char *text = malloc(24), *volatile again = text;
    free(text);
    free(again);
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

