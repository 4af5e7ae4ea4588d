/* memory.h - text and memory that belong to a task, and pass to whoever awaits it. */
#ifndef MEMORY_H
#define MEMORY_H

#include "core/list.h"
#include <stdbool.h>
#include <stddef.h>

struct async_ticket;

struct memory {                     /* zeroes: nothing yet */
    struct list blocks;
};

void *memory_get(struct memory *memory, size_t size);               /* zeroed; NULL: no memory */
const char *memory_text(struct memory *memory, const char *text);   /* a copy; NULL: of NULL, too */
void memory_give_back(void *bytes);             /* frees one, whoever owns it now; NULL is fine */

/* The object goes when the rest does. Gives a block that stands for it, or NULL: no memory. */
void *memory_own(struct memory *memory, struct async_ticket *object);

bool memory_holds(struct memory *memory, const void *bytes);  /* is this one of its blocks? */
void memory_move(struct memory *to, struct memory *from);           /* in constant time */
void memory_abandon(struct memory *memory);    /* asks each object in it to see to its end */
void memory_drop_objects(struct memory *memory);    /* keeps the text: that may go to another thread */
void memory_free(struct memory *memory);

/* Set while a thread of an executor runs a function: what that makes goes with its result. */
extern _Thread_local struct memory *memory_of_thread;

/* That of the current task; where no task runs the program's, which is freed when it ends. */
struct memory *memory_here(void);
struct memory *memory_of_program(void);

#endif
