/* report.c - see report.h. */
#include "debug/report.h"
#include "debug/debug.h"
#include "core/loop.h"
#include "core/stack.h"
#include "core/task.h"
#include "core/waitq.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT 512

/* "in task 'Task-2'", or where else we are. */
static const char *who(char *text)
{
    struct task *task = task_current();
    if (task)
        snprintf(text, TEXT, "in task '%s'", task_name(task));
    else
        snprintf(text, TEXT, loop_running ? "in a callback" : "outside of any event loop");
    return text;
}

/* "Lock (made at x.c:5, held by task 'Task-2' since x.c:9)" */
static void describe_taken(struct object *object, const struct holder *holder, char *text, size_t size)
{
    struct task *by = holder_task(holder);
    bool shared = object->future.type->shared;
    snprintf(text, size, "%s (made at %s, %s by %s%s%s %s %s)", object->future.type->name, object->place,
             shared ? "last taken" : "held", by ? "task '" : "a task that has ended",
             by ? task_name(by) : "", by ? "'" : ",", shared ? "at" : "since", holder->at);
}

void report_describe(struct object *object, char *text, size_t size)
{
    struct coro *coro = (struct coro *)object;
    const struct holder *holder = holder_of(object);
    if (holder)
        describe_taken(object, holder, text, size);
    else if (object->future.type == &task_type)
        snprintf(text, size, "task '%s' (%s, created at %s%s)", task_name((struct task *)object),
                 coro->name, object->place, debug_origin(object));
    else if (object->future.type == &coroutine_type || object->future.type == &running_type)
        snprintf(text, size, "coroutine '%s' (made at %s%s)", coro->name, object->place,
                 debug_origin(object));
    else
        snprintf(text, size, "%s (made at %s)", object->future.type->name, object->place);
}

static const char *what(struct object *object, char *text)
{
    report_describe(object, text, TEXT);
    return text;
}

/* An error whose message begins with the call, its place and its task. */
__attribute__((format(printf, 3, 4)))
static async_value sentence(int error, const char *caller, const char *format, ...)
{
    char why[3 * TEXT], task[TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return async_error(error, async_strf("%s at %s %s: %s", caller, async_here, who(task), why));
}

/* -------------------------------------------------------------------------------- misuse */

static async_value misused_coroutine(struct object *object, const char *caller)
{
    char text[TEXT];
    if (object->future.type == &coroutine_type)
        return sentence(ASYNC_TYPE_ERROR, caller, "%s is not a task: nothing of it runs yet. "
                        "async_create_task() makes a task of it", what(object, text));
    if (object->future.state == PENDING)
        return sentence(ASYNC_RUNTIME_ERROR, caller, "coroutine is being awaited already: %s. To "
                        "wait for one call in two places, make it a task", what(object, text));
    return sentence(ASYNC_RUNTIME_ERROR, caller, "cannot reuse already awaited coroutine: %s. Call "
                    "async_coro() again for another run, or make it a task, which may be awaited "
                    "any number of times", what(object, text));
}

async_value report_misuse(async_awaitable x, const char *caller)
{
    char text[TEXT];
    if (!x)
        return sentence(ENOMEM, caller, "the handle is NULL: it was never set, or memory or descriptors ran "
                        "out when it was made");
    struct object *object = object_find(x), *task = object_successor(x);
    if (task)
        return sentence(ASYNC_RUNTIME_ERROR, caller, "cannot reuse already awaited coroutine: it "
                        "has become %s; use the handle of that task", what(task, text));
    if (object_over(x))
        return sentence(ASYNC_RUNTIME_ERROR, caller, "this handle is too old: what it stood for "
                        "was used up or collected long ago. A coroutine object can be awaited once; a "
                        "task's outcome is there until a while after it was taken (see the top of "
                        "async.h). Keep the value, or async_keep the handle");
    if (!object)
        return sentence(ASYNC_TYPE_ERROR, caller, "this is no handle: no call of async.h has given it out");
    if (object->future.type == &coroutine_type || object->future.type == &running_type)
        return misused_coroutine(object, caller);
    if (object->future.type == &task_type)
        return sentence(ASYNC_TYPE_ERROR, caller, "a coroutine was expected, got %s, which runs "
                        "already", what(object, text));
    return sentence(ASYNC_TYPE_ERROR, caller, "this does not work on a %s", what(object, text));
}

async_value report_no_loop(const char *caller)
{
    return sentence(ASYNC_RUNTIME_ERROR, caller, "no running event loop. Call it from a coroutine "
                    "that async_run() or async_main() runs");
}

async_value report_refused(int error, const char *caller, const char *why)
{
    return sentence(error, caller, "%s", why);
}

async_value report_no_task(void)
{
    return sentence(ASYNC_RUNTIME_ERROR, "await", "only a task can wait. Start a coroutine with "
                    "async_run(), or with async_create_task() from inside the loop, and await there");
}

async_value report_cannot_wait(struct task *task, struct future *future)
{
    char text[TEXT];
    if (future == &task->coro.object.future)
        return sentence(ASYNC_RUNTIME_ERROR, "await", "Task cannot await on itself: %s",
                        what(&task->coro.object, text));
    return sentence(ASYNC_RUNTIME_ERROR, "await", "the future belongs to a different loop");
}

/* An error's text; an exit has its status in that place. */
static const char *message_of(async_value error)
{
    return error.message && error.error != ASYNC_SYSTEM_EXIT ? error.message : "";
}

_Noreturn void report_abort(async_value why)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s.\n", async_error_name(why.error), message_of(why));
    abort();
}

