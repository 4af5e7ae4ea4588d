/* semaphore.h - a semaphore's record, which reports look at. */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include "core/waitq.h"

struct semaphore {
    struct object object;
    struct waitq waitq;
    long permits;                   /* free ones */
    long bound;                     /* release never exceeds it; -1: no bound */
    struct holder taken;
};

#endif
