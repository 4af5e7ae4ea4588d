/* trace.c - ASYNC_TRACE=file: what the runtime does, for viewers and for our own timeline.
 *
 * The file is in the Chrome trace event format, as Perfetto, chrome://tracing and viztracer open
 * it, in its array form: "[", one event a line, "]". All events of a moment are a single write(), and a
 * comma comes before an event and not behind it, so that what a crash leaves lacks nothing but the
 * last bracket, which viewers do without.
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
#include "debug/readable.h"
#include "debug/utf8.h"
#include "sync/queue.h"
#include "sync/semaphore.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT 240                /* of a text of the program's; what is longer is cut */
#define MOST 24                 /* of the jobs, of the timers and of the objects that a state lists */

static int file = -1;
static pid_t owner;             /* a child that we forked must not write into it */
static bool sees_output;        /* stdout is a file */
static off_t printed;           /* how far it had come */
static int64_t began;           /* on the machine's clock, ns */
static int64_t jumped;          /* by virtual clocks, ns */
static bool is_virtual;         /* the clock of the last loop */
static atomic_int threads;
static _Thread_local int thread;                /* its number, from 1 on */

/* ------------------------------------------------------------------------------ writing */

struct note {                   /* events of one moment, to be written at once */
    size_t length;
    uint64_t print;             /* a fingerprint of all but the times */
    int64_t real;               /* ns since `began` */
    char text[10000];           /* room for all that one hook says: texts are cut to fit */
};

__attribute__((format(printf, 2, 3)))
static void add(struct note *note, const char *format, ...)
{
    va_list args;
    size_t room = sizeof note->text - note->length;
    va_start(args, format);
    int length = vsnprintf(note->text + note->length, room, format, args);
    va_end(args);
    size_t before = note->length;
    if (length > 0)
        note->length += (size_t)length < room ? (size_t)length : room - 1;
    for (size_t i = before; i < note->length; i++)      /* FNV-1a */
        note->print = (note->print ^ (unsigned char)note->text[i]) * UINT64_C(1099511628211);
}

/* A number which no two turns have in common, though they do the same. */
static void add_passing(struct note *note, int digits, double number)
{
    uint64_t print = note->print;
    add(note, "%.*f", digits, number);
    note->print = print;
}

