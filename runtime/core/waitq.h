/* waitq.h - tasks that queue for something: a lock, an item, an event.
 *
 * One wait queue serves every such primitive. A waiter lies on the stack of the task that waits. Waking
 * it finishes its future, and the task resumes in the next turn; until then it keeps its place in
 * the queue or not, as the primitive needs, and may still be cancelled: then the primitive sees by
 * the future's state whether it had been woken, and passes the chance on. */
#ifndef WAITQ_H
#define WAITQ_H

#include "core/future.h"
#include "core/list.h"
#include "core/object.h"
#include "core/report.h"
#include "core/step.h"

struct waitq {
    struct list waiters;        /* first come first */
    struct object *owner;       /* what they wait for */
};

struct waiter {
    struct list link;           /* in the queue */
    struct waitq *waitq;
    struct future future;       /* done: woken */
};

static inline void waitq_init(struct waitq *waitq, struct object *owner)
{
    list_init(&waitq->waiters);
    waitq->owner = owner;
}

extern const struct future_type waitq_type;

/* Of another loop than the running one? What is made where no loop runs belongs to none. NULL: nothing with a loop. */
static inline bool object_is_foreign(const struct object *object)
{
    return object && object->future.loop && object->future.loop != loop_running;
}

/* Waits at the end of the queue; on return the waiter is out of it. async_none when woken, else the
 * error: the task was cancelled, or what was waited for is gone. */
__attribute__((always_inline))
static inline async_value waitq_wait(struct waitq *waitq, struct waiter *waiter)
{
    struct task *task = task_current();
    if (!task)
        return report_no_task();
    if (__builtin_expect(object_is_foreign(waitq->owner), 0))
        return report_foreign(waitq->owner);
    future_init(&waiter->future, &waitq_type, loop_running);
    waiter->waitq = waitq;
    list_append(&waitq->waiters, &waiter->link);
    async_value interrupted = task_await(task, &waiter->future);
    list_remove(&waiter->link);
    return interrupted.error ? interrupted : waiter->future.outcome;
}

/* Was it woken, whatever came afterwards? */
static inline bool waiter_woken(const struct waiter *waiter)
{
    return waiter->future.state == FINISHED;
}

bool waitq_wake_first(struct waitq *waitq);    /* the first, which stays; false: nobody, or woken before */
bool waitq_wake_next(struct waitq *waitq);     /* the first that was not woken yet; it stays */
bool waitq_serve_next(struct waitq *waitq);    /* takes the first that was not woken out and wakes it */
void waitq_wake_all(struct waitq *waitq);      /* they stay */
void waitq_serve_all(struct waitq *waitq);     /* takes all of them out, and wakes them */
bool waitq_all_cancelled(const struct waitq *waitq);   /* or nobody there */

/* The lock, queue, ... that a task waits for which waits on this future; NULL: it is not in a wait queue. */
struct object *waitq_awaited(struct future *future);

/* Who took a lock or a permit last, and where: for reports. */
struct holder {
    async_task by;                  /* NULL: nobody has, or no task */
    const char *at;
};
void holder_note(struct holder *holder, const char *place);
const struct holder *holder_of(struct object *object);  /* of any kind; NULL: nobody, or it cannot be taken */
struct task *holder_task(const struct holder *holder);  /* NULL: that task has ended */

/* The `describe` of what can be taken: "Lock (made at x.c:5, held by task 'Task-2' since x.c:9)" */
void holder_describe(struct object *object, char *text, size_t size);

/* A new object of a primitive's type, owned by the current task, zeroes behind it; NULL when memory ran out. */
void *primitive_make(const struct future_type *type);
#define primitive_new(kind, type) object_as(kind, primitive_make(type))

/* object_of (report.h) for a function that waits: the object stays alive until the variable declared with
 * `in_use` goes, even if the task that it belongs to ends meanwhile. */
#define in_use __attribute__((cleanup(primitive_done)))
void *primitive_use(const void *handle, const struct future_type *type, const char *caller,
                    async_value *error);
void primitive_done(void *variable);

#endif
