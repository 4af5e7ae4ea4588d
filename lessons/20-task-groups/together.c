/* together.c - one of three fails: what gather leaves behind, and what a task group does.
 *
 * Python twin:
 *     await asyncio.gather(*(send(*letter) for letter in letters))
 *
 *     async with asyncio.TaskGroup() as group:
 *         for letter in letters:
 *             group.create_task(send(*letter)) */
#include "async.h"
#include <stdio.h>

static double now(void) { return async_loop_time(async_get_running_loop()); }

static double start;

struct letter { const char *name; double seconds; bool fails; };
static const struct letter letters[] = {
    { "Ann", 1, true }, { "Ben", 2, false }, { "Cem", 3, true }
};

struct send { const struct letter *letter; };
static async_value send(void *p)
{
    const struct letter *letter = ((struct send *)p)->letter;
    async_value slept = async_catch(async_sleep(letter->seconds));
    if (slept.error) {
        printf("%.0f s  one is stopped\n", now() - start);
        return slept;
    }
    printf("%.0f s  %s: %s\n", now() - start, letter->name, letter->fails ? "failed" : "sent");
    if (letter->fails)
        async_raise(ASYNC_VALUE_ERROR, async_strf("%s has moved", letter->name));
    return async_none;
}

static async_value send_gathered(void *p)
{
    (void)p;
    async_task tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = async_create_task_named(async_coro(send, &letters[i]), letters[i].name);
    await(async_gather_list(NULL, tasks, 3, false));
    return async_none;
}

static async_value send_grouped(void *p)
{
    (void)p;
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    for (int i = 0; i < 3; i++)
        async_taskgroup_create_task_named(group, async_coro(send, &letters[i]), letters[i].name);
    await(async_taskgroup_join(group));
    return async_none;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    printf("With gather:\n");
    start = now();
    async_value sent = async_catch(async_coro(send_gathered));
    printf("%.0f s  it is over: %s\n", now() - start, sent.message);
    await(async_sleep(3));      /* we do something else */

    printf("With a group:\n");
    start = now();
    sent = async_catch(async_coro(send_grouped));
    printf("%.0f s  it is over: %s\n", now() - start, sent.message);
    await(async_sleep(3));
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