/* "key":"text" as JSON wants it, with a comma before it. A NULL is left out. */
static void add_text(struct note *note, const char *key, const char *text)
{
    if (!text)
        return;
    add(note, ",\"%s\":\"", key);
    const unsigned char *s = (const unsigned char *)text;
    for (int room = TEXT; *s && room > 0; room--) {
        int length = utf8_length(s);
        if (!length)
            add(note, "\\ufffd");
        else if (*s < ' ' || *s == 127)
            add(note, "\\u%04x", *s);
        else
            add(note, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", length, s);
        s += length ? length : 1;
    }
    add(note, "\"");
}

/* Begins an event, up to the point where its args begin. */
static void begin(struct note *note, const char *kind, const char *name)
{
    add(note, ",\n{\"ph\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":", kind, (int)owner, thread);
    add_passing(note, 3, (note->real + jumped) / 1e3);
    add_text(note, "name", name);
}

/* `event` is what our own timeline looks for, or NULL. */
static void begin_args(struct note *note, const char *event)
{
    add(note, ",\"args\":{\"at\":");
    add_passing(note, 9, (is_virtual ? jumped : note->real) / 1e9);
    add(note, ",\"real\":");
    add_passing(note, 6, note->real / 1e9);
    add_text(note, "event", event);
}

/* A key and the id of a task; 0x0 for none. */
static void add_id(struct note *note, const char *key, async_task task)
{
    add(note, ",\"%s\":\"%#llx\"", key, (unsigned long long)(uintptr_t)task);
}

static void end(struct note *note) { add(note, "}}"); }

/* An event on the track of a task, which has the task's ticket as its id. */
static void begin_task(struct note *note, const char *kind, const char *name, async_task task,
                       const char *event)
{
    begin(note, kind, name);
    add(note, ",\"cat\":\"task\"");
    add_id(note, "id", task);
    begin_args(note, event);
    add_id(note, "task", task);
}

static void stop(void);

static void write_text(const char *text, size_t size)
{
    for (size_t done = 0; done < size; ) {
        ssize_t length = write(file, text + done, size - done);
        if (length > 0)
            done += length;
        else if (errno != EINTR) {
            fprintf(stderr, "ASYNC_TRACE: the trace ends here: %s\n", strerror(errno));
            stop();
            return;
        }
    }
}

/* ------------------------------------------------------------------------------ folding */

#define PERIOD 4                /* turns that a spinning program takes until it begins again */
#define ENOUGH 8                /* turns in a row that were as one shortly before: it does spin */

static struct {
    char text[4 * sizeof((struct note *)0)->text];
    size_t length;
    uint64_t print, before[PERIOD];     /* of it, and of those before it */
    int64_t real, jumped;               /* when it began */
    off_t begins, fold;                 /* where it does in the file, and where the first does that is left out */
    long again;                         /* turns in a row that were as one shortly before */
} turn = { .begins = -1 };

static void write_all(const struct note *note)
{
    write_text(note->text, note->length);
    if (threads != 1)
        return;
    if (turn.length + note->length <= sizeof turn.text)
        memcpy(turn.text + turn.length, note->text, note->length);
    turn.length += note->length;
    turn.print = turn.print * 31 + note->print;
}

/* What a program that spins does in thousands of turns is left out, all but the last of them: that one is written
 * where the first was. With several loops in as many threads, or where one cannot go back, all is written. */
static void fold(void)
{
    struct note note = { .real = turn.real };
    lseek(file, turn.fold, SEEK_SET);
    begin(&note, "i", "folded");
    begin_args(&note, "folded");
    add(&note, ",\"turns\":%ld", turn.again - ENOUGH - 1);
    end(&note);
    write_text(note.text, note.length);
    write_text(turn.text, turn.length);
    if (file >= 0 && ftruncate(file, lseek(file, 0, SEEK_CUR)) != 0)
        stop();
}

static void end_turn(void)
{
    bool again = false;
    if (threads != 1)
        return;
    for (int i = 0; i < PERIOD; i++)
        again |= turn.before[i] == turn.print;
    again &= turn.length <= sizeof turn.text && turn.begins >= 0 && turn.jumped == jumped;
    turn.again = again ? turn.again + 1 : 0;
    if (turn.again == ENOUGH + 1)
        turn.fold = turn.begins;
    else if (turn.again > ENOUGH + 1)
        fold();
    memmove(turn.before + 1, turn.before, (PERIOD - 1) * sizeof *turn.before);
    turn.before[0] = turn.print;
    turn.begins = lseek(file, 0, SEEK_CUR);
    turn.length = turn.print = 0;
    turn.real = clock_of_machine() - began;
    turn.jumped = jumped;
}

/* ------------------------------------------------------------------- what the hooks see */

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
    begin(note, "i", "printed");
    begin_args(note, "printed");
    add(note, ",\"from\":%lld,\"to\":%lld", (long long)printed, (long long)now);
    add_id(note, "task", task);
    end(note);
    printed = now;
}

/* The track of the thread that we are in. */
static void name_thread(struct note *note)
{
    thread = ++threads;
    add(note, ",\n{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"thread_name\",\"args\":{\"at\":0,\"name\":\"event loop\"}}",
        (int)owner, thread);
}

/* False: this is not ours to write down. */
static bool open_plain(struct note *note)
{
    if (file < 0 || getpid() != owner)
        return false;
    note->length = note->print = 0;
    if (!thread)
        name_thread(note);
    note->real = clock_of_machine() - began;
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
        add(note, ",\"function\":\"%#llx\"", (unsigned long long)(fn - (uintptr_t)found.dli_fbase));
}

static void add_job(struct note *note, struct job *job)
{
    struct task *task = task_of_job(job);
    struct object *callback = callback_of_job(job);
    struct errand *errand = errand_of(job);
    add(note, "\"job\":\"%#llx\"", (unsigned long long)(uintptr_t)job);
    if (task)
        add_id(note, "task", object_ticket(&task->coro.object));
    else
        add_function(note, errand ? (uintptr_t)errand->run : (uintptr_t)job->run);
    add_text(note, "where", callback ? callback->place : NULL);
}

static void add_jobs(struct note *note, const char *key, const struct list *jobs, const struct list *more)
{
    int count = 0;
    add(note, ",\"%s\":[", key);
    for (; jobs; jobs = more, more = NULL)
        list_each(link, jobs) {
            if (count++ >= MOST)
                break;
            add(note, "%s{", count > 1 ? "," : "");
            add_job(note, container_of(link, struct job, link));
            add(note, "}");
        }
    add(note, "]");
}

/* A heap is in no order; the reader sorts. */
static void add_timers(struct note *note, const struct timers *timers)
{
    int count = 0;
    add(note, ",\"timers\":[");
    for (size_t i = 0; i < timers->count && count < MOST; i++) {
        struct timer *timer = timers->slots[timers->heap[i].slot].timer;
        if (!timer)
            continue;                           /* it was removed */
        add(note, "%s{\"due\":%.9f,", count++ ? "," : "", clock_to_seconds(timer->deadline));
        add_job(note, &timer->job);
        add(note, "}");
    }
    add(note, "]");
}

/* A value, if it can be read. */
static void add_value(struct note *note, const char *key, async_value value)
{
    char text[32];
    if (readable(value, text, sizeof text))
        add_text(note, key, text);
}

/* What something has ended with: an error, or a value other than nothing, or a zero. */
static void add_outcome(struct note *note, async_value v)
{
    if (v.error) {
        add_text(note, "error", async_error_name(v.error));
        add_text(note, "message", v.error == ASYNC_SYSTEM_EXIT ? NULL : v.message);
    } else if (v.num) {
        add_value(note, "value", v);
    }
}

/* The first items of a queue. */
static void add_items(struct note *note, async_queue *queue)
{
    async_value items[8];
    size_t count = queue_look(queue, items, sizeof items / sizeof *items);
    add(note, ",\"items\":[");
    for (size_t i = 0; i < count; i++) {
        add(note, "%s{\"n\":%zu", i ? "," : "", i);
        add_value(note, "value", items[i]);
        add(note, "}");
    }
    add(note, "]");
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
    add(note, ",\"objects\":[");
    for (int i = 0; i < seen_count; i++) {
        struct object *object = object_find(seen[i]);
        const char *kind = object ? object->future.type->name : "";
        void *handle = seen[i];
        bool queue = strcmp(kind, "Queue") == 0, event = strcmp(kind, "Event") == 0;
        bool lock = strcmp(kind, "Lock") == 0, semaphore = strcmp(kind, "Semaphore") == 0;
        if (!queue && !event && !lock && !semaphore)
            continue;
        add(note, "%s{\"kind\":\"%s\"", comma, kind);
        add_id(note, "id", seen[i]);
        if (queue) {
            add(note, ",\"length\":%zu,\"room\":%zu", async_queue_qsize(handle), async_queue_maxsize(handle));
            add_items(note, handle);
        }
        if (event)
            add(note, ",\"set\":%s", async_event_is_set(handle) ? "true" : "false");
        if (semaphore)
            add(note, ",\"free\":%ld", ((struct semaphore *)object)->permits);
        if (lock) {
            const struct holder *holder = holder_of(object);
            struct task *task = holder ? holder_task(holder) : NULL;
            add(note, ",\"locked\":%s", holder ? "true" : "false");
            add_id(note, "holder", task ? object_ticket(&task->coro.object) : NULL);
        }
        add(note, "}");
        comma = ",";
    }
    add(note, "]");
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
    if (strcmp(before, state.text) == 0 || note->length + state.length + 4 * TEXT > sizeof note->text)
        return;
    strcpy(before, state.text);
    begin(note, "i", "state");
    begin_args(note, "state");
    add(note, "%s", state.text);
    end(note);
}

static void begin_flow(struct note *note, const char *kind, async_task task)
{
    begin(note, kind, "wake");
    add(note, ",\"cat\":\"wake\"%s", *kind == 'f' ? ",\"bp\":\"e\"" : "");
    add_id(note, "id", task);
    begin_args(note, NULL);
}

/* A flow begins within a slice: in the step that runs, or else in one made for it. */
static void add_wake(struct note *note, async_task task)
{
    if (!task_ticket()) {
        begin(note, "X", "wake");
        add(note, ",\"dur\":0");
        begin_args(note, NULL);
        end(note);
    }
    begin_flow(note, "s", task);
    add_id(note, "by", task_ticket());
    end(note);
}

static void add_ready(struct note *note, const char *kind, async_task task)
{
    begin_task(note, kind, "ready", task, *kind == 'b' ? "ready" : NULL);
    end(note);
}

static void on_created(async_task x)
{
    struct note note;
    struct task *task = behind(x);
    if (!open_note(&note))
        return;
    begin_task(&note, "b", task_name(task), x, "created");
    add_text(&note, "coroutine", task->coro.name);
    add_text(&note, "where", task->coro.object.place);
    add_id(&note, "by", task_ticket());
    end(&note);
    add_wake(&note, x);
    add_ready(&note, "b", x);
    write_all(&note);
}

static void on_resumed(async_task x)
{
    struct note note;
    struct task *task = behind(x);
    if (!open_note(&note))
        return;
    add_ready(&note, "e", x);
    begin(&note, "B", task->coro.name);
    begin_args(&note, "resumed");
    add_id(&note, "task", x);
    add_text(&note, "called", task_name(task));
    add_text(&note, "where", task->waiting_at);
    end(&note);
    if (task->waiting_on || !task->frame) {        /* else it had just given up its turn */
        begin_flow(&note, "f", x);
        end(&note);
    }
    write_all(&note);
}

static void add_step_end(struct note *note, async_task x)
{
    begin(note, "E", behind(x)->coro.name);
    begin_args(note, "step ends");
    add_id(note, "task", x);
    end(note);
}

/* The functions that it is in, the innermost first, which call of each that is, and where each stands. */
static void add_calls(struct note *note, const struct task *task)
{
    const char *where = task->waiting_at;
    int count = 0;
    add(note, ",\"calls\":[");
    for (const struct frame *a = task->frame; a && count < MOST; where = a->awaited_at, a = a->outer) {
        add(note, "%s{\"call\":\"%s\"", count++ ? "," : "", a->coro->name);
        add_id(note, "id", object_ticket(&a->coro->object));
        add_text(note, "where", where);
        add(note, "}");
    }
    add(note, "]");
}

struct members { struct note *note; int count; };

static void add_member(struct future *future, void *p)
{
    struct members *members = p;
    if (!future->type->unnamed && members->count < MOST)
        add(members->note, "%s\"%#llx\"", members->count++ ? "," : "",
            (unsigned long long)(uintptr_t)object_ticket(future_object(future)));
}

/* What a gather, a wait, ... is made of. */
static void add_members(struct note *note, struct future *on)
{
    if (!on->type->members)
        return;
    add(note, ",\"members\":[");
    on->type->members(on, add_member, &(struct members){ note, 0 });
    add(note, "]");
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
        add_text(&note, "where", task->waiting_at);
        add_calls(&note, task);
        end(&note);
    } else {
        begin_task(&note, "b", info_waits_for(task), x, "waits");
        add_text(&note, "where", task->waiting_at);
        add_calls(&note, task);
        if (awaited && awaited->future.type == &task_type)
            add_id(&note, "on", object_ticket(awaited));
        else if (awaited)
            add_id(&note, "object", object_ticket(awaited));
        add_members(&note, task->waiting_on);
        end(&note);
    }
    write_all(&note);
}

