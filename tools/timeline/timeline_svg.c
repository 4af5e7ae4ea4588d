/* timeline_svg.c - the timeline as a picture for the chapters.
 *
 * Colour only repeats what shape says: a step is a solid block, ready is a hatched box, waiting is
 * a thin line with a word on it. Light or dark is the reader's choice, by prefers-color-scheme.
 *
 * Below its lane stands what a task printed, with a thin line up to the step that printed it. Texts
 * are placed from right to left, each in the highest row where it runs neither into a text nor into
 * the line of one further to the right; so nothing ever overlaps. All numbers are whole or halves,
 * and nothing depends on the machine: the same program gives the same bytes. */
#include "timeline.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH 820
#define MARGIN 14
#define STEP 22
#define LEAST_GAP 26
#define BLOCK 20                /* height of a step */
#define ROW 16                  /* height of a line of text */
#define CHAR 7.25               /* width of a character: they all have one, at 12 pixels */
#define SMALL 6.65              /* at 11 pixels */
#define MOST_RESERVED 200       /* pixels at the right for what is printed at the end */
#define MOST_ROWS 40
#define MOST_LINES 12           /* of one step */
#define MOST_TEXT 60            /* columns of what was printed; what is longer is cut */

struct label {                  /* one text below a lane */
    char text[4 * MOST_TEXT + 8];
    double x, width;            /* where its line goes up; how wide the text is */
    double left;                /* where the text begins: at x, or before it, at the right border */
    int row, rows;              /* lines of one step stay together: the first knows how many */
    const char *class;
};

static double gutter, plot;     /* where cells begin, how wide all may be */
static struct label *label_list;
static int label_count;

/* ------------------------------------------------------------------------------ text */

static void escape(const char *text, int bytes)
{
    for (int i = 0; i < bytes && text[i]; i++)
        switch (text[i]) {
        case '&': fputs("&amp;", stdout); break;
        case '<': fputs("&lt;", stdout); break;
        case '>': fputs("&gt;", stdout); break;
        case '"': fputs("&quot;", stdout); break;
        default: putchar(text[i]);
        }
}

