/* exception.c - see exception.h; and loop.set_exception_handler, which gets them. */
#include "core/exception.h"
#include "core/context.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include <stdio.h>

static void print_exception(const char *message, async_value error, struct object *object)
{
    char text[REPORT_TEXT];
    fflush(stdout);
    struct observer *debug = object && object->future.loop ? object->future.loop->debug : NULL;
    const char *raised = debug ? debug->raised_at(object, error) : NULL;
    fprintf(stderr, "%s%s%s%s%s: %s: %s\n", message, object ? ": " : "",
            object ? report_describe(object, text) : "", raised ? ", raised at " : "", raised ? raised : "",
            async_error_name(error.error), report_message(error));
}

/* The program's handler runs in the context of the task that the error is about. */
void report_exception(async_loop *loop, const char *message, async_value error, struct object *object)
{
    if (!loop || !loop->on_exception) {
        print_exception(message, error, object);
        return;
    }
    bool of_task = object && object->future.type == &task_type;
    struct context *before = context_enter(of_task ? context_keep(((struct task *)object)->context)
                                                   : context_copy());
    loop->on_exception(loop, message, error, object ? object_ticket(object) : NULL);
    context_leave(before);
}

void async_loop_call_exception_handler(async_loop *loop, const char *message, async_value error,
                                       async_awaitable x)
{
    report_exception(loop_given(loop, __func__), message, error, object_find(x));
}

void async_loop_default_exception_handler(async_loop *loop, const char *message, async_value error,
                                          async_awaitable x)
{
    loop_given(loop, __func__);
    print_exception(message, error, object_find(x));
}

void async_loop_set_exception_handler(async_loop *loop, async_exception_fn *fn)
{
    loop_given(loop, __func__)->on_exception = fn;
}