/* Tasks tell when they have finished, and what has no handle nobody else knows of. */
__attribute__((noinline)) static void tell_done(struct future *future)
{
    struct note note;
    const char *comma = "";
    if (future->type->unnamed || future->type == &task_type || !open_note(&note))
        return;
    begin(&note, "i", future->type->name);
    begin_args(&note, "done");
    add_id(&note, "object", object_ticket(future_object(future)));
    add_id(&note, "by", task_ticket());
    add_outcome(&note, future->outcome);
    add(&note, ",\"waiters\":[");
    list_each(link, &future->waiters) {
        struct task *task = task_of_job(container_of(link, struct job, link));
        if (task)
            add(&note, "%s\"%#llx\"", comma, (unsigned long long)(uintptr_t)object_ticket(&task->coro.object));
        comma = task ? "," : comma;
    }
    add(&note, "]");
    end(&note);
    write_all(&note);
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
        end(&note);
        add_wake(&note, x);
        add_ready(&note, "b", x);
        write_all(&note);
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
    end(&note);
    write_all(&note);
}

static void on_cancelled(async_task x)
{
    struct note note;
    if (!open_note(&note))
        return;
    begin_task(&note, "n", "cancel", x, "cancel");
    add_id(&note, "by", task_ticket());
    end(&note);
    write_all(&note);
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
        end(&note);
    }
    begin_task(&note, "e", task_name(task), x, NULL);
    end(&note);
    begin_task(&note, "b", name, x, "renamed");
    end(&note);
    if (open) {
        begin_task(&note, "b", open, x, NULL);
        end(&note);
    }
    write_all(&note);
}

