/* await(task) raises the cancellation in the caller.
 *
 * answer: wrong
 * points: 2/2 2/2 0/3
 * says: ended with CancelledError
 */
#include "exercise.h"
#include <stdio.h>

async_value upload(void *p)
{
    struct upload *args = p;
    printf("%s: uploading\n", args->file);
    async_value slept = async_catch(async_sleep(args->seconds));
    if (slept.error == ASYNC_CANCELLED) {
        await(async_sleep(0.1));
        printf("%s: removed what was there\n", args->file);
    }
    if (slept.error)
        return slept;
    printf("%s: stored\n", args->file);
    return async_num(args->bytes);
}

static async_task start(const struct upload *u)
{
    return async_create_task_named(async_coro(upload, u->file, u->seconds, u->bytes), u->file);
}

async_value backup(void *p)
{
    struct backup *args = p;
    async_task tasks[MOST_UPLOADS];
    long bytes = 0;
    for (size_t i = 0; i < args->count; i++)
        tasks[i] = start(&args->files[i]);
    for (size_t i = 0; i < args->count; i++)
        bytes += await(tasks[i]).num;
    return async_num(bytes);
}

async_value upload_within(void *p)
{
    struct upload_within *args = p;
    async_task task = start(&args->what);
    await(async_sleep(args->patience));
    if (!async_done(task))
        async_cancel(task);
    async_value ended = await(task);
    if (ended.error != ASYNC_CANCELLED)
        return ended;
    printf("%s: given up\n", args->what.file);
    return async_num(0);
}

int main(void) { return 0; }