void loop_given(const async_loop *loop, const char *caller)
{
    if (!loop)
        report_abort(report_no_loop(caller));
}

/* --------------------------------------------------------------- errors nobody receives */

static void print_exception(const char *message, async_value error, struct object *object)
{
    char text[TEXT];
    fflush(stdout);
    const char *raised = object ? debug_raised_at(object, error) : NULL;
    fprintf(stderr, "%s%s%s%s%s: %s: %s\n", message, object ? ": " : "",
            object ? what(object, text) : "", raised ? ", raised at " : "", raised ? raised : "",
            async_error_name(error.error), message_of(error));
}

/* The program's handler, in the context of the task that the error is about. */
static void call_handler(async_loop *loop, const char *message, async_value error, struct object *object)
{
    bool of_task = object && object->future.type == &task_type;
    struct context *before = context_enter(of_task ? context_keep(((struct task *)object)->context)
                                                   : context_copy());
    loop->on_exception(loop, message, error, object ? object_ticket(object) : NULL);
    context_leave(before);
}

void report_exception(async_loop *loop, const char *message, async_value error,
                      struct object *object)
{
    if (loop && loop->on_exception)
        call_handler(loop, message, error, object);
    else
        print_exception(message, error, object);
}

void async_loop_call_exception_handler(async_loop *loop, const char *message, async_value error,
                                       async_awaitable x)
{
    loop_given(loop, __func__);
    report_exception(loop, message, error, object_find(x));
}

void async_loop_default_exception_handler(async_loop *loop, const char *message, async_value error,
                                          async_awaitable x)
{
    loop_given(loop, __func__);
    print_exception(message, error, object_find(x));
}

void async_loop_set_exception_handler(async_loop *loop, async_exception_fn *fn)
{
    loop_given(loop, __func__);
    loop->on_exception = fn;
}

void report_untaken(struct object *object, const char *so_far)
{
    char text[TEXT];
    snprintf(text, sizeof text, "%s exception was never retrieved%s",
             object->future.type == &task_type ? "Task" : "Future", so_far);
    report_exception(object->future.loop, text, object->future.outcome, object);
}

void report_unawaited(const char *place, const char *name, size_t count, const struct object *coro)
{
    const char *origin = coro && count == 1 ? debug_origin(coro) : "";
    fflush(stdout);
    fprintf(stderr, "%s: RuntimeWarning: coroutine '%s' was never awaited%s%s", place, name,
            *origin ? "; made" : "", origin);
    if (count > 1)
        fprintf(stderr, " (%zu such objects)", count);
    fputc('\n', stderr);
}

static void unawaited(struct object *object, void *arg)
{
    (void)arg;
    if (object->future.type == &coroutine_type && !object->future.loop) {
        report_unawaited(object->place, ((struct coro *)object)->name, 1, object);
        object_free(object);
    }
}

static void at_exit(void)
{
    object_each(unawaited, NULL);
    object_release();
}

void report_unawaited_at_exit(void)
{
    static bool registered;
    if (!registered)
        registered = atexit(at_exit) == 0;
}

void report_pending(struct object *object)
{
    char text[TEXT];
    struct task *task = (struct task *)object;
    fflush(stdout);
    fprintf(stderr, "Task was destroyed but it is pending! %s, %s%s\n", what(object, text),
            task->waiting_at ? "waiting at " : "never started",
            task->waiting_at ? task->waiting_at : "");
}

/* ------------------------------------------------------------------------------ deadlock */

/* Does following who waits for whom from this task lead back to it? */
static bool on_cycle(struct task *task, size_t tasks)
{
    struct task *next = info_blocker(task);
    for (; next && tasks--; next = info_blocker(next))
        if (next == task)
            return true;
    return false;
}

/* "task 'Task-3' (...)", "Queue (made at queue.c:7)", "async_wait" */
static const char *awaited(struct task *task, char *text)
{
    struct object *object = info_awaited(task);
    const char *kind = info_waits_for(task);
    return object ? what(object, text) : kind ? kind : "its turn";
}

void report_deadlock(async_loop *loop)
{
    char text[TEXT], on[TEXT];
    size_t count = 0;
    list_each(link, &loop->tasks)
        count++;
    loop->deadlocked = true;        /* closing it need not name them again */
    fflush(stdout);
    fprintf(stderr, "Deadlock: nothing is ready, no timer is set and no I/O is pending, so nothing "
                    "can ever happen again.\n");
    list_each(link, &loop->tasks) {
        struct task *task = container_of(link, struct task, coro.object.link);
        fprintf(stderr, "  %s\n    waits at %s for %s%s\n", what(&task->coro.object, text),
                task->waiting_at ? task->waiting_at : "?", awaited(task, on),
                on_cycle(task, count) ? "  <- on a cycle" : "");
    }
}

void report_overflow(void)
{
    char text[TEXT], number[32];
    struct task *task = task_current();
    snprintf(number, sizeof number, "Task-%u", task ? task->name_number : 0);
    int length = snprintf(text, sizeof text, "Stack overflow: task '%s' (%s) needs more than the "
                          "%d KiB that a task has. Endless recursion, or a large local array: use "
                          "async_alloc() or malloc() for that.\n",
                          task && task->name ? task->name : number, task ? task->coro.name : "?",
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
