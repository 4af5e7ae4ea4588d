/* timeline_read.c - from the lines of a trace to tasks, cells and events.
 *
 * We read only what runtime/debug/trace.c wrote, one event a line, and look for keys in the line as it
 * is: "key": cannot stand inside a text, where quotes have a backslash before them. */
#include "timeline.h"
#include "keys.h"
#include "names.h"
#include <stdlib.h>
#include <string.h>

/* What is closer together than this happens at once; and a step that takes as long as that, in real
 * time, held up everybody. A few programs insist on a real clock, where nothing is exact. */
#define INSTANT (is_virtual ? 1e-6 : 0.005)
#define LONG_STEP (is_virtual ? 0.25 : 0.02)

static double last;             /* virtual time of the event before */
static double step_began;       /* real */
static bool in_step;
static bool is_virtual = true;  /* the clock of the last loop */

/* An array of n things with room for one more. */
static void *grow(void *array, int n, size_t size)
{
    if (n == 0 || (n >= 16 && (n & (n - 1)) == 0))
        array = realloc(array, size * (n == 0 ? 16 : 2 * (size_t)n));
    if (!array) {
        fputs("timeline: no memory\n", stderr);
        exit(1);
    }
    return array;
}

/* Memory for a text; all of them stay, in one list. */
static char *keep(size_t size)
{
    static struct block { struct block *next; char text[]; } *blocks;
    struct block *block = calloc(1, sizeof *block + size);
    if (!block) {
        fputs("timeline: no memory\n", stderr);
        exit(1);
    }
    block->next = blocks;
    blocks = block;
    return block->text;
}

#define add(array, count) (array = grow(array, count, sizeof *array), &array[count++])

/* ------------------------------------------------------------------------- values by key */

static double number(const char *line, const char *key)
{
    const char *found = find(line, key);
    return found ? strtod(found, NULL) : 0;
}

/* The text of a key, or NULL. */
static char *text(const char *line, const char *key)
{
    const char *s = find(line, key);
    if (!s || *s++ != '"')
        return NULL;
    char *result = keep(strlen(s) + 1), *to = result;
    for (; *s && *s != '"'; s++) {
        if (*s != '\\') {
            *to++ = *s;
        } else if (*++s == 'u') {               /* we wrote \u only for what nobody can print */
            *to++ = strncmp(s + 1, "000a", 4) == 0 ? ' ' : '?';
            s += 4;
        } else {
            *to++ = *s;
        }
    }
    return result;
}

static int task_of(struct timeline *t, const char *line, const char *key)
{
    const char *s = find(line, key);
    if (!s || *s++ != '"')
        return -1;
    size_t length = strcspn(s, "\"");
    for (int i = t->task_count - 1; i >= 0; i--)
        if (strlen(t->tasks[i].id) == length && strncmp(t->tasks[i].id, s, length) == 0)
            return i;
    return -1;
}

/* ------------------------------------------------------------------------------- events */

static struct cell *add_cell(struct timeline *t, int task, double at)
{
    struct cell *cell = add(t->cells, t->cell_count);
    *cell = (struct cell){ .task = task, .at = at, .known = t->task_count };
    if (cell->known > MOST_TASKS)
        cell->known = MOST_TASKS;
    cell->of = calloc(cell->known + 1, sizeof *cell->of);
    for (int i = 0; cell->of && i < cell->known; i++) {
        struct task *one = &t->tasks[i];
        cell->of[i].state = i == task ? RUNNING : one->now;
        cell->of[i].wait = one->wait;
        if (one->now != AWAY)
            one->last = t->cell_count - 1;
    }
    return cell;
}

static struct event *add_event(struct timeline *t, enum kind kind, int task, double at)
{
    struct event *event = add(t->events, t->event_count);
    int by = in_step ? t->cells[t->cell_count - 1].task : -1;
    *event = (struct event){ kind, t->cell_count - 1, task, by, at, NULL, 0 };
    return event;
}

/* Time that passes without a step is a gap. */
static void pass(struct timeline *t, double at)
{
    if (at > last + INSTANT && !in_step) {
        add_cell(t, -1, last)->seconds = at - last;
        last = at;
    }
    t->end = last;
}

/* What the compiler calls the function that is there in the program, whatever it put into it. */
static const char *function_name(const struct timeline *t, const char *address)
{
    char *name = keep(200);
    return find_name(name, 200, t->program, address) ? name : "callback";
}

static void created(struct timeline *t, const char *line, double at)
{
    struct task *task = add(t->tasks, t->task_count);
    *task = (struct task){ .id = text(line, "task"), .name = text(line, "name"),
                           .coroutine = text(line, "coroutine"), .first = t->cell_count, .last = -1,
                           .now = READY, .wait = -1, .lane = -1 };
    task->hidden = !task->coroutine || strncmp(task->coroutine, "async_loop_shutdown", 19) == 0;
    if (!task->hidden)
        add_event(t, CREATED, t->task_count - 1, at);
}

