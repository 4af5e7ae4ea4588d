/* object.h - what handles stand for, and how a handle that is too old is recognised.
 *
 * A handle (async_awaitable, async_handle) is a ticket: the number of a record and the serial
 * number that the record got when it was handed out. Records are used again, serials are not, so
 * a ticket whose serial no longer matches is stale, and we can say so instead of touching what
 * lies there now.
 *
 * Every record is one struct object, large enough to be a task. It is a coroutine object first
 * and becomes a task in place. When it is done its owner retires it: it stays readable in a queue
 * (of records whose outcome was taken, or not yet), and is recycled when it reaches the head of a
 * queue that is over its limit. See the rule at the top of async.h. */
#ifndef OBJECT_H
#define OBJECT_H

#include "async.h"
#include "core/future.h"
#include "core/list.h"
#include <stdbool.h>
#include <stdint.h>

struct object {
    uint64_t ticket;            /* its serial, above the number of the record; serial 0: the record is free */
    uint64_t was;               /* the ticket of the coroutine object that became this task, or 0 */
    const char *place;          /* "file:line" where it was made */
    struct list link;           /* in a queue, among a loop's tasks, or on the free list */
    uint32_t pins;              /* our own pointers to it; not recycled before there are none */
    uint8_t retired;            /* enum retired: which queue it waits in */
    bool listed;                /* in a list that is being read just now */
    bool brief;                 /* a wait of the runtime's own: recycled before it runs */
    bool reported;              /* as an error that nobody asked for */
    struct future future;       /* every object is one, or may become one; its type tells */
};

/* UNUSED: a coroutine object that was not awaited or made a task yet. */
enum retired { UNUSED, IN_USE, FORGOTTEN, UNTAKEN, TAKEN, EXPIRED, OWNED };

/* The object around a future that is not a plain one. */
static inline struct object *future_object(struct future *future)
{
    return container_of(future, struct object, future);
}

#define OBJECT_SIZE 256         /* room for the largest kind */
#define NUMBER_BITS 24          /* 16 million records alive at once; the rest of a ticket is its serial */
#define NUMBER_MASK (((uint64_t)1 << NUMBER_BITS) - 1)
#define CHUNK_BITS 8
#define CHUNK (1 << CHUNK_BITS)

struct slot {                       /* a record, as wide as the widest */
    _Alignas(64) char bytes[OBJECT_SIZE];
};

struct fifo {
    struct list objects;            /* the oldest first; unless others list them: IN_USE, EXPIRED, OWNED */
    size_t length;
};

/* Of this thread. Here because what is made and used up most, the waits of the runtime's own, should cost
 * no call; everybody else goes through the functions below. */
struct object_table {
    struct slot **chunks;
    size_t records;                 /* how many there are in all chunks */
    size_t most;                    /* and how many there ever were */
    uint64_t serial;                /* the last one given out; never starts again */
    uint64_t *cancelled;            /* a ring: the tickets of those that were, when they are recycled */
    uint64_t forgotten;             /* the latest ticket that is no longer in there */
    size_t cancels;                 /* how many were put in */
    struct list *free;              /* the one freed last, linked by `next` */
    struct fifo retired[OWNED + 1]; /* by enum retired */
    size_t peak;                    /* the most that were ever IN_USE */
};
extern _Thread_local struct object_table object_table;

static inline async_awaitable object_ticket(const struct object *object)
{
    return (async_awaitable)(uintptr_t)object->ticket;
}

static inline size_t object_number(const struct object *object) { return object->ticket & NUMBER_MASK; }

static inline struct object *object_at(size_t number)
{
    return (struct object *)&object_table.chunks[number >> CHUNK_BITS][number & (CHUNK - 1)];
}

/* The record that a ticket names, whatever it is used for now. */
static inline struct object *object_named(const struct async_ticket *ticket)
{
    size_t number = (uintptr_t)ticket & NUMBER_MASK;
    bool named = number < object_table.records && (uintptr_t)ticket >> NUMBER_BITS;
    return named ? object_at(number) : NULL;
}

static inline void *object_find(const struct async_ticket *ticket)      /* NULL: stale */
{
    struct object *object = object_named(ticket);
    return object && object->ticket == (uintptr_t)ticket ? object : NULL;
}

bool object_grow(void);                         /* more records; false: no memory */

/* A record for a new object, UNUSED but listed nowhere. NULL: no memory. */
static inline struct object *object_take(const struct future_type *type, async_loop *loop)
{
    if (__builtin_expect(!object_table.free, 0) && !object_grow())
        return NULL;
    struct object *object = container_of(object_table.free, struct object, link);
    object_table.free = object->link.next;
    object_table.retired[UNUSED].length++;
    object->ticket |= ++object_table.serial << NUMBER_BITS;
    object->was = 0;
    object->place = async_here;
    object->pins = 0;
    object->retired = UNUSED;
    object->brief = object->reported = object->listed = false;
    future_init(&object->future, type, loop);
    return object;
}

static inline void object_leave(struct object *object)      /* whatever it is listed in */
{
    object_table.retired[object->retired].length--;
    list_remove(&object->link);
}

/* A record that is listed nowhere any more, and owns nothing. */
static inline void object_put_back(struct object *object)
{
    object->ticket &= NUMBER_MASK;
    object->link.next = object_table.free;
    object_table.free = &object->link;
}

void object_free(struct object *object);        /* recycle it now, with what it owns */

static inline void object_pin(struct object *object) { object->pins++; }
static inline void object_unpin(struct object *object)
{
    if (--object->pins == 0 && object->retired == EXPIRED)
        object_free(object);
}

struct object *object_new(const struct future_type *type, async_loop *loop);   /* zeroes behind it; NULL: no memory */

/* The same, as the struct that begins with it. */
#define object_as(kind, object) \
    ({ _Static_assert(sizeof(kind) <= OBJECT_SIZE, "it fits its record"); (kind *)(object); })
#define object_make(kind, type, loop) object_as(kind, object_new(type, loop))

/* Was this a ticket, and what it stood for is recycled? Then that had ended: questions about its state
 * are answered for good, those about its value get a sentence. */
bool object_over(const void *ticket);

/* Of one that is over: was it cancelled? Of all but the last 65,536 such we no longer know: of one that old
 * `false` says nothing. */
bool object_was_cancelled(const void *ticket);
void object_note_cancelled(uint64_t ticket);
static inline bool object_too_old(const void *ticket) { return (uintptr_t)ticket <= object_table.forgotten; }

static inline void object_renew(struct object *object)      /* gives it a new ticket: the old one is stale */
{
    object->was = object->ticket;
    object->ticket = ++object_table.serial << NUMBER_BITS | object_number(object);
}

/* What a stale ticket stood for if it was a coroutine that has become a task since, else NULL. */
struct object *object_successor(const struct async_ticket *ticket);

void object_retire(struct object *object, enum retired which);  /* done: recycle it by and by */
struct list *object_unused(void);                       /* coroutine objects that are neither used nor retired */
void object_use(struct object *object);                 /* takes it out of there, or of its queue */
void object_own(struct object *object);                 /* it goes with its owner, who expires it */
void object_disown(struct object *object);              /* it is retired like any other after all */
void object_expire(struct object *object);              /* recycle it as soon as it is not pinned */

/* Calls visit for every record in use or retired, oldest first; visit may free it. */
void object_each(void (*visit)(struct object *object, void *arg), void *arg);
void object_release(void);                      /* gives the memory back if nothing is in use */

#endif
