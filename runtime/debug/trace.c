/* trace.c - ASYNC_TRACE=file: what the runtime does, for viewers and for our own timeline.
 *
 * The file is in the Chrome trace event format, as Perfetto, chrome://tracing and viztracer open it:
 *
 *   a task        async events of category "task", "b" to "e": its whole life, with its name, and nested in that
 *                 each wait, and "ready" while it is in the queue; "n": it was asked to end
 *   a step        "B" to "E" on the track of the thread that runs the loop: these never overlap
 *   a wake-up     a flow, "s" to "f", from the step that woke a task (or created it) to its next
 *                 step; where no step did it, but a timer or a callback, from a slice "wake" there
 *   a call        an instant for each coroutine function that a task enters, leaves, or yields from; whoever
 *                 waits says in `calls` which functions it is in, the innermost first, and where each stands
 *   a callback    "B" to "E" as well, with where its function is in the program, for addr2line
 *   the rest      instants, "i": "time passes", "timer", "turn", "I/O", "signal", "printed", "event loop",
 *                 "done" of a future that is no task, "folded" where turns of a program that spins are left out,
 *                 and "state", of the loop: how its queue, timers, locks, ... are after the event that follows
 *
 * `ts` is what the program would have taken: time that passed, plus what a virtual clock jumped
 * over. In `args`, `at` is the virtual time alone in seconds (the same in every run), `real` the
 * real one, both since the first loop; on a real clock they are the same. `event` and what stands
 * beside it is for our own readers, tools/timeline and tools/show.
 *
 * The kernel sees what is printed and we don't. But if stdout is a file we can see how far it has
 * come, so "printed" says which bytes of it were written since the event before, by which task. */
#define _GNU_SOURCE
#include "core/callback.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/task.h"
#include "core/waitq.h"
#include "debug/info.h"
#include "debug/note.h"
#include "debug/readable.h"
#include "sync/queue.h"
#include "sync/semaphore.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 24                 /* of the jobs, of the timers and of the objects that a state lists */

static bool sees_output;        /* stdout is a file */
static off_t printed;           /* how far it had come */

/* An event on the track of a task, which has the task's ticket as its id. */
static void begin_task(struct note *note, const char *kind, const char *name, async_task task,
                       const char *event)
{
    note_begin(note, kind, name);
    note_add(note, ",\"cat\":\"task\"");
    note_id(note, "id", task);
    note_args(note, event);
    note_id(note, "task", task);
}

static struct task *behind(async_task task)
{
    return container_of(object_find(task), struct task, coro.object);
}

/* What was printed since the event before, by `task` or by nobody. */
static void add_printed(struct note *note, async_task task)
{
    if (!sees_output)
        return;
    fflush(stdout);
    off_t now = lseek(1, 0, SEEK_CUR);
    if (now == printed || now < 0)
        return;
    note_begin(note, "i", "printed");
    note_args(note, "printed");
    note_add(note, ",\"from\":%lld,\"to\":%lld", (long long)printed, (long long)now);
    note_id(note, "task", task);
    note_end(note);
    printed = now;
}

/* False: this is not ours to write down. */
static bool open_plain(struct note *note)
{
    if (!note_open(note))
        return false;
    add_printed(note, task_ticket());
    return true;
}

static void add_state(struct note *note, const struct list *waking);

static bool open_note(struct note *note)
{
    if (!open_plain(note))
        return false;
    add_state(note, NULL);
    return true;
}

/* "key":"0x12" for where a function is in the program, as addr2line wants it. */
static void add_function(struct note *note, uintptr_t fn)
{
    Dl_info found;
    if (dladdr((void *)fn, &found))
        note_add(note, ",\"function\":\"%#llx\"", (unsigned long long)(fn - (uintptr_t)found.dli_fbase));
}

static void add_job(struct note *note, struct job *job)
{
    struct task *task = task_of_job(job);
    struct object *callback = callback_of_job(job);
    struct errand *errand = errand_of(job);
    note_add(note, "\"job\":\"%#llx\"", (unsigned long long)(uintptr_t)job);
    if (task)
        note_id(note, "task", object_ticket(&task->coro.object));
    else
        add_function(note, errand ? (uintptr_t)errand->run : (uintptr_t)job->run);
    note_text(note, "where", callback ? callback->place : NULL);
}

