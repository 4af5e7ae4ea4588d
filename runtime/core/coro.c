/* coro.c - see coro.h. */
#include "core/coro.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/step.h"
#include "core/task.h"
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct coro) <= OBJECT_SIZE, "a coroutine object fits its record");

static void drop(struct object *object) { coro_drop_args((struct coro *)object); }

static void describe(struct object *object, char *text, size_t size)
{
    snprintf(text, size, "coroutine '%s' (made at %s%s)", ((struct coro *)object)->name, object->place,
             report_origin(object));
}

static async_value misused(struct object *object, const char *caller)
{
    char text[REPORT_TEXT];
    report_describe(object, text);
    if (object->future.type == &coroutine_type)
        return report_refused(ASYNC_TYPE_ERROR, caller, "%s is not a task: nothing of it runs yet. "
                              "async_create_task() makes a task of it", text);
    if (object->future.state == PENDING)
        return report_refused(ASYNC_RUNTIME_ERROR, caller, "coroutine is being awaited already: %s. To "
                              "wait for one call in two places, make it a task", text);
    return report_refused(ASYNC_RUNTIME_ERROR, caller, "cannot reuse already awaited coroutine: %s. Call "
                          "async_coro() again for another run, or make it a task, which may be awaited "
                          "any number of times", text);
}

const struct future_type coroutine_type = {
    .name = "coroutine", .drop = drop, .describe = describe, .misused = misused
};
const struct future_type running_type = {
    .name = "coroutine", .drop = drop, .describe = describe, .misused = misused
};

/* Where no task runs (in callbacks, and before any loop) frames are chained here. */
static _Thread_local struct frame *outside;

struct frame **coro_innermost(void)
{
    struct task *task = task_current();
    return task ? &task->frame : &outside;
}

struct coro *coro_new(async_fn *fn, const char *name)
{
    async_loop *loop = loop_running;
    struct coro *coro = (struct coro *)object_take(&coroutine_type, loop);
    if (!coro)
        return NULL;
    coro->fn = fn;
    coro->name = name;
    coro->args = coro->room;
    struct task *maker = loop ? loop->current : NULL;
    coro->object.future.outcome.ptr = maker ? object_ticket(&maker->coro.object) : NULL;
    list_append(&object_table.retired[UNUSED].objects, &coro->object.link);
    if (__builtin_expect(loop && loop->debug, 0))
        loop->debug->born(&coro->object);
    return coro;
}

async_coroutine async_coro_new(async_call call)
{
    struct coro *coro = coro_new(call.call, call.name);
    if (!coro || !coro_copy(coro, call.args, call.size))
        return NULL;
    if (!call.size)
        memset(coro->room, 0, INLINE_ARGS);
    return object_ticket(&coro->object);
}

struct on {
    const void *handle;
    const struct future_type *type;
    async_fn *run;
};

static async_value run_on(void *p)
{
    struct on on = *(struct on *)p;
    struct object *object = object_fit(on.handle, on.type);
    if (!object)
        return report_misuse(on.handle, container_of(p, struct coro, room)->name);
    object_pin(object);
    async_value v = on.run(object);
    object_unpin(object);
    return v;
}

async_coroutine coro_on(const void *handle, const struct future_type *type, async_fn *run, const char *name)
{
    return coro_make(run_on, name, &(struct on){ handle, type, run }, sizeof(struct on));
}

async_coroutine coro_with_call(async_fn *fn, async_call what)
{
    size_t size = what.size ? what.size : INLINE_ARGS;      /* without arguments: zeroes */
    _Alignas(max_align_t) char room[sizeof(struct call) + size];
    struct call *call = (struct call *)room;
    call->fn = what.call;
    call->name = what.name;
    call->size = size;
    memset(call->args, 0, size);
    if (what.size)
        memcpy(call->args, what.args, what.size);
    return coro_make(fn, what.name, call, sizeof room);
}

