/* taskgroup.c - asyncio.TaskGroup: tasks that end before the block they were started in does.
 *
 *      while the block runs     a task that fails cancels the others and the owner
 *      leaving the block        waits for all of them, however they end
 *      left                     with the errors of those that failed, as one error (a group)
 *
 * The owner's own cancellation goes on to the tasks, and comes out unless there are errors. */
#include "core/coro.h"
#include "core/exception.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct group {
    struct object object;
    struct task *owner;             /* that entered it; pinned until it has left */
    struct list members;            /* tasks that are not done, oldest first */
    struct list failed;             /* those that ended with an error, first to fail first */
    struct future all_done;         /* what the owner waits for when it leaves; before that it is done */
    async_value exit;               /* ASYNC_KEYBOARD_INTERRUPT or ASYNC_SYSTEM_EXIT: comes out bare */
    bool leaving, aborting, owner_cancelled, left;
};

struct member {
    struct job done;
    struct list link;
    struct group *group;
    struct task *task;              /* pinned */
};

#define UNHANDLED "unhandled errors in a TaskGroup ("

struct errors {                     /* what a group's error value points to */
    char text[64];                  /* first: it is the message */
    size_t count;
    async_value parts[];
};

static struct member *member_at(struct list *link) { return container_of(link, struct member, link); }

static void forget(struct member *member)
{
    list_remove(&member->link);
    list_remove(&member->done.link);
    object_unpin(&member->task->coro.object);
    free(member);
}

static void drop(struct object *object)
{
    struct group *group = (struct group *)object;
    while (!list_empty(&group->members))
        forget(member_at(group->members.next));
    while (!list_empty(&group->failed))
        forget(member_at(group->failed.next));
}

static const struct future_type group_type = { .name = "TaskGroup", .drop = drop };

static void visit_members(struct future *future, void (*visit)(struct future *, void *), void *arg)
{
    list_each(link, &container_of(future, struct group, all_done)->members)
        visit(&member_at(link)->task->coro.object.future, arg);
}

static const struct future_type all_done_type = {
    .name = "the tasks of its TaskGroup", .cancel = future_cancel_plain, .members = visit_members,
    .unnamed = true
};

static void note_exit(struct group *group, async_value v)
{
    if ((v.error == ASYNC_KEYBOARD_INTERRUPT || v.error == ASYNC_SYSTEM_EXIT) && !group->exit.error)
        group->exit = v;
}

static void abort_members(struct group *group)
{
    group->aborting = true;
    list_each(link, &group->members)
        future_cancel(&member_at(link)->task->coro.object.future, NULL);
}

static void close_group(struct group *group)
{
    group->left = true;
    object_unpin(&group->owner->coro.object);
    object_retire(&group->object, TAKEN);
}

static void member_done(struct job *job)
{
    struct member *member = container_of(job, struct member, done);
    struct group *group = member->group;
    struct future *future = &member->task->coro.object.future;
    async_value v = future->outcome;
    bool failed = future->state == FINISHED && v.error;
    bool left_behind = group->owner->coro.object.future.state != PENDING;
    list_remove(&member->link);
    if (failed && left_behind)
        report_exception(future->loop, "a task of a TaskGroup failed, but the task that entered the "
                         "group has ended without leaving it", v, &member->task->coro.object);
    if (failed)
        object_retire(&member->task->coro.object, TAKEN);
    if (failed && !left_behind) {
        list_append(&group->failed, &member->link);
        note_exit(group, v);
    } else {
        forget(member);
    }
    if (list_empty(&group->members))
        future_set(&group->all_done, async_none);
    if (failed && !left_behind && !group->aborting && !group->owner_cancelled) {
        abort_members(group);
        group->owner_cancelled = true;
        future_cancel(&group->owner->coro.object.future, NULL);
    }
    if (left_behind && list_empty(&group->members))
        close_group(group);
    object_unpin(&group->object);
}

/* ------------------------------------------------------------------------------ leaving */

/* Waits for every member. Cancelled meanwhile, it cancels them and gives that error. */
static async_value wait_for_members(struct group *group, async_value cancelled)
{
    while (!list_empty(&group->members)) {
        future_init(&group->all_done, &all_done_type, loop_running);
        async_value v = task_wait(&group->all_done);
        if (v.error && !group->aborting) {
            cancelled = v;
            abort_members(group);
        }
    }
    return cancelled;
}

/* The errors of all that failed, and that of the block (unless none), as one. */
static async_value collect(struct group *group, async_value of_block)
{
    size_t count = of_block.error != 0;
    list_each(link, &group->failed)
        count++;
    struct errors *errors = async_alloc(sizeof *errors + count * sizeof errors->parts[0]);
    if (!errors)
        return async_error(ENOMEM, "no memory for the errors of a task group");
    while (!list_empty(&group->failed)) {
        struct member *member = member_at(group->failed.next);
        errors->parts[errors->count++] = future_take(&member->task->coro.object.future);
        forget(member);
    }
    if (of_block.error)
        errors->parts[errors->count++] = of_block;
    snprintf(errors->text, sizeof errors->text, UNHANDLED "%zu sub-exception%s)",
             count, count == 1 ? "" : "s");
    return async_error(ASYNC_GROUP, errors->text);
}

