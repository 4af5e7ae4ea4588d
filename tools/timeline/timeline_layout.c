/* timeline_layout.c - gives every cell its place: steps all have one width, and a second is equally long
 * everywhere, so that what is wider took longer. Only a gap too short to be seen is widened, and one
 * that would leave nothing to the others is shortened. What does not fit side by side goes on in the
 * next system, like a score. */
#include "timeline.h"
#include <string.h>

#define AT_MOST 12              /* times the median: a longer gap is shortened */
#define MOST_FIXED 0.95         /* of the width go to what has no length, or else there are more systems */

/* The columns of one character; *length says how many bytes it has. */
static int columns_of(const char *s, int *length)
{
    const unsigned char *u = (const unsigned char *)s;
    unsigned c = *u;
    *length = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    for (int i = 1; i < *length; i++)
        if ((u[i] & 0xc0) != 0x80)
            *length = i;
    if (*length == 2)
        c = (u[0] & 31u) << 6 | (u[1] & 63u);
    else if (*length == 3)
        c = (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u);
    else if (*length == 4)
        c = (u[0] & 7u) << 18 | (u[1] & 63u) << 12 | (u[2] & 63u) << 6 | (u[3] & 63u);
    if ((c >= 0x300 && c < 0x370) || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f))
        return 0;
    bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xd7a4) ||
                (c >= 0xf900 && c < 0xfb00) || (c >= 0xfe30 && c < 0xfe70) ||
                (c >= 0xff00 && c < 0xff61) || c >= 0x1f300 ||
                c == 0x2614 || c == 0x2615 || c == 0x231a || c == 0x231b || c == 0x23f0 ||
                c == 0x23f3 || c == 0x2705 || c == 0x274c || c == 0x26a1;
    return wide ? 2 : 1;
}

int timeline_columns(const char *text, int bytes)
{
    int columns = 0, length;
    for (int i = 0; i < bytes && text[i]; i += length)
        columns += columns_of(text + i, &length);
    return columns;
}

const char *timeline_seconds(double seconds)
{
    static char texts[8][32];
    static int next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "%.3f", seconds);
    char *end = text + strlen(text) - 1;
    while (*end == '0')
        *end-- = 0;
    if (*end == '.')
        *end = 0;
    return text;
}

const char *timeline_who(const struct timeline *t)
{
    static char text[64];
    int callbacks = 0;
    for (int i = 0; i < t->task_count; i++)
        callbacks += t->tasks[i].callback && t->tasks[i].lane >= 0;
    int tasks = t->lanes + t->lanes_left_out - callbacks;
    snprintf(text, sizeof text, "%d task%s", tasks, tasks == 1 ? "" : "s");
    if (callbacks && !tasks)
        snprintf(text, sizeof text, "%d callback%s", callbacks, callbacks == 1 ? "" : "s");
    else if (callbacks)
        snprintf(text + strlen(text), sizeof text - strlen(text), " and %d callback%s", callbacks,
                 callbacks == 1 ? "" : "s");
    return text;
}

enum state timeline_state(const struct timeline *t, int task, int cell)
{
    return task < t->cells[cell].known ? t->cells[cell].of[task].state : AWAY;
}

bool timeline_is_start(const struct timeline *t, int cell)
{
    const struct cell *c = &t->cells[cell];
    return c->task >= 0 && (cell == 0 || c[-1].task < 0 || c[-1].system != c->system);
}

int timeline_run(const struct timeline *t, int task, int cell)
{
    const struct cell *first = &t->cells[cell];
    int next = cell + 1;
    for (; next < t->cell_count && t->cells[next].system == first->system; next++)
        if (timeline_state(t, task, next) != timeline_state(t, task, cell) ||
            t->cells[next].of[task].wait != first->of[task].wait ||
            first->of[task].state == RUNNING)
            break;
    return next;
}

bool timeline_in_system(const struct timeline *t, int task, int system)
{
    for (int i = 0; i < t->cell_count; i++)
        if (t->cells[i].system == system && timeline_state(t, task, i) != AWAY)
            return true;
    return false;
}

/* The median of all that take time: what we call an ordinary gap. */
static double median(const struct timeline *t)
{
    double best = 0;
    int count = 0;
    for (int i = 0; i < t->cell_count; i++)
        count += t->cells[i].seconds > 0;
    for (int i = 0; i < t->cell_count; i++) {
        int less = 0, same = 0;
        for (int k = 0; k < t->cell_count && t->cells[i].seconds > 0; k++) {
            less += t->cells[k].seconds > 0 && t->cells[k].seconds < t->cells[i].seconds;
            same += t->cells[k].seconds == t->cells[i].seconds;
        }
        if (same && less <= count / 2 && less + same > count / 2)
            best = t->cells[i].seconds;
    }
    return best;
}

/* The time that a gap stands for; one without is the open end of all. */
static double time_of(const struct cell *c, double longest)
{
    return c->seconds > longest ? longest : c->seconds;
}

/* The width of a cell, if a second has `scale`. */
static double width_of(const struct cell *c, double scale, double longest, double step, double least)
{
    double time = scale * time_of(c, longest);
    if (c->task < 0 && c->seconds <= 0)
        return 3 * least;
    return (c->task >= 0 ? step : 0) + (c->seconds <= 0 ? 0 : time < least ? least : time);
}

static double width_of_all(const struct timeline *t, double scale, double longest, double step,
                           double least)
{
    double width = 0;
    for (int i = 0; i < t->cell_count; i++)
        width += width_of(&t->cells[i], scale, longest, step, least);
    return width;
}

/* The largest scale with which all of it is no wider than this; 0 if there is none. */
static double scale_for(const struct timeline *t, double width, double longest, double step, double least)
{
    double low = 0, high = 1e7;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2;
        if (width_of_all(t, middle, longest, step, least) > width)
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* A system had better end before a gap than in the middle of an instant. */
static int best_break(const struct timeline *t, int first, int end)
{
    for (int i = end; i > first + (end - first) / 2; i--)
        if (t->cells[i].task < 0)
            return i;
    return end;
}

/* Places all cells from left to right and gives the number of systems. */
static int place(struct timeline *t, double width, double scale, double longest, double step, double least)
{
    double x = 0;
    int first = 0, system = 0;
    for (int i = 0; i < t->cell_count; i++) {
        struct cell *c = &t->cells[i];
        c->width = width_of(c, scale, longest, step, least);
        c->shortened = c->seconds > longest;
        if (x + c->width > width + 1e-6 && i > first) {
            i = first = best_break(t, first, i);
            c = &t->cells[i];
            x = 0, system++;
        }
        c->system = system;
        c->x = x;
        x += c->width;
    }
    return system + 1;
}

void timeline_layout(struct timeline *t, double width, double step, double least)
{
    double longest = AT_MOST * median(t);
    double narrowest = width_of_all(t, 0, longest, step, least);
    int rows = 1;
    while (narrowest > MOST_FIXED * rows * width && rows < MOST_CELLS)
        rows++;
    double scale = scale_for(t, rows * width, longest, step, least);
    for (int i = 0; i < t->cell_count; i++)         /* a gap does not go on in the next row */
        if (scale * time_of(&t->cells[i], longest) > width - step)
            scale = (width - step) / time_of(&t->cells[i], longest);
    t->systems = place(t, width, scale, longest, step, least);
    for (int i = 0; i < 10 && t->systems > rows; i++)           /* breaks leave room behind them */
        t->systems = place(t, width, scale *= 0.95, longest, step, least);
}
