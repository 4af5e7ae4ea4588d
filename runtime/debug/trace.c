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
#include "debug/debug.h"
#include "debug/note.h"
#include "sync/lock.h"
#include "sync/queue.h"
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

static struct task *behind(async_task task) { return object_find(task); }

/* An event with an id, which is that of a task; on the track of that task if its category is "task". */
static void begin_with_id(const char *kind, const char *name, const char *category, async_task task, const char *event)
{
    char more[64];
    snprintf(more, sizeof more, ",\"cat\":\"%s\",\"id\":\"%#llx\"%s", category, (unsigned long long)(uintptr_t)task,
             *kind == 'f' ? ",\"bp\":\"e\"" : "");
    note_begin(kind, name, more, event);
}

static void begin_task(const char *kind, const char *name, async_task task, const char *event)
{
    begin_with_id(kind, name, "task", task, event);
    note_id("task", task);
}

static void add_task(const char *kind, const char *name, async_task task, const char *event)
{
    begin_task(kind, name, task, event);
    note_end();
}

/* What was printed since the event before, by the task that runs or by nobody. */
static void add_printed(void)
{
    if (!sees_output)
        return;
    fflush(stdout);
    off_t now = lseek(1, 0, SEEK_CUR);
    if (now == printed || now < 0)
        return;
    note_begin("i", "printed", "", "printed");
    note_add(",\"from\":%lld,\"to\":%lld", (long long)printed, (long long)now);
    note_id("task", task_ticket());
    note_end();
    printed = now;
}

/* "key":"0x12" for where a function is in the program, as addr2line wants it. */
static void add_function(uintptr_t fn)
{
    Dl_info found;
    if (dladdr((void *)fn, &found))
        note_id("function", (void *)(fn - (uintptr_t)found.dli_fbase));
}

/* The caller closes its brace. */
static void begin_job(struct job *job)
{
    struct task *task = task_of_job(job);
    struct object *callback = callback_of_job(job);
    struct errand *errand = errand_of(job);
    note_key(NULL, "{");
    note_id("job", job);
    if (task)
        note_id("task", object_ticket(&task->coro.object));
    else
        add_function(errand ? (uintptr_t)errand->run : (uintptr_t)job->run);
    note_text("where", callback ? callback->place : NULL);
}

static void add_jobs(const char *key, const struct list *jobs, const struct list *more)
{
    int count = 0;
    note_key(key, "[");
    for (; jobs; jobs = more, more = NULL)
        list_each(link, jobs) {
            if (count++ >= MOST)
                break;
            begin_job(container_of(link, struct job, link));
            note_add("}");
        }
    note_add("]");
}

/* A heap is in no order; the reader sorts. */
static void add_timers(const struct timers *timers)
{
    int count = 0;
    note_key("timers", "[");
    for (size_t i = 0; i < timers->count && count < MOST; i++) {
        struct timer *timer = timers->slots[timers->heap[i].slot].timer;
        if (!timer)
            continue;                           /* it was removed */
        begin_job(&timer->job);
        note_add(",\"due\":%.9f}", clock_to_seconds(timer->deadline));
        count++;
    }
    note_add("]");
}

/* What something has ended with: an error, or a value other than nothing, or a zero. */
static void add_outcome(async_value v)
{
    if (v.error) {
        note_text("error", async_error_name(v.error));
        note_text("message", v.error == ASYNC_SYSTEM_EXIT ? NULL : v.message);
    } else if (v.num) {
        note_value("value", v);
    }
}

