/* hooks.h - who wants to know what the runtime does: tracing, debugging, graders.
 *
 * Each listener has a table of functions, any of which may be NULL. While nobody listens an event
 * costs one branch that the processor predicts. A listener may ask (async_get_name,
 * async_get_task_info, async_loop_time) but must not change anything. */
#ifndef HOOKS_H
#define HOOKS_H

#include "async.h"

struct future;
struct frame;
struct object;

struct async_hooks {
    void (*created)(async_task task);       /* by async_create_task, gather, ...; current_task did it */
    void (*started)(async_task task);       /* its first step begins */
    void (*resumed)(async_task task);       /* a step begins */
    void (*suspended)(async_task task);     /* it waits (its info says on what), or gives up its turn */
    void (*woken)(struct future *future);   /* is done: the tasks among its waiters become ready */
    void (*finished)(async_task task);      /* it has a value or an error, or is cancelled */
    void (*cancelled)(async_task task);     /* somebody asked it to end */
    void (*entered)(const struct frame *frame);     /* a coroutine begins, or a generator goes on */
    void (*left)(const struct frame *frame, const async_value *outcome);    /* it has ended with that */
    void (*yielded)(const struct frame *frame, const async_value *value);   /* a generator waits for the next anext */
    void (*renamed)(async_task task, const char *name);     /* it is about to have that name */
    void (*made)(const struct object *object);      /* a lock, a queue, ...: nothing is in it yet */
    void (*time_passes)(double seconds);    /* a virtual clock is about to jump to this time */
    void (*turn)(async_loop *loop);         /* what is in its batch runs now */
    void (*timer)(double seconds);          /* a deadline, at this time on the loop's clock, was due */
    void (*calls)(async_fn *fn);            /* a callback, which no task is, begins */
    void (*called)(async_fn *fn);           /* and has returned */
    void (*io)(int number);                 /* this descriptor is ready, or, negative, this signal came */
    struct async_hooks *next;               /* the next listener; set by async_hooks_add */
};

/* The table must last until it is removed. Events go to the one that was added last first. */
void async_hooks_add(struct async_hooks *hooks);
void async_hooks_remove(struct async_hooks *hooks);

extern struct async_hooks *async_hooks;     /* the first; NULL: nobody listens */

void trace_begin(async_loop *loop);     /* of trace.c: it was made; the first looks for ASYNC_TRACE */

#define hook(event, task) hook_value(event, object_ticket(&(task)->coro.object))
#define hook_value(event, ...) \
    do { \
        if (__builtin_expect(async_hooks != NULL, 0)) \
            for (struct async_hooks *hooks_ = async_hooks; hooks_; hooks_ = hooks_->next) \
                if (hooks_->event) \
                    hooks_->event(__VA_ARGS__); \
    } while (0)

#endif
