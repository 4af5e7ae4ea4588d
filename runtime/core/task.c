/* task.c - see task.h. */
#include "core/task.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/stack.h"
#include "core/step.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct task) <= OBJECT_SIZE, "a task fits its record");

static unsigned last_name;          /* Task-<number>, over the whole process, as in Python */
_Thread_local void *loop_place;

/* ------------------------------------------------------------------------------ steps */

static void give_up(struct task *task)
{
    task->coro.object.future.loop->unasked(&task->coro.object);
    object_retire(&task->coro.object, TAKEN);
}

static void finish(struct task *task, async_value v)
{
    struct future *future = &task->coro.object.future;
    enum future_state state = FINISHED;
    if (task->must_cancel && !v.error)
        v = async_error(ASYNC_CANCELLED, future->outcome.message);
    if (v.error == ASYNC_CANCELLED)
        state = CANCELLED;
    task->must_cancel = false;
    list_remove(&task->coro.object.link);           /* from the loop's tasks */
    future_finish(future, state, context_outcome(v));
    coro_drop_args(&task->coro);
    if (loop_leave_with(future->loop, v)) {         /* whoever runs the loop gets it */
        memory_move(memory_of_program(), &task->memory);
        object_retire(&task->coro.object, TAKEN);
    }
    hook(finished, task);
    if (task->detached)
        give_up(task);
}

/* The next task that begins may do so right here, where the one before has ended. */
void task_begin(void)
{
    stack_arrived();
    async_loop *loop = loop_running;
    for (;;) {
        struct task *task = loop->current;
        finish(task, coro_call(&task->coro, NULL));
        void *stack = task->stack;
        loop->current = NULL;
        task->stack = NULL;
        object_unpin(&task->coro.object);
        struct task *next = loop->left_with.error || loop_observed(loop) ? NULL : task_next(loop, stack);
        loop->current = next;
        if (next && next->stack == stack)
            continue;
        stack_give(stack);          /* we stand on it for a moment more */
        void *nowhere;
        stack_switch(&nowhere, next ? next->place : loop_place, true);
    }
}

void task_leave_stack(void (*entry)(void)) { stack_leave(loop_place, entry); }

/* A step that cannot run ends the task instead. */
static bool refused(struct task *task)
{
    if (task->stack)
        return false;
    if (!task->must_cancel)
        task->stack = stack_take();
    if (!task->stack) {             /* cancelled before it began: nothing of it runs */
        finish(task, task->must_cancel ? async_none
                                       : async_error(ENOMEM, "no memory for the task's stack"));
        object_unpin(&task->coro.object);
        return true;
    }
    task->place = switch_prepare(task->stack, task_begin);
    hook(started, task);
    return false;
}

struct task *task_of_job(struct job *job)
{
    return job->run == task_step ? container_of(job, struct task, step) : NULL;
}

void task_step(struct job *job)
{
    struct task *task = container_of(job, struct task, step);
    async_loop *loop = task->coro.object.future.loop;
    if (refused(task))
        return;
    loop->current = task;
    hook(resumed, task);
    stack_switch(&loop_place, task->place, false);
    loop->current = NULL;
}

/* The first step of a task now, and not in the next turn: an eager start. Who made it stands first in line
 * meanwhile, so that as soon as the task waits or ends it goes on, with nobody in between. A callback has no
 * step: in its place stands a job that nobody runs, and where the loop would wait for control, it does. */
static void run_now(async_loop *loop, struct task *task)
{
    struct task *maker = loop->current;
    struct job callback = { .run = NULL }, *next = maker ? &maker->step : &callback;
    object_pin(&task->coro.object);                 /* it may end, and nobody has its handle yet */
    list_prepend(&loop->batch, &next->link);
    if (maker) {
        maker->waiting_at = async_here;
        hook(suspended, maker);
    }
    list_remove(&task->step.link);
    if (!refused(task)) {
        loop->current = task;
        hook(resumed, task);
        stack_switch(maker ? &maker->place : &loop_place, task->place, false);
    }
    loop->current = maker;
    list_remove(&next->link);
    object_unpin(&task->coro.object);
}

async_value task_wait(struct future *future) { return task_wait_here(future); }

/* ------------------------------------------------------------------------------- life */

struct task *task_start(async_loop *loop, async_awaitable x, const char *name, const char *caller,
                        async_value *error)
{
    struct object *object = object_of(x, &coroutine_type, caller, error);
    if (!object)
        return NULL;
    struct task *task = (struct task *)object;
    object_use(object);
    object_renew(object);
    future_init(&object->future, &task_type, loop);
    object->place = async_here;
    object_pin(object);                             /* by the loop, until it is done */
    memset(&task->waiting_at, 0, sizeof *task - offsetof(struct task, waiting_at));
    task->step.run = task_step;
    task->context = context_copy();
    if (name)
        task->name = strdup(name);
    else
        task->name_number = ++last_name;
    list_append(&loop->tasks, &object->link);
    loop_ready(loop, &task->step);
    if (__builtin_expect(loop->debug != NULL, 0))
        loop->debug->born(object);
    hook(created, task);
    return task;
}

