/* semaphore.h - a semaphore's record, which reports look at. */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include "core/line.h"

struct semaphore {
    struct object object;
    struct line line;
    long permits;                   /* free ones */
    long bound;                     /* release never exceeds it; -1: no bound */
    struct taking taken;
};

extern const struct future_type semaphore_type;

#endif
