/* monitor.c - a task that says every two seconds who is there, while others come and go.
 *
 * Python twin:
 *     async def monitor_tasks():
 *         while True:
 *             tasks = asyncio.all_tasks()
 *             print(f"Active tasks: {len(tasks)}")
 *             for task in tasks:
 *                 print(f"  - {task.get_name()}")
 *             await asyncio.sleep(2) */
#include "async.h"
#include <stdio.h>

#define MOST 20

static async_value monitor_tasks(void *p)
{
    (void)p;
    for (;;) {
        async_task tasks[MOST];
        size_t count = async_all_tasks(tasks, MOST);
        printf("Active tasks: %zu\n", count);
        for (size_t i = 0; i < count && i < MOST; i++)
            printf("  - %s\n", async_get_name(tasks[i]));
        await(async_sleep(2));
    }
}

struct download { double seconds; };
static async_value download(void *p)
{
    struct download *args = p;
    await(async_sleep(args->seconds));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_set_name(async_current_task(), "main");
    async_task monitor = async_create_task_named(async_coro(monitor_tasks), "monitor");
    async_task film = async_create_task_named(async_coro(download, 5), "film.mp4");
    async_task song = async_create_task_named(async_coro(download, 3), "song.ogg");
    await(song);
    async_task photo = async_create_task_named(async_coro(download, 4), "photo.jpg");
    await(film);
    await(photo);
    async_cancel(monitor);          /* it would go on for ever */
    async_value ended = async_catch(monitor);
    printf("The monitor ended with %s\n", async_error_name(ended.error));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
