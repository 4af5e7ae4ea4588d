/* callback.h - plain functions that the loop calls. */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "core/object.h"
#include "core/timer.h"

struct context;

/* Calls fn(arg) in this context, whose user goes with it. An error leaves the loop or is reported, as one of `object`
 * (or NULL). */
void callback_call(async_loop *loop, async_fn *fn, void *arg, struct context *context, struct object *object);

struct object *callback_of_job(struct job *job);    /* the handle whose call it is, or NULL */

#endif
