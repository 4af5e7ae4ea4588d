/* timeline_svg.c - the timeline as a picture for the chapters.
 *
 * Colour only repeats what shape says: a step is a solid block, ready is a striped box, waiting is
 * a thin line with a word on it. Light or dark is the reader's choice, by prefers-color-scheme.
 *
 * What was printed stands below all lanes, with a thin line down from the step that printed it. Texts
 * are placed from right to left, each in the highest row where it runs neither into a text nor into
 * the line of one further to the right; so nothing ever overlaps. Where there is no room to the right
 * a text ends at its line, unless another line is in its way; then it is broken. Under a task's own line there is one
 * for each call that it awaits. All numbers are whole or halves, and nothing depends on the machine:
 * the same program gives the same bytes. */
#include "timeline.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH 820
#define MARGIN 14
#define STEP 7
#define LEAST_GAP 8
#define BLOCK 20                /* height of a step */
#define ROW 16                  /* height of a line of text */
#define CALL 15                 /* height of the line of an awaited call */
#define CHAR 7.25               /* width of a character: they all have one, at 12 pixels */
#define SMALL 6.65              /* at 11 pixels */
#define MOST_RESERVED 190       /* pixels at the right for what is said at the end */
#define MOST_ROWS 40
#define MOST_LINES 12           /* of one step */
#define MOST_TEXT 66            /* columns of what was printed; what is longer goes on in the next row */
#define LEAST_TEXT 22

