/* timer.h - jobs, and deadlines kept in order: what the loop runs and when.
 *
 * Interface: a job is something the loop will run once. A timer is a job with a deadline in a heap. The
 * deadlines lie in the heap's own array, so that finding the earliest of many touches no other timer:
 * those lie on a stack each, and each would be a cache miss. Equal deadlines come off in the order of
 * insertion, which CPython's heap leaves to chance. */
#ifndef TIMER_H
#define TIMER_H

#include "core/list.h"
#include <stdint.h>

struct job {
    struct list link;               /* in a ready queue, or in the list of a future's waiters */
    void (*run)(struct job *job);   /* called by the loop, once, off every list by then */
};

struct errand {                     /* a job with memory of its own, which somebody has to give back */
    struct job job;                 /* its run is errand_run */
    void (*run)(struct errand *errand);
    void (*drop)(struct errand *errand);    /* called instead, off every list, when the loop closes before */
};

struct timer {
    struct job job;                 /* becomes ready at the deadline */
    int64_t deadline;               /* in nanoseconds on the loop's clock */
    uint32_t slot;                  /* where the heap notes its address */
    bool armed;                     /* it is in the heap */
};

struct deadline {                   /* an entry of the heap */
    int64_t when;
    uint64_t order;                 /* insertion number: decides between equal deadlines */
    uint32_t slot;                  /* of its timer, which so need not be touched when this moves */
};

union slot_of_timer {
    struct timer *timer;            /* of an entry of the heap; NULL: it was removed */
    size_t next;                    /* of a free slot: the next free one */
};

struct timers {                     /* zeroes: none */
    struct timer *root;             /* the earliest, or NULL */
    struct deadline *heap;
    union slot_of_timer *slots;
    size_t count, removed, room;    /* entries; those of them whose timer was removed; places for both arrays */
    size_t free;                    /* a free slot, if count < room */
    uint64_t inserted;              /* how many ever; the next one's order */
};

bool timers_insert(struct timers *timers, struct timer *timer);     /* its deadline is set; false: no memory */
void timers_remove(struct timers *timers, struct timer *timer);     /* it may not be in there */
void timers_free(struct timers *timers);        /* whatever is in there; removing it later does nothing */

#endif
