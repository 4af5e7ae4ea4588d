/* queue.h - what a queue holds, for who looks at it from outside. */
#ifndef QUEUE_H
#define QUEUE_H

#include "async.h"

/* Copies the first items, in the order in which they lie there; returns how many. */
size_t queue_look(async_queue *queue, async_value *items, size_t most);

#endif
