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
    uint64_t serial;            /* of its ticket; 0: the record is free */
    uint64_t was;               /* of the coroutine object that became this task, or 0 */
    const char *place;          /* "file:line" where it was made */
    struct list link;           /* in a queue, among a loop's tasks, or on the free list */
    uint32_t pins;              /* our own pointers to it; not recycled before there are none */
    uint32_t number : 24;       /* of the record; never changes */
    uint32_t retired : 3;       /* enum retired: which queue it waits in */
    uint32_t brief : 1;         /* a wait of the runtime's own: recycled before it runs */
    uint32_t reported : 1;      /* as an error that nobody asked for */
    struct future future;       /* every object is one, or may become one; its type tells */
};

enum retired { IN_USE, FORGOTTEN, UNTAKEN, TAKEN, EXPIRED, OWNED };

/* The object around a future that is not a plain one. */
static inline struct object *future_object(struct future *future)
{
    return container_of(future, struct object, future);
}

#define OBJECT_SIZE 256         /* room for the largest: a _Static_assert beside each kind */
#define NUMBER_BITS 24          /* 16 million records alive at once; the rest of a ticket is its serial */

static inline async_awaitable object_ticket(const struct object *object)
{
    return (async_awaitable)(uintptr_t)(object->serial << NUMBER_BITS | object->number);
}

void object_free(struct object *object);        /* recycle it now, with what it owns, */
void object_recycle(struct object *object);     /* or if it owns nothing */

static inline void object_pin(struct object *object) { object->pins++; }
static inline void object_unpin(struct object *object)
{
    if (--object->pins == 0 && object->retired == EXPIRED)
        object_free(object);
}

struct object *object_new(const struct future_type *type, async_loop *loop);   /* NULL: no memory */
void *object_find(const struct async_ticket *ticket);  /* NULL: stale */

/* Was this a ticket, and what it stood for is recycled? Then that had ended: questions about its state
 * are answered for good, those about its value get a sentence. */
bool object_over(const void *ticket);

/* Of one that is over: had it been cancelled (a scope: had it expired)? After 65,536 such it may be
 * too long ago to tell: that is a sentence on behalf of `caller`. */
bool object_was_cancelled(const void *ticket, const char *caller);
void object_note_cancelled(const void *ticket);

void object_renew(struct object *object);       /* gives it a new ticket: the old one is stale */

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
