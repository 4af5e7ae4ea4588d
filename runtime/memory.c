/* memory.c - see memory.h; and async_alloc's and async_strf's way there. */
#include "memory.h"
#include "async.h"
#include "task.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next, *previous;  /* in a circle */
    struct async_ticket *object;    /* an object that goes with it, or NULL */
    _Alignas(max_align_t) char bytes[];
};

void *memory_get(struct memory *memory, size_t size)
{
    struct block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    struct memory single = { block };
    block->next = block->previous = block;
    memory_move(memory, &single);
    return block->bytes;
}

const char *memory_text(struct memory *memory, const char *text)
{
    char *copy = text ? memory_get(memory, strlen(text) + 1) : NULL;
    return copy ? strcpy(copy, text) : NULL;
}

bool memory_own(struct memory *memory, struct async_ticket *object)
{
    if (!memory_get(memory, 0))
        return false;
    memory->last->object = object;
    object_own(object_find(object));
    return true;
}

bool memory_holds(const struct memory *memory, const void *bytes)
{
    struct block *block = memory->last;
    while (block) {
        if (block->bytes == bytes)
            return true;
        block = block->next == memory->last ? NULL : block->next;
    }
    return false;
}

void memory_move(struct memory *to, struct memory *from)
{
    if (from->last && to->last) {
        struct block *oldest = to->last->next, *moved = from->last->next;
        to->last->next = moved;
        moved->previous = to->last;
        from->last->next = oldest;
        oldest->previous = from->last;
    }
    if (from->last)
        to->last = from->last;
    from->last = NULL;
}

void memory_give_back(struct memory *memory, void *bytes)
{
    if (!bytes)
        return;
    struct block *block = (struct block *)((char *)bytes - offsetof(struct block, bytes));
    if (memory->last == block)
        memory->last = block->previous == block ? NULL : block->previous;
    block->previous->next = block->next;
    block->next->previous = block->previous;
    free(block);
}

void memory_free(struct memory *memory)
{
    while (memory->last) {
        struct block *oldest = memory->last->next;
        struct object *object = oldest->object ? object_find(oldest->object) : NULL;
        if (object)
            object_expire(object);
        memory_give_back(memory, oldest->bytes);
    }
}

static struct memory of_program;
_Thread_local struct memory *memory_of_thread;

static void free_program(void) { memory_free(&of_program); }

struct memory *memory_of_program(void)
{
    static int registered;
    if (!registered)
        registered = atexit(free_program) == 0;
    return &of_program;
}

struct memory *memory_here(void)
{
    struct task *task = task_current();
    return task ? &task->memory : memory_of_thread ? memory_of_thread : memory_of_program();
}

void *async_alloc(size_t size) { return memory_get(memory_here(), size); }

const char *async_strf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : memory_get(memory_here(), length + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, length + 1, format, args);
    va_end(args);
    return text;
}
