/* queue.c - asyncio.Queue, LifoQueue, PriorityQueue: items handed from task to task.
 *
 * put() stores the item itself and only wakes a getter; until that one resumes anybody may take
 * the item, and then the getter waits again. So nothing is ever lost with a cancelled task: an item
 * is in the queue until somebody has really got it. A waiter that was woken and then cancelled
 * wakes the next one.
 *
 * Items lie in one growing array: a ring for first-in-first-out, a stack, or a binary heap. */
#include "sync/queue.h"
#include "core/coro.h"
#include "core/memory.h"
#include "core/waitq.h"
#include <stdlib.h>

enum kind { FIFO, LIFO, PRIORITY };

struct item {
    async_value value;
    struct share *share;            /* of the text that it is, or NULL */
};

struct queue {
    struct object object;
    struct waitq getters, putters;
    struct waitq joiners;           /* tasks in join() */
    struct item *items;
    size_t first, length, room;     /* `first` moves only in a ring; room is a power of two */
    size_t maxsize;                 /* 0: no limit */
    size_t unfinished;              /* put and not yet marked by task_done() */
    async_less_fn *less;            /* order of a priority queue */
    enum kind kind;
    bool shut_down;
};

static void drop(struct object *object);

static const struct future_type queue_type = { .name = "Queue", .drop = drop };

static async_queue *make(enum kind kind, long maxsize, async_less_fn *less)
{
    struct queue *queue = primitive_new(struct queue, &queue_type);
    if (!queue)
        return NULL;
    queue->maxsize = maxsize > 0 ? maxsize : 0;
    queue->less = less;
    queue->kind = kind;
    waitq_init(&queue->getters, &queue->object);
    waitq_init(&queue->putters, &queue->object);
    waitq_init(&queue->joiners, &queue->object);
    return (async_queue *)object_ticket(&queue->object);
}

static bool smaller_number(async_value a, async_value b) { return a.num < b.num; }

async_queue *async_queue_new(long maxsize) { return make(FIFO, maxsize, NULL); }
async_queue *async_lifo_queue_new(long maxsize) { return make(LIFO, maxsize, NULL); }

async_queue *async_priority_queue_new(long maxsize, async_less_fn *less)
{
    return make(PRIORITY, maxsize, less ? less : smaller_number);
}

static struct queue *find(async_queue *x, const char *caller) { return object_of(x, &queue_type, caller, NULL); }

/* -------------------------------------------------------------------------------- items */

static struct item *at(struct queue *queue, size_t i)
{
    return &queue->items[(queue->first + i) & (queue->room - 1)];
}

__attribute__((noinline))
static bool make_room(struct queue *queue)
{
    size_t room = queue->room ? queue->room * 2 : 8;
    struct item *items = malloc(room * sizeof *items);
    if (!items)
        return false;
    for (size_t i = 0; i < queue->length; i++)
        items[i] = *at(queue, i);
    free(queue->items);
    queue->items = items;
    queue->first = 0;
    queue->room = room;
    return true;
}

static void clear(struct queue *queue)
{
    for (size_t i = 0; i < queue->length; i++)
        memory_let_go(at(queue, i)->share);
    queue->length = 0;
}

static void drop(struct object *object)
{
    struct queue *queue = (struct queue *)object;
    clear(queue);
    free(queue->items);
}

static void swap(struct item *a, struct item *b)
{
    struct item kept = *a;
    *a = *b;
    *b = kept;
}

static bool less(const struct queue *queue, size_t i, size_t j)
{
    return queue->less(queue->items[i].value, queue->items[j].value);
}

__attribute__((noinline))
static void rise(struct queue *queue, size_t i)
{
    for (; i > 0 && less(queue, i, (i - 1) / 2); i = (i - 1) / 2)
        swap(&queue->items[i], &queue->items[(i - 1) / 2]);
}

/* The smallest leaves the top of the heap; the last one takes its place and sinks. */
__attribute__((noinline))
static struct item *pop_smallest(struct queue *queue)
{
    struct item *items = queue->items;
    size_t length = --queue->length, i = 0;
    swap(&items[0], &items[length]);
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < length && less(queue, child + 1, child))
            child++;
        if (child >= length || !less(queue, child, i))
            return &items[length];
        swap(&items[i], &items[child]);
        i = child;
    }
}

/* It lies there until the next one is put. */
static struct item *take_out(struct queue *queue)
{
    if (queue->kind == PRIORITY)
        return pop_smallest(queue);
    if (queue->kind == LIFO)
        return at(queue, --queue->length);
    struct item *item = at(queue, 0);
    queue->first = (queue->first + 1) & (queue->room - 1);
    queue->length--;
    return item;
}

/* ------------------------------------------------------------------------- put and get */

static bool full(const struct queue *queue)
{
    return queue->maxsize && queue->length >= queue->maxsize;
}

static async_value shut_down(void)
{
    return async_error(ASYNC_QUEUE_SHUT_DOWN, "the queue has been shut down");
}

static async_value put_nowait(struct queue *queue, async_value item)
{
    if (queue->shut_down)
        return shut_down();
    if (full(queue))
        return async_error(ASYNC_QUEUE_FULL, "the queue is full");
    struct share *share;
    bool room = queue->length < queue->room || make_room(queue);
    if (!room || !memory_share(item.ptr, &share))
        return async_error(ENOMEM, "no memory for another item in the queue");
    struct item *last = at(queue, queue->length++);
    last->value = item;
    last->share = share;
    if (queue->kind == PRIORITY)
        rise(queue, queue->length - 1);
    queue->unfinished++;
    waitq_serve_next(&queue->getters);
    return async_none;
}

