/* debug_mode.c - three mistakes that a program can make without a word, and debug mode, which names
 * them: a step that is too slow, a coroutine that nobody awaits, an error that nobody retrieves.
 *
 * Python twin:
 *     async def main():
 *         await asyncio.gather(asyncio.create_task(resize(), name="resize"),
 *                              asyncio.create_task(upload(), name="upload"))
 *
 *     asyncio.run(main(), debug=True) */
#include "async.h"
#include <stdio.h>
#include <unistd.h>

/* Mistake 1: this blocks. It is not even a coroutine. */
static void apply_filter(void)
{
    usleep(150 * 1000);
}

static async_value resize(void *p)
{
    (void)p;
    printf("resize: begins\n");
    await(async_sleep(0.5));
    apply_filter();
    await(async_sleep(0.5));
    printf("resize: done\n");
    return async_none;
}

static async_value log_upload(void *p)
{
    (void)p;
    printf("this is never printed\n");
    return async_none;
}

static async_value ask_server(void *p)
{
    (void)p;
    await(async_sleep(0.3));
    async_raise(ASYNC_VALUE_ERROR, "the server speaks Latin");
}

static async_value upload(void *p)
{
    (void)p;
    printf("upload: begins\n");
    async_coroutine log = async_coro(log_upload);       /* mistake 2: only an object */
    async_task asking = async_create_task_named(async_coro(ask_server), "ask server");
    (void)log, (void)asking;                            /* mistake 3: who awaits that task? */
    await(async_sleep(1));
    printf("upload: done\n");
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_task resizing = async_create_task_named(async_coro(resize), "resize");
    async_task uploading = async_create_task_named(async_coro(upload), "upload");
    await(async_gather(NULL, resizing, uploading));
    printf("all is well, it seems\n");
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine), .debug = true); }
