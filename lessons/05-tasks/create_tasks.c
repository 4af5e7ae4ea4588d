/* create_tasks.c - a task runs on its own from the moment the loop gets its next turn.
 *
 * Python twin:
 *     task1 = asyncio.create_task(fetch_user(1))
 *     task2 = ...
 *     print(await asyncio.gather(task1, task2, task3)) */
#include "async.h"
#include <stdio.h>

struct fetch_user { int id; };
static async_value fetch_user(void *p)
{
    struct fetch_user *args = p;
    await(async_sleep(1));
    return async_text("User %d data", args->id);
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_task task1 = async_create_task(async_coro(fetch_user, .id = 1));
    async_task task2 = async_create_task(async_coro(fetch_user, .id = 2));
    async_task task3 = async_create_task(async_coro(fetch_user, .id = 3));

    async_value users[3];
    await(async_gather(users, task1, task2, task3));
    printf("['%s', '%s', '%s']\n", users[0].str, users[1].str, users[2].str);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