static void add_jobs(struct note *note, const char *key, const struct list *jobs, const struct list *more)
{
    int count = 0;
    note_add(note, ",\"%s\":[", key);
    for (; jobs; jobs = more, more = NULL)
        list_each(link, jobs) {
            if (count++ >= MOST)
                break;
            note_add(note, "%s{", count > 1 ? "," : "");
            add_job(note, container_of(link, struct job, link));
            note_add(note, "}");
        }
    note_add(note, "]");
}

/* A heap is in no order; the reader sorts. */
static void add_timers(struct note *note, const struct timers *timers)
{
    int count = 0;
    note_add(note, ",\"timers\":[");
    for (size_t i = 0; i < timers->count && count < MOST; i++) {
        struct timer *timer = timers->slots[timers->heap[i].slot].timer;
        if (!timer)
            continue;                           /* it was removed */
        note_add(note, "%s{\"due\":%.9f,", count++ ? "," : "", clock_to_seconds(timer->deadline));
        add_job(note, &timer->job);
        note_add(note, "}");
    }
    note_add(note, "]");
}

/* A value, if it can be read. */
static void add_value(struct note *note, const char *key, async_value value)
{
    char text[32];
    if (readable(value, text, sizeof text))
        note_text(note, key, text);
}

/* What something has ended with: an error, or a value other than nothing, or a zero. */
static void add_outcome(struct note *note, async_value v)
{
    if (v.error) {
        note_text(note, "error", async_error_name(v.error));
        note_text(note, "message", v.error == ASYNC_SYSTEM_EXIT ? NULL : v.message);
    } else if (v.num) {
        add_value(note, "value", v);
    }
}

/* The first items of a queue. */
static void add_items(struct note *note, async_queue *queue)
{
    async_value items[8];
    size_t count = queue_look(queue, items, sizeof items / sizeof *items);
    note_add(note, ",\"items\":[");
    for (size_t i = 0; i < count; i++) {
        note_add(note, "%s{\"n\":%zu", i ? "," : "", i);
        add_value(note, "value", items[i]);
        note_add(note, "}");
    }
    note_add(note, "]");
}

/* Locks, queues, ...: the first that were made, without those that are gone. */
static _Thread_local async_awaitable seen[MOST];
static _Thread_local int seen_count;

static void on_made(const struct object *object)
{
    int kept = 0;
    for (int i = 0; i < seen_count; i++)
        if (object_find(seen[i]))
            seen[kept++] = seen[i];
    seen_count = kept;
    if (seen_count < MOST)
        seen[seen_count++] = object_ticket(object);
}

static void add_objects(struct note *note)
{
    const char *comma = "";
    note_add(note, ",\"objects\":[");
    for (int i = 0; i < seen_count; i++) {
        struct object *object = object_find(seen[i]);
        const char *kind = object ? object->future.type->name : "";
        void *handle = seen[i];
        bool queue = strcmp(kind, "Queue") == 0, event = strcmp(kind, "Event") == 0;
        bool lock = strcmp(kind, "Lock") == 0, semaphore = strcmp(kind, "Semaphore") == 0;
        if (!queue && !event && !lock && !semaphore)
            continue;
        note_add(note, "%s{\"kind\":\"%s\"", comma, kind);
        note_id(note, "id", seen[i]);
        if (queue) {
            note_add(note, ",\"length\":%zu,\"room\":%zu", async_queue_qsize(handle), async_queue_maxsize(handle));
            add_items(note, handle);
        }
        if (event)
            note_add(note, ",\"set\":%s", async_event_is_set(handle) ? "true" : "false");
        if (semaphore)
            note_add(note, ",\"free\":%ld", ((struct semaphore *)object)->permits);
        if (lock) {
            const struct holder *holder = holder_of(object);
            struct task *task = holder ? holder_task(holder) : NULL;
            note_add(note, ",\"locked\":%s", holder ? "true" : "false");
            note_id(note, "holder", task ? object_ticket(&task->coro.object) : NULL);
        }
        note_add(note, "}");
        comma = ",";
    }
    note_add(note, "]");
}

