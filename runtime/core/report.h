/* report.h - sentences for what went wrong: what was attempted, by which task, where, and what to
 * do instead. */
#ifndef REPORT_H
#define REPORT_H

#include "async.h"
#include "core/object.h"

#define REPORT_TEXT 512             /* room for a description */

/* "task 'Task-2' (make_coffee, created at breakfast.c:12)", as its kind describes itself; gives text. */
const char *report_describe(struct object *object, char text[REPORT_TEXT]);

/* In debug mode " by task 'Task-1' (main)", who made it, and by whom that was made; else "". */
const char *report_origin(const struct object *object);

/* Error values, for calls that can return one. */
async_value report_misuse(const void *x, const char *caller);       /* x is not what caller wants */
void *report_unfit(const void *handle, const char *caller, async_value *error);     /* NULL: aborts; gives NULL */
async_value report_no_loop(const char *caller);
async_value report_refused(int error, const char *caller, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
async_value report_no_task(void);                                   /* to wait with */
async_value report_foreign(struct object *object);                  /* it is of another loop than the running one */
struct task;
async_value report_cannot_wait(struct task *task, struct future *future);

/* The object behind a handle, if it is of this type; else NULL, and report_misuse says why. */
static inline void *object_fit(const void *handle, const struct future_type *type)
{
    struct object *object = object_find(handle);
    return object && object->future.type == type ? object : NULL;
}

/* The object behind a handle that must be of this type. Otherwise NULL and *error, or, where there is no way
 * to return an error (NULL), a sentence and abort. (The place for an error keeps a frame: who ends with a jump
 * asks object_fit.) */
static inline void *object_of(const void *handle, const struct future_type *type, const char *caller,
                              async_value *error)
{
    struct object *object = object_fit(handle, type);
    return object ? object : report_unfit(handle, caller, error);
}

/* The same for a question about its state, or to end it: NULL when it is recycled, and so at its end. */
void *object_known(const void *handle, const struct future_type *type, const char *caller);

/* An error's text, or "": an exit has its status in that place. */
const char *report_message(async_value error);

/* Prints the sentence and aborts, for calls that cannot return it. */
_Noreturn void report_abort(async_value why);
_Noreturn void report_closed(void);                                 /* the loop is, and can be given nothing to do */

/* A loop that a program gave us, or the running one: NULL, what get_running_loop() is outside of loops, ends here. */
static inline async_loop *loop_given(async_loop *loop, const char *caller)
{
    if (!loop)
        report_abort(report_no_loop(caller));
    return loop;
}

/* Of a bridge: the name of one of its errors, or NULL. */
extern const char *(*report_more_names)(int error);

void report_pending(struct object *task);       /* "Task was destroyed but it is pending!" */
void report_overflow(void);                     /* of the current task's stack, from a signal handler */
_Noreturn void report_stepped_over(void);       /* the same, noticed when it was too late */

#endif
