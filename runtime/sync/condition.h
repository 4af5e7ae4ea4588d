/* condition.h - waiting under a lock for something to change; barriers are built on it. */
#ifndef CONDITION_H
#define CONDITION_H

#include "sync/lock.h"

struct condition {
    struct object object;
    struct lock *lock;              /* its own or a shared one; pinned */
    struct waitq waitq;             /* tasks that wait to be notified */
};

struct condition *condition_new(struct lock *lock);         /* NULL: a lock of its own */
async_value condition_wait(struct condition *condition);
void condition_notify(struct condition *condition, size_t count);

#endif
