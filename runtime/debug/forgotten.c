/* forgotten.c - see debug.h.
 *
 * The loop asks us to look whenever it is about to wait, or to see whether it should: by then whatever
 * a task handed on before it ended has been taken up by those who could. */
#include "debug/debug.h"
#include "core/coro.h"
#include "core/exception.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include <stdio.h>
#include <stdlib.h>

#define SOON (1000 * 1000 * 1000)   /* ns: later than that we say of an error that nobody has asked */
#define PATIENCE 64                 /* how many coroutine objects we pass over whose makers live */
#define MOST_UNUSED (1 << 20)       /* coroutine objects that may wait to be awaited, each 256 bytes */
#define IN_FULL 10                  /* errors from one place that are printed; the others are counted */

struct place {                      /* where they were made */
    const char *at, *name;          /* "file:line", and the coroutine function's; of errors NULL */
    async_awaitable first;
    size_t count, said;             /* how many are forgotten, and how many when we last said so */
};

struct failed {
    struct list link;
    async_awaitable x;
    int64_t since;
};

struct forgotten {
    struct list failed;             /* whom nobody has asked yet, the oldest first */
    struct place *places;
    size_t count;
};

static struct forgotten *of(async_loop *loop)
{
    if (!loop->forgotten && (loop->forgotten = calloc(1, sizeof *loop->forgotten)))
        list_init(&loop->forgotten->failed);
    return loop->forgotten;
}

/* One more from there. NULL: no memory. */
static struct place *count(struct forgotten *forgotten, const struct object *object, const char *name)
{
    for (size_t i = 0; forgotten && i < forgotten->count; i++) {
        struct place *place = &forgotten->places[i];
        if (place->at == object->place && !place->name == !name && ++place->count)
            return place;
    }
    struct place *places = forgotten ? realloc(forgotten->places,
                                               (forgotten->count + 1) * sizeof *places) : NULL;
    if (!places)
        return NULL;
    forgotten->places = places;
    places[forgotten->count] = (struct place){ object->place, name, object_ticket(object), 1, 0 };
    return &places[forgotten->count++];
}

static void count_coroutine(struct object *object, void *forgotten)
{
    if (object->future.type == &coroutine_type)
        count(forgotten, object, ((struct coro *)object)->name);
}

/* ------------------------------------------------------------------------ never awaited */

static void say_unawaited(struct place *place)
{
    const struct object *first = object_find(place->first);     /* NULL: it is gone */
    const char *origin = first && place->count == 1 ? report_origin(first) : "";
    fflush(stdout);
    fprintf(stderr, "%s: RuntimeWarning: coroutine '%s' was never awaited%s%s", place->at, place->name,
            *origin ? "; made" : "", origin);
    if (place->count > 1)
        fprintf(stderr, " (%zu such objects)", place->count);
    fputc('\n', stderr);
    place->said = place->count;
}

static void made_outside(struct object *object, void *arg)
{
    (void)arg;
    if (object->future.type == &coroutine_type && !object->future.loop) {
        say_unawaited(&(struct place){ object->place, ((struct coro *)object)->name, object_ticket(object), 1, 0 });
        object_free(object);
    }
}

/* What was made outside of any loop may be awaited until the program ends. */
__attribute__((destructor)) static void at_exit(void)
{
    object_each(made_outside, NULL);
    object_release();
}

/* Nobody else counts on an object whose maker has ended, and on a million of them hardly their maker; one made
 * outside of any loop has none to end. */
static bool given_up(const struct object *object)
{
    struct object *maker = object_find(object->future.outcome.ptr);
    bool maker_lives = maker && maker->future.state == PENDING;
    return object->future.loop && (!maker_lives || object_table.retired[UNUSED].length > MOST_UNUSED);
}

static void look_for_unawaited(void)
{
    struct list *unused = object_unused(), *last = unused->prev;
    bool more = !list_empty(unused);
    for (int patience = PATIENCE; patience && more;) {
        struct object *object = container_of(unused->next, struct object, link);
        more = &object->link != last;
        if (!given_up(object)) {            /* to the end: next time we begin with others */
            list_remove(&object->link);
            list_append(unused, &object->link);
            patience--;
            continue;
        }
        count_coroutine(object, of(object->future.loop));
        object_retire(object, FORGOTTEN);
    }
}

/* ---------------------------------------------------------------------- never retrieved */

void forgotten_failed(struct object *object)
{
    struct forgotten *forgotten = of(object->future.loop);
    struct failed *failed = forgotten ? malloc(sizeof *failed) : NULL;
    if (!failed)
        return;                     /* it is reported when its handle is given up */
    *failed = (struct failed){ .x = object_ticket(object), .since = object->future.loop->clock.now };
    list_append(&forgotten->failed, &failed->link);
}

static void say_error(struct object *object, const char *so_far)
{
    char text[64];
    struct future *future = &object->future;
    if (object->retired != UNTAKEN || object->reported || future->state != FINISHED || !future->outcome.error)
        return;
    object->reported = true;
    snprintf(text, sizeof text, "%s exception was never retrieved%s",
             future->type == &task_type ? "Task" : "Future", so_far);
    struct place *place = count(of(future->loop), object, NULL);
    if (future->loop->on_exception || !place || place->count <= IN_FULL)
        report_exception(future->loop, text, future->outcome, object);
}

void forgotten_lost(struct object *object)
{
    if (object->future.type == &coroutine_type && object->retired != FORGOTTEN)     /* else it is counted */
        count_coroutine(object, of(object->future.loop));
    say_error(object, "");
}

/* Takes those off the list that were asked meanwhile, and those that waited long enough. */
static void look_for_errors(struct forgotten *forgotten, int64_t until)
{
    list_each(link, &forgotten->failed) {
        struct failed *failed = container_of(link, struct failed, link);
        struct object *object = object_find(failed->x);
        bool asked = !object || object->retired != UNTAKEN;
        if (!asked && until - SOON <= failed->since)
            return;
        list_remove(link);
        free(failed);
        if (!asked)
            say_error(object, " so far");
    }
}

/* ------------------------------------------------------------------------------ for the loop */

void forgotten_look(async_loop *loop, int64_t until)
{
    look_for_unawaited();
    struct forgotten *forgotten = loop->forgotten;
    if (!forgotten)
        return;
    look_for_errors(forgotten, until);
    for (size_t i = 0; i < forgotten->count; i++)
        if (forgotten->places[i].name && !forgotten->places[i].said)
            say_unawaited(&forgotten->places[i]);
}

void forgotten_say_all(async_loop *loop)
{
    struct forgotten *forgotten = loop->forgotten;
    if (!forgotten)
        return;
    for (size_t i = 0; i < forgotten->count; i++) {
        struct place *place = &forgotten->places[i];
        if (place->name && place->count > place->said)
            say_unawaited(place);
        if (!place->name && place->count > IN_FULL && !loop->on_exception)
            fprintf(stderr, "%s: %zu in all ended with an error that was never retrieved\n", place->at,
                    place->count);
    }
    list_each(link, &forgotten->failed)
        free(container_of(link, struct failed, link));
    free(forgotten->places);
    free(forgotten);
    loop->forgotten = NULL;
}

void forgotten_print(void)
{
    struct forgotten now = { .count = 0 };
    object_each(count_coroutine, &now);
    for (size_t i = 0; i < now.count; i++)
        fprintf(stderr, "%zu coroutine object%s '%s' made at %s: not awaited\n", now.places[i].count,
                now.places[i].count == 1 ? "" : "s", now.places[i].name, now.places[i].at);
    free(now.places);
}
