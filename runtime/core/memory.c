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
    struct share *next;             /* of those that are late */
    bool late;
};

struct span {
    const char *start;
    size_t size;
};

struct block {
    struct share first;             /* its maker's */
    size_t shares;                  /* how many keep it, but for ... */
    struct share *late;             /* those of tasks that have ended, for who asks when another was there before */
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

static struct block gone;           /* what a late share is one of when the text was given back */

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

static bool share_new(const void *bytes, bool late, struct share **share)
{
    lock();
    struct block *block = find(bytes);
    *share = block ? malloc(sizeof **share) : NULL;
    if (*share) {
        **share = (struct share){ .block = block, .late = late, .next = block->late };
        list_init(&(*share)->link);
        if (late)
            block->late = *share;
        else
            block->shares++;
    }
    unlock();
    return *share || !block;
}

bool memory_share_of(const void *bytes, struct share **share) { return share_new(bytes, false, share); }

static void forget_late(struct block *block, const struct share *share)
{
    struct share **next = &block->late;
    while (*next && *next != share)
        next = &(*next)->next;
    if (*next)
        *next = share->next;
}

void memory_let_go(struct share *share)
{
    if (!share)
        return;
    lock();
    struct block *block = share->block;
    list_remove(&share->link);
    if (share->late)
        forget_late(block, share);
    else
        block->shares--;
    bool last = block != &gone && !block->shares && !block->late;
    if (last && !block->object) {
        tdelete(&block->span, &known.tree, by_address);
        memory_blocks--;
    }
    if (share == &block->first)
        share->block = NULL;        /* now: after that another thread may free it */
    else
        free(share);
    unlock();
    if (last)
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

static async_value no_text(async_value v, int error, const char *why)
{
    return v.error ? async_error(v.error, NULL) : async_error(error, why);
}

static async_value no_memory(async_value v) { return no_text(v, ENOMEM, "no memory to keep a text"); }

async_value memory_receive(async_value v)
{
    struct share *share;
    if (!memory_share(v.ptr, &share))
        return no_memory(v);
    if (share)
        memory_hold(share);
    return v;
}

async_value memory_inherit(struct memory *from, async_value v)
{
    struct list *blocks = blocks_of(from);
    struct share *first = list_empty(blocks) ? NULL : share_at(blocks->next), *late;
    if (first && first->block == &gone)
        return no_text(v, ASYNC_RUNTIME_ERROR, "the text, or what else it was, has been given back by async_free");
    if (!first || first->late)
        return memory_receive(v);
    if (!share_new(v.ptr, true, &late))
        return no_memory(v);
    memory_move(memory_here(), from);
    if (late)
        list_append(blocks, &late->link);
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

/* Who comes late gets nothing any more once nobody else has it. */
static void give_back(struct share *share)
{
    if (!share)
        return;
    lock();
    struct block *block = share->block;
    for (; block->shares == 1 && block->late; block->late = block->late->next)
        block->late->block = &gone;
    unlock();
    memory_let_go(share);
}

void memory_give_back(void *bytes)
{
    if (bytes)
        give_back(share_of(container_of(bytes, struct block, bytes)));
}

bool memory_returned(const void *bytes)
{
    lock();
    struct block *block = find(bytes);
    unlock();
    struct share *share = block && block->bytes == bytes ? share_of(block) : NULL;
    give_back(share);
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
