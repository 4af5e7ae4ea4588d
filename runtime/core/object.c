/* object.c - the table of records behind handles, see object.h.
 *
 * Each thread has a table of its own, as each thread may have a running loop of its own. Records
 * come in chunks that never move, so that a ticket is looked up with a shift and two loads. */
#include "core/object.h"
#include "core/loop.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_FORGOTTEN 1024
#define KEEP_UNTAKEN 65536          /* the promises at the top of async.h */
#define KEEP_TAKEN 64
#define KEEP_CANCELLED 65536        /* tickets of recycled records: 512 KiB, once something is cancelled */

_Thread_local struct object_table object_table;

static bool is_free(const struct object *object) { return !(object->ticket >> NUMBER_BITS); }

bool object_grow(void)
{
    size_t count = object_table.records >> CHUNK_BITS;
    if (object_table.records + CHUNK > (size_t)1 << NUMBER_BITS)
        return false;
    if ((count & (count - 1)) == 0) {       /* the array of chunks is full at every power of two */
        struct slot **chunks = realloc(object_table.chunks, (count ? count * 2 : 1) * sizeof *chunks);
        if (!chunks)
            return false;
        object_table.chunks = chunks;
    }
    struct slot *chunk = aligned_alloc(_Alignof(struct slot), CHUNK * sizeof *chunk);
    if (!chunk)
        return false;
    if (!object_table.records)
        for (int i = 0; i <= OWNED; i++)
            list_init(&object_table.retired[i].objects);
    object_table.chunks[count] = chunk;
    for (size_t i = 0; i < CHUNK; i++) {
        struct object *object = (struct object *)&chunk[i];
        object_table.most += object_table.records == object_table.most;
        object->ticket = object_table.records++;
        object->link.next = object_table.free;
        object_table.free = &object->link;
    }
    return true;
}

/* Changes its state; what lists it now is the caller's business. */
static void enter(struct object *object, enum retired which)
{
    object_leave(object);
    object->retired = which;
    object_table.retired[which].length++;
}

struct object *object_new(const struct future_type *type, async_loop *loop)
{
    struct object *object = object_take(type, loop);
    if (!object)
        return NULL;
    list_init(&object->link);
    object_use(object);
    memset(object + 1, 0, OBJECT_SIZE - sizeof *object);
    return object;
}

bool object_over(const void *ticket)
{
    uint64_t serial = (uintptr_t)ticket >> NUMBER_BITS, number = (uintptr_t)ticket & NUMBER_MASK;
    bool given_out = serial && serial <= object_table.serial && number < object_table.most;
    return given_out && !object_find(ticket) && !object_successor(ticket);
}

/* A thread's ring is there until it ends, or the program: its loops may be closed before anybody asks. */
static pthread_key_t rings;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_ring(void)
{
    free(object_table.cancelled);
    object_table.cancelled = NULL;
}

static void make_key(void)
{
    pthread_key_create(&rings, free);
    atexit(free_ring);
}

__attribute__((noinline))
void object_note_cancelled(uint64_t ticket)
{
    if (!object_table.cancelled) {
        object_table.cancelled = calloc(KEEP_CANCELLED, sizeof *object_table.cancelled);
        pthread_once(&once, make_key);
        pthread_setspecific(rings, object_table.cancelled);
    }
    uint64_t *place = &object_table.cancelled[object_table.cancels++ % KEEP_CANCELLED];
    if (!object_table.cancelled)           /* no memory: from now on we cannot tell */
        place = &ticket;
    if (object_table.forgotten < *place)
        object_table.forgotten = *place;
    *place = ticket;
}

bool object_was_cancelled(const void *ticket)
{
    for (size_t i = 0; object_table.cancelled && i < object_table.cancels && i < KEEP_CANCELLED; i++)
        if (object_table.cancelled[i] == (uintptr_t)ticket)
            return true;
    return false;
}

struct object *object_successor(const struct async_ticket *ticket)
{
    struct object *object = object_named(ticket);
    return object && !is_free(object) && object->was == (uintptr_t)ticket ? object : NULL;
}

void object_free(struct object *object)
{
    object_leave(object);
    if (object->future.type->drop)
        object->future.type->drop(object);
    if (object->future.state == CANCELLED)
        object_note_cancelled(object->ticket);
    object_put_back(object);
}

/* It no longer counts as in use: owners that are retired would raise the peak, and so how many
 * owners are kept, for ever. */
void object_own(struct object *object) { enter(object, OWNED); }

void object_disown(struct object *object)
{
    if (object->retired == OWNED)
        object_use(object);
}

void object_use(struct object *object)
{
    enter(object, IN_USE);
    if (object_table.peak < object_table.retired[IN_USE].length)
        object_table.peak = object_table.retired[IN_USE].length;
}

struct list *object_unused(void)
{
    struct list *unused = &object_table.retired[UNUSED].objects;
    if (!unused->next)              /* there was no object yet */
        list_init(unused);
    return unused;
}

void object_expire(struct object *object)
{
    if (object->pins)
        enter(object, EXPIRED);
    else
        object_free(object);
}

/* Nobody asked. Whoever is told of its error may have others recycled, even this one. */
static void give_up(struct object *object)
{
    object_pin(object);
    object->future.loop->unasked(object);
    object_expire(object);
    object_unpin(object);
}

/* Recycles from the head of a queue until it is as short as promised. */
__attribute__((noinline))
static void trim(enum retired which)
{
    struct fifo *queue = &object_table.retired[which];
    size_t keep = which == TAKEN ? KEEP_TAKEN : KEEP_UNTAKEN;
    if (keep < object_table.peak)
        keep = object_table.peak;
    if (which == FORGOTTEN)
        keep = KEEP_FORGOTTEN;
    while (queue->length > keep + 1) {      /* the newest, and `keep` that came before it */
        struct object *oldest = container_of(queue->objects.next, struct object, link);
        if (which == UNTAKEN)
            give_up(oldest);
        else
            object_expire(oldest);
    }
}

void object_retire(struct object *object, enum retired which)
{
    if (object->retired >= which)
        return;
    enter(object, which);
    list_append(&object_table.retired[which].objects, &object->link);
    if (object_table.retired[which].length > KEEP_TAKEN)
        trim(which);
}

static int by_age(const void *a, const void *b)
{
    const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
    return x->ticket < y->ticket ? -1 : x->ticket > y->ticket;
}

void object_each(void (*visit)(struct object *object, void *arg), void *arg)
{
    size_t count = 0;
    struct object **all = malloc((object_table.records + 1) * sizeof *all);
    for (size_t i = 0; i < object_table.records; i++) {
        if (is_free(object_at(i)))
            continue;
        if (all)
            all[count++] = object_at(i);
        else                        /* no memory to sort in: any order is better than none */
            visit(object_at(i), arg);
    }
    if (all)
        qsort(all, count, sizeof *all, by_age);
    for (size_t i = 0; i < count; i++)
        if (!is_free(all[i]))
            visit(all[i], arg);
    free(all);
}

void object_release(void)
{
    for (size_t i = 0; i < object_table.records; i++)
        if (!is_free(object_at(i)))
            return;
    for (size_t i = 0; i < object_table.records >> CHUNK_BITS; i++)
        free(object_table.chunks[i]);
    free(object_table.chunks);
    object_table = (struct object_table){
        .serial = object_table.serial, .most = object_table.most, .cancelled = object_table.cancelled,
        .cancels = object_table.cancels, .forgotten = object_table.forgotten
    };
}
