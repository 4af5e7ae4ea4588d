/* A supervisor walks over async_as_completed, and is cancelled last.
 *
 * answer: right
 * points: 2/2 2/2 3/3
 */
#include "exercise.h"
#include <stdio.h>
#include <stdlib.h>
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
static async_coroutine q(const struct ask *m) { return async_coro(ask, m->mirror, m->seconds, m->goodbye, m->broken); }
struct stop { async_task *t; size_t n; };
static async_value stop(void *p)
{
    struct stop *a = p;
    for (size_t i = 0; i < a->n; i++) async_cancel(a->t[i]);
    if (a->n) await(async_wait(a->t, a->n, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    return async_none;
}
/* a supervisor task collects; it is cancelled when it is not needed any more */
struct collect { async_task t; async_queue *q; };
static async_value supervise(void *p)
{
    struct { async_task *t; size_t n; async_queue *q; } *a = p;
    async_for (x, async_as_completed(a->t, a->n, ASYNC_NO_TIMEOUT))
        await(async_queue_put(a->q, x));
    return async_none;
}
struct supervised { async_task *t; size_t n; async_queue *q; };
static async_task supervisor(async_task *t, size_t n, async_queue *qu)
{
    return async_create_task(async_coro_new((async_call){ supervise, "supervise", &(struct supervised){ t, n, qu }, sizeof(struct supervised) }));
}
async_value first_answer(void *p)
{
    struct first_answer *a = p;
    async_task t[MOST_MIRRORS];
    for (size_t i = 0; i < a->count; i++) t[i] = async_create_task(q(&a->mirrors[i]));
    async_queue *qu = async_queue_new(1);
    async_task s = supervisor(t, a->count, qu);
    async_task first = await(async_queue_get(qu)).ptr;
    await(async_coro(stop, t, a->count));
    async_cancel(s);
    async_catch(s);
    return await(first);
}
async_value check_all(void *p)
{
    struct check_all *a = p;
    async_task t[MOST_MIRRORS];
    for (size_t i = 0; i < a->count; i++) t[i] = async_create_task(q(&a->mirrors[i]));
    async_queue *qu = async_queue_new(1);
    async_task s = supervisor(t, a->count, qu);
    async_value v = async_none;
    for (size_t i = 0; i < a->count && !v.error; i++)
        v = async_catch((async_task)await(async_queue_get(qu)).ptr);
    await(async_coro(stop, t, a->count));
    async_cancel(s);
    async_catch(s);
    return v.error ? v : async_num(a->count);
}
async_value first_good(void *p)
{
    struct first_good *a = p;
    async_task t[MOST_MIRRORS];
    for (size_t i = 0; i < a->count; i++) t[i] = async_create_task(async_wait_for(q(&a->mirrors[i]), a->patience));
    async_value good = async_str("nobody");
    async_for (x, async_as_completed(t, a->count, ASYNC_NO_TIMEOUT)) {
        async_value v = async_catch((async_task)x.ptr);
        if (!v.error) { good = v; break; }
    }
    await(async_coro(stop, t, a->count));
    return good;
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
