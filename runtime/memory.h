/* memory.h - text and memory that belong to a task, and pass to whoever awaits it. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Blocks in the order they were made; `last` points to the newest, whose `next` is the oldest. */
struct memory {
    struct block *last;
};

void *memory_get(struct memory *memory, size_t size);               /* zeroed; NULL: no memory */
void memory_move(struct memory *to, struct memory *from);           /* in constant time */
void memory_free(struct memory *memory);

/* What async_alloc uses where no task runs; freed when the program ends. */
struct memory *memory_of_program(void);

#endif
