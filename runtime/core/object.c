/* object.c - the table of records behind handles, see object.h.
 *
 * Each thread has a table of its own, as each thread may have a running loop of its own. Records
 * come in chunks that never move, so that a ticket is looked up with a shift and two loads. */
#include "core/object.h"
#include "debug/forgotten.h"
#include "debug/report.h"
#include <stdlib.h>
#include <string.h>

#define CHUNK_BITS 8
#define CHUNK (1 << CHUNK_BITS)
#define KEEP_FORGOTTEN 1024
#define KEEP_UNTAKEN 65536          /* the promises at the top of async.h */
#define KEEP_TAKEN 64
#define KEEP_CANCELLED 65536        /* serials of recycled records: 512 KiB, once something is cancelled */

struct slot {                       /* a record, as wide as the widest */
    _Alignas(64) char bytes[OBJECT_SIZE];
};

struct fifo {
    struct list objects;            /* the oldest first */
    size_t length;
};

static _Thread_local struct {
    struct slot **chunks;
    size_t records;                 /* how many there are in all chunks */
    size_t most;                    /* and how many there ever were */
    uint64_t serial;                /* the last one given out; never starts again */
    uint64_t *cancelled;            /* a ring: the serials of those that were, when they are recycled */
    uint64_t forgotten;             /* the highest serial that is no longer in there */
    size_t cancels;                 /* how many were put in */
    struct list *free;              /* the one freed last, linked by `next` */
    struct fifo retired[EXPIRED];  /* by enum retired; IN_USE has coroutine objects that nobody used yet */
    size_t in_use, peak;            /* records neither free, retired nor owned, and the most ever */
} table;

static struct object *record(size_t number)
{
    return (struct object *)&table.chunks[number >> CHUNK_BITS][number & (CHUNK - 1)];
}

/* Seldom, and so not in between. */
__attribute__((noinline))
static bool grow(void)
{
    size_t count = table.records >> CHUNK_BITS;
    if (table.records + CHUNK > (size_t)1 << NUMBER_BITS)
        return false;
    if ((count & (count - 1)) == 0) {       /* the array of chunks is full at every power of two */
        struct slot **chunks = realloc(table.chunks, (count ? count * 2 : 1) * sizeof *chunks);
        if (!chunks)
            return false;
        table.chunks = chunks;
    }
    struct slot *chunk = aligned_alloc(_Alignof(struct slot), CHUNK * sizeof *chunk);
    if (!chunk)
        return false;
    if (!table.records)
        for (int i = 0; i < EXPIRED; i++)
            list_init(&table.retired[i].objects);
    table.chunks[count] = chunk;
    for (size_t i = 0; i < CHUNK; i++) {
        struct object *object = (struct object *)&chunk[i];
        object->serial = 0;
        object->number = table.records++;
        table.most += object->number == table.most;
        object->link.next = table.free;
        table.free = &object->link;
    }
    return true;
}

struct object *object_new(const struct future_type *type, async_loop *loop)
{
    if (!table.free && !grow())
        return NULL;
    struct object *object = container_of(table.free, struct object, link);
    table.free = object->link.next;
    list_init(&object->link);
    object->serial = ++table.serial;
    object->was = 0;
    object->place = async_here;
    object->pins = 0;
    object->retired = IN_USE;
    object->brief = object->reported = false;
    future_init(&object->future, type, loop);
    if (++table.in_use > table.peak)
        table.peak = table.in_use;
    return object;
}

/* The record that a ticket names, whatever it is used for now, and the ticket's serial. */
static struct object *named(const struct async_ticket *ticket, uint64_t *serial)
{
    uint64_t bits = (uintptr_t)ticket;
    size_t number = bits & (((uint64_t)1 << NUMBER_BITS) - 1);
    *serial = bits >> NUMBER_BITS;
    return number < table.records && *serial ? record(number) : NULL;
}

bool object_over(const void *ticket)
{
    uint64_t serial, number = (uintptr_t)ticket & (((uint64_t)1 << NUMBER_BITS) - 1);
    struct object *object = named(ticket, &serial);
    bool given_out = serial && serial <= table.serial && number < table.most;
    return given_out && !(object && (object->serial == serial || object_successor(ticket)));
}

__attribute__((noinline))
static void note_cancelled(uint64_t serial)
{
    if (!table.cancelled)
        table.cancelled = calloc(KEEP_CANCELLED, sizeof *table.cancelled);
    uint64_t *place = &table.cancelled[table.cancels++ % KEEP_CANCELLED];
    if (!table.cancelled)           /* no memory: from now on we cannot tell */
        place = &serial;
    if (table.forgotten < *place)
        table.forgotten = *place;
    *place = serial;
}