/* The running task is in one more function, or in one fewer, which may still stand somewhere. Its own function
 * is told of as the task. */
static void on_frame(const char *event, const struct frame *frame, const async_value *outcome,
                     const char *stands)
{
    struct note note;
    if (!frame->outer || !open_note(&note))
        return;
    begin(&note, "i", frame->coro->name);
    begin_args(&note, event);
    add_id(&note, "task", task_ticket());
    add_id(&note, "call", object_ticket(&frame->coro->object));
    add_text(&note, "where", frame->awaited_at);
    add_text(&note, "stands", stands);
    if (frame->generator)
        add(&note, ",\"generator\":true");
    if (outcome)
        add_outcome(&note, *outcome);
    end(&note);
    write_all(&note);
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
    begin(&note, "i", name);
    add(&note, ",\"s\":\"t\"");
    begin_args(&note, name);
    add(&note, ",\"%s\":%.9g", key, number);
    end(&note);
    write_all(&note);
}

static void callback(const char *kind, const char *event, async_fn *fn)
{
    struct note note;
    if (!open_note(&note))
        return;
    begin(&note, kind, "callback");
    begin_args(&note, event);
    add_function(&note, (uintptr_t)fn);
    end(&note);
    write_all(&note);
}

static void on_calls(async_fn *fn) { callback("B", "calls", fn); }

