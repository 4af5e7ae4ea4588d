/* future.c - see future.h; and the calls of async.h that futures and tasks share. */
#include "core/future.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/object.h"
#include "core/report.h"
#include "core/step.h"

const struct future_type plain_future = {
    .name = "Future", .cancel = future_cancel_plain, .unnamed = true
};
struct promise {                    /* async_create_future's */
    struct object object;
    struct share *share;            /* of the text that its outcome is, or NULL */
};

static void drop(struct object *object) { memory_let_go(((struct promise *)object)->share); }

static async_value take(struct object *object)
{
    async_value v = object->future.outcome;
    return ((struct promise *)object)->share ? memory_receive(v) : v;
}

static const struct future_type future_type = {
    .name = "Future", .cancel = future_cancel_plain, .drop = drop, .take = take
};

void future_finish(struct future *future, enum future_state state, async_value outcome)
{
    future_wake(future, state, outcome);
    if (future->type->unnamed)
        return;
    object_retire(future_object(future), state == CANCELLED ? TAKEN : UNTAKEN);
    if (state == FINISHED && outcome.error)
        future->loop->failed(future_object(future));
}

bool future_set(struct future *future, async_value outcome)
{
    if (future->state != PENDING)
        return false;
    future_finish(future, FINISHED, outcome);
    return true;
}

void future_then(struct future *future, async_loop *loop, struct job *job)
{
    list_append(future->state == PENDING ? &future->waiters : &loop->ready, &job->link);
}

bool future_cancel_plain(struct future *future, const char *message)
{
    if (future->state != PENDING)
        return false;
    if (!future->type->unnamed)             /* several may take it: it belongs to nobody */
        message = memory_text(memory_of_program(), message);
    future_finish(future, CANCELLED, async_error(ASYNC_CANCELLED, message));
    return true;
}

async_value future_take(struct future *future)
{
    if (future->type->unnamed)
        return future->outcome;
    struct object *object = future_object(future);
    async_value outcome = future->type->take ? future->type->take(object) : future->outcome;
    object_retire(object, TAKEN);
    return outcome;
}

/* What NULL, and any handle that is recycled, stands for in a question about its state: one that is done. */
static struct future *done_one(async_value outcome)
{
    static _Thread_local struct promise promise;    /* for all of them */
    struct future *future = &promise.object.future;
    promise.object.place = "?";
    promise.object.retired = TAKEN;
    future_init(future, &future_type, loop_running);
    future->state = FINISHED;
    future->outcome = outcome;
    return future;
}

/* The same as future_known where a handle that is recycled will not do: the value is wanted. */
static struct future *future_of(async_awaitable x, const char *caller, async_value *error)
{
    struct object *object = object_find(x);
    if (object && object->future.type->cancel)
        return &object->future;
    if (!x && !error)
        return done_one(async_error(ENOMEM, NULL));
    return report_unfit(x, caller, error);
}

struct future *future_known(async_awaitable x, const char *caller, async_value *error)
{
    return object_over(x) ? done_one(async_none) : future_of(x, caller, error);
}

bool future_was_cancelled(const void *ticket, const char *caller)
{
    bool cancelled = object_was_cancelled(ticket);
    if (!cancelled && object_too_old(ticket))
        report_abort(report_misuse(ticket, caller));
    return cancelled;
}

/* ------------------------------------------------------------------ what async.h offers */

async_future async_create_future(void)
{
    return async_loop_create_future(loop_given(loop_running, __func__));
}

async_future async_loop_create_future(async_loop *loop)
{
    struct promise *promise = object_make(struct promise, &future_type, loop_given(loop, __func__));
    return promise ? object_ticket(&promise->object) : NULL;
}

async_future future_failed(async_loop *loop, async_value error)
{
    struct promise *promise = object_make(struct promise, &future_type, loop);
    if (!promise)
        return NULL;
    if (!memory_share(error.ptr, &promise->share))
        error.ptr = NULL;
    future_set(&promise->object.future, error);
    return object_ticket(&promise->object);
}

/* Whatever it is; NULL is nothing. */
static struct object *of_any_kind(async_awaitable x, const char *caller)
{
    struct object *object = object_find(x);
    if (x && !object)
        report_abort(report_misuse(x, caller));
    return object;
}

const char *async_type_name(async_awaitable x) { return x ? of_any_kind(x, __func__)->future.type->name : "NULL"; }

void async_keep(async_awaitable x)
{
    if (x)
        object_pin(of_any_kind(x, __func__));
}

void async_release(async_awaitable x)
{
    struct object *object = object_over(x) ? NULL : of_any_kind(x, __func__);
    if (object && object->pins)
        object_unpin(object);
}

static async_value set(async_future x, async_value outcome, const char *caller)
{
    async_value error;
    struct future *future = future_known(x, caller, &error);
    if (!future)
        return error;
    if (future->type != &future_type)
        return report_refused(ASYNC_RUNTIME_ERROR, caller, "only a future's result can be set: a "
                              "task's is what its coroutine returns");
    if (future->state != PENDING)
        return async_error(ASYNC_INVALID_STATE, "invalid state: the future is done already");
    if (!memory_share(outcome.ptr, &((struct promise *)future_object(future))->share))
        return async_error(ENOMEM, "no memory to keep the text of a result");
    future_set(future, outcome);
    return async_none;
}

async_value async_set_result(async_future x, async_value value) { return set(x, value, __func__); }

async_value async_set_exception(async_future x, async_value error)
{
    if (!error.error)
        return async_error(ASYNC_TYPE_ERROR, "async_set_exception wants an error value");
    return set(x, error, __func__);
}

bool async_done(async_task x) { return future_known(x, "async_done", NULL)->state != PENDING; }

bool async_cancelled(async_task x)
{
    return object_over(x) ? future_was_cancelled(x, "async_cancelled")
                          : future_of(x, "async_cancelled", NULL)->state == CANCELLED;
}

static async_value outcome(async_task x, const char *caller, const char *not_yet)
{
    async_value error;
    struct future *future = future_of(x, caller, &error);
    if (!future)
        return error;
    return future->state == PENDING ? async_error(ASYNC_INVALID_STATE, not_yet) : future_take(future);
}

async_value async_result(async_task x) { return outcome(x, __func__, "Result is not set."); }

async_value async_exception(async_task x)
{
    async_value v = outcome(x, __func__, "Exception is not set.");
    return v.error ? v : async_none;
}