void object_note_cancelled(const void *ticket)
{
    note_cancelled((uintptr_t)ticket >> NUMBER_BITS);
}

bool object_was_cancelled(const void *ticket, const char *caller)
{
    uint64_t serial = (uintptr_t)ticket >> NUMBER_BITS;
    for (size_t i = 0; table.cancelled && i < table.cancels && i < KEEP_CANCELLED; i++)
        if (table.cancelled[i] == serial)
            return true;
    if (serial <= table.forgotten)
        report_abort(report_misuse((async_awaitable)ticket, caller));
    return false;
}

void *object_find(const struct async_ticket *ticket)
{
    uint64_t serial;
    struct object *object = named(ticket, &serial);
    return object && object->serial == serial ? object : NULL;
}

struct object *object_successor(const struct async_ticket *ticket)
{
    uint64_t serial;
    struct object *object = named(ticket, &serial);
    return object && object->serial && object->was == serial ? object : NULL;
}

void object_renew(struct object *object)
{
    object->was = object->serial;
    object->serial = ++table.serial;
}

static void leave_queue(struct object *object)
{
    if (object->retired == IN_USE)
        table.in_use--;
    else if (object->retired < EXPIRED)
        table.retired[object->retired].length--;
    list_remove(&object->link);
}

static void put_back(struct object *object)
{
    object->serial = 0;
    object->link.next = table.free;
    table.free = &object->link;
}

void object_free(struct object *object)
{
    leave_queue(object);
    if (object->future.type->drop)
        object->future.type->drop(object);
    if (object->future.state == CANCELLED)
        note_cancelled(object->serial);
    put_back(object);
}

void object_recycle(struct object *object)
{
    leave_queue(object);
    put_back(object);
}

/* It no longer counts as in use: owners that are retired would raise the peak, and so how many
 * owners are kept, for ever. */
void object_own(struct object *object)
{
    leave_queue(object);
    object->retired = OWNED;
}

void object_disown(struct object *object)
{
    if (object->retired == OWNED)
        object_use(object);
}

void object_use(struct object *object)
{
    leave_queue(object);
    object->retired = IN_USE;
    table.in_use++;
}

struct list *object_unused(void)
{
    struct list *unused = &table.retired[IN_USE].objects;
    if (!unused->next)              /* there was no object yet */
        list_init(unused);
    return unused;
}

void object_expire(struct object *object)
{
    if (object->pins) {
        leave_queue(object);
        object->retired = EXPIRED;
    } else {
        object_free(object);
    }
}

/* Nobody asked. Whoever is told of its error may have others recycled, even this one. */
static void give_up(struct object *object)
{
    object_pin(object);
    forgotten_error(object);
    object_expire(object);
    object_unpin(object);
}

/* Recycles from the head of a queue until it is as short as promised. */
static void trim(enum retired which)
{
    struct fifo *queue = &table.retired[which];
    size_t keep = which == TAKEN ? KEEP_TAKEN : KEEP_UNTAKEN;
    if (keep < table.peak)
        keep = table.peak;
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
    leave_queue(object);
    object->retired = which;
    list_append(&table.retired[which].objects, &object->link);
    if (++table.retired[which].length > KEEP_TAKEN)
        trim(which);
}

static int by_age(const void *a, const void *b)
{
    const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

void object_each(void (*visit)(struct object *object, void *arg), void *arg)
{
    size_t count = 0;
    struct object **all = malloc((table.records + 1) * sizeof *all);
    for (size_t i = 0; i < table.records; i++) {
        if (!record(i)->serial)
            continue;
        if (all)
            all[count++] = record(i);
        else                        /* no memory to sort in: any order is better than none */
            visit(record(i), arg);
    }
    if (all)
        qsort(all, count, sizeof *all, by_age);
    for (size_t i = 0; i < count; i++)
        if (all[i]->serial)
            visit(all[i], arg);
    free(all);
}

void object_release(void)
{
    for (size_t i = 0; i < table.records; i++)
        if (record(i)->serial)
            return;
    for (size_t i = 0; i < table.records >> CHUNK_BITS; i++)
        free(table.chunks[i]);
    free(table.chunks);
    free(table.cancelled);
    table.chunks = NULL;
    table.cancelled = NULL;
    if (table.cancels)
        table.forgotten = table.serial;
    table.cancels = 0;
    table.records = table.in_use = table.peak = 0;
    table.free = NULL;
}