struct label {                  /* one text below the lanes */
    char text[4 * MOST_TEXT + 8];
    double x, width;            /* where its line goes up; how wide the text is */
    double left;                /* where the text begins: at x, or so that it ends there */
    double from;                /* where its line begins, above: below the lane of who printed it */
    int row, rows;              /* lines of one step stay together: the first knows how many */
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

/* The stripes are the dashes of one thick line: a pattern would be printed as a bitmap. */
static void striped(double x, double y, double width, double height)
{
    line(x, y + height / 2, x + width, y + height / 2, "stripes");
    box(x, y, width, height, "ready");
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

/* ----------------------------------------------------------------------- what was printed */

static struct label *add_label(double x, double from, const char *text, int bytes)
{
    struct label *more = realloc(label_list, (label_count + 1) * sizeof *more);
    if (!more)
        exit(1);
    label_list = more;
    struct label *label = &label_list[label_count++];
    *label = (struct label){ .x = x, .left = x, .from = from };
    snprintf(label->text, sizeof label->text, "%.*s", bytes, text);
    label->width = timeline_columns(label->text, sizeof label->text) * CHAR + 8;
    return label;
}

/* How many bytes of a line have room in so many columns: up to a space, if there is one. */
static int piece(const char *text, int length, int columns)
{
    int end = length;
    while (end > 0 && timeline_columns(text, end) > columns)
        end--;
    while (end > 0 && (text[end] & 0xc0) == 0x80)
        end--;
    for (int i = end; end < length && i > end / 2; i--)
        if (text[i] == ' ')
            return i;
    return end;
}

/* Adds a text's lines, each broken at so many columns; gives the width of the widest. */
static double add_lines(double x, double from, const char *text, int columns)
{
    int rows = 0;
    double widest = 0;
    while (*text && rows++ < MOST_LINES) {
        int length = (int)strcspn(text, "\n"), bytes = piece(text, length, columns);
        double width = add_label(x, from, text, bytes)->width;
        widest = width > widest ? width : widest;
        text += bytes + (text[bytes] == '\n' || (text[bytes] == ' ' && bytes < length));
    }
    if (*text)
        add_label(x, from, "...", 3);
    return widest;
}

/* The lines of one step stand together. */
static void add_printed(double x, double from, const char *text)
{
    int first = label_count;
    double widest = add_lines(x, from, text, MOST_TEXT), shift = 0;
    if (x + widest > WIDTH - 4) {
        shift = widest;
        for (int i = 0; i < first; i++)
            if (x - widest < 4 || (label_list[i].x < x && label_list[i].x > x - widest - 4))
                shift = 0;
        if (!shift) {
            int room = (int)((WIDTH - 12 - x) / CHAR);
            label_count = first;
            widest = add_lines(x, from, text, room < LEAST_TEXT ? LEAST_TEXT : room);
            shift = x + widest > WIDTH - 4 ? x + widest - WIDTH + 4 : 0;
        }
    }
    for (int i = first; i < label_count; i++)
        label_list[i].left -= shift;
    if (label_count > first) {
        label_list[first].rows = label_count - first;
        label_list[first].width = widest;
    }
}

/* Gives the number of rows that all of it takes in one system. */
static int collect_labels(const struct timeline *t, int system, const double *lane_end)
{
    label_count = 0;
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        int cell = e->cell < 0 ? 0 : e->cell;
        if (e->kind != PRINTED || t->cells[cell].system != system)
            continue;
        int by = e->by;                         /* or before the loop ran, or after */
        double x = by >= 0 ? left_of(t, cell) + 2 : e->cell < 0 ? gutter - 5 : right_of(t, cell) + 5;
        add_printed(x, by >= 0 ? lane_end[by] : 0, e->text);
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

/* The lines behind everything, and the texts before it. */
static void draw_leads(double y)
{
    for (int i = 0; i < label_count; i++) {
        const struct label *l = &label_list[i];
        if (l->rows)
            line(l->x, l->from > 0 ? l->from : y, l->x, y + 10 + (l->row + l->rows - 1) * ROW, "lead");
    }
}

static void draw_labels(double y)
{
    for (int i = 0; i < label_count; i++)
        text_at(label_list[i].left + 4, y + 13 + label_list[i].row * ROW, "said", label_list[i].text);
}

/* ----------------------------------------------------------------------------- one lane */

/* What it waits for, if that leaves some of the line to be seen. */
static void label_wait(const struct timeline *t, const struct wait *wait, double x, double end,
                       double y)
{
    const char *text = wait->on >= 0 ? t->tasks[wait->on].name : wait->what;
    double width = strlen(text) * SMALL + 8;
    if (width + 4 > end - x)
        return;
    box((x + end - width) / 2, y + 2, width, BLOCK - 4, "paper");
    text_at((x + end) / 2, y + BLOCK / 2.0 + 4, "wait", text);
}

/* How many lines below its own a task needs for the calls that it awaits. */
static int depth_of_calls(const struct timeline *t, int task, int system)
{
    int depth = 0;
    for (int i = 0; i < t->call_count; i++) {
        const struct call *c = &t->calls[i];
        if (c->task == task && c->last >= 0 && t->cells[c->first].system <= system &&
            t->cells[c->last].system >= system && c->depth >= depth)
            depth = c->depth + 1;
    }
    return depth;
}

/* A call begins and ends in the middle of a step: what returns and what is called next can share one. */
static void draw_calls(const struct timeline *t, int task, int system, double y)
{
    for (int i = 0; i < t->call_count; i++) {
        const struct call *c = &t->calls[i];
        if (c->task != task || c->last < 0 || t->cells[c->first].system > system ||
            t->cells[c->last].system < system)
            continue;
        int first = c->first, last = c->last;
        while (t->cells[first].system < system)
            first++;
        while (t->cells[last].system > system)
            last--;
        double x = left_of(t, first) + (first == c->first ? STEP / 2.0 : 0);
        double end = right_of(t, last) - (last == c->last && t->cells[last].task >= 0 ? STEP / 2.0 : 0);
        double top = y + BLOCK + 2 + c->depth * CALL;
        box(x + .5, top + .5, end - x - 1, CALL - 3, "call");
        if (end - x > strlen(c->name) * SMALL + 4)
            text_at((x + end) / 2, top + CALL - 5, "wait", c->name);
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
            striped(x + .5, y + 3, end - x - 1, BLOCK - 6);
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
    if (!task->error) {
        line(x + 1.5, y - 3, x + 1.5, y + BLOCK + 3, "end");
        return;
    }
    char text[64];
    int room = (int)((WIDTH - 4 - x - 18) / CHAR);
    snprintf(text, sizeof text, "%.*s", room < 63 ? room : 63, task->cancelled ? "cancelled" : task->error);
    cross(x + 4, y + BLOCK / 2.0 - 4);
    text_at(x + 16, y + BLOCK / 2.0 + 4, "bad", text);
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
            double width = strlen(text) * CHAR, x = left_of(t, i);
            text_at(x + width > WIDTH - 4 ? WIDTH - 4 - width : x, top - 4, "time", text);
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
        double to = lane_y[e->task], x = right_of(t, e->cell) - STEP / 2.0;
        double from = by >= 0 ? lane_y[by] : to - BLOCK - 9;    /* from outside: a timeout */
        if (from <= 0 || to <= 0)
            continue;
        bool down = to > from;
        double tip = down ? to + (e->kind == CANCEL ? BLOCK / 2.0 - 1 : 3)
                          : to + BLOCK - (e->kind == CANCEL ? BLOCK / 2.0 - 1 : 3);
        line(x, down ? from + BLOCK : from, x, tip + (down ? -6 : 6),
             e->kind == CANCEL ? "asks" : "wakes");
        printf("<path d=\"M%.1f %.1fl-3 %dh6z\" class=\"tip\"/>\n", x, tip, down ? -7 : 7);
    }
}

/* Draws it from `top` down; gives where it ends. Without `draw` it only measures. */
static double draw_system(const struct timeline *t, int system, double top, bool draw)
{
    double *lane_y = calloc(2 * t->task_count + 1, sizeof *lane_y), y = top + 10;
    double *lane_end = lane_y + t->task_count;
    if (!lane_y)
        exit(1);
    for (int i = 0; i < t->task_count; i++)
        if (t->tasks[i].lane >= 0 && timeline_in_system(t, i, system)) {
            lane_y[i] = y;
            lane_end[i] = y + BLOCK;
            y += BLOCK + depth_of_calls(t, i, system) * CALL + 16;
        }
    double bottom = y - 6, end = bottom + 4 + collect_labels(t, system, lane_end) * ROW;
    if (draw) {
        draw_instants(t, system, top, bottom);
        draw_leads(bottom + 4);
        draw_arrows(t, system, lane_y);
        for (int i = 0; i < t->task_count; i++)
            if (lane_y[i] > 0) {
                draw_name(&t->tasks[i], lane_y[i]);
                draw_calls(t, i, system, lane_y[i]);
                draw_states(t, i, system, lane_y[i]);
                draw_end(t, i, system, lane_y[i]);
            }
        draw_labels(bottom + 4);
    }
    free(lane_y);
    return end;
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
         ".call { fill: #ddf4ff; stroke: #54aeff }\n"
         ".ready, .stripes, .waits, .lead, .wakes, .asks, .end, .cross { fill: none; stroke: #59636e }\n"
         ".waits { stroke-width: 2 }\n"
         ".stripes { stroke-width: 12; stroke-dasharray: 1 3 }\n"
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
         ".call { fill: #121d2f; stroke: #388bfd }\n"
         ".ready, .stripes, .waits, .lead, .wakes, .asks { stroke: #aab3bd }\n"
         ".tip { fill: #aab3bd }\n"
         ".end { stroke: #f0f6fc }\n"
         ".cross { stroke: #ff7b72 }\n"
         ".bad { fill: #ff7b72 }\n"
         ".said, .bad { stroke: #0d1117 }\n"
         "}\n"
         "</style>");
}

/* The text alternative: who ran from when to when, and what was printed. */
static void describe(const struct timeline *t)
{
    printf("<title>Timeline of %s: %s, ", t->title, timeline_who(t));
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
    bool asked = false, crossed = false, shortened = false, called = false;
    for (int i = 0; i < t->call_count; i++)
        called |= t->calls[i].last >= 0;
    for (int i = 0; i < t->cell_count; i++)
        shortened |= t->cells[i].shortened;
    for (int i = 0; i < t->event_count; i++) {
        asked |= t->events[i].kind == CANCEL;
        crossed |= t->events[i].kind == ENDED;
    }
    box(x, y, STEP, 14, "run");
    text_at(x + 15, y + 11, "small", "runs");
    x += 60;
    striped(x, y + 1, STEP, 12);
    text_at(x + 15, y + 11, "small", "ready: waits for its turn");
    x += 196;
    line(x, y + 7, x + 22, y + 7, "waits");
    text_at(x + 28, y + 11, "small", "waits for");
    x += 110;
    line(x, y + 2, x, y + 11, "lead");
    text_at(x + 6, y + 11, "small", "prints");
    x += 72;
    line(x, y, x, y + 14, "end");
    text_at(x + 8, y + 11, "small", "done");
    if (called) {
        x += 54;
        box(x, y + 1, 22, CALL - 3, "call");
        text_at(x + 28, y + 11, "small", "awaits a call");
        x += 72;
    }
    if (crossed) {
        x += 54;
        cross(x, y + 3);
        text_at(x + 14, y + 11, "small", "error, cancelled");
        x += 80;
    }
    if (asked) {
        x += 64;
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

/* Room at the right for what is said at the end. */
static double last_words(const struct timeline *t)
{
    double room = 14;
    for (int i = 0; i < t->event_count; i++) {
        const struct event *e = &t->events[i];
        if ((e->kind != PRINTED && e->kind != ENDED) || e->at + 1e-6 < t->end)
            continue;
        for (const char *s = e->text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
            double width = timeline_columns(s, (int)strcspn(s, "\n")) * CHAR + (e->kind == ENDED ? 20 : 10);
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
