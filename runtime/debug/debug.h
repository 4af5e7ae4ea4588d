/* debug.h - who looks on from above: what a loop is told of them in life.c, and what they ask each other. */
#ifndef DEBUG_H
#define DEBUG_H

#include "core/task.h"

/* debug.c: asyncio's debug mode: slow steps, blocked loops, where things were created and by whom. A loop in debug
 * mode has an observer (loop.h); the others have NULL and pay a branch. */
void debug_set(async_loop *loop, bool on);
double debug_waits_since(const struct object *object);  /* loop time of its last step; negative: unknown */

/* forgotten.c: what a program makes and then forgets is said soon, and once for each place. A coroutine object that
 * nobody has awaited when its maker ended, and an error that nobody has asked for, may still be wanted: so the handle
 * stays good, but we say so while the program runs. */
struct forgotten;                                   /* a loop's own; NULL: nothing was forgotten */
void forgotten_look(async_loop *loop, int64_t until);   /* the loop has a moment, and will have the next at `until`
                                                           (INT64_MAX: who knows) */
void forgotten_failed(struct object *object);       /* it has ended with an error: will somebody ask? */
void forgotten_lost(struct object *object);         /* nobody did, or awaits it: says or counts that, if it was not */
void forgotten_say_all(async_loop *loop);           /* what was counted, when the loop closes; frees it */
void forgotten_print(void);                         /* which coroutine objects are not awaited just now */

/* info.c: what a task is doing. The task, queue, lock, ... behind what it waits on, or NULL where that has no handle;
 * and the name of its kind, whether it has one or not. */
struct object *info_awaited(struct task *task);
const char *info_waits_for(struct task *task);
void report_deadlock(async_loop *loop);     /* who waits for what, and the cycle if there is one */

#endif
