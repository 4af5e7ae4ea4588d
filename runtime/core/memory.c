/* memory.c - see memory.h; and the way there of async_alloc, async_strf and async_text. */
#include "core/memory.h"
#include "async.h"
#include "core/task.h"
#include "debug/report.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct list link;               /* in its owner's memory, the oldest first */
    struct async_ticket *object;    /* an object that goes with it, or NULL */
    uintptr_t sign;                 /* says that it is one, and still there */
    _Alignas(max_align_t) char bytes[];
};

static uintptr_t sign_of(const struct block *block) { return (uintptr_t)block ^ 0x6d656d6f7279; }

static struct list *blocks_of(struct memory *memory)
{
    if (!memory->blocks.next)       /* memory that is all zeroes is empty */
        list_init(&memory->blocks);
    return &memory->blocks;
}

static struct block *block_at(struct list *link) { return container_of(link, struct block, link); }

void *memory_get(struct memory *memory, size_t size)
{
    struct block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->sign = sign_of(block);
    list_append(blocks_of(memory), &block->link);
    return block->bytes;
}

const char *memory_text(struct memory *memory, const char *text)
{
    char *copy = text ? memory_get(memory, strlen(text) + 1) : NULL;
    return copy ? strcpy(copy, text) : NULL;
}

void *memory_own(struct memory *memory, struct async_ticket *object)
{
    void *bytes = memory_get(memory, 0);
    if (!bytes)
        return NULL;
    container_of(bytes, struct block, bytes)->object = object;
    object_own(object_find(object));
    return bytes;
}

bool memory_holds(struct memory *memory, const void *bytes)
{
    list_each(link, blocks_of(memory))
        if (block_at(link)->bytes == bytes)
            return true;
    return false;
}

void memory_move(struct memory *to, struct memory *from)
{
    list_splice(blocks_of(to), blocks_of(from));
}

void memory_give_back(void *bytes)
{
    if (!bytes)
        return;
    struct block *block = container_of(bytes, struct block, bytes);
    list_remove(&block->link);
    block->sign = 0;
    free(block);
}

void memory_abandon(struct memory *memory)
{
    list_each(link, blocks_of(memory)) {
        struct block *block = block_at(link);
        struct object *object = block->object ? object_find(block->object) : NULL;
        if (!object || !object->future.type->abandon || !object->future.type->abandon(object))
            continue;
        list_remove(link);
        free(block);
    }
}

void memory_drop_objects(struct memory *memory)
{
    list_each(link, blocks_of(memory)) {
        struct block *block = block_at(link);
        struct object *object = block->object ? object_find(block->object) : NULL;
        if (!block->object)
            continue;
        if (object)
            object_expire(object);
        list_remove(link);
        free(block);
    }
}

void memory_free(struct memory *memory)
{
    struct list *blocks = blocks_of(memory);
    memory_abandon(memory);
    while (!list_empty(blocks)) {
        struct block *oldest = block_at(blocks->next);
        struct object *object = oldest->object ? object_find(oldest->object) : NULL;
        list_remove(&oldest->link);
        if (object)
            object_expire(object);
        free(oldest);
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

void async_free(const void *bytes)
{
    struct block *block = bytes ? container_of((char *)bytes, struct block, bytes[0]) : NULL;
    if (block && block->sign != sign_of(block))
        report_abort(report_refused(ASYNC_VALUE_ERROR, "async_free", "this is not, or no longer, what "
                                    "async_strf or async_alloc gave"));
    memory_give_back((void *)bytes);
}

void *async_alloc(size_t size) { return memory_get(memory_here(), size); }

static char *formatted(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : memory_get(memory_here(), length + 1);
    if (text)
        vsnprintf(text, length + 1, format, again);
    va_end(again);
    return text;
}

const char *async_strf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = formatted(format, args);
    va_end(args);
    return text;
}

async_value async_text(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = formatted(format, args);
    va_end(args);
    return text ? async_str(text) : async_error(ENOMEM, "no memory for a text");
}
