/* memory.c - see memory.h. */
#include "core/memory.h"
#include "core/task.h"
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct block;

struct share {                      /* one that keeps a block: a task, an item of a queue, a future */
    struct list link;               /* in its owner's memory, the oldest first; or in none */
    struct block *block;            /* NULL in a block whose maker let go of it */
};

struct span {
    const char *start;
    size_t size;
};

struct block {
    struct share first;             /* its maker's */
    size_t shares;                  /* how many keep it */
    struct async_ticket *object;    /* an object that goes with it, and is all there is to it; or NULL */
    struct span span;               /* by which it is found */
    _Alignas(max_align_t) char bytes[];
};

/* All blocks with bytes for a program to use, by address, and who has them: a result may bring some from
 * another thread. */
static struct {
    pthread_mutex_t mutex;
    void *tree;                     /* of spans, see tsearch(3) */
    bool forks;                     /* a child gets them in one piece */
} known = { .mutex = PTHREAD_MUTEX_INITIALIZER };
atomic_size_t memory_blocks;

static void lock(void) { pthread_mutex_lock(&known.mutex); }
static void unlock(void) { pthread_mutex_unlock(&known.mutex); }

/* Two that overlap are equal, so that a pointer into a block finds it. */
static int by_address(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    return x->start + x->size <= y->start ? -1 : y->start + y->size <= x->start;
}

static bool note(struct block *block)
{
    lock();
    known.forks = known.forks || pthread_atfork(lock, unlock, unlock) == 0;
    bool noted = tsearch(&block->span, &known.tree, by_address);
    memory_blocks += noted;
    unlock();
    return noted;
}

static struct block *find(const void *bytes)
{
    struct span **found = tfind(&(struct span){ bytes, 1 }, &known.tree, by_address);
    return found ? container_of(*found, struct block, span) : NULL;
}

/* True if nobody has it any more. */
static bool one_less(struct block *block)
{
    lock();
    bool last = --block->shares == 0;
    if (last && !block->object) {
        tdelete(&block->span, &known.tree, by_address);
        memory_blocks--;
    }
    unlock();
    return last;
}

static struct list *blocks_of(struct memory *memory)
{
    if (!memory->blocks.next)       /* memory that is all zeroes is empty */
        list_init(&memory->blocks);
    return &memory->blocks;
}

static struct share *share_at(struct list *link) { return container_of(link, struct share, link); }
static struct block *block_at(struct list *link) { return share_at(link)->block; }

static struct block *make(struct memory *memory, size_t size, struct async_ticket *object)
{
    struct block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->first.block = block;
    block->shares = 1;
    block->object = object;
    block->span = (struct span){ block->bytes, size ? size : 1 };
    if (!object && !note(block)) {
        free(block);
        return NULL;
    }
    list_append(blocks_of(memory), &block->first.link);
    return block;
}

void *memory_get(struct memory *memory, size_t size)
{
    struct block *block = make(memory, size, NULL);
    return block ? block->bytes : NULL;
}

const char *memory_text(struct memory *memory, const char *text)
{
    char *copy = text ? memory_get(memory, strlen(text) + 1) : NULL;
    return copy ? strcpy(copy, text) : NULL;
}

void *memory_own(struct memory *memory, struct async_ticket *object)
{
    struct block *block = make(memory, 0, object);
    if (!block)
        return NULL;
    object_own(object_find(object));
    return block->bytes;
}

bool memory_share_of(const void *bytes, struct share **share)
{
    lock();
    struct block *block = find(bytes);
    *share = block ? malloc(sizeof **share) : NULL;
    if (*share)
        block->shares++;
    unlock();
    if (*share) {
        (*share)->block = block;
        list_init(&(*share)->link);
    }
    return *share || !block;
}

void memory_let_go(struct share *share)
{
    if (!share)
        return;
    struct block *block = share->block;
    list_remove(&share->link);
    if (share == &block->first)
        share->block = NULL;
    else
        free(share);
    if (one_less(block))
        free(block);
}

struct share *memory_hold(struct share *share)
{
    struct list *ours = blocks_of(memory_here());
    if (!list_empty(ours) && block_at(ours->prev) == share->block) {
        memory_let_go(share);
        return NULL;
    }
    list_append(ours, &share->link);
    return share;
}

async_value memory_receive(async_value v)
{
    struct share *share;
    if (!memory_share(v.ptr, &share))
        return v.error ? async_error(v.error, NULL) : async_error(ENOMEM, "no memory to keep a text");
    if (share)
        memory_hold(share);
    return v;
}

async_value memory_inherit(struct memory *from, async_value v)
{
    if (memory_empty(from))             /* somebody was here before, or it had nothing of its own */
        return memory_receive(v);
    memory_move(memory_here(), from);
    return v;
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

/* Whose share of it is given back: that of the only one who has it, or else the current task's. */
static struct share *share_of(struct block *block)
{
    struct list *ours = blocks_of(memory_here());
    lock();
    bool only = block->shares == 1 && block->first.block;
    unlock();
    if (only)
        return &block->first;
    for (struct list *link = ours->prev; link != ours; link = link->prev)
        if (block_at(link) == block)
            return share_at(link);
    return NULL;
}

void memory_give_back(void *bytes)
{
    if (bytes)
        memory_let_go(share_of(container_of(bytes, struct block, bytes)));
}

bool memory_returned(const void *bytes)
{
    lock();
    struct block *block = find(bytes);
    unlock();
    struct share *share = block && block->bytes == bytes ? share_of(block) : NULL;
    memory_let_go(share);
    return share;
}

void memory_abandon(struct memory *memory)
{
    list_each(link, blocks_of(memory)) {
        struct block *block = block_at(link);
        struct object *object = object_find(block->object);
        if (object && object->future.type->abandon && object->future.type->abandon(object))
            memory_let_go(share_at(link));
    }
}

void memory_drop_objects(struct memory *memory)
{
    list_each(link, blocks_of(memory)) {
        struct block *block = block_at(link);
        struct object *object = object_find(block->object);
        if (object)
            object_expire(object);
        if (block->object)
            memory_let_go(share_at(link));
    }
}

void memory_free(struct memory *memory)
{
    struct list *blocks = blocks_of(memory);
    memory_abandon(memory);
    while (!list_empty(blocks)) {
        struct share *oldest = share_at(blocks->next);
        struct async_ticket *ticket = oldest->block->object;
        struct object *object = object_find(ticket);
        memory_let_go(oldest);
        if (object)
            object_expire(object);
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
