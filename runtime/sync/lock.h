/* lock.h - the mutual exclusion that lock.c offers and conditions and barriers are built on. */
#ifndef LOCK_H
#define LOCK_H

#include "core/waitq.h"

struct lock {
    struct object object;
    struct waitq waitq;             /* tasks that want it */
    bool locked;
    struct holder taken;
};

extern const struct future_type lock_type;

async_value lock_acquire(struct lock *lock);    /* waits */
async_value lock_release(struct lock *lock);    /* error if it is not locked */

#endif