static void text_at(double x, double y, const char *class, const char *text)
{
    printf("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    escape(text, (int)strlen(text));
    puts("</text>");
}

static void line(double x1, double y1, double x2, double y2, const char *class)
{
    printf("<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class);
}

static void box(double x, double y, double width, double height, const char *class)
{
    printf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n", x, y,
           width, height, class);
}

static void cross(double x, double y)
{
    printf("<path d=\"M%.1f %.1fl8 8m0-8l-8 8\" class=\"cross\"/>\n", x, y);
}

static double left_of(const struct timeline *t, int cell) { return gutter + t->cells[cell].x; }

static double right_of(const struct timeline *t, int cell)
{
    return left_of(t, cell) + t->cells[cell].width;
}

/* -------------------------------------------------------------------- texts below a lane */

static struct label *add_label(double x, const char *class, const char *text, int bytes)
{
    struct label *more = realloc(label_list, (label_count + 1) * sizeof *more);
    if (!more)
        exit(1);
    label_list = more;
    struct label *label = &label_list[label_count++];
    *label = (struct label){ .x = x, .class = class, .rows = 1 };
    int cut = bytes;
    while (cut > 0 && (timeline_columns(text, cut) > MOST_TEXT || (text[cut] & 0xc0) == 0x80))
        cut--;
    snprintf(label->text, sizeof label->text, "%.*s%s", cut, text, cut < bytes ? "..." : "");
    label->width = timeline_columns(label->text, sizeof label->text) * CHAR + 6;
    label->left = x + label->width > gutter + plot ? gutter + plot - label->width : x;
    return label;
}

static void add_printed(double x, const char *text)
{
    int first = label_count, rows = 0;
    for (; *text && rows <= MOST_LINES; rows++) {
        int length = (int)strcspn(text, "\n");
        add_label(x, "said", rows < MOST_LINES ? text : "...", rows < MOST_LINES ? length : 3);
        text += length + (text[length] == '\n');
    }
    for (int i = first; i < label_count; i++) {     /* the block is as wide as its longest line */
        if (label_list[i].width > label_list[first].width)
            label_list[first].width = label_list[i].width;
        if (label_list[i].left < label_list[first].left)
            label_list[first].left = label_list[i].left;
        label_list[i].rows = 0;
    }
    if (rows)
        label_list[first].rows = rows;
    for (int i = first; i < label_count; i++)
        label_list[i].left = label_list[first].left;
}

/* In whose lane it is told. What no task printed, but a callback, or main() behind async_run, goes
 * to the task that ran before. */
static int owner(const struct timeline *t, const struct event *e)
{
    int cell = e->cell < 0 ? 0 : e->cell;
    while (cell > 0 && t->cells[cell].task < 0)
        cell--;
    return e->task >= 0 ? e->task : t->cells[cell].task;
}

/* What happened to, or was printed by, a task in one system. Gives the number of rows it takes. */
static int collect_labels(const struct timeline *t, int task, int system)
{
    label_count = 0;
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        int cell = e->cell < 0 ? 0 : e->cell;
        if (owner(t, e) != task || t->cells[cell].system != system)
            continue;
        bool own_step = t->cells[cell].task == e->task;
        double x = own_step ? left_of(t, cell) + 3 : right_of(t, cell) + 3;
        if (e->kind == PRINTED)
            add_printed(x, e->text);
        else if (e->kind == ENDED)
            add_label(own_step ? right_of(t, cell) : x, "bad", e->text, (int)strlen(e->text));
    }
    double border[MOST_ROWS];       /* texts in this row must end before */
    int used = 0;
    for (int r = 0; r < MOST_ROWS; r++)
        border[r] = WIDTH + 1;
    for (int i = label_count - 1; i >= 0; i--) {
        struct label *l = &label_list[i];
        if (!l->rows)
            continue;
        int row = 0;
        while (row + l->rows < MOST_ROWS && l->left + l->width >= border[row])
            row++;
        for (int r = 0; r < row + l->rows; r++) {
            double edge = r < row ? l->x - 2 : l->left < l->x - 2 ? l->left : l->x - 2;
            border[r] = edge < border[r] ? edge : border[r];
        }
        for (int k = 0; k < l->rows; k++)
            label_list[i + k].row = row + k;
        used = row + l->rows > used ? row + l->rows : used;
    }
    return used;
}

static void draw_labels(double y)
{
    for (int i = 0; i < label_count; i++) {
        const struct label *l = &label_list[i];
        double base = y + BLOCK + 13 + l->row * ROW;
        if (l->rows)
            line(l->x, y + BLOCK, l->x, base - 3 + (l->rows - 1) * ROW, "lead");
        text_at(l->left + 4, base, l->class, l->text);
    }
}

/* ----------------------------------------------------------------------------- one lane */

/* The longest text for a wait that leaves some of the line to be seen. */
static void label_wait(const struct timeline *t, const struct wait *wait, double x, double end,
                       double y)
{
    char texts[3][300];
    const char *on = wait->on >= 0 ? t->tasks[wait->on].name : wait->what;
    snprintf(texts[0], sizeof texts[0], "%s: %s", wait->inside ? wait->inside : on, on);
    snprintf(texts[1], sizeof texts[1], "%s", wait->inside ? wait->inside : on);
    snprintf(texts[2], sizeof texts[2], "%s", on);
    for (int i = wait->inside ? 0 : 1; i < 3; i++) {
        double width = strlen(texts[i]) * SMALL + 8;
        if (width + 4 > end - x)
            continue;
        box((x + end - width) / 2, y + 2, width, BLOCK - 4, "paper");
        text_at((x + end) / 2, y + BLOCK / 2.0 + 4, "wait", texts[i]);
        return;
    }
}

