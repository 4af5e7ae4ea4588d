/* info.h - what a task is doing: for monitors, debuggers, and whoever is curious. */
#ifndef INFO_H
#define INFO_H

#include "core/task.h"

/* The task, queue, lock, ... behind what a task waits on, or NULL where that has no handle; and the name of its
 * kind, whether it has one or not. */
struct object *info_awaited(struct task *task);
const char *info_waits_for(struct task *task);

void report_deadlock(async_loop *loop);     /* who waits for what, and the cycle if there is one */

#endif
