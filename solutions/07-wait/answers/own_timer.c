/* A timer task of our own is cancelled last, when the mirrors have hung up.
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
static async_value end_all(void *p);
struct end_all { async_task *t; size_t n; };
static async_value end_all(void *p)
{
    struct end_all *a = p;
    for (size_t i = 0; i < a->n; i++) async_cancel(a->t[i]);
    for (size_t i = 0; i < a->n; i++) async_catch(a->t[i]);
    return async_none;
}
/* helpers put what they got into a queue; a timer task puts NULL */
struct helper { const struct ask *m; async_queue *q; async_value *out; };
static async_value helper(void *p)
{
    struct helper *a = p;
    async_value v = async_catch(q(a->m));
    if (v.error == ASYNC_CANCELLED) return v;
    *a->out = v;
    await(async_queue_put(a->q, async_ptr(a->out)));
    return v;
}
struct alarm { double seconds; async_queue *q; };
static async_value alarm_(void *p) { struct alarm *a = p; await(async_sleep(a->seconds)); await(async_queue_put(a->q, async_ptr(NULL))); return async_none; }
async_value first_answer(void *p)
{
    struct first_answer *a = p;
    async_task t[MOST_MIRRORS];
    async_value out[MOST_MIRRORS];
    async_queue *qu = async_queue_new(0);
    for (size_t i = 0; i < a->count; i++) t[i] = async_create_task(async_coro(helper, &a->mirrors[i], qu, &out[i]));
    async_value *first = await(async_queue_get(qu)).ptr;
    await(async_coro(end_all, t, a->count));
    return *first;
}
async_value check_all(void *p)
{
    struct check_all *a = p;
    async_task t[MOST_MIRRORS];
    async_value out[MOST_MIRRORS], bad = async_num(a->count);
    async_queue *qu = async_queue_new(0);
    for (size_t i = 0; i < a->count; i++) t[i] = async_create_task(async_coro(helper, &a->mirrors[i], qu, &out[i]));
    for (size_t n = 0; n < a->count; n++) {
        async_value *v = await(async_queue_get(qu)).ptr;
        if (v->error) { bad = *v; break; }
    }
    await(async_coro(end_all, t, a->count));
    return bad;
}
async_value first_good(void *p)
{
    struct first_good *a = p;
    async_task t[MOST_MIRRORS];
    async_value out[MOST_MIRRORS], good = async_str("nobody");
    async_queue *qu = async_queue_new(0);
    async_task timer = async_create_task(async_coro_new((async_call){ alarm_, "alarm", &(struct alarm){ a->patience, qu }, sizeof(struct alarm) }));
    for (size_t i = 0; i < a->count; i++) t[i] = async_create_task(async_coro(helper, &a->mirrors[i], qu, &out[i]));
    for (size_t n = 0; n < a->count; n++) {
        async_value *v = await(async_queue_get(qu)).ptr;
        if (!v) break;
        if (!v->error) { good = *v; break; }
    }
    await(async_coro(end_all, t, a->count));
    async_cancel(timer);                /* tidy up the timer last */
    async_catch(timer);
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