static async_value get_nowait(struct queue *queue)
{
    if (queue->length == 0)
        return queue->shut_down ? shut_down()
                                : async_error(ASYNC_QUEUE_EMPTY, "the queue is empty");
    const struct item *item = take_out(queue);
    if (item->share)
        memory_hold(item->share);
    waitq_serve_next(&queue->putters);
    return item->value;
}

struct put {
    async_queue *queue;
    async_value item;
};

__attribute__((noinline))
static async_value put_later(struct queue *queue, async_value item)
{
    async_value v = async_none;
    struct waiter waiter;
    struct share *share;            /* the item's maker may end before there is room */
    if (!memory_share(item.ptr, &share))
        return async_error(ENOMEM, "no memory to keep a text that waits for room in the queue");
    object_pin(&queue->object);
    if (share)
        share = memory_hold(share);
    while (!v.error && full(queue)) {
        v = queue->shut_down ? shut_down() : waitq_wait(&queue->putters, &waiter);
        if (v.error && !full(queue) && waiter_woken(&waiter))
            waitq_serve_next(&queue->putters);
    }
    if (!v.error)
        v = put_nowait(queue, item);
    if (share)
        memory_let_go(share);
    object_unpin(&queue->object);
    return v;
}

/* Both end with a jump: of the frames between an await and the switch each is a return that is predicted wrongly. */
static async_value put(void *p)
{
    struct put *args = p;
    struct queue *queue = object_fit(args->queue, &queue_type);
    if (!queue)
        return report_misuse(args->queue, "async_queue_put");
    return full(queue) ? put_later(queue, args->item) : put_nowait(queue, args->item);
}

__attribute__((noinline))
static async_value get_later(struct queue *queue)
{
    async_value v = async_none;
    struct waiter waiter;
    object_pin(&queue->object);
    while (!v.error && queue->length == 0) {
        v = queue->shut_down ? shut_down() : waitq_wait(&queue->getters, &waiter);
        if (v.error && queue->length && waiter_woken(&waiter))
            waitq_serve_next(&queue->getters);
    }
    if (!v.error)
        v = get_nowait(queue);
    object_unpin(&queue->object);
    return v;
}

static async_value get(void *p)
{
    struct queue *queue = object_fit(*(async_queue **)p, &queue_type);
    if (!queue)
        return report_misuse(*(async_queue **)p, "async_queue_get");
    return queue->length ? get_nowait(queue) : get_later(queue);
}

async_awaitable async_queue_put(async_queue *queue, async_value item)
{
    struct coro *coro = coro_brief(put, "async_queue_put");
    if (!coro)
        return NULL;
    *(struct put *)coro->room = (struct put){ queue, item };
    return object_ticket(&coro->object);
}

async_awaitable async_queue_get(async_queue *queue)
{
    return coro_make(get, "async_queue_get", &queue, sizeof queue);
}

async_value async_queue_put_nowait(async_queue *x, async_value item)
{
    struct queue *queue = object_fit(x, &queue_type);
    return queue ? put_nowait(queue, item) : report_misuse(x, __func__);
}

async_value async_queue_get_nowait(async_queue *x)
{
    struct queue *queue = object_fit(x, &queue_type);
    return queue ? get_nowait(queue) : report_misuse(x, __func__);
}

/* ------------------------------------------------------------------------ the end of work */

async_value async_queue_task_done(async_queue *x)
{
    struct queue *queue = object_fit(x, &queue_type);
    if (!queue)
        return report_misuse(x, __func__);
    if (queue->unfinished == 0)
        return async_error(ASYNC_VALUE_ERROR, "task_done() called too many times");
    if (--queue->unfinished == 0)
        waitq_wake_all(&queue->joiners);
    return async_none;
}

static async_value join(void *object)
{
    struct queue *queue = object;
    struct waiter waiter;
    return queue->unfinished ? waitq_wait(&queue->joiners, &waiter) : async_none;
}

async_awaitable async_queue_join(async_queue *queue) { return coro_on(queue, &queue_type, join, __func__); }

void async_queue_shutdown(async_queue *x, bool immediate)
{
    struct queue *queue = find(x, __func__);
    queue->shut_down = true;
    if (immediate) {
        queue->unfinished -= queue->length < queue->unfinished ? queue->length : queue->unfinished;
        clear(queue);
        if (queue->unfinished == 0)
            waitq_wake_all(&queue->joiners);
    }
    waitq_serve_all(&queue->getters);
    waitq_serve_all(&queue->putters);
}

size_t queue_look(async_queue *x, async_value *items, size_t most)
{
    struct queue *queue = find(x, __func__);
    size_t count = queue->length < most ? queue->length : most;
    for (size_t i = 0; i < count; i++)
        items[i] = at(queue, i)->value;
    return count;
}

size_t async_queue_qsize(async_queue *x) { return find(x, __func__)->length; }
size_t async_queue_maxsize(async_queue *x) { return find(x, __func__)->maxsize; }
bool async_queue_empty(async_queue *x) { return async_queue_qsize(x) == 0; }
bool async_queue_full(async_queue *x) { return full(find(x, __func__)); }
