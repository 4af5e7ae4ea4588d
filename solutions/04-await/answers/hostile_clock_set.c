/* Looks for the time in the loop's memory and turns it back.
 *
 * answer: wrong
 * points: 1/1 0/2 0/3
 * says: The program has set the loop's clock
 */
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

async_value two_files(void *p)
{
    struct two_files *args = p;
    async_loop *loop = async_get_running_loop();
    long begin = async_loop_time(loop) * 1e9 + 0.5, *clock = (long *)(void *)loop;
    while (*clock != begin)
        clock++;
    long bytes = await(async_coro(download, args->first.what, args->first.seconds, args->first.bytes)).num;
    *clock = begin;
    return async_num(bytes + await(async_coro(download, args->second.what, args->second.seconds,
                                              args->second.bytes)).num);
}

async_value web_page(void *p) { return (void)p, async_none; }