static void draw_states(const struct timeline *t, int task, int system, double y)
{
    for (int i = 0, next; i < t->cell_count; i = next) {
        enum state state = timeline_state(t, task, i);
        next = i + 1;
        if (t->cells[i].system != system || state == AWAY)
            continue;
        next = timeline_run(t, task, i);
        double x = left_of(t, i), end = right_of(t, next - 1);
        if (state == RUNNING) {
            box(x + .5, y, end - x - 1, BLOCK, "run");
        } else if (state == READY) {
            box(x + .5, y + 3, end - x - 1, BLOCK - 6, "ready");
        } else {
            line(x, y + BLOCK / 2.0, end, y + BLOCK / 2.0, "waits");
            label_wait(t, &t->waits[t->cells[i].of[task].wait], x, end, y);
        }
    }
}

static void draw_end(const struct timeline *t, int number, int system, double y)
{
    const struct task *task = &t->tasks[number];
    if (!task->done || t->cells[task->last].system != system)
        return;
    double x = right_of(t, task->last);
    if (task->error)
        cross(x + 4, y + BLOCK / 2.0 - 4);
    else
        line(x + 1.5, y - 3, x + 1.5, y + BLOCK + 3, "end");
}

static void draw_name(const struct task *task, double y)
{
    text_at(MARGIN, y + 9, "name", task->coroutine);
    text_at(MARGIN, y + 22, "small", task->name);
}

/* ---------------------------------------------------------------------------- one system */

/* Behind everything: a stripe for each instant, and its time. */
static void draw_instants(const struct timeline *t, int system, double top, double bottom)
{
    double free_from = 0;
    for (int i = 0; i < t->cell_count; i++) {
        if (t->cells[i].system != system)
            continue;
        if (t->cells[i].shortened) {
            double x = (left_of(t, i) + right_of(t, i)) / 2;
            text_at(x - 6, bottom - 3, "small", "//");
        }
        if (!timeline_is_start(t, i))
            continue;
        int last = i;
        while (last + 1 < t->cell_count && t->cells[last + 1].task >= 0 &&
               t->cells[last + 1].system == system)
            last++;
        box(left_of(t, i) - 2, top, right_of(t, last) - left_of(t, i) + 4, bottom - top, "instant");
        char text[40];
        snprintf(text, sizeof text, "%s s", timeline_seconds(t->cells[i].at));
        if (left_of(t, i) >= free_from) {
            text_at(left_of(t, i), top - 4, "time", text);
            free_from = left_of(t, i) + strlen(text) * CHAR + 6;
        }
    }
}

/* Who created or woke whom. What was woken by the callback of a task that ended just before, as
 * gather's is, counts as woken by that task. */
static int waker(const struct timeline *t, const struct event *e)
{
    if (e->by >= 0 || e->cell < 0 || e->kind != WOKEN)
        return e->by;
    const struct cell *cell = &t->cells[e->cell];
    return cell->task >= 0 && cell->at + 1e-6 > e->at ? cell->task : -1;
}

static void draw_arrows(const struct timeline *t, int system, const double *lane_y)
{
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        if (e->kind == PRINTED || e->kind == ENDED || e->cell < 0)
            continue;
        int by = waker(t, e);
        if (t->cells[e->cell].system != system || by == e->task || (by < 0 && e->kind != CANCEL))
            continue;
        double to = lane_y[e->task], x = right_of(t, e->cell) - 5;
        double from = by >= 0 ? lane_y[by] : to - BLOCK - 9;    /* from outside: a timeout */
        if (from <= 0 || to <= 0)
            continue;
        bool down = to > from;
        double tip = down ? to + (e->kind == CANCEL ? BLOCK / 2.0 - 1 : 3)
                          : to + BLOCK - (e->kind == CANCEL ? BLOCK / 2.0 - 1 : 3);
        line(x, down ? from + BLOCK : from, x, tip + (down ? -6 : 6),
             e->kind == CANCEL ? "asks" : "wakes");
        printf("<path d=\"M%.1f %.1fl-4 %dh8z\" class=\"tip\"/>\n", x, tip, down ? -7 : 7);
    }
}

