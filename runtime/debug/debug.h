/* debug.h - asyncio's debug mode: slow steps, blocked loops, where things were created and by whom.
 *
 * A loop in debug mode has an observer (loop.h); the others have NULL and pay a branch. */
#ifndef DEBUG_H
#define DEBUG_H

#include "core/object.h"

void debug_set(async_loop *loop, bool on);
double debug_waits_since(const struct object *object);  /* loop time of its last step; negative: unknown */

#endif
