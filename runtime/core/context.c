/* context.c - see context.h; and contextvars.ContextVar of async.h. */
#include "core/context.h"
#include "core/list.h"
#include "core/memory.h"
#include "core/report.h"
#include "core/task.h"
#include <stdlib.h>

struct context {                    /* a variable that is set, in front of the others that are */
    atomic_uint users;
    const async_contextvar *var;
    async_value value;
    struct share *share;            /* of the text that the value is, or NULL */
    async_task setter;              /* who so has that text anyway; NULL: no task */
    struct context *others;         /* or NULL */
};

atomic_bool context_used;
static _Thread_local struct context *outside;   /* where no task runs: of the thread, or of a callback */

static struct context **current(void)
{
    struct task *task = task_current();
    return task ? &task->context : &outside;
}

struct context *context_keep(struct context *context)
{
    if (context)
        context->users++;
    return context;
}

struct context *context_share(void) { return context_keep(*current()); }

void context_release(struct context *context)
{
    while (context && --context->users == 0) {
        struct context *others = context->others;
        memory_let_go(context->share);
        free(context);
        context = others;
    }
}

struct context *context_exchange(struct context *context)
{
    struct context **here = current(), *before = *here;
    *here = context;
    return before;
}

async_value context_hand_out(async_value v)
{
    return *current() && !memory_holds(memory_here(), v.ptr) ? memory_receive(v) : v;
}

static struct context *find(struct context *context, const async_contextvar *var)
{
    while (context && context->var != var)
        context = context->others;
    return context;
}

/* Puts one in front, which uses up what is there. False: no memory. */
static bool put(struct context **context, const async_contextvar *var, async_value value, async_task setter)
{
    struct share *share = NULL;
    struct context *front = malloc(sizeof *front);
    if (!front || !memory_share(value.ptr, &share)) {
        free(front);
        return false;
    }
    *front = (struct context){ 1, var, value, share, setter, *context };
    *context = front;
    return true;
}

/* A text that the current task has from its maker stays with it when it is replaced: it may be in use. */
static async_value keep_inherited(const struct context *set)
{
    bool inherited = set && set->share && task_current() && set->setter != task_ticket();
    return inherited ? memory_receive(set->value) : async_none;
}

/* What was set since the variable was is put in front once more, without that. */
static async_value set(const async_contextvar *var, async_value value)
{
    struct context **here = current(), *old = find(*here, var);
    async_value kept = value.error ? value : keep_inherited(old);
    if (kept.error)
        return kept;
    struct context *changed = context_keep(old ? old->others : *here);
    bool enough = true;
    for (struct context *each = *here; old && each != old && enough; each = each->others)
        enough = put(&changed, each->var, each->value, each->setter);
    if (!enough || !put(&changed, var, value, task_ticket())) {
        context_release(changed);
        return async_error(ENOMEM, "no memory to set a context variable");
    }
    context_used = true;
    context_release(*here);
    *here = changed;
    return async_none;
}

async_value async_contextvar_get(const async_contextvar *var)
{
    const struct context *set = find(*current(), var);
    return set ? set->value : var->initial;
}

async_token async_contextvar_set(const async_contextvar *var, async_value value)
{
    async_token token = { .var = var, .before = async_contextvar_get(var), .task = task_ticket() };
    token.error = set(var, value);
    if (token.error.error)
        token.var = NULL;
    return token;
}

async_value async_contextvar_reset(const async_contextvar *var, async_token *token)
{
    if (token->error.error)
        return token->error;
    if (!token->var)
        return report_refused(ASYNC_RUNTIME_ERROR, "async_contextvar_reset", "the token has been used");
    if (token->var != var)
        return report_refused(ASYNC_VALUE_ERROR, "async_contextvar_reset",
                              "the token was made by a different variable");
    if (token->task != task_ticket())
        return report_refused(ASYNC_VALUE_ERROR, "async_contextvar_reset",
                              "the token was made in a different context");
    async_value v = set(var, token->before);
    if (!v.error)
        token->var = NULL;
    return v;
}

void async_token_exit(async_token *token)
{
    if (token->var)
        async_contextvar_reset(token->var, token);
}