/* The loop as it is, if that has changed; `waking` are about to be ready. The event that is written next
 * has just made it so, or something between it and the one before. */
static void add_state(struct note *note, const struct list *waking)
{
    static _Thread_local char before[sizeof note->text];
    static _Thread_local struct note state;             /* the stacks of tasks have no room for it */
    const async_loop *loop = loop_running;
    if (!loop)
        return;
    state.length = state.print = 0;
    add_jobs(&state, "batch", &loop->batch, NULL);
    add_jobs(&state, "ready", &loop->ready, waking);
    add_timers(&state, &loop->timers);
    add_objects(&state);
    if (strcmp(before, state.text) == 0 || note->length + state.length + 4 * NOTE_TEXT > sizeof note->text)
        return;
    strcpy(before, state.text);
    note_begin(note, "i", "state");
    note_args(note, "state");
    note_add(note, "%s", state.text);
    note_end(note);
}

static void begin_flow(struct note *note, const char *kind, async_task task)
{
    note_begin(note, kind, "wake");
    note_add(note, ",\"cat\":\"wake\"%s", *kind == 'f' ? ",\"bp\":\"e\"" : "");
    note_id(note, "id", task);
    note_args(note, NULL);
}

/* A flow begins within a slice: in the step that runs, or else in one made for it. */
static void add_wake(struct note *note, async_task task)
{
    if (!task_ticket()) {
        note_begin(note, "X", "wake");
        note_add(note, ",\"dur\":0");
        note_args(note, NULL);
        note_end(note);
    }
    begin_flow(note, "s", task);
    note_id(note, "by", task_ticket());
    note_end(note);
}

static void add_ready(struct note *note, const char *kind, async_task task)
{
    begin_task(note, kind, "ready", task, *kind == 'b' ? "ready" : NULL);
    note_end(note);
}

static void on_created(async_task x)
{
    struct note note;
    struct task *task = behind(x);
    if (!open_note(&note))
        return;
    begin_task(&note, "b", task_name(task), x, "created");
    note_text(&note, "coroutine", task->coro.name);
    note_text(&note, "where", task->coro.object.place);
    note_id(&note, "by", task_ticket());
    note_end(&note);
    add_wake(&note, x);
    add_ready(&note, "b", x);
    note_write(&note);
}

static void on_resumed(async_task x)
{
    struct note note;
    struct task *task = behind(x);
    if (!open_note(&note))
        return;
    add_ready(&note, "e", x);
    note_begin(&note, "B", task->coro.name);
    note_args(&note, "resumed");
    note_id(&note, "task", x);
    note_text(&note, "called", task_name(task));
    note_text(&note, "where", task->waiting_at);
    note_end(&note);
    if (task->waiting_on || !task->frame) {        /* else it had just given up its turn */
        begin_flow(&note, "f", x);
        note_end(&note);
    }
    note_write(&note);
}

static void add_step_end(struct note *note, async_task x)
{
    note_begin(note, "E", behind(x)->coro.name);
    note_args(note, "step ends");
    note_id(note, "task", x);
    note_end(note);
}

/* The functions that it is in, the innermost first, which call of each that is, and where each stands. */
static void add_calls(struct note *note, const struct task *task)
{
    const char *where = task->waiting_at;
    int count = 0;
    note_add(note, ",\"calls\":[");
    for (const struct frame *a = task->frame; a && count < MOST; where = a->awaited_at, a = a->outer) {
        note_add(note, "%s{\"call\":\"%s\"", count++ ? "," : "", a->coro->name);
        note_id(note, "id", object_ticket(&a->coro->object));
        note_text(note, "where", where);
        note_add(note, "}");
    }
    note_add(note, "]");
}

struct members { struct note *note; int count; };

static void add_member(struct future *future, void *p)
{
    struct members *members = p;
    if (!future->type->unnamed && members->count < MOST)
        note_add(members->note, "%s\"%#llx\"", members->count++ ? "," : "",
                 (unsigned long long)(uintptr_t)object_ticket(future_object(future)));
}

