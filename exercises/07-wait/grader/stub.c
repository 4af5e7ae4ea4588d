/* The nearest mirror. README.md has the task; `make grade-7` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* This one is done: a question to a mirror. Cancelled, it takes a moment to hang up. */
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

/* Part 1: who is the first? */
async_value first_answer(void *p)
{
    struct first_answer *args = p;
    /* TODO: ask all of args->mirrors[0] to [args->count - 1] at once, each in a task; wait for the
     * first answer; cancel the others and wait until they have hung up; return the name that the
     * first one gave. A question:
     *     async_coro(ask, m->mirror, m->seconds, m->goodbye, m->broken) */
    (void)args;
    return async_none;
}

/* Part 2: are they all well? */
async_value check_all(void *p)
{
    struct check_all *args = p;
    /* TODO: ask all at once. If all have answered return how many they are. As soon as one fails
     * cancel those that are pending, wait until they have hung up, and raise its error. */
    (void)args;
    return async_none;
}

/* Part 3: who is the first that is not broken? */
async_value first_good(void *p)
{
    struct first_good *args = p;
    /* TODO: ask all at once; return the name that the first good answer gives, and pass over
     * errors. After args->patience seconds in all, or when all have failed, it is "nobody". Whoever
     * has not answered when you return has hung up. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-7. The grader uses a main of its own. */
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
