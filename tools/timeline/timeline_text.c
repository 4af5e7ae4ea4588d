/* timeline_text.c - the timeline for a terminal.
 *
 *     seconds            0           1      1.5                 3
 *     Task-1 breakfast   ██────────────────gather───────────────────██│
 *     Task-2 coffee      ░░██─sleep──██────────────sleep──────────██│
 *     Task-3 toast       ░░░░██──────sleep──██│
 *     printed              1 2       3      4                     5   6
 *
 * A row is a canvas of one character for each column, filled from the model and then written out.
 * Below all of them stands what the numbers stand for. */
#include "timeline.h"
#include <stdlib.h>
#include <string.h>

#define STEP 2                  /* columns of a step */
#define LEAST_GAP 3
#define NARROWEST 30            /* columns; what is narrower gets too long lines */
#define TAIL 2                  /* behind the last cell, for how a task ended */

enum glyph { RUNS, WAITS, IS_READY, ENDS, FAILS, STOPPED, ASKED, TICK, BREAK, GLYPHS };
static const char *const in_utf8[GLYPHS] = { "█", "─", "░", "│", "!", "✗", "?", "╷", "≈" };
static const char *const in_ascii[GLYPHS] = { "#", "-", ":", "|", "!", "x", "?", "|", "~" };
static const char *const *glyphs;

static char (*canvas)[8];       /* one row of a system, one character each; "" is a space */
static int columns;
static int labels;              /* columns of the names at the left */

/* ------------------------------------------------------------------------------ a row */

static void clear(void) { memset(canvas, 0, columns * sizeof *canvas); }

static void put(int x, const char *character, int length)
{
    if (x >= 0 && x < columns)
        snprintf(canvas[x], sizeof canvas[x], "%.*s", length < 7 ? length : 7, character);
}

static void put_glyph(int x, enum glyph glyph) { put(x, glyphs[glyph], 7); }

/* Plain ASCII, which is what names and numbers are made of. */
static void put_text(int x, const char *text)
{
    for (int i = 0; text[i]; i++)
        put(x + i, text + i, 1);
}

static bool is_free(int x, int width)
{
    for (int i = x < 0 ? 0 : x; i < x + width; i++)
        if (i >= columns || canvas[i][0])
            return false;
    return true;
}

/* Text cut to a width, the rest filled with spaces. */
static void write_cut(const char *text, int width)
{
    int bytes = 0, length = (int)strlen(text);
    while (bytes < length && timeline_columns(text, bytes + 1) <= width)
        bytes++;
    while (bytes && bytes < length && ((unsigned char)text[bytes] & 0xc0) == 0x80)
        bytes--;
    printf("%.*s%*s", bytes, text, width - timeline_columns(text, bytes), "");
}

static void write_row(const char *label)
{
    int end = columns;
    while (end > 0 && !canvas[end - 1][0])
        end--;
    if (!end) {
        printf("%s\n", label);
        return;
    }
    write_cut(label, labels - 1);
    putchar(' ');
    for (int i = 0; i < end; i++)
        fputs(canvas[i][0] ? canvas[i] : " ", stdout);
    putchar('\n');
}

/* ------------------------------------------------------------------------- one system */

static int column(const struct timeline *t, int cell) { return (int)(t->cells[cell].x + 1e-6); }

static int column_behind(const struct timeline *t, int cell)
{
    return (int)(t->cells[cell].x + t->cells[cell].width + 1e-6);
}

/* The longest text that says what is waited for and leaves a dash at both ends. */
static void label_wait(const struct timeline *t, const struct wait *wait, int x, int end)
{
    char texts[4][200];
    const char *on = wait->on >= 0 ? t->tasks[wait->on].name : wait->what;
    snprintf(texts[0], sizeof texts[0], "%s: %s", wait->inside ? wait->inside : on, on);
    snprintf(texts[1], sizeof texts[1], "%s", wait->inside ? wait->inside : on);
    snprintf(texts[2], sizeof texts[2], "%s", on);
    for (int i = wait->inside ? 0 : 1; i < 3; i++) {
        int length = (int)strlen(texts[i]);
        if (length + 2 <= end - x) {
            put_text(x + (end - x - length) / 2, texts[i]);
            return;
        }
    }
}

static void draw_end(const struct task *task, int x)
{
    put_glyph(x, task->cancelled ? STOPPED : task->error ? FAILS : ENDS);
}

static void draw_lane(const struct timeline *t, int number, int system)
{
    const struct task *task = &t->tasks[number];
    clear();
    for (int i = 0, next; i < t->cell_count; i = next) {
        next = i + 1;
        enum state state = timeline_state(t, number, i);
        if (t->cells[i].system != system || state == AWAY)
            continue;
        next = timeline_run(t, number, i);
        int from = column(t, i), end = column_behind(t, next - 1);
        for (int x = from; x < end; x++)
            put_glyph(x, state == RUNNING ? RUNS : state == READY ? IS_READY : WAITS);
        if (state == WAITING)
            label_wait(t, &t->waits[t->cells[i].of[number].wait], from, end);
    }
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        if (e->kind == CANCEL && e->task == number && e->cell >= 0 &&
            t->cells[e->cell].system == system)
            put_glyph(column_behind(t, e->cell) - 1, ASKED);
    }
    if (task->done && t->cells[task->last].system == system)
        draw_end(task, column_behind(t, task->last));
    char label[300];
    snprintf(label, sizeof label, "%s %s", task->name, task->coroutine);
    write_row(label);
}

