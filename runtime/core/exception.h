/* exception.h - errors that no coroutine can receive: to the loop's exception handler, or stderr. */
#ifndef EXCEPTION_H
#define EXCEPTION_H

#include "core/object.h"

/* `object`: whom it is about, or NULL. */
void report_exception(async_loop *loop, const char *message, async_value error, struct object *object);

#endif
