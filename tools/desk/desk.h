/* desk.h - make watch: what its parts share.
 *
 *   watch.c     the conductor: waits for keys, saves and verdicts, one at a time, and does what they ask
 *   rooms.c     the exercises, and how far the reader has come
 *   saves.c     notices that a file was saved
 *   screen.c    the terminal
 *
 * The work itself is done by the commands that everybody has: a grading is what make grade-N runs. */
#ifndef DESK_H
#define DESK_H

#include "async.h"
#include <stdbool.h>

/* ---------------------------------------------------------------------------------- rooms */

struct room {                   /* of an exercise */
    int number;
    const char *folder;         /* "exercises/04-await" */
    const char *name;           /* "await" */
    int levels, hints;          /* hints that there are, that were seen */
    char points[16];            /* the best so far, "3/6", or "" */
    bool passed;
    bool built;                 /* its grader is, so that evlings.sh can be asked directly */
    bool ahead;                 /* what watches memory is being built, or is */
};

struct rooms {
    struct room *room;
    int count;
    int passed, points;         /* of all */
    int here;                   /* the number where the reader is, or -1 */
};

struct rooms rooms_find(void);              /* all there are; count 0: none */
void rooms_recall(struct rooms *rooms);     /* reads .evlings again */
bool points_are_full(const char *points);   /* "6/6"? */

/* ---------------------------------------------------------------------------------- saves */

/* Sets `saved` whenever the text of folder/exercise.c has become another one: a task to be cancelled. */
struct look_out {
    const char *folder;
    async_event *saved;
};
async_fn look_out;

/* --------------------------------------------------------------------------------- screen */

enum key { KEY_UP = 256, KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME, KEY_ESCAPE };

struct frame {                  /* what a screen shows */
    const char *title, *right;  /* its first line */
    const char *body;           /* lines; scrolled */
    const char *note, *keys;    /* its last two */
};

struct screen {
    bool full;                  /* else a line mode: PLAIN=1, no terminal, or a dumb one */
    bool colour;
    int columns, rows;
    int scroll;                 /* lines of the body above the screen */
};

void screen_enter(struct screen *screen);   /* finds out what there is, and takes it over */
void screen_exit(struct screen **screen);   /* gives it back as it was; for async_with, and twice is fine */
void screen_measure(struct screen *screen);
void screen_show(struct screen *screen, const struct frame *frame);
int screen_keys(const char *bytes, long count, int *keys);     /* of what a terminal sends; returns how many */

#endif