static void resumed(struct timeline *t, const char *line, int task, double at)
{
    t->tasks[task].now = RUNNING;
    t->tasks[task].name = text(line, "called");         /* it may have been given another */
    step_began = number(line, "real");
    in_step = true;
    if (!t->tasks[task].hidden)
        add_cell(t, task, at);
    else
        in_step = false;
}

/* A callback is no task, but has a lane: one for all calls of a function. */
static void calls(struct timeline *t, const char *line, double at)
{
    const char *id = text(line, "function");
    int task = id ? task_of(t, line, "function") : -1;
    if (id && task < 0) {
        task = t->task_count;
        struct task *one = add(t->tasks, t->task_count);
        *one = (struct task){ .id = id, .name = "callback", .callback = true, .coroutine = function_name(t, id),
                              .first = t->cell_count, .last = -1, .wait = -1, .lane = -1 };
    }
    step_began = number(line, "real");
    in_step = true;
    add_cell(t, task, at);
    if (task >= 0)
        t->tasks[task].last = t->cell_count - 1;
}

/* Notes how long a step really took if that is worth showing. */
static void step_ended(struct timeline *t, const char *line, double at)
{
    double took = number(line, "real") - step_began;
    if (in_step && took >= LONG_STEP && !(t->steady && is_virtual))
        t->cells[t->cell_count - 1].seconds = took;
    in_step = false;
    last = at;
}

/* "async_sleep" is a word for those who read programs; a picture has little room. */
static const char *short_name(const char *name)
{
    if (!name)
        return "";
    return strncmp(name, "async_", 6) == 0 ? name + 6 : name;
}

/* A task has suspended itself: which of its calls are new, which have ended in the step before that? */
static void note_calls(struct timeline *t, const char *line, int task)
{
    enum { DEEPEST = 32 };
    char *names[DEEPEST], *ids[DEEPEST];        /* the innermost first */
    int count = 0, known = t->call_count, cell = t->cell_count - 1, depth = 0;
    for (const char *at = find(line, "calls"); at && find(at, "call") && count < DEEPEST; at = find(at, "id")) {
        names[count] = text(at, "call");
        ids[count++] = text(at, "id");
    }
    for (int i = 0; i < known; i++)
        if (t->calls[i].task == task && t->calls[i].open) {
            t->calls[i].open = false;
            for (int k = 0; k < count; k++)
                t->calls[i].open |= strcmp(t->calls[i].id, ids[k]) == 0;
            t->calls[i].last = cell;
        }
    while (count-- > 0) {
        const char *id = ids[count];
        bool own = strcmp(id, t->tasks[task].id) == 0, open = own;
        for (int i = 0; i < known && !open; i++)
            open = t->calls[i].task == task && t->calls[i].open && strcmp(t->calls[i].id, id) == 0;
        if (!open) {
            struct call *call = add(t->calls, t->call_count);
            *call = (struct call){ id, short_name(names[count]), task, depth, cell, cell, true };
        }
        depth += !own;
    }
}

/* The innermost function of the program's own that it is in, unless that is the task's. */
static const char *inside(const char *line, const char *coroutine)
{
    for (const char *at = find(line, "calls"); at && find(at, "call"); at = find(at, "id")) {
        const char *name = text(at, "call");
        if (strncmp(name, "async_", 6) != 0)
            return strcmp(name, coroutine) != 0 ? name : NULL;
    }
    return NULL;
}

static void waits(struct timeline *t, const char *line, int task)
{
    struct wait *wait = add(t->waits, t->wait_count);
    *wait = (struct wait){ short_name(text(line, "name")),
                           inside(line, t->tasks[task].coroutine),
                           task_of(t, line, "on") };
    t->tasks[task].now = WAITING;
    t->tasks[task].wait = t->wait_count - 1;
    note_calls(t, line, task);
}

static void ready(struct timeline *t, const char *line, int task, double at)
{
    struct task *one = &t->tasks[task];
    if (one->now == RUNNING)                    /* it has only given up its turn */
        note_calls(t, line, task);
    if (one->now == WAITING && strcmp(t->waits[one->wait].what, "sleep") != 0)
        add_event(t, WOKEN, task, at);
    one->now = READY;
}

static void finished(struct timeline *t, const char *line, int task, double at)
{
    struct task *one = &t->tasks[task];
    const char *error = text(line, "error"), *message = text(line, "message");
    one->now = AWAY;
    one->done = true;
    note_calls(t, line, task);
    if (!error)
        return;
    one->cancelled = strcmp(error, "CancelledError") == 0;
    size_t size = strlen(error) + (message ? strlen(message) : 0) + 3;
    char *both = keep(size);
    snprintf(both, size, "%s%s%s", error, message && *message ? ": " : "", message ? message : "");
    one->error = both;
    if (!one->hidden)
        add_event(t, ENDED, task, at)->text = one->cancelled ? "cancelled" : both;
}

