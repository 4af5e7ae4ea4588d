/* ready.h - a task that waits until a descriptor can be read, or written. */
#ifndef READY_H
#define READY_H

#include "core/poll.h"

/* Suspends the current task until then. `external`: it holds a virtual clock, as watch_fd says. Who waits again and
 * again keeps the watch, which rests in between, in *kept: NULL at first, and to be unwatched. `kept` may be NULL. */
async_value ready_wait(struct watch **kept, int fd, bool for_writing, bool external);

/* Whoever waits with this watch (or NULL) goes on, as if its descriptor were ready. */
void ready_end(struct watch *kept);

#endif
