/* coro.h - coroutine objects: calls that have not happened yet.
 *
 * Awaiting one is a plain call of its function on the stack of whoever awaits. The frame that
 * lies on that stack meanwhile tells where we are, and lets clean-up functions (async_with) see and
 * change what the function ends with. */
#ifndef CORO_H
#define CORO_H

#include "core/object.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define INLINE_ARGS 24

struct coro {
    struct object object;
    async_fn *fn;
    const char *name;               /* the function's */
    void *args;                     /* our copy: `room` below, or malloc'd */
    _Alignas(8) char room[INLINE_ARGS];
};

struct frame {                      /* of a coroutine function that is running or suspended */
    struct frame *outer;            /* of the function that awaits this one */
    const struct coro *coro;
    const char *awaited_at;         /* where that function stands: "file:line" */
    async_value leaving;            /* the error that await or async_raise is leaving it with */
    async_value instead;            /* what a clean-up wants it to end with, if `replaced` */
    async_value if_cancelled;       /* what ASYNC_CANCELLED becomes on the way out, or none */
    struct generator *generator;    /* whose function this is, or NULL */
    bool replaced;
};

extern const struct future_type coroutine_type;     /* waits to be awaited */
extern const struct future_type running_type;       /* is being awaited, or was */

/* An object without arguments yet; NULL: no memory. */
struct coro *coro_new(async_fn *fn, const char *name);

/* Gives it a copy of its arguments. False: no memory, and the object is gone. */
static inline bool coro_copy(struct coro *coro, const void *args, size_t size)
{
    if (size > INLINE_ARGS && !(coro->args = malloc(size))) {
        coro->args = coro->room;
        object_free(&coro->object);
        return false;
    }
    if (size)
        memcpy(coro->args, args, size);
    return true;
}

/* An object for one of the runtime's own coroutine functions; async_coro for everybody else. To await it
 * makes no frame, and its record is free again before fn runs, so that who waits keeps none: arguments of
 * at most INLINE_ARGS bytes are to be copied before anything else is made. */
static inline struct coro *coro_brief(async_fn *fn, const char *name)   /* its caller fills `room`: no copy */
{
    struct coro *coro = coro_new(fn, name);
    if (coro)
        coro->object.brief = true;
    return coro;
}

static inline async_coroutine coro_make(async_fn *fn, const char *name, const void *args, size_t size)
{
    struct coro *coro = coro_brief(fn, name);
    return coro && coro_copy(coro, args, size) ? object_ticket(&coro->object) : NULL;
}

/* One for a wait on an object: run gets the object that the handle named by then, of this type, which stays
 * alive until run returns, even if the task that it belongs to ends meanwhile. */
async_coroutine coro_on(const void *handle, const struct future_type *type, async_fn *run, const char *name);

/* The same where a call of async.h is such a function: its arguments are the fields of `type`, its name that of the
 * C function around this. */
#define coro_for(fn, type, ...) coro_make(fn, __func__, &(type){ __VA_ARGS__ }, sizeof(type))

/* An object for one of ours that has a program's function called elsewhere: it gets a struct call. */
struct call {
    async_fn *fn;
    const char *name;
    size_t size;                    /* of the copy of its arguments, which follows */
    _Alignas(max_align_t) char args[];
};
async_coroutine coro_with_call(async_fn *fn, async_call what);

/* Runs the function here and now, gives what it ended with, and leaves the object to the caller. */
async_value coro_call(struct coro *coro, struct generator *generator);

/* Where the chain of frames begins: of the current task, or of the code outside of tasks. */
struct frame **coro_innermost(void);

/* If the current coroutine function ends with ASYNC_CANCELLED, make it this. */
void coro_replace_cancelled(async_value instead);

/* Frees the arguments. The object stays. */
static inline void coro_drop_args(struct coro *coro)
{
    if (coro->args != coro->room)
        free(coro->args);
    coro->args = coro->room;
}

#endif