/* What a gather, a wait, ... is made of. */
static void add_members(struct note *note, struct future *on)
{
    if (!on->type->members)
        return;
    note_add(note, ",\"members\":[");
    on->type->members(on, add_member, &(struct members){ note, 0 });
    note_add(note, "]");
}

static void on_suspended(async_task x)
{
    struct note note;
    struct task *task = behind(x);
    struct object *awaited = task->waiting_on ? info_awaited(task) : NULL;
    if (!open_note(&note))
        return;
    add_step_end(&note, x);
    if (!task->waiting_on) {
        begin_task(&note, "b", "ready", x, "ready");
        note_text(&note, "where", task->waiting_at);
        add_calls(&note, task);
        note_end(&note);
    } else {
        begin_task(&note, "b", info_waits_for(task), x, "waits");
        note_text(&note, "where", task->waiting_at);
        add_calls(&note, task);
        if (awaited && awaited->future.type == &task_type)
            note_id(&note, "on", object_ticket(awaited));
        else if (awaited)
            note_id(&note, "object", object_ticket(awaited));
        add_members(&note, task->waiting_on);
        note_end(&note);
    }
    note_write(&note);
}

/* Tasks tell when they have finished, and what has no handle nobody else knows of. */
__attribute__((noinline)) static void tell_done(struct future *future)
{
    struct note note;
    const char *comma = "";
    if (future->type->unnamed || future->type == &task_type || !open_note(&note))
        return;
    note_begin(&note, "i", future->type->name);
    note_args(&note, "done");
    note_id(&note, "object", object_ticket(future_object(future)));
    note_id(&note, "by", task_ticket());
    add_outcome(&note, future->outcome);
    note_add(&note, ",\"waiters\":[");
    list_each(link, &future->waiters) {
        struct task *task = task_of_job(container_of(link, struct job, link));
        if (task)
            note_add(&note, "%s\"%#llx\"", comma, (unsigned long long)(uintptr_t)object_ticket(&task->coro.object));
        comma = task ? "," : comma;
    }
    note_add(&note, "]");
    note_end(&note);
    note_write(&note);
}

static void on_woken(struct future *future)
{
    tell_done(future);
    list_each(link, &future->waiters) {
        struct task *task = task_of_job(container_of(link, struct job, link));
        struct note note;
        if (!task || !open_plain(&note))
            continue;
        add_state(&note, &future->waiters);
        async_task x = object_ticket(&task->coro.object);
        begin_task(&note, "e", info_waits_for(task), x, NULL);
        note_end(&note);
        add_wake(&note, x);
        add_ready(&note, "b", x);
        note_write(&note);
    }
}

static void on_finished(async_task x)
{
    struct note note;
    struct task *task = behind(x);
    if (!open_note(&note))
        return;
    if (task_ticket() == x)
        add_step_end(&note, x);
    else
        add_ready(&note, "e", x);               /* cancelled before it ran */
    begin_task(&note, "e", task_name(task), x, "finished");
    add_outcome(&note, task->coro.object.future.outcome);
    note_end(&note);
    note_write(&note);
}

static void on_cancelled(async_task x)
{
    struct note note;
    if (!open_note(&note))
        return;
    begin_task(&note, "n", "cancel", x, "cancel");
    note_id(&note, "by", task_ticket());
    note_end(&note);
    note_write(&note);
}

/* Its track goes on under that name; what is open on it is opened once more. */
static void on_renamed(async_task x, const char *name)
{
    struct note note;
    struct task *task = behind(x);
    bool waits = task->waiting_on && task->waiting_on->state == PENDING;
    const char *open = task_ticket() == x ? NULL : waits ? info_waits_for(task) : "ready";
    if (task->coro.object.future.state != PENDING || !open_note(&note))
        return;
    if (open) {
        begin_task(&note, "e", open, x, NULL);
        note_end(&note);
    }
    begin_task(&note, "e", task_name(task), x, NULL);
    note_end(&note);
    begin_task(&note, "b", name, x, "renamed");
    note_end(&note);
    if (open) {
        begin_task(&note, "b", open, x, NULL);
        note_end(&note);
    }
    note_write(&note);
}

/* The running task is in one more function, or in one fewer, which may still stand somewhere. Its own function
 * is told of as the task. */
