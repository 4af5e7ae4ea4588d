/* wait.c - the first of three is enough: wait for it, and stop the others.
 *
 * Python twin:
 *     done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
 *     print(f"Done: {len(done)}, Pending: {len(pending)}")
 *     for loser in pending:
 *         loser.cancel() */
#include "async.h"
#include <stdio.h>

struct task { int n; };
static async_value task(void *p)
{
    struct task *args = p;
    await(async_sleep(args->n));
    return async_text("Task %d", args->n);
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_task tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = async_create_task(async_coro(task, .n = i + 1));

    int done = await(async_wait(tasks, 3, ASYNC_NO_TIMEOUT, ASYNC_FIRST_COMPLETED)).num;
    printf("Done: %d, Pending: %d\n", done, 3 - done);

    for (int i = done; i < 3; i++)
        async_cancel(tasks[i]);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
