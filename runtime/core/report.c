/* report.c - see report.h. */
#include "core/report.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/stack.h"
#include "core/task.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its name, without noting it: a stack may have overflowed. */
static const char *name_of(const struct task *task, char number[32])
{
    snprintf(number, 32, "Task-%u", task->name_number);
    return task->name ? task->name : number;
}

/* "in task 'Task-2'", or where else we are. */
static const char *who(char text[REPORT_TEXT])
{
    char number[32];
    struct task *task = task_current();
    if (task)
        snprintf(text, REPORT_TEXT, "in task '%s'", name_of(task, number));
    else
        snprintf(text, REPORT_TEXT, loop_running ? "in a callback" : "outside of any event loop");
    return text;
}

const char *report_describe(struct object *object, char text[REPORT_TEXT])
{
    if (object->future.type->describe)
        object->future.type->describe(object, text, REPORT_TEXT);
    else
        snprintf(text, REPORT_TEXT, "%s (made at %s)", object->future.type->name, object->place);
    return text;
}

const char *report_origin(const struct object *object)
{
    const async_loop *loop = object->future.loop;
    return loop && loop->debug ? loop->debug->origin(object) : "";
}

async_value report_refused(int error, const char *caller, const char *format, ...)
{
    char why[3 * REPORT_TEXT], where[REPORT_TEXT], text[5 * REPORT_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    snprintf(text, sizeof text, "%s at %s %s: %s", caller, async_here, who(where), why);
    return async_error(error, memory_text(memory_here(), text));
}

/* -------------------------------------------------------------------------------- misuse */

async_value report_misuse(const void *x, const char *caller)
{
    char text[REPORT_TEXT];
    if (!x)
        return report_refused(ENOMEM, caller, "the handle is NULL: it was never set, or memory or "
                              "descriptors ran out when it was made");
    struct object *object = object_find(x), *task = object_successor(x);
    if (task)
        return report_refused(ASYNC_RUNTIME_ERROR, caller, "cannot reuse already awaited coroutine: it "
                              "has become %s; use the handle of that task", report_describe(task, text));
    if (object_over(x))
        return report_refused(ASYNC_RUNTIME_ERROR, caller, "this handle is too old: what it stood for "
                              "was used up or collected long ago. A coroutine object can be awaited once; a "
                              "task's outcome is there until a while after it was taken (see the top of "
                              "async.h). Keep the value, or async_keep the handle");
    if (!object)
        return report_refused(ASYNC_TYPE_ERROR, caller, "this is no handle: no call of async.h has given "
                              "it out");
    if (object->future.type->misused)
        return object->future.type->misused(object, caller);
    async_value outcome = object->future.outcome;
    if (object->future.state == FINISHED && outcome.error)      /* what a task is that could not be made */
        return report_refused(ASYNC_TYPE_ERROR, caller, "this does not work on a %s, which holds %s: %s",
                              report_describe(object, text), async_error_name(outcome.error),
                              report_message(outcome));
    return report_refused(ASYNC_TYPE_ERROR, caller, "this does not work on a %s",
                          report_describe(object, text));
}

void *report_unfit(const void *handle, const char *caller, async_value *error)
{
    async_value why = report_misuse(handle, caller);
    if (!error)
        report_abort(why);
    *error = why;
    return NULL;
}

void *object_known(const void *handle, const struct future_type *type, const char *caller)
{
    return object_over(handle) ? NULL : object_of(handle, type, caller, NULL);
}

async_value report_no_loop(const char *caller)
{
    return report_refused(ASYNC_RUNTIME_ERROR, caller, "no running event loop. Call it from a coroutine "
                          "that async_run() or async_main() runs");
}

async_value report_no_task(void)
{
    return report_refused(ASYNC_RUNTIME_ERROR, "await", "only a task can wait. Start a coroutine with "
                          "async_run(), or with async_create_task() from inside the loop, and await there");
}

async_value report_foreign(struct object *object)
{
    char text[REPORT_TEXT];
    return report_refused(ASYNC_RUNTIME_ERROR, "await", "%s is bound to a different event loop",
                          report_describe(object, text));
}

async_value report_cannot_wait(struct task *task, struct future *future)
{
    char text[REPORT_TEXT];
    if (future == &task->coro.object.future)
        return report_refused(ASYNC_RUNTIME_ERROR, "await", "Task cannot await on itself: %s",
                              report_describe(&task->coro.object, text));
    return report_refused(ASYNC_RUNTIME_ERROR, "await", "the future belongs to a different loop");
}

const char *report_message(async_value error)
{
    return error.message && error.error != ASYNC_SYSTEM_EXIT ? error.message : "";
}

_Noreturn void report_abort(async_value why)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s.\n", async_error_name(why.error), report_message(why));
    abort();
}

_Noreturn void report_closed(void) { report_abort(async_error(ASYNC_RUNTIME_ERROR, "Event loop is closed")); }

void report_pending(struct object *object)
{
    char text[REPORT_TEXT];
    struct task *task = (struct task *)object;
    fflush(stdout);
    fprintf(stderr, "Task was destroyed but it is pending! %s, %s%s\n", report_describe(object, text),
            task->waiting_at ? "waiting at " : "never started",
            task->waiting_at ? task->waiting_at : "");
}

void report_overflow(void)
{
    char text[REPORT_TEXT], number[32];
    const struct task *task = task_current();
    int length = snprintf(text, sizeof text, "Stack overflow: task '%s' (%s) needs more than the "
                          "%d KiB that a task has. Endless recursion, or a large local array: use "
                          "async_alloc() or malloc() for that.\n",
                          task ? name_of(task, number) : "?", task ? task->coro.name : "?",
                          (STACK_SIZE - STACK_GUARD) / 1024);
    if (write(2, text, length) < 0)
        return;
}

void report_stepped_over(void)
{
    report_overflow();
    fprintf(stderr, "It was compiled without -fstack-clash-protection and went on, so that variables "
                    "of other tasks may have been overwritten.\n");
    abort();
}