/* When an instant begins: its time, where there is room, and a tick in any case. */
static void draw_axis(const struct timeline *t, int system)
{
    clear();
    for (int i = 0; i < t->cell_count; i++) {
        const char *text = timeline_seconds(t->cells[i].at);
        int x = column(t, i);
        if (t->cells[i].system == system && timeline_is_start(t, i) &&
            is_free(x - 1, (int)strlen(text) + 2))
            put_text(x, text);
    }
    write_row("seconds");
    clear();
    for (int i = 0; i < t->cell_count; i++) {
        if (t->cells[i].system == system && timeline_is_start(t, i))
            put_glyph(column(t, i), TICK);
        if (t->cells[i].system == system && t->cells[i].shortened)
            put_glyph((column(t, i) + column_behind(t, i)) / 2, BREAK);
    }
    write_row("");
}

static void draw_numbers(const struct timeline *t, int system)
{
    int last = 0;
    bool any = false;
    clear();
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        char text[16];
        if (e->kind != PRINTED || e->number == last ||
            (e->cell >= 0 ? t->cells[e->cell].system : 0) != system)
            continue;
        snprintf(text, sizeof text, "%d", last = e->number);
        int x = e->cell < 0 ? 0 : column(t, e->cell);
        if (is_free(x, (int)strlen(text)))
            put_text(x, text);
        any = true;
    }
    if (any)
        write_row("printed");
}

/* ---------------------------------------------------------------------- what happened */

static const char *who(const struct timeline *t, int task)
{
    return task >= 0 ? t->tasks[task].name : "";
}

static void list_head(const struct timeline *t, const struct event *e, int names,
                      const char *number)
{
    printf("%*s%s  %6s s  ", 3 - timeline_columns(number, (int)strlen(number)), "", number,
           timeline_seconds(e->at));
    write_cut(who(t, e->task), names);
    fputs("  ", stdout);
}

static void list_printed(const struct timeline *t, const struct event *e, int names, bool again)
{
    char number[16];
    snprintf(number, sizeof number, "%d", e->number);
    const char *line = e->text;
    for (bool first = true; *line; first = false) {
        int length = (int)strcspn(line, "\n");
        if (first && !again)
            list_head(t, e, names, number);
        else
            printf("%*s", 5 + 6 + 4 + names + 2, "");
        printf("%.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

static void list_events(const struct timeline *t)
{
    int names = 0, last = 0;
    for (int i = 0; i < t->task_count; i++)
        if (t->tasks[i].lane >= 0 && (int)strlen(t->tasks[i].name) > names)
            names = (int)strlen(t->tasks[i].name) < 16 ? (int)strlen(t->tasks[i].name) : 16;
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        if (e->kind == PRINTED) {
            list_printed(t, e, names, e->number == last);
            last = e->number;
        } else if (e->kind == CANCEL) {
            list_head(t, e, names, glyphs[ASKED]);
            printf("is asked to end%s%s\n", e->by >= 0 ? " by " : "", who(t, e->by));
        } else if (e->kind == ENDED) {
            list_head(t, e, names, glyphs[t->tasks[e->task].cancelled ? STOPPED : FAILS]);
            printf("%s %s\n", t->tasks[e->task].cancelled ? "is" : "ends with", e->text);
        }
    }
}

/* Only of what there is. */
static void legend(const struct timeline *t)
{
    bool asked = false, cancelled = false, error = false, shortened = false;
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        asked |= e->kind == CANCEL;
        cancelled |= e->kind == ENDED && t->tasks[e->task].cancelled;
        error |= e->kind == ENDED && !t->tasks[e->task].cancelled;
    }
    for (int i = 0; i < t->cell_count; i++)
        shortened |= t->cells[i].shortened;
    printf("\n%s%s runs  %s%s ready  %s%s waits  %s done", glyphs[RUNS], glyphs[RUNS],
           glyphs[IS_READY], glyphs[IS_READY], glyphs[WAITS], glyphs[WAITS], glyphs[ENDS]);
    if (asked)
        printf("  %s asked to end", glyphs[ASKED]);
    if (cancelled)
        printf("  %s cancelled", glyphs[STOPPED]);
    if (error)
        printf("  %s error", glyphs[FAILS]);
    if (shortened)
        printf("  %s time not to scale", glyphs[BREAK]);
    putchar('\n');
}

static int widest_label(const struct timeline *t, int most)
{
    int widest = 7;
    for (int i = 0; i < t->task_count; i++) {
        int width = (int)(strlen(t->tasks[i].name) + strlen(t->tasks[i].coroutine) + 1);
        if (t->tasks[i].lane >= 0 && width > widest)
            widest = width;
    }
    return (widest < most ? widest : most) + 1;
}

void timeline_draw_text(struct timeline *t, int width, bool utf8)
{
    glyphs = utf8 ? in_utf8 : in_ascii;
    if (width > 118)
        width = 118;
    if (width < NARROWEST)
        width = NARROWEST;
    labels = widest_label(t, width / 3);
    columns = width - labels;
    canvas = calloc(columns, sizeof *canvas);
    if (!canvas)
        return;
    timeline_layout(t, columns - TAIL, STEP, LEAST_GAP);
    printf("%s: %s, %s s on the %s clock\n", t->title, timeline_who(t), timeline_seconds(t->end),
           t->is_real ? "real" : "virtual");
    for (int system = 0; system < t->systems; system++) {
        putchar('\n');
        draw_axis(t, system);
        for (int i = 0; i < t->task_count; i++)
            if (t->tasks[i].lane >= 0 && timeline_in_system(t, i, system))
                draw_lane(t, i, system);
        draw_numbers(t, system);
    }
    if (t->lanes_left_out)
        printf("(and %d more tasks)\n", t->lanes_left_out);
    if (t->cut && !t->ending)
        puts("(it goes on, but here we stopped looking)");
    putchar('\n');
    list_events(t);
    if (t->ending)
        printf("\nNote: %s.\n", t->ending);
    legend(t);
}
