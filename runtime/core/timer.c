/* timer.c - the heap behind timer.h.
 *
 * Invariant: no entry is due before its parent, which is at (i - 1) / 4. Four children a node lie in two
 * cache lines and make the heap half as deep as two would. A timer that is removed only leaves its slot;
 * the entry goes when it comes to the root, or with all others like it when those are half of the heap,
 * so that removal takes constant time on average. */
#include "core/timer.h"
#include <stdlib.h>

#define FIRST_ROOM 64

static bool earlier(const struct deadline *a, const struct deadline *b)
{
    return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void rise(struct deadline *heap, size_t i, struct deadline entry)
{
    for (; i > 0 && earlier(&entry, &heap[(i - 1) / 4]); i = (i - 1) / 4)
        heap[i] = heap[(i - 1) / 4];
    heap[i] = entry;
}

static void sink(struct deadline *heap, size_t count, size_t i, struct deadline entry)
{
    for (size_t first; (first = 4 * i + 1) < count;) {
        size_t end = first + 4 < count ? first + 4 : count, least = first;
        for (size_t child = first + 1; child < end; child++)
            if (earlier(&heap[child], &heap[least]))
                least = child;
        if (!earlier(&heap[least], &entry))
            break;
        heap[i] = heap[least];
        i = least;
    }
    heap[i] = entry;
}

static bool grow(struct timers *timers)
{
    size_t room = timers->room ? timers->room * 2 : FIRST_ROOM;
    if (room > UINT32_MAX)
        return false;
    struct deadline *heap = realloc(timers->heap, room * sizeof *heap);
    if (!heap)
        return false;
    timers->heap = heap;
    union slot_of_timer *slots = realloc(timers->slots, room * sizeof *slots);
    if (!slots)
        return false;
    for (size_t slot = timers->room; slot < room; slot++)
        slots[slot].next = slot + 1;
    timers->slots = slots;
    timers->free = timers->room;
    timers->room = room;
    return true;
}

static void free_slot(struct timers *timers, size_t slot)
{
    timers->slots[slot].next = timers->free;
    timers->free = slot;
}

static struct timer *timer_at(const struct timers *timers, size_t i)
{
    return timers->slots[timers->heap[i].slot].timer;
}

/* Takes entries off the root until that is a timer. */
static void settle(struct timers *timers)
{
    while (timers->count && !timer_at(timers, 0)) {
        free_slot(timers, timers->heap[0].slot);
        timers->removed--;
        if (--timers->count)
            sink(timers->heap, timers->count, 0, timers->heap[timers->count]);
    }
    timers->root = timers->count ? timer_at(timers, 0) : NULL;
}

/* Takes out every entry whose timer was removed, and makes a heap of the rest. */
static void sweep(struct timers *timers)
{
    size_t kept = 0;
    for (size_t i = 0; i < timers->count; i++) {
        if (timer_at(timers, i))
            timers->heap[kept++] = timers->heap[i];
        else
            free_slot(timers, timers->heap[i].slot);
    }
    timers->count = kept;
    timers->removed = 0;
    for (size_t i = (kept + 2) / 4; i-- > 0;)
        sink(timers->heap, kept, i, timers->heap[i]);
}

bool timers_insert(struct timers *timers, struct timer *timer)
{
    if (timers->count == timers->room && !grow(timers))
        return false;
    size_t slot = timers->free;
    timers->free = timers->slots[slot].next;
    timers->slots[slot].timer = timer;
    timer->slot = slot;
    timer->armed = true;
    struct deadline entry = { timer->deadline, timers->inserted++, slot };
    rise(timers->heap, timers->count++, entry);
    timers->root = timer_at(timers, 0);
    return true;
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    if (!timer->armed)
        return;
    timer->armed = false;
    if (timer->slot >= timers->room)        /* timers_free was before */
        return;
    timers->slots[timer->slot].timer = NULL;
    timers->removed++;
    if (timers->removed > FIRST_ROOM && timers->removed > timers->count / 2)
        sweep(timers);
    if (timer == timers->root)
        settle(timers);
}

void timers_free(struct timers *timers)
{
    free(timers->heap);
    free(timers->slots);
    *timers = (struct timers){ .inserted = timers->inserted };
}