/* Draws it from `top` down; gives where it ends. Without `draw` it only measures. */
static double draw_system(const struct timeline *t, int system, double top, bool draw)
{
    double *lane_y = calloc(t->task_count + 1, sizeof *lane_y), y = top + 10;
    if (!lane_y)
        exit(1);
    for (int i = 0; i < t->task_count; i++)
        if (t->tasks[i].lane >= 0 && timeline_in_system(t, i, system)) {
            lane_y[i] = y;
            y += BLOCK + collect_labels(t, i, system) * ROW + 16;
        }
    if (draw) {
        draw_instants(t, system, top, y - 4);
        draw_arrows(t, system, lane_y);
        for (int i = 0; i < t->task_count; i++)
            if (lane_y[i] > 0) {
                draw_name(&t->tasks[i], lane_y[i]);
                draw_states(t, i, system, lane_y[i]);
                draw_end(t, i, system, lane_y[i]);
                collect_labels(t, i, system);
                draw_labels(lane_y[i]);
            }
    }
    free(lane_y);
    return y;
}

/* -------------------------------------------------------------------------- the whole */

static void style(void)
{
    puts("<style>\n"
         "text { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace }\n"
         "text { fill: #1f2328 }\n"
         ".small, .wait { font-size: 11px; fill: #59636e }\n"
         ".wait { text-anchor: middle }\n"
         ".name, .time, .bad { font-weight: bold }\n"
         ".paper { fill: #ffffff }\n"
         ".instant { fill: #eaeef2 }\n"
         ".run { fill: #0969da }\n"
         ".ready { fill: url(#hatch); stroke: #59636e }\n"
         "#hatch path, .waits, .lead, .wakes, .asks, .end, .cross { fill: none; stroke: #59636e }\n"
         ".waits { stroke-width: 2 }\n"
         ".lead, .wakes { stroke-width: 1 }\n"
         ".lead { stroke-dasharray: 1 2 }\n"
         ".asks { stroke-dasharray: 4 2 }\n"
         ".tip { fill: #59636e }\n"
         ".end { stroke: #1f2328; stroke-width: 3 }\n"
         ".cross { stroke: #c11c28; stroke-width: 3 }\n"
         ".bad { fill: #c11c28 }\n"
         ".said, .bad { paint-order: stroke; stroke: #ffffff }\n"
         ".said, .bad { stroke-width: 4px; stroke-linejoin: round }\n"
         "@media (prefers-color-scheme: dark) {\n"
         "text { fill: #f0f6fc }\n"
         ".small, .wait { fill: #aab3bd }\n"
         ".paper { fill: #0d1117 }\n"
         ".instant { fill: #212830 }\n"
         ".run { fill: #4493f8 }\n"
         ".ready { stroke: #aab3bd }\n"
         "#hatch path, .waits, .lead, .wakes, .asks { stroke: #aab3bd }\n"
         ".tip { fill: #aab3bd }\n"
         ".end { stroke: #f0f6fc }\n"
         ".cross { stroke: #ff7b72 }\n"
         ".bad { fill: #ff7b72 }\n"
         ".said, .bad { stroke: #0d1117 }\n"
         "}\n"
         "</style>\n"
         "<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
         "<path d=\"M-1 6L6 -1\"/></pattern></defs>");
}

/* The text alternative: who ran from when to when, and what was printed. */
static void describe(const struct timeline *t)
{
    printf("<title>Timeline of %s: %d task%s, ", t->title, t->lanes, t->lanes == 1 ? "" : "s");
    if (t->until > 0)
        printf("from second %s to ", timeline_seconds(t->from));
    printf("%s%s</title>\n<desc>", timeline_seconds(t->end), t->until > 0 ? "" : " seconds");
    for (int i = 0; i < t->task_count; i++) {
        const struct task *task = &t->tasks[i];
        if (task->lane < 0)
            continue;
        const struct cell *last = &t->cells[task->last];
        escape(task->name, 200);
        fputs(", ", stdout);
        escape(task->coroutine, 200);
        printf(", from %s s to %s s", timeline_seconds(t->cells[task->first].at),
               timeline_seconds(last->at + (last->task < 0 ? last->seconds : 0)));
        if (task->error) {
            fputs(", ends with ", stdout);
            escape(task->error, 200);
        }
        puts(".");
    }
    for (int i = 0; i < t->event_count; i++)
        if (t->events[i].kind == PRINTED) {
            printf("At %s s is printed: ", timeline_seconds(t->events[i].at));
            escape(t->events[i].text, (int)strlen(t->events[i].text));
        }
    puts("</desc>");
}