/* What one step prints is one piece, though functions may have been entered in between. */
static void was_printed(struct timeline *t, const char *line, int task, double at)
{
    long from = (long)number(line, "from"), to = (long)number(line, "to");
    const struct event *before = t->event_count ? &t->events[t->event_count - 1] : NULL;
    if (task < 0 && in_step)
        task = t->cells[t->cell_count - 1].task;        /* a callback */
    if (before && before->kind == PRINTED && before->task == task && before->cell == t->cell_count - 1)
        from = strtol(before->text, NULL, 10);
    else
        add_event(t, PRINTED, task, at);
    char *place = keep(48);         /* timeline_complete reads the text itself */
    snprintf(place, 48, "%ld %ld", from, to);
    t->events[t->event_count - 1].text = place;
}

/* What happened before the part that is wanted. Whoever is there by then stays known. */
static void forget(struct timeline *t)
{
    last = t->from;
    for (int i = 0; i < t->cell_count; i++)
        free(t->cells[i].of);
    t->cell_count = t->event_count = 0;
    for (int i = 0; i < t->task_count; i++) {
        t->tasks[i].first = 0;
        t->tasks[i].last = -1;
    }
    for (int i = 0; i < t->call_count; i++) {
        t->calls[i].first = 0;
        t->calls[i].last = -1;
    }
}

bool timeline_read(struct timeline *t, const char *line)
{
    char *event = text(line, "event");
    double at = number(line, "at");
    if (!event)
        return true;
    int task = task_of(t, line, "task");
    if (last < t->from && at >= t->from)
        forget(t);
    if (t->until > 0 && at > t->until) {
        pass(t, t->until);
        return !(t->cut = true);
    }
    pass(t, at);
    if (strcmp(event, "event loop") == 0)
        t->is_real = !(is_virtual = number(line, "virtual") != 0);
    else if (strcmp(event, "created") == 0)
        created(t, line, at);
    else if (strcmp(event, "printed") == 0)
        was_printed(t, line, task, at);
    else if (strcmp(event, "calls") == 0)
        calls(t, line, at);
    else if (strcmp(event, "step ends") == 0 || strcmp(event, "called") == 0)
        step_ended(t, line, at);
    else if (task < 0)
        ;
    else if (strcmp(event, "resumed") == 0)
        resumed(t, line, task, at);
    else if (strcmp(event, "ready") == 0)
        ready(t, line, task, at);
    else if (strcmp(event, "waits") == 0)
        waits(t, line, task);
    else if (strcmp(event, "finished") == 0)
        finished(t, line, task, at);
    else if (strcmp(event, "cancel") == 0 && !t->tasks[task].hidden)
        add_event(t, CANCEL, task, at);
    return t->cell_count < MOST_CELLS || !(t->cut = true);
}

/* -------------------------------------------------------------------------- afterwards */

static const char *read_text(FILE *output, long from, long to)
{
    char *text = keep(to - from + 1);
    if (fseek(output, from, SEEK_SET) != 0)
        return "";
    size_t length = fread(text, 1, to - from, output);
    for (size_t i = 0; i < length; i++)         /* no control sequences in the picture */
        if ((unsigned char)text[i] < ' ' && text[i] != '\n')
            text[i] = ' ';
    return text;
}

/* Whoever still waits when the program has ended, as in a deadlock, is seen to do so. */
static void add_open_end(struct timeline *t)
{
    if (t->until > 0 && t->cut)                 /* they are cut off, no more */
        return;
    for (int i = 0; i < t->task_count; i++)
        if (!t->tasks[i].hidden && t->tasks[i].now != AWAY && t->cell_count) {
            in_step = false;
            add_cell(t, -1, last);
            return;
        }
}

void timeline_complete(struct timeline *t, FILE *output)
{
    int numbers = 0, last_cell = -1, last_task = -1;
    if (last < t->from)             /* it ended before */
        forget(t);
    add_open_end(t);
    for (int i = 0; i < t->call_count; i++)
        if (t->calls[i].open)
            t->calls[i].last = t->cell_count - 1;
    for (int i = 0; i < t->event_count; i++) {
        struct event *event = &t->events[i];
        long from, to;
        if (event->kind != PRINTED || sscanf(event->text, "%ld %ld", &from, &to) != 2)
            continue;
        event->text = read_text(output, from, to);
        numbers += !numbers || event->cell != last_cell || event->task != last_task;
        event->number = numbers;
        last_cell = event->cell, last_task = event->task;
    }
    for (int i = 0; i < t->task_count; i++) {
        struct task *task = &t->tasks[i];
        if (task->hidden || (task->last < 0 && i < MOST_TASKS))
            continue;
        if (t->lanes < MOST_LANES && i < MOST_TASKS)
            task->lane = t->lanes++;
        else
            t->lanes_left_out++;
    }
}
