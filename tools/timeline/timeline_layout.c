/* timeline_layout.c - gives every cell its place: steps all have one width, gaps share what is left
 * in proportion to their time. A gap that would leave nothing to the others is shortened. What does
 * not fit side by side goes on in the next system, like a score. */
#include "timeline.h"
#include <string.h>

#define AT_MOST 4               /* times the median: a longer gap is shortened */

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

/* The width of a cell that is not stretched. A gap without time is the open end of all. */
static double at_least(const struct cell *c, double step, double gap)
{
    if (c->task < 0 && c->seconds <= 0)
        return 3 * gap;
    return (c->task >= 0 ? step : 0) + (c->seconds > 0 ? gap : 0);
}

/* Stretches the cells from `first` to before `end` over the width. */
static void stretch(struct timeline *t, int first, int end, double width, double step, double least,
                    double ordinary)
{
    double scale = 0, fixed = 0, shared = 0;
    for (int round = 0; round < 8; round++) {   /* who is below its least width shares no more */
        double share = 0, taken = 0;
        for (int i = first; i < end; i++) {
            struct cell *c = &t->cells[i];
            double base = at_least(c, step, least) - (c->seconds > 0 ? least : 0);
            double eff = c->seconds > AT_MOST * ordinary ? AT_MOST * ordinary : c->seconds;
            if (c->seconds <= 0)
                taken += base;
            else if (round > 0 && scale * eff < least)
                taken += base + least;
            else
                share += eff, taken += base;
        }
        fixed = taken, shared = share;
        scale = shared > 0 && width > fixed ? (width - fixed) / shared : 0;
    }
    double x = 0;
    for (int i = first; i < end; i++) {
        struct cell *c = &t->cells[i];
        double eff = c->seconds > AT_MOST * ordinary ? AT_MOST * ordinary : c->seconds;
        c->shortened = eff < c->seconds;
        c->x = x;
        c->width = at_least(c, step, least) - (c->seconds > 0 ? least : 0);
        if (c->seconds > 0)
            c->width += scale * eff < least ? least : scale * eff;
        x += c->width;
    }
}

/* A system had better end before a gap than in the middle of an instant. */
static int best_break(const struct timeline *t, int first, int end)
{
    for (int i = end; i > first + (end - first) / 2; i--)
        if (t->cells[i].task < 0)
            return i;
    return end;
}

void timeline_layout(struct timeline *t, double width, double step, double least_gap)
{
    double ordinary = median(t), x = 0;
    int first = 0, system = 0;
    for (int i = 0; i < t->cell_count; i++) {
        struct cell *c = &t->cells[i];
        double least = at_least(c, step, least_gap);
        if (x + least > width && i > first) {
            i = best_break(t, first, i);
            stretch(t, first, i, width, step, least_gap, ordinary);
            first = i, x = 0, system++;
            i--;
            continue;
        }
        c->system = system;
        x += least;
    }
    if (system)                     /* the last one is not pulled apart more than those before it */
        width = width < 2 * x ? width : 2 * x;
    stretch(t, first, t->cell_count, width, step, least_gap, ordinary);
    t->systems = system + 1;
}