/* What the function ends with if it returns v. */
static async_value ends_with(const struct frame *here, async_value v)
{
    if (here->replaced)
        v = here->instead;
    return v.error == ASYNC_CANCELLED && here->if_cancelled.error ? here->if_cancelled : v;
}

async_value coro_call(struct coro *coro, struct generator *generator)
{
    struct frame **top = coro_innermost();
    struct frame here;              /* filled in by hand: to clear all of it takes longer than the rest */
    here.outer = *top;
    here.coro = coro;
    here.awaited_at = async_here;
    here.leaving = here.if_cancelled = async_none;
    here.generator = generator;
    here.replaced = false;
    *top = &here;
    hook_value(entered, &here);
    async_value v = ends_with(&here, coro->fn(coro->args));
    *coro_innermost() = here.outer;
    hook_value(left, &here, &v);
    return v;
}

void async_coro_close(async_coroutine x)
{
    if (!x)
        return;
    struct object *object = object_find(x);
    if (object && object->future.type == &coroutine_type)
        object_free(object);
    else if (!object_over(x) && (!object || object->future.type != &running_type))
        report_abort(report_misuse(x, "async_coro_close"));
}

/* await of one of ours that has more arguments than its record holds. */
__attribute__((noinline))
static async_value await_large(struct coro *coro)
{
    coro->object.future.type = &running_type;
    async_value v = coro->fn(coro->args);
    object_free(&coro->object);
    return v;
}

/* await of a coroutine object: a call, after which the object is used up. */
__attribute__((noinline))
static async_value await_coroutine(struct coro *coro)
{
    coro->object.future.type = &running_type;
    object_use(&coro->object);
    object_pin(&coro->object);
    async_value v = coro_call(coro, NULL);
    coro->object.future.state = FINISHED;
    object_unpin(&coro->object);
    object_retire(&coro->object, TAKEN);
    return v;
}

/* Who is woken by a cancel that is taken back before it arrives waits on. */
__attribute__((noinline))
static async_value await_future(struct future *future)
{
    while (future->state == PENDING) {
        struct object *object = future_object(future);
        object_pin(object);
        async_value interrupted = task_wait_here(future);
        if (interrupted.error && future->state != PENDING)
            object_retire(object, TAKEN);        /* its own error came too late, but counts as seen */
        object_unpin(object);
        if (interrupted.error)
            return interrupted;
    }
    return future_take(future);
}

/* Await of one of ours is a jump. */
async_value async_catch(async_awaitable x)
{
    struct object *object = object_find(x);
    if (!object)
        return report_misuse(x, "await");
    struct coro *coro = (struct coro *)object;
    if (object->future.type != &coroutine_type)
        return object->future.type->cancel ? await_future(&object->future) : report_misuse(x, "await");
    if (!object->brief)
        return await_coroutine(coro);
    if (coro->args != coro->room)
        return await_large(coro);
    object_leave(object);
    object_put_back(object);
    return coro->fn(coro->room);
}

/* ------------------------------------------------------- leaving a function, and its clean-ups */

async_value async_leave(async_value error)
{
    struct frame *here = *coro_innermost();
    if (here) {
        here->leaving = error;
        here->if_cancelled = async_none;    /* by a block that was left before, and went on */
    }
    return error;
}

async_value async_leave_at(async_value error, const char *place)
{
    if (__builtin_expect(loop_running && loop_running->debug, 0))
        loop_running->debug->raised(error, place);
    return async_leave(error);
}

async_value async_leaving(void)
{
    struct frame *here = *coro_innermost();
    return here ? ends_with(here, here->leaving) : async_none;
}

void async_leave_with(async_value outcome)
{
    struct frame *here = *coro_innermost();
    if (!here)
        return;
    here->instead = outcome;
    here->if_cancelled = async_none;
    here->replaced = true;
}

void coro_replace_cancelled(async_value instead)
{
    struct frame *here = *coro_innermost();
    if (here)
        here->if_cancelled = instead;
}