/* The first items of a queue. */
static void add_items(async_queue *queue)
{
    async_value items[8];
    size_t count = queue_look(queue, items, sizeof items / sizeof *items);
    note_key("items", "[");
    for (size_t i = 0; i < count; i++) {
        note_key(NULL, "{");
        note_add("\"n\":%zu", i);
        note_value("value", items[i]);
        note_add("}");
    }
    note_add("]");
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

static void add_objects(void)
{
    note_key("objects", "[");
    for (int i = 0; i < seen_count; i++) {
        struct object *object = object_find(seen[i]);
        const char *kind = object ? object->future.type->name : "";
        void *handle = seen[i];
        bool queue = strcmp(kind, "Queue") == 0, event = strcmp(kind, "Event") == 0;
        bool lock = strcmp(kind, "Lock") == 0, semaphore = strcmp(kind, "Semaphore") == 0;
        if (!queue && !event && !lock && !semaphore)
            continue;
        note_key(NULL, "{");
        note_text("kind", kind);
        note_id("id", handle);
        if (queue) {
            note_add(",\"length\":%zu,\"room\":%zu", async_queue_qsize(handle), async_queue_maxsize(handle));
            add_items(handle);
        }
        if (event)
            note_add(",\"set\":%s", async_event_is_set(handle) ? "true" : "false");
        if (semaphore)
            note_add(",\"free\":%ld", ((struct semaphore *)object)->permits);
        if (lock) {
            const struct holder *holder = holder_of(object);
            struct task *task = holder ? holder_task(holder) : NULL;
            note_add(",\"locked\":%s", holder ? "true" : "false");
            note_id("holder", task ? object_ticket(&task->coro.object) : NULL);
        }
        note_add("}");
    }
    note_add("]");
}

/* The loop as it is, if that has changed; `waking` are about to be ready. The event that is written next
 * has just made it so, or something between it and the one before. */
static void add_state(const struct list *waking)
{
    static _Thread_local char before[sizeof note.text];
    const async_loop *loop = loop_running;
    size_t length = note.length;
    uint64_t print = note.print;
    if (!loop)
        return;
    note_begin("i", "state", "", "state");
    const char *state = note.text + note.length;
    add_jobs("batch", &loop->batch, NULL);
    add_jobs("ready", &loop->ready, waking);
    add_timers(&loop->timers);
    add_objects();
    if (strcmp(before, state) && note.length + 4 * NOTE_TEXT <= sizeof note.text) {
        strcpy(before, state);
        note_end();
    } else {
        note.length = length;
        note.print = print;
    }
}

/* False: this is not ours to write down. */
static bool open_note(const struct list *waking)
{
    if (!note_open())
        return false;
    add_printed();
    add_state(waking);
    return true;
}

static void close_note(void)
{
    note_end();
    note_write();
}

/* A flow begins within a slice: in the step that runs, or else in one made for it. */
static void add_wake(async_task task)
{
    if (!task_ticket()) {
        note_begin("X", "wake", ",\"dur\":0", NULL);
        note_end();
    }
    begin_with_id("s", "wake", "wake", task, NULL);
    note_id("by", task_ticket());
    note_end();
    add_task("b", "ready", task, "ready");
}

static void on_created(async_task x)
{
    struct task *task = behind(x);
    if (!open_note(NULL))
        return;
    begin_task("b", task_name(task), x, "created");
    note_text("coroutine", task->coro.name);
    note_text("where", task->coro.object.place);
    note_id("by", task_ticket());
    note_end();
    add_wake(x);
    note_write();
}

static void on_resumed(async_task x)
{
    struct task *task = behind(x);
    if (!open_note(NULL))
        return;
    add_task("e", "ready", x, NULL);
    note_begin("B", task->coro.name, "", "resumed");
    note_id("task", x);
    note_text("called", task_name(task));
    note_text("where", task->waiting_at);
    if (task->waiting_on || !task->frame) {        /* else it had just given up its turn */
        note_end();
        begin_with_id("f", "wake", "wake", x, NULL);
    }
    close_note();
}

static void add_step_end(async_task x)
{
    note_begin("E", behind(x)->coro.name, "", "step ends");
    note_id("task", x);
    note_end();
}

/* The functions that it is in, the innermost first, which call of each that is, and where each stands. */
static void add_calls(const struct task *task)
{
    const char *where = task->waiting_at;
    int count = 0;
    note_key("calls", "[");
    for (const struct frame *a = task->frame; a && count++ < MOST; where = a->awaited_at, a = a->outer) {
        note_key(NULL, "{");
        note_text("call", a->coro->name);
        note_id("id", object_ticket(&a->coro->object));
        note_text("where", where);
        note_add("}");
    }
    note_add("]");
}

static void add_member(struct future *future, void *count)
{
    if (!future->type->unnamed && (*(int *)count)++ < MOST)
        note_id(NULL, object_ticket(future_object(future)));
}

/* What a gather, a wait, ... is made of. */
static void add_members(struct future *on)
{
    int count = 0;
    if (!on || !on->type->members)
        return;
    note_key("members", "[");
    on->type->members(on, add_member, &count);
    note_add("]");
}

static void on_suspended(async_task x)
{
    struct task *task = behind(x);
    struct object *awaited = info_awaited(task);
    const char *on = info_waits_for(task);         /* NULL: it gives up its turn */
    if (!open_note(NULL))
        return;
    add_step_end(x);
    begin_task("b", on ? on : "ready", x, on ? "waits" : "ready");
    note_text("where", task->waiting_at);
    add_calls(task);
    if (awaited)
        note_id(awaited->future.type == &task_type ? "on" : "object", object_ticket(awaited));
    add_members(task->waiting_on);
    close_note();
}

/* Tasks tell when they have finished, and what has no handle nobody else knows of. */
static void tell_done(struct future *future)
{
    if (future->type->unnamed || future->type == &task_type || !open_note(NULL))
        return;
    note_begin("i", future->type->name, "", "done");
    note_id("object", object_ticket(future_object(future)));
    note_id("by", task_ticket());
    add_outcome(future->outcome);
    note_key("waiters", "[");
    list_each(link, &future->waiters) {
        struct task *task = task_of_job(container_of(link, struct job, link));
        if (task)
            note_id(NULL, object_ticket(&task->coro.object));
    }
    note_add("]");
    close_note();
}

static void on_woken(struct future *future)
{
    tell_done(future);
    list_each(link, &future->waiters) {
        struct task *task = task_of_job(container_of(link, struct job, link));
        if (!task || !open_note(&future->waiters))
            continue;
        async_task x = object_ticket(&task->coro.object);
        add_task("e", info_waits_for(task), x, NULL);
        add_wake(x);
        note_write();
    }
}

static void on_finished(async_task x)
{
    struct task *task = behind(x);
    if (!open_note(NULL))
        return;
    if (task_ticket() == x)
        add_step_end(x);
    else
        add_task("e", "ready", x, NULL);     /* cancelled before it ran */
    begin_task("e", task_name(task), x, "finished");
    add_outcome(task->coro.object.future.outcome);
    close_note();
}

static void on_cancelled(async_task x)
{
    if (!open_note(NULL))
        return;
    begin_task("n", "cancel", x, "cancel");
    note_id("by", task_ticket());
    close_note();
}

/* Its track goes on under that name; what is open on it is opened once more. */
static void on_renamed(async_task x, const char *name)
{
    struct task *task = behind(x);
    bool waits = task->waiting_on && task->waiting_on->state == PENDING;
    const char *open = task_ticket() == x ? NULL : waits ? info_waits_for(task) : "ready";
    if (task->coro.object.future.state != PENDING || !open_note(NULL))
        return;
    if (open)
        add_task("e", open, x, NULL);
    add_task("e", task_name(task), x, NULL);
    add_task("b", name, x, "renamed");
    if (open)
        add_task("b", open, x, NULL);
    note_write();
}

/* The running task is in one more function, or in one fewer, which may still stand somewhere. Its own function
 * is told of as the task. */
static void on_frame(const char *event, const struct frame *frame, const async_value *outcome,
                     const char *stands)
{
    if (!frame->outer || !open_note(NULL))
        return;
    note_begin("i", frame->coro->name, "", event);
    note_id("task", task_ticket());
    note_id("call", object_ticket(&frame->coro->object));
    note_text("where", frame->awaited_at);
    note_text("stands", stands);
    if (frame->generator)
        note_add(",\"generator\":true");
    if (outcome)
        add_outcome(*outcome);
    close_note();
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
    if (!open_note(NULL))
        return;
    note_begin("i", name, "", name);
    note_add(",\"%s\":%.9g", key, number);
    close_note();
}

static void callback(const char *kind, const char *event, async_fn *fn)
{
    if (!open_note(NULL))
        return;
    note_begin(kind, "callback", "", event);
    add_function((uintptr_t)fn);
    close_note();
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
    if (list_empty(&loop->batch))
        return;
    note_turn();
    if (!open_note(NULL))
        return;
    note_begin("i", "turn", "", "turn");
    note_add(",\"number\":");
    note_passing(0, ++turns);
    close_note();
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
    if (open_note(NULL))
        note_stop();
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
