/* context.c - see context.h; and contextvars.ContextVar of async.h. */
#include "core/context.h"
#include "core/list.h"
#include "core/memory.h"
#include "core/report.h"
#include "core/task.h"
#include <stdlib.h>

struct setting {                    /* of one variable, in as many contexts as have it */
    atomic_uint users;
    const async_contextvar *var;
    async_value value;
    struct share *share;            /* of the text that the value is, or NULL */
    async_task setter;              /* who so has that text anyway; NULL: no task */
};

struct context {
    atomic_uint users;
    size_t count;
    struct setting *settings[];
};

atomic_bool context_used;
static _Thread_local struct context *outside;   /* where no task runs: of the thread, or of a callback */

static struct context **current(void)
{
    struct task *task = task_current();
    return task ? &task->context : &outside;
}

static void release_setting(struct setting *setting)
{
    if (!setting || --setting->users)
        return;
    memory_let_go(setting->share);
    free(setting);
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
    if (!context || --context->users)
        return;
    for (size_t i = 0; i < context->count; i++)
        release_setting(context->settings[i]);
    free(context);
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

static struct setting *find(const struct context *context, const async_contextvar *var)
{
    for (size_t i = 0; context && i < context->count; i++)
        if (context->settings[i]->var == var)
            return context->settings[i];
    return NULL;
}

/* The current context with this setting in the place of another of its variable. */
static bool put(struct setting *setting)
{
    struct context **here = current(), *before = *here;
    size_t count = before ? before->count : 0;
    struct context *context = malloc(sizeof *context + (count + 1) * sizeof context->settings[0]);
    if (!context)
        return false;
    *context = (struct context){ .users = 1 };
    for (size_t i = 0; i < count; i++) {
        if (before->settings[i]->var == setting->var)
            continue;
        before->settings[i]->users++;
        context->settings[context->count++] = before->settings[i];
    }
    context->settings[context->count++] = setting;
    *here = context;
    context_release(before);
    return true;
}

/* A text that the current task has from its maker stays with it when it is replaced: it may be in use. */
static async_value keep_inherited(const struct setting *setting)
{
    bool inherited = setting && setting->share && task_current() && setting->setter != task_ticket();
    return inherited ? memory_receive(setting->value) : async_none;
}

static async_value set(const async_contextvar *var, async_value value)
{
    async_value kept = value.error ? value : keep_inherited(find(*current(), var));
    if (kept.error)
        return kept;
    struct setting *setting = malloc(sizeof *setting);
    if (setting) {
        *setting = (struct setting){ 1, var, value, NULL, task_ticket() };
        context_used = true;
        if (memory_share(value.ptr, &setting->share) && put(setting))
            return async_none;
    }
    release_setting(setting);
    return async_error(ENOMEM, "no memory to set a context variable");
}

async_value async_contextvar_get(const async_contextvar *var)
{
    const struct setting *setting = find(*current(), var);
    return setting ? setting->value : var->initial;
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