static void on_called(async_fn *fn) { callback("E", "called", fn); }

static void on_time_passes(double seconds)
{
    instant("time passes", "to", seconds);
    int64_t jump = clock_from_seconds(seconds) - loop_running->clock.now;
    jumped += jump > 0 ? jump : 0;
}

static void on_turn(async_loop *loop)
{
    static _Thread_local long turns;
    struct note note;
    if (list_empty(&loop->batch) || file < 0)
        return;
    end_turn();
    if (!open_note(&note))
        return;
    begin(&note, "i", "turn");
    add(&note, ",\"s\":\"t\"");
    begin_args(&note, "turn");
    add(&note, ",\"number\":");
    add_passing(&note, 0, ++turns);
    end(&note);
    write_all(&note);
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

static void stop(void)
{
    async_hooks_remove(&hooks);
    close(file);
    file = -1;
}

static void at_exit(void)
{
    struct note note;
    if (!open_note(&note))
        return;
    add(&note, "\n]\n");
    write_all(&note);
    if (file >= 0)
        stop();
}

/* Children must not overwrite what we write, so they don't find the variable. */
static void start(void)
{
    struct stat output;
    const char *name = getenv("ASYNC_TRACE");
    if (!name || !*name)
        return;
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        fprintf(stderr, "ASYNC_TRACE: %s cannot be written (%s); the program runs without a "
                "trace.\n", name, strerror(errno));
        unsetenv("ASYNC_TRACE");
        return;
    }
    unsetenv("ASYNC_TRACE");
    owner = getpid();
    began = clock_of_machine();
    sees_output = fstat(1, &output) == 0 && S_ISREG(output.st_mode);
    struct note note = { .length = 0 };
    add(&note, "[\n{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\"", (int)owner);
    add(&note, ",\"args\":{\"at\":0");
    add_text(&note, "name", program_invocation_short_name);
    end(&note);
    write_all(&note);
    if (file < 0)
        return;
    async_hooks_add(&hooks);
    atexit(at_exit);
}

void trace_begin(async_loop *loop)
{
    static atomic_flag began_before = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&began_before))
        start();
    is_virtual = loop->clock.is_virtual;
    if (file >= 0)
        instant("event loop", "virtual", is_virtual);
}
