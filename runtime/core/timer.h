/* timer.h - jobs, and deadlines kept in order: what the loop runs and when.
 *
 * Interface: a job is something the loop will run once. A timer is a job with a deadline in a
 * pairing heap: insertion in constant time, the earliest at the root, any one removed again in
 * logarithmic time, no allocation. Equal deadlines come off in the order of insertion, which
 * CPython's heap leaves to chance. */
#ifndef TIMER_H
#define TIMER_H

#include "core/list.h"
#include <stdint.h>

struct job {
    struct list link;               /* in a ready queue, or in the list of a future's waiters */
    void (*run)(struct job *job);   /* called by the loop, once, off every list by then */
};

struct timer {
    struct job job;                 /* becomes ready at the deadline */
    int64_t deadline;               /* in nanoseconds on the loop's clock */
    uint64_t order;                 /* insertion number: decides between equal deadlines */
    struct timer *child;            /* first of those that are due later than this one */
    struct timer *sibling;          /* next child of the same parent */
    struct timer *back;             /* the sibling before, or the parent; NULL: root or no timer */
    bool armed;                     /* it is in the heap */
};

struct timers {
    struct timer *root;             /* the earliest, or NULL */
    uint64_t inserted;              /* how many ever; the next one's order */
};

void timers_insert(struct timers *timers, struct timer *timer);     /* its deadline is set */
void timers_remove(struct timers *timers, struct timer *timer);     /* it may not be in there */

#endif