static async_value leave(struct group *group, async_value outcome)
{
    async_value cancelled = outcome.error == ASYNC_CANCELLED ? outcome : async_none;
    group->leaving = true;
    note_exit(group, outcome);
    if (outcome.error && !group->aborting)
        abort_members(group);
    cancelled = wait_for_members(group, cancelled);
    if (group->exit.error)
        return group->exit;
    if (group->owner_cancelled && task_uncancel(group->owner) == 0)
        cancelled = async_none;
    if (cancelled.error && list_empty(&group->failed))
        return cancelled;
    async_value of_block = outcome.error == ASYNC_CANCELLED ? async_none : outcome;
    if (!of_block.error && list_empty(&group->failed))
        return of_block;
    if (group->owner->cancels) {        /* asked from outside as well: that must not be forgotten */
        task_uncancel(group->owner);
        future_cancel(&group->owner->coro.object.future, NULL);
    }
    return collect(group, of_block);
}

/* ------------------------------------------------------------------ what async.h offers */

async_taskgroup *async_taskgroup_enter(void)
{
    struct task *owner = task_current();
    if (!owner)
        report_abort(report_no_loop(__func__));
    struct group *group = object_make(struct group, &group_type, loop_running);
    if (!group)
        return NULL;
    group->owner = owner;
    object_pin(&owner->coro.object);
    list_init(&group->members);
    list_init(&group->failed);
    group->all_done.state = FINISHED;
    return (async_taskgroup *)object_ticket(&group->object);
}

static async_task refuse(async_loop *loop, async_coroutine coro, const char *why)
{
    async_coro_close(coro);
    return future_failed(loop, async_error(ASYNC_RUNTIME_ERROR, why));
}

async_task async_taskgroup_create_task(async_taskgroup *x, async_coroutine coro)
{
    return async_taskgroup_create_task_named(x, coro, NULL);
}

async_task async_taskgroup_create_task_named(async_taskgroup *x, async_coroutine coro, const char *name)
{
    if (!x || !coro) {
        async_coro_close(coro);
        return NULL;
    }
    if (loop_running && object_over(x))
        return refuse(loop_running, coro, "TaskGroup is finished");
    struct group *group = object_of(x, &group_type, "async_taskgroup_create_task", NULL);
    async_loop *loop = group->object.future.loop;
    if (group->left || (group->leaving && list_empty(&group->members)))
        return refuse(loop, coro, "TaskGroup is finished");
    if (group->aborting)
        return refuse(loop, coro, "TaskGroup is shutting down");
    struct member *member = malloc(sizeof *member);
    if (!member) {
        async_coro_close(coro);
        return NULL;
    }
    struct task *task = task_create(loop, coro, name, false, "async_taskgroup_create_task", NULL);
    async_task ticket = object_ticket(&task->coro.object);
    *member = (struct member){ .done.run = member_done, .group = group, .task = task };
    object_pin(&task->coro.object);
    object_pin(&group->object);
    list_append(&group->members, &member->link);
    list_init(&member->done.link);
    if (task->coro.object.future.state == PENDING)
        list_append(&task->coro.object.future.waiters, &member->done.link);
    else
        member_done(&member->done);     /* it began at once, and did not wait */
    return ticket;
}

async_value async_taskgroup_leave(async_taskgroup *x, async_value outcome)
{
    if (!x)
        return outcome.error ? outcome : async_error(ENOMEM, "no memory for a task group");
    if (object_over(x))
        return outcome;
    struct group *group = object_fit(x, &group_type);
    if (!group)
        return report_misuse(x, __func__);
    if (group->left)
        return outcome;
    outcome = leave(group, outcome);
    close_group(group);
    return outcome;
}

static async_value join(void *p) { return async_taskgroup_leave(*(async_taskgroup **)p, async_none); }

async_awaitable async_taskgroup_join(async_taskgroup *group)
{
    return coro_make(join, "async_taskgroup_join", &group, sizeof group);
}

/* Left without a join: the block ended early, with what await or async_raise noted. */
void async_taskgroup_exit(async_taskgroup **x)
{
    if (!*x)
        return;
    async_value before = async_leaving(), after = async_taskgroup_leave(*x, before);
    if (after.error != before.error || after.message != before.message)
        async_leave_with(after);
}

size_t async_group_errors(async_value error, async_value *parts, size_t room)
{
    const char *text = error.message;
    if (error.error != ASYNC_GROUP || !text || strncmp(text, UNHANDLED, strlen(UNHANDLED)) != 0)
        return 0;                   /* one of a program's own making has no parts */
    const struct errors *errors = container_of(text, struct errors, text);
    for (size_t i = 0; i < errors->count && i < room; i++)
        parts[i] = errors->parts[i];
    return errors->count;
}
