/* forgotten.h - what a program makes and then forgets is said soon, and once for each place.
 *
 * A coroutine object that nobody has awaited when its maker ended, and an error that nobody has asked
 * for, may still be wanted: so the handle stays good, but we say so while the program runs. */
#ifndef FORGOTTEN_H
#define FORGOTTEN_H

#include "core/object.h"

/* A loop's own; NULL: nothing was forgotten. */
struct forgotten;

/* The loop has a moment, and will have the next at `until` (INT64_MAX: who knows). */
void forgotten_look(async_loop *loop, int64_t until);

void forgotten_failed(struct object *object);       /* it has ended with an error: will somebody ask? */
void forgotten_lost(struct object *object);         /* nobody did, or awaits it: says or counts that, if it was not */
void forgotten_say_all(async_loop *loop);           /* what was counted, when the loop closes; frees it */
void forgotten_print(void);                         /* which coroutine objects are not awaited just now */

#endif
