/* timer.c - the pairing heap behind timer.h.
 *
 * Invariant: no timer is due before its parent. A new one is merged with the root. When the root
 * goes, its children are merged in pairs from the left, then those pairs from the right; that
 * pairing is what keeps removal logarithmic. */
#include "core/timer.h"

static bool earlier(const struct timer *a, const struct timer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

/* Two heaps into one; either may be NULL. */
static struct timer *merge(struct timer *a, struct timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (earlier(b, a)) {
        struct timer *swap = a;
        a = b;
        b = swap;
    }
    b->sibling = a->child;
    if (a->child)
        a->child->back = b;
    a->child = b;
    b->back = a;
    return a;
}

/* A row of siblings into one heap. */
static struct timer *merge_row(struct timer *row)
{
    struct timer *pairs = NULL, *heap = NULL;
    while (row) {
        struct timer *a = row, *b = a->sibling;
        row = b ? b->sibling : NULL;
        a->sibling = a->back = NULL;
        if (b)
            b->sibling = b->back = NULL;
        a = merge(a, b);
        a->sibling = pairs;
        pairs = a;
    }
    while (pairs) {
        struct timer *pair = pairs;
        pairs = pair->sibling;
        pair->sibling = NULL;
        heap = merge(heap, pair);
    }
    return heap;
}

void timers_insert(struct timers *timers, struct timer *timer)
{
    timer->order = timers->inserted++;
    timer->child = timer->sibling = timer->back = NULL;
    timer->armed = true;
    timers->root = merge(timers->root, timer);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    if (!timer->armed)
        return;
    timer->armed = false;
    struct timer *rest = merge_row(timer->child);
    if (timer == timers->root) {
        timers->root = rest;
        return;
    }
    if (timer->back->child == timer)
        timer->back->child = timer->sibling;
    else
        timer->back->sibling = timer->sibling;
    if (timer->sibling)
        timer->sibling->back = timer->back;
    timers->root = merge(timers->root, rest);
}
