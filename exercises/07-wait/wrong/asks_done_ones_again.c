/* expect: comes back at once, too */
/* The nearest mirror: wait for as little as is needed; cancel the rest together, and await it.
 *
 * Python twin of part 1:
 *     tasks = [asyncio.create_task(ask(mirror)) for mirror in mirrors]
 *     done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
 *     for task in pending:
 *         task.cancel()
 *     if pending:
 *         await asyncio.wait(pending)
 *     return done.pop().result() */
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
    for (size_t i = 0; i < done; i++)
        await(tasks[i]);                    /* the one that failed raises its error here */
    return async_num(args->count);
}

static double now(void) { return async_loop_time(async_get_running_loop()); }

async_value first_good(void *p)
{
    struct first_good *args = p;
    async_task tasks[MOST_MIRRORS];
    ask_all(tasks, args->mirrors, args->count);
    double deadline = now() + args->patience;
    size_t done = await(async_wait(tasks, args->count, args->patience, ASYNC_FIRST_COMPLETED)).num;
    while (done && done < args->count && async_exception(tasks[done - 1]).error)
        done = await(async_wait(tasks, args->count, deadline - now(), ASYNC_FIRST_COMPLETED)).num;
    async_value v = done ? async_catch(tasks[done - 1]) : async_str("nobody");
    await(async_coro(hang_up, tasks + done, args->count - done));
    return v.error ? async_str("nobody") : v;
}

static async_value try_it(void *p)
{
    (void)p;
    static const struct ask mirrors[] = { { "Berlin", 1.5, 0.1, false },
                                          { "Osaka", 1, 0.2, false },
                                          { "Lima", 0.5, 0.1, true } };
    async_value first = await(async_coro(first_answer, mirrors, 2));
    printf("the first is %s\n", first.str ? first.str : "(unknown)");
    async_value well = async_catch(async_coro(check_all, mirrors, 3));
    printf("the check says: %s\n", well.error ? well.message : "all well");
    async_value good = await(async_coro(first_good, mirrors, 3, 5));
    printf("the first good one is %s\n", good.str ? good.str : "(unknown)");
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
