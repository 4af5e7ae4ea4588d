/* timeline.h - a run of a program, as it is drawn: what timeline.c's parts share.
 *
 * Time is cut into cells, left to right: a step of one task, which takes no virtual time; or a gap
 * between two instants, when everybody waits. In each cell every task is in one state, so that a
 * picture is a matrix of cells and lanes, and layout only gives each cell a place and a width.
 * Steps at the same instant stand beside each other, in their order: one thread, one at a time.
 *
 * What is in the picture is never freed: the program draws one and ends. */
#ifndef TIMELINE_H
#define TIMELINE_H

#include <stdbool.h>
#include <stdio.h>

enum state { AWAY, READY, RUNNING, WAITING };       /* AWAY: not yet created, or done */

struct wait {                   /* from one step of a task to its next */
    const char *what;           /* "sleep", "gather", "Queue" */
    const char *inside;         /* the function that waits, if not the task's own, or NULL */
    int on;                     /* the task that it waits for, or -1 */
};

struct call {                   /* of a coroutine or a generator, awaited within a task */
    const char *id;             /* of its coroutine object */
    const char *name;
    int task, depth;            /* depth: 0 for what the task's own function awaits */
    int first, last;            /* the steps in which it began and ended, or was left for a while */
    bool open;                  /* while reading */
};

struct task {
    const char *id;             /* its ticket; of a callback, which is drawn like one, its function */
    const char *name;           /* "Task-1" */
    const char *coroutine;
    const char *error;          /* that it ended with: "ValueError: no", or NULL */
    bool callback;              /* no task at all: all calls of a function that the loop calls */
    bool hidden;                /* of the runtime's own */
    bool done, cancelled, asked_to_end;
    int first, last;            /* the cells in which it was there; last is -1 if it never was */
    enum state now;             /* while reading */
    int wait;                   /* number in `waits`, while WAITING */
    int lane;                   /* -1: has none */
};

struct cell {
    int task;                   /* whose step; -1: a gap */
    double at;                  /* virtual seconds at its beginning */
    double seconds;             /* of a gap; or, really, of a step that took very long */
    bool shortened;             /* drawn shorter than its time */
    struct { enum state state; int wait; } *of;     /* of each task that was known then */
    int known;
    int system;                 /* the row of the picture, as in a score; from layout */
    double x, width;
};

enum kind { PRINTED, CANCEL, ENDED, CREATED, WOKEN };

struct event {                  /* something to be written or pointed at */
    enum kind kind;
    int cell;                   /* in whose step, or after which cell; -1: before all */
    int task;                   /* to which it happened; of what was printed: who did, or -1 */
    int by;                     /* CANCEL, CREATED, WOKEN: the task whose step did it, or -1 */
    double at;
    const char *text;           /* PRINTED, lines that end with \n; ENDED: the error */
    int number;                 /* of PRINTED: from 1 on */
};

struct timeline {
    const char *title;
    struct task *tasks;
    struct cell *cells;
    struct event *events;
    struct wait *waits;
    struct call *calls;
    const char *program;        /* its file */
    int task_count, cell_count, event_count, wait_count, call_count;
    int lanes, lanes_left_out, systems;
    double end;                 /* virtual seconds */
    double from, until;         /* the part of them that is wanted; 0 0: all */
    bool steady;                /* no real time in it: the same picture in every run */
    bool is_real;               /* the program asked for a real clock */
    bool cut;                   /* there is more than we show */
    const char *ending;         /* how the program ended, if not well; or NULL */
};

#define MOST_CELLS 240
#define MOST_TASKS 500
#define MOST_LANES 40

/* Of timeline_read.c: one line of a trace; false when we have seen enough. Then what was printed
 * is looked up in `output`, and tasks get their lanes. */
bool timeline_read(struct timeline *t, const char *line);
void timeline_complete(struct timeline *t, FILE *output);

/* Of timeline_layout.c: places for cells, in as many systems as it takes. */
void timeline_layout(struct timeline *t, double width, double step, double least_gap);
int timeline_columns(const char *text, int bytes);      /* that a terminal needs for this UTF-8 */
const char *timeline_who(const struct timeline *t);     /* "3 tasks", "1 task and 2 callbacks" */
const char *timeline_seconds(double seconds);           /* "1.5", in one of some static buffers */
bool timeline_is_start(const struct timeline *t, int cell);     /* the first cell of an instant */
int timeline_run(const struct timeline *t, int task, int cell); /* the first one not like this */
enum state timeline_state(const struct timeline *t, int task, int cell);
bool timeline_in_system(const struct timeline *t, int task, int system);

void timeline_draw_text(struct timeline *t, int columns, bool utf8);    /* of timeline_text.c */
void timeline_draw_svg(struct timeline *t);                             /* of timeline_svg.c */

#endif
