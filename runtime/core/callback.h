/* callback.h - plain functions that the loop calls. */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "core/object.h"
#include "core/timer.h"

struct object *callback_of_job(struct job *job);    /* the handle whose call it is, or NULL */

#endif
