/* report.h - sentences for what went wrong: what was attempted, by which task, where, and what to
 * do instead. Every text that a program's author sees from the runtime is made in report.c. */
#ifndef REPORT_H
#define REPORT_H

#include "async.h"
#include "core/object.h"

/* "task 'Task-2' (make_coffee, created at breakfast.c:12)"; in debug mode also by whom. */
void report_describe(struct object *object, char *text, size_t size);

/* Error values, for calls that can return one. */
async_value report_misuse(async_awaitable x, const char *caller);   /* x is not what caller wants */
async_value report_no_loop(const char *caller);
async_value report_refused(int error, const char *caller, const char *why);
async_value report_no_task(void);                                   /* to wait with */
struct task;
async_value report_cannot_wait(struct task *task, struct future *future);

/* Prints the sentence and aborts, for calls that cannot return it. */
_Noreturn void report_abort(async_value why);

/* Of a loop that a program gave us: NULL, what get_running_loop() is outside of loops, ends here. */
void loop_given(const async_loop *loop, const char *caller);

/* Of a bridge: the name of one of its errors, or NULL. */
extern const char *(*report_more_names)(int error);

/* An error that no coroutine can receive: to the loop's exception handler, or stderr. */
void report_exception(async_loop *loop, const char *message, async_value error,
                      struct object *object);

/* "Task exception was never retrieved", and perhaps " so far". */
void report_untaken(struct object *object, const char *so_far);

/* "coroutine 'f' was never awaited", of so many made at one place. `coro`: the first, or NULL if it is gone. */
void report_unawaited(const char *place, const char *name, size_t count, const struct object *coro);
void report_unawaited_at_exit(void);            /* those that were made outside of any loop */
void report_pending(struct object *task);       /* "Task was destroyed but it is pending!" */
void report_deadlock(async_loop *loop);         /* who waits for what, and the cycle if there is one */
void report_overflow(void);                     /* of the current task's stack, from a signal handler */
_Noreturn void report_stepped_over(void);       /* the same, noticed when it was too late */

#endif
