/* future.h - a result that is not there yet, and those who wait for it.
 *
 * The one mechanism of the runtime: whoever waits puts a job into the future's list of waiters;
 * finishing the future moves the whole list to the loop's ready queue, in order. Nobody is ever
 * called inline. Futures lie inside tasks and handles, or, for the waits of the runtime's own, on
 * the stack of the one who waits. */
#ifndef FUTURE_H
#define FUTURE_H

#include "async.h"
#include "core/list.h"

struct future;
struct holder;
struct job;
struct object;

/* What differs between the kinds of future. */
struct future_type {
    const char *name;                                           /* as Python's type names it */
    bool (*cancel)(struct future *future, const char *message); /* false: it was done; copies */
    void (*drop)(struct object *object);    /* frees what it owns, or NULL; the record stays */
    async_value (*take)(struct object *object); /* hands out a done outcome; NULL: just that */
    /* Visits the futures inside one that waits for others (gather, shield, ...); NULL: it does not. */
    void (*members)(struct future *future, void (*visit)(struct future *, void *), void *arg);
    bool (*abandon)(struct object *object);     /* its owner has ended: true if it goes on until its
                                                   clean-ups have run, and must not be freed now */
    /* Of what can be taken: who has it, or took it last if it is `shared`. NULL: nobody; or it cannot. */
    const struct holder *(*holder)(struct object *object);
    bool shared;                                /* it is there for several at once */
    /* For reports: what it is, in words (NULL: "Queue (made at x.c:5)"); and the error that says why it does
       not fit where another kind is wanted (NULL: that it does not work on one of these). */
    void (*describe)(struct object *object, char *text, size_t size);
    async_value (*misused)(struct object *object, const char *caller);
    void (*forget)(struct future *future);      /* the task that waits on it is gone for good, or NULL */
    void (*hang_up)(struct object *object);     /* in a child of ours: closes the descriptors that it has by fork */
    bool unnamed;                               /* it has no handle: it lies on a stack */
};

extern const struct future_type plain_future;   /* lies on a stack; cancel just finishes it */

enum future_state { PENDING, FINISHED, CANCELLED };

struct future {
    const struct future_type *type;
    async_loop *loop;           /* whose ready queue the waiters go to */
    struct list waiters;        /* jobs to make ready when it is done */
    async_value outcome;        /* valid unless PENDING */
    enum future_state state;
};

static inline void future_init(struct future *future, const struct future_type *type, async_loop *loop)
{
    future->type = type;
    future->loop = loop;
    future->state = PENDING;
    list_init(&future->waiters);
}

void future_finish(struct future *future, enum future_state state, async_value outcome);
bool future_set(struct future *future, async_value outcome);    /* FINISHED; false: was done */
void future_then(struct future *future, async_loop *loop, struct job *job);     /* has it run when it is done */
bool future_cancel_plain(struct future *future, const char *message);

/* A new one that has ended with this error already: what a call is refused with. NULL: no memory. */
async_future future_failed(async_loop *loop, async_value error);

static inline bool future_cancel(struct future *future, const char *message)
{
    return future->type->cancel(future, message);
}

/* Asks a future or task for its outcome, which marks it as taken; it must be done. */
async_value future_take(struct future *future);

/* The future behind a handle that must be a task or future; NULL: it is not, and *error says so, or, where there is
 * no way to return an error (NULL), the program is told in a sentence on behalf of `caller`, and aborts; NULL is a
 * future that is done there. So is a handle whose record is recycled: questions are about the state. */
struct future *future_known(async_awaitable x, const char *caller, async_value *error);

/* Of a handle that is over: had it been cancelled (a scope: had it expired)? After 65,536 such it may be too
 * long ago to tell: that is a sentence on behalf of `caller`. */
bool future_was_cancelled(const void *ticket, const char *caller);

#endif
