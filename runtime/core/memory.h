/* memory.h - text and memory that live until the last task that has them ends.
 *
 * A task has what it makes. Who awaits it inherits all of that at once; who gets an item or a result
 * that points into a block gets a share of that block, and the last share takes the block along. */
#ifndef MEMORY_H
#define MEMORY_H

#include "async.h"
#include "core/list.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct async_ticket;
struct share;

struct memory {                     /* zeroes: nothing yet */
    struct list blocks;
};

static inline bool memory_empty(const struct memory *memory)
{
    return !memory->blocks.next || list_empty(&memory->blocks);
}

void *memory_get(struct memory *memory, size_t size);               /* zeroed; NULL: no memory */
const char *memory_text(struct memory *memory, const char *text);   /* a copy; NULL: of NULL, too */
void memory_give_back(void *bytes);     /* of who alone has it, or the current task; NULL is fine */
bool memory_returned(const void *bytes);    /* the same of what may be anything; false: it was not to be had */

/* The object goes when the rest does. Gives a block that stands for it, or NULL: no memory. */
void *memory_own(struct memory *memory, struct async_ticket *object);

/* Makes a share of the block that this points into, or NULL if it points into none. False: no memory. */
static inline bool memory_share(const void *bytes, struct share **share);
void memory_let_go(struct share *share);

/* The current task has that share, until it is let go or the task ends. Gives NULL instead of one that it
 * need not have: it just got the same. */
struct share *memory_hold(struct share *share);

/* The current task gets what is in `from`, where what v points into is kept for those who come late, until it is
 * given back; they, and who calls the second, get a share of that. They give v, or an error. */
async_value memory_inherit(struct memory *from, async_value v);
async_value memory_receive(async_value v);

bool memory_holds(struct memory *memory, const void *bytes);  /* is this one of its blocks? */
void memory_move(struct memory *to, struct memory *from);           /* in constant time */
void memory_abandon(struct memory *memory);    /* asks each object in it to see to its end */
void memory_drop_objects(struct memory *memory);    /* keeps the text: that may go to another thread */
void memory_free(struct memory *memory);

extern atomic_size_t memory_blocks;     /* how many there are to point into */
bool memory_share_of(const void *bytes, struct share **share);

static inline bool memory_share(const void *bytes, struct share **share)
{
    bool number = (uintptr_t)bytes < 4096 || !atomic_load_explicit(&memory_blocks, memory_order_relaxed);
    *share = NULL;
    return number || memory_share_of(bytes, share);
}

/* Set while a thread of an executor runs a function: what that makes goes with its result. */
extern _Thread_local struct memory *memory_of_thread;

/* That of the current task; where no task runs the program's, which is freed when it ends. */
struct memory *memory_here(void);
struct memory *memory_of_program(void);

#endif
