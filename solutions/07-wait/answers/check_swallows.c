/* Nobody looks at the results.
 *
 * answer: wrong
 * points: 2/2 0/2 3/3
 * says: ended as if all were well
 */
#include "exercise.h"
#include <stdio.h>

async_value ask(void *p)
{
    struct ask *args = p;
    printf("%s: asked\n", args->mirror);
    async_value slept = async_catch(async_sleep(args->seconds));
    if (slept.error) {
        await(async_sleep(args->goodbye));
        printf("%s: hung up\n", args->mirror);
        return slept;
    }
    printf("%s: %s\n", args->mirror, args->broken ? "failed" : "answered");
    if (args->broken)
        async_raise(ECONNREFUSED, async_strf("%s is broken", args->mirror));
    return async_str(args->mirror);
}

static void ask_all(async_task *tasks, const struct ask *mirrors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tasks[i] = async_create_task(async_coro(ask, mirrors[i].mirror, mirrors[i].seconds,
                                                mirrors[i].goodbye, mirrors[i].broken));
}

/* Asks these tasks to end, all of them, and waits until they have. */
struct hang_up { async_task *tasks; size_t count; };
static async_value hang_up(void *p)
{
    struct hang_up *args = p;
    for (size_t i = 0; i < args->count; i++)
        async_cancel(args->tasks[i]);
    if (args->count)
        await(async_wait(args->tasks, args->count, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    return async_none;
}

async_value first_answer(void *p)
{
    struct first_answer *args = p;
    async_task tasks[MOST_MIRRORS];
    ask_all(tasks, args->mirrors, args->count);
    size_t done = await(async_wait(tasks, args->count, ASYNC_NO_TIMEOUT,
                                   ASYNC_FIRST_COMPLETED)).num;
    await(async_coro(hang_up, tasks + done, args->count - done));
    return await(tasks[0]);
}

async_value check_all(void *p)
{
    struct check_all *args = p;
    async_task tasks[MOST_MIRRORS];
    ask_all(tasks, args->mirrors, args->count);
    size_t done = await(async_wait(tasks, args->count, ASYNC_NO_TIMEOUT,
                                   ASYNC_FIRST_EXCEPTION)).num;
    await(async_coro(hang_up, tasks + done, args->count - done));
    return async_num(args->count);
}

static double now(void) { return async_loop_time(async_get_running_loop()); }

async_value first_good(void *p)
{
    struct first_good *args = p;
    double deadline = now() + args->patience;
    async_task tasks[MOST_MIRRORS], *left = tasks;
    size_t count = args->count, done = 1;
    async_value good = async_str("nobody");
    bool found = false;
    ask_all(tasks, args->mirrors, args->count);
    while (count && done && !found) {
        done = await(async_wait(left, count, deadline - now(), ASYNC_FIRST_COMPLETED)).num;
        for (size_t i = 0; i < done && !found; i++, left++, count--) {
            async_value answer = async_catch(*left);
            found = !answer.error;
            good = found ? answer : good;
        }
    }
    await(async_coro(hang_up, left, count));
    return good;
}

int main(void) { return 0; }
