/* line.h - tasks that queue for something: a lock, an item, an event.
 *
 * One line serves every such primitive. A waiter lies on the stack of the task that waits. Waking
 * it finishes its future, and the task resumes in the next turn; until then it keeps its place in
 * the line or not, as the primitive needs, and may still be cancelled: then the primitive sees by
 * the future's state whether it had been woken, and passes the chance on. */
#ifndef LINE_H
#define LINE_H

#include "core/future.h"
#include "core/list.h"
#include "core/object.h"

struct line {
    struct list waiters;        /* first come first */
    struct object *owner;       /* what they wait for */
};

struct waiter {
    struct list link;           /* in the line */
    struct line *line;
    struct future future;       /* done: woken */
};

static inline void line_init(struct line *line, struct object *owner)
{
    list_init(&line->waiters);
    line->owner = owner;
}

/* Waits at the end of the line; on return the waiter is out of it. async_none when woken, else the
 * error: the task was cancelled, or what was waited for is gone. */
async_value line_wait(struct line *line, struct waiter *waiter);

/* Was it woken, whatever came afterwards? */
static inline bool waiter_woken(const struct waiter *waiter)
{
    return waiter->future.state == FINISHED;
}

bool line_wake_first(struct line *line);    /* the first, which stays; false: nobody, or woken before */
bool line_wake_next(struct line *line);     /* the first that was not woken yet; it stays */
bool line_serve_next(struct line *line);    /* takes the first that was not woken out and wakes it */
void line_wake_all(struct line *line);      /* they stay */
bool line_all_cancelled(const struct line *line);   /* or nobody there */

/* The lock, queue, ... that a task waits for which waits on this future; NULL: it is not in a line. */
struct object *line_awaited(struct future *future);

/* The task that waits on this future is gone for good: if it stood in a line, it no longer does. */
void line_forget(struct future *future);

/* Who took a lock or a permit last, and where: for reports. */
struct taking {
    async_task by;                  /* NULL: nobody has, or no task */
    const char *at;
};
void line_note_taking(struct taking *taking, const char *place);
struct task *line_taker(const struct taking *taking);   /* NULL: that task has ended */

/* A new object of a primitive's type, owned by the current task; NULL when memory ran out. */
void *primitive_new(const struct future_type *type);

/* The object behind a handle that must be of this type. Otherwise NULL and *error, or, where
 * there is no way to return an error (NULL), a sentence and abort. */
void *primitive_of(const void *handle, const struct future_type *type, const char *caller,
                   async_value *error);

/* The same for a question about its state, or to end it: NULL when it is recycled, and so at its end. */
void *primitive_known(const void *handle, const struct future_type *type, const char *caller);

/* The same for a function that waits: the object stays alive until the variable declared with
 * `in_use` goes, even if the task that it belongs to ends meanwhile. */
#define in_use __attribute__((cleanup(primitive_done)))
void *primitive_use(const void *handle, const struct future_type *type, const char *caller,
                    async_value *error);
void primitive_done(void *variable);

#endif