static void legend(const struct timeline *t, double y)
{
    double x = MARGIN;
    bool asked = false, crossed = false, shortened = false;
    for (int i = 0; i < t->cell_count; i++)
        shortened |= t->cells[i].shortened;
    for (int i = 0; i < t->event_count; i++) {
        asked |= t->events[i].kind == CANCEL;
        crossed |= t->events[i].kind == ENDED;
    }
    box(x, y, STEP, 14, "run");
    text_at(x + 28, y + 11, "small", "runs");
    x += 74;
    box(x, y, STEP, 14, "ready");
    text_at(x + 28, y + 11, "small", "ready: waits for its turn");
    x += 210;
    line(x, y + 7, x + STEP, y + 7, "waits");
    text_at(x + 28, y + 11, "small", "waits for");
    x += 110;
    line(x, y + 2, x, y + 11, "lead");
    text_at(x + 6, y + 11, "small", "prints");
    x += 72;
    line(x, y, x, y + 14, "end");
    text_at(x + 8, y + 11, "small", "done");
    if (crossed) {
        x += 54;
        cross(x, y + 3);
        text_at(x + 14, y + 11, "small", "error, cancelled");
        x += 80;
    }
    if (asked) {
        x += 60;
        line(x, y, x, y + 12, "asks");
        printf("<path d=\"M%.1f %.1fl-4 -7h8z\" class=\"tip\"/>\n", x, y + 14);
        text_at(x + 10, y + 11, "small", "asks it to end");
    }
    if (shortened)
        text_at(WIDTH - MARGIN - 14 * SMALL, y - 8, "small", "// not to scale");
}

static void measure_gutter(const struct timeline *t)
{
    size_t widest = 6;
    for (int i = 0; i < t->task_count; i++) {
        const struct task *task = &t->tasks[i];
        if (task->lane < 0)
            continue;
        widest = strlen(task->coroutine) > widest ? strlen(task->coroutine) : widest;
        widest = strlen(task->name) > widest ? strlen(task->name) : widest;
    }
    gutter = (int)(MARGIN + (widest < 24 ? widest : 24) * CHAR + 14);
    plot = WIDTH - MARGIN - gutter;
}

/* Room at the right, so that what is printed at the end stands below its step. */
static double last_words(const struct timeline *t)
{
    double room = 14;
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        if ((e->kind != PRINTED && e->kind != ENDED) || e->at + 1e-6 < t->end)
            continue;
        for (const char *s = e->text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
            double width = timeline_columns(s, (int)strcspn(s, "\n")) * CHAR - 10;
            room = width > room ? width : room;
        }
    }
    return room < MOST_RESERVED ? room : MOST_RESERVED;
}

void timeline_draw_svg(struct timeline *t)
{
    measure_gutter(t);
    timeline_layout(t, plot - last_words(t), STEP, LEAST_GAP);
    double height = 26;
    for (int s = 0; s < t->systems; s++)
        height = draw_system(t, s, height, false) + (s + 1 < t->systems ? 30 : 0);
    height += 34;
    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
           "viewBox=\"0 0 %d %.0f\" role=\"img\">\n", WIDTH, height, WIDTH, height);
    describe(t);
    style();
    printf("<rect width=\"%d\" height=\"%.0f\" rx=\"6\" class=\"paper\"/>\n", WIDTH, height);
    double y = 26;
    for (int s = 0; s < t->systems; s++)
        y = draw_system(t, s, y, true) + (s + 1 < t->systems ? 30 : 0);
    legend(t, y + 8);
    puts("</svg>");
}