struct task *task_create(async_loop *loop, async_awaitable x, const char *name, bool eager, const char *caller,
                         async_value *error)
{
    struct task *task = task_start(loop, x, name, caller, error);
    if (__builtin_expect(eager || loop->eager, 0) && task && loop == loop_running)
        run_now(loop, task);
    return task;
}

struct future *task_ensure(async_loop *loop, async_awaitable x, const char *caller,
                           async_value *error)
{
    struct object *object = object_find(x);
    if (!object || !object->future.type->cancel) {
        struct task *task = task_create(loop, x, NULL, false, caller, error);
        if (!task)
            return NULL;
        object = &task->coro.object;
    }
    if (object->future.loop != loop) {
        *error = report_refused(ASYNC_VALUE_ERROR, caller, "the future belongs to a different loop");
        return NULL;
    }
    object_pin(object);
    return &object->future;
}

/* What a ticket that is stale stood for, if it stood in the list before. */
__attribute__((noinline))
static struct future *listed_before(const async_awaitable *list, size_t i)
{
    struct object *task = object_successor(list[i]);
    for (size_t j = 0; task && j < i; j++)
        if (list[j] == list[i]) {
            object_pin(task);
            return &task->future;
        }
    return NULL;
}

struct future *task_ensure_listed(async_loop *loop, const async_awaitable *list, size_t i, const char *caller,
                                  async_value *error)
{
    struct future *before = object_find(list[i]) ? NULL : listed_before(list, i);
    return before ? before : task_ensure(loop, list[i], caller, error);
}

static async_value take(struct object *object)
{
    struct task *task = (struct task *)object;
    if (!memory_empty(&task->memory) && task_current())
        memory_abandon(&task->memory);
    return memory_inherit(&task->memory, object->future.outcome);
}

static void drop(struct object *object)
{
    struct task *task = (struct task *)object;
    coro_drop_args(&task->coro);
    if (!memory_empty(&task->memory))
        memory_free(&task->memory);
    free(task->name);
    context_release(task->context);
    if (task->stack)                /* it never ended: nobody will return to this stack */
        stack_give(task->stack);
}

const char *task_name(struct task *task)
{
    char text[32];
    if (!task->name) {
        snprintf(text, sizeof text, "Task-%u", task->name_number);
        task->name = strdup(text);
    }
    return task->name ? task->name : "Task";
}

static void describe(struct object *object, char *text, size_t size)
{
    struct task *task = (struct task *)object;
    snprintf(text, size, "task '%s' (%s, created at %s%s)", task_name(task), task->coro.name, object->place,
             report_origin(object));
}

static async_value misused(struct object *object, const char *caller)
{
    char text[REPORT_TEXT];
    return report_refused(ASYNC_TYPE_ERROR, caller, "a coroutine was expected, got %s, which runs already",
                          report_describe(object, text));
}

const struct future_type task_type = {
    .name = "Task", .cancel = task_cancel, .drop = drop, .take = take, .describe = describe, .misused = misused
};

/* ------------------------------------------------------------------ what async.h offers */

static async_task create(async_loop *loop, async_coroutine coro, const char *name, bool eager)
{
    if (!coro)
        return NULL;
    if (loop->closed)
        report_closed();
    struct task *task = task_create(loop, coro, name, eager, "async_create_task", NULL);
    return object_ticket(&task->coro.object);
}

async_task async_create_task(async_coroutine coro) { return async_create_task_named(coro, NULL); }

async_task async_create_task_named(async_coroutine coro, const char *name)
{
    return create(loop_given(loop_running, "async_create_task"), coro, name, false);
}

async_task async_create_task_eager(async_coroutine coro)
{
    return create(loop_given(loop_running, __func__), coro, NULL, true);
}

async_task async_loop_create_task(async_loop *loop, async_coroutine coro)
{
    return create(loop_given(loop, __func__), coro, NULL, false);
}

void async_loop_set_eager_task_factory(async_loop *loop, bool on) { loop_given(loop, __func__)->eager = on; }

struct task *task_known(async_task x, const char *caller) { return x ? object_known(x, &task_type, caller) : NULL; }

void async_detach(async_task x)
{
    struct task *task = task_known(x, "async_detach");
    if (!task)
        return;
    task->detached = true;
    if (task->coro.object.future.state != PENDING)
        give_up(task);
}

const char *async_get_name(async_task x)
{
    return x ? task_name(object_of(x, &task_type, "async_get_name", NULL)) : "(no memory)";
}

void async_set_name(async_task x, const char *name)
{
    struct task *task = task_known(x, "async_set_name");
    char *copy = task && name ? strdup(name) : NULL;
    if (copy) {
        hook_value(renamed, x, copy);
        free(task->name);
        task->name = copy;
    }
}

async_task async_current_task(void) { return task_ticket(); }

size_t async_all_tasks(async_task *tasks, size_t room)
{
    return async_loop_all_tasks(loop_given(loop_running, __func__), tasks, room);
}

size_t async_loop_all_tasks(async_loop *loop, async_task *tasks, size_t room)
{
    loop_given(loop, __func__);
    size_t count = 0;
    list_each(link, &loop->tasks) {
        if (count < room)
            tasks[count] = object_ticket(container_of(link, struct object, link));
        count++;
    }
    return count;
}