static void on_frame(const char *event, const struct frame *frame, const async_value *outcome,
                     const char *stands)
{
    struct note note;
    if (!frame->outer || !open_note(&note))
        return;
    note_begin(&note, "i", frame->coro->name);
    note_args(&note, event);
    note_id(&note, "task", task_ticket());
    note_id(&note, "call", object_ticket(&frame->coro->object));
    note_text(&note, "where", frame->awaited_at);
    note_text(&note, "stands", stands);
    if (frame->generator)
        note_add(&note, ",\"generator\":true");
    if (outcome)
        add_outcome(&note, *outcome);
    note_end(&note);
    note_write(&note);
}

static void on_entered(const struct frame *frame) { on_frame("entered", frame, NULL, NULL); }

static void on_left(const struct frame *frame, const async_value *outcome)
{
    on_frame("left", frame, outcome, NULL);
}

static void on_yielded(const struct frame *frame, const async_value *value)
{
    on_frame("yielded", frame, value, async_here);
}

/* An instant with a number of its own. */
static void instant(const char *name, const char *key, double number)
{
    struct note note;
    if (!open_note(&note))
        return;
    note_begin(&note, "i", name);
    note_add(&note, ",\"s\":\"t\"");
    note_args(&note, name);
    note_add(&note, ",\"%s\":%.9g", key, number);
    note_end(&note);
    note_write(&note);
}

static void callback(const char *kind, const char *event, async_fn *fn)
{
    struct note note;
    if (!open_note(&note))
        return;
    note_begin(&note, kind, "callback");
    note_args(&note, event);
    add_function(&note, (uintptr_t)fn);
    note_end(&note);
    note_write(&note);
}

static void on_calls(async_fn *fn) { callback("B", "calls", fn); }

static void on_called(async_fn *fn) { callback("E", "called", fn); }

static void on_time_passes(double seconds)
{
    instant("time passes", "to", seconds);
    int64_t jump = clock_from_seconds(seconds) - loop_running->clock.now;
    note_jump(jump > 0 ? jump : 0);
}

static void on_turn(async_loop *loop)
{
    static _Thread_local long turns;
    struct note note;
    if (list_empty(&loop->batch))
        return;
    note_turn();
    if (!open_note(&note))
        return;
    note_begin(&note, "i", "turn");
    note_add(&note, ",\"s\":\"t\"");
    note_args(&note, "turn");
    note_add(&note, ",\"number\":");
    note_passing(&note, 0, ++turns);
    note_end(&note);
    note_write(&note);
}

static void on_timer(double seconds) { instant("timer", "deadline", seconds); }

static void on_io(int number)
{
    if (number >= 0)
        instant("I/O", "descriptor", number);
    else
        instant("signal", "number", -number);
}

static struct async_hooks hooks = {
    .created = on_created, .resumed = on_resumed, .suspended = on_suspended, .woken = on_woken,
    .finished = on_finished, .cancelled = on_cancelled, .entered = on_entered,
    .left = on_left, .yielded = on_yielded, .renamed = on_renamed, .made = on_made, .time_passes = on_time_passes,
    .turn = on_turn, .timer = on_timer, .calls = on_calls, .called = on_called, .io = on_io,
};

/* ------------------------------------------------------------------------ begin and end */

static void at_exit(void)
{
    struct note note;
    if (open_note(&note))
        note_stop(&note);
}

/* Children must not overwrite what we write, so they don't find the variable. */
static void start(void)
{
    struct stat output;
    const char *name = getenv("ASYNC_TRACE");
    if (!name || !*name)
        return;
    bool started = note_start(name);
    if (!started)
        fprintf(stderr, "ASYNC_TRACE: %s cannot be written (%s); the program runs without a "
                "trace.\n", name, strerror(errno));
    unsetenv("ASYNC_TRACE");
    if (!started)
        return;
    sees_output = fstat(1, &output) == 0 && S_ISREG(output.st_mode);
    async_hooks_add(&hooks);
    atexit(at_exit);
}

void trace_begin(async_loop *loop)
{
    static atomic_flag began_before = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&began_before))
        start();
    note_clock(loop->clock.is_virtual);
    instant("event loop", "virtual", loop->clock.is_virtual);
}
