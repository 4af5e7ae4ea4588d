/* hooks.h - who wants to know what the runtime does: tracing, debugging, graders.
 *
 * One table of functions, any of which may be NULL. While nobody listens an event costs one branch
 * that the processor predicts. A listener must not call the runtime, apart from asking a task for
 * its name. */
#ifndef HOOKS_H
#define HOOKS_H

#include "async.h"

struct async_hooks {
    void (*created)(async_task task);       /* by async_create_task, gather, ... */
    void (*started)(async_task task);       /* its first step begins */
    void (*suspended)(async_task task);     /* it waits, or gives up its turn */
    void (*resumed)(async_task task);       /* a step begins */
    void (*finished)(async_task task);      /* it has a value or an error, or is cancelled */
    void (*cancelled)(async_task task);     /* somebody asked it to end */
    void (*time_passes)(double seconds);    /* a virtual clock is about to jump to this time */
};

extern const struct async_hooks *async_hooks;       /* NULL: nobody listens */

#define hook(event, task) hook_value(event, object_ticket(&(task)->coro.object))
#define hook_value(event, value) \
    do { \
        if (__builtin_expect(async_hooks != NULL, 0) && async_hooks->event) \
            async_hooks->event(value); \
    } while (0)

#endif
