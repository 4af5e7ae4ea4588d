/* lock.h - a lock, and waiting under it for something to change: what lock.c and condition.c offer, and
 * barriers are built on; and a semaphore's record, which traces look at. */
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

struct condition {
    struct object object;
    struct lock *lock;              /* its own or a shared one; pinned */
    struct waitq waitq;             /* tasks that wait to be notified */
};

struct condition *condition_new(struct lock *lock);         /* NULL: a lock of its own */
async_value condition_wait(struct condition *condition);
void condition_notify(struct condition *condition, size_t count);

struct semaphore {
    struct object object;
    struct waitq waitq;
    long permits;                   /* free ones */
    long bound;                     /* release never exceeds it; -1: no bound */
    struct holder taken;
};

#endif
