/* Another name for a function, attributes, and a loop in another thread, with a clock of its own.
 *
 * answer: right
 * points: 1/1 2/2 3/3
 */
#include "exercise.h"
#include <pthread.h>
#include <stdio.h>
#define JOINED(a, b) a##b

int tell(const char *format, ...) __asm__("printf");
__attribute__((unused, deprecated("not \"this\"; that\n"))) static long JOINED(o, ld)(void) { return 1; }

static async_value nap(void *p)
{
    (void)p;
    await(async_sleep(60));
    return async_num(60);
}

static void *run(void *p)
{
    async_value v = async_run(async_coro(nap));
    return v.num == 60 ? p : NULL;
}

async_value download(void *p)
{
    struct download *args = p;
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
    tell("%s: started\n", args->what);
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

