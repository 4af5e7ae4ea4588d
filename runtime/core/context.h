/* context.h - context variables: values that go with a task, and with those that it makes.
 *
 * A context never changes: setting a variable makes another one, which takes its place. So a task begins
 * with its maker's by counting one user more, in whatever thread. No context (NULL) is one in which nothing
 * is set, and as long as no program has set anything all that follows is one branch. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "async.h"
#include <stdatomic.h>
#include <stdbool.h>

struct context;

extern atomic_bool context_used;            /* somebody has set a variable */

/* One user more of it, of that of the current task (or callback), and one fewer. */
struct context *context_keep(struct context *context);
struct context *context_share(void);
void context_release(struct context *context);

/* Puts it where the current one was, which it gives back. The user that both have goes with them. */
struct context *context_exchange(struct context *context);

/* A text that came from a variable may go with the context: the current task gets a share of it. */
async_value context_hand_out(async_value v);

static inline bool context_is_used(void)
{
    return __builtin_expect(atomic_load_explicit(&context_used, memory_order_relaxed), 0);
}

/* What a task that is made now begins with, or a callback that is booked. */
static inline struct context *context_copy(void) { return context_is_used() ? context_share() : NULL; }

/* A callback runs in the context of who booked it: enter uses up `context`, leave what enter gave. */
static inline struct context *context_enter(struct context *context)
{
    return context_is_used() ? context_exchange(context) : NULL;
}

static inline void context_leave(struct context *before)
{
    if (context_is_used())
        context_release(context_exchange(before));
}

/* What a task or a thread ends with. */
static inline async_value context_outcome(async_value v)
{
    return context_is_used() ? context_hand_out(v) : v;
}

#endif
