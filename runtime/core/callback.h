/* callback.h - plain functions that the loop calls. */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "core/object.h"
#include "core/timer.h"

struct object *callback_of_job(struct job *job);    /* the handle whose call it is, or NULL */

/* Removes those done callbacks from a list of jobs that call fn (NULL: all); returns how many. */
size_t callback_discard(struct list *jobs, async_done_fn *fn);

#endif
