/* debug.h - asyncio's debug mode: slow steps, blocked loops, where things were created and by whom. */
#ifndef DEBUG_H
#define DEBUG_H

#include "core/object.h"
#include "core/timer.h"

/* A loop in debug mode has one of these; the others have NULL and pay a branch. */
struct debug;

void debug_set(async_loop *loop, bool on);
void debug_born(struct object *object);                 /* notes who makes this object */

/* ", by task 'Task-1' (main)", and by whom that was made; "" if we don't know. */
const char *debug_origin(const struct object *object);

/* The current task leaves a coroutine function with this error; and where it first did so with the
 * error that it ended with, or NULL. */
void debug_raised(async_value error, const char *place);
const char *debug_raised_at(const struct object *object, async_value error);

double debug_waits_since(const struct object *object);  /* loop time of its last step; negative: unknown */

/* Calls that are not safe from another thread end in a sentence there, not in a damaged queue. */
void debug_check_thread(async_loop *loop, const char *caller);

#endif
