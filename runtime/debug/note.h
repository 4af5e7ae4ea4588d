/* note.h - how a trace is written: events in the Chrome trace event format, those of one moment at once.
 *
 * The file is an array, "[", one event a line, "]". A comma comes before an event and not behind it, so that
 * what a crash leaves lacks nothing but the last bracket, which viewers do without. What a program that spins does
 * in thousands of turns is left out. */
#ifndef NOTE_H
#define NOTE_H

#include "async.h"
#include <stdint.h>

#define NOTE_TEXT 240               /* of a text of the program's; what is longer is cut */

struct note {                       /* events of one moment, to be written at once */
    size_t length;
    uint64_t print;                 /* a fingerprint of all but the times */
    int64_t real;                   /* ns since the first loop, on the machine's clock */
    char text[10000];               /* room for all that one hook says: texts are cut to fit */
};

bool note_start(const char *name);  /* makes the file; false: errno says why not */
bool note_open(struct note *note);  /* empty, of this moment; false: this is not ours to write down */
void note_write(const struct note *note);
void note_turn(void);               /* a turn has ended */
void note_stop(struct note *note);  /* with that the trace ends */

void note_clock(bool virtual_one);  /* that of the last loop */
void note_jump(int64_t ns);         /* by which a virtual clock moves */

/* An event: begin, what it has beside the usual, args (`event` is what our own readers look for, or NULL), its own
 * args, end. */
void note_begin(struct note *note, const char *kind, const char *name);
void note_args(struct note *note, const char *event);
void note_end(struct note *note);

void note_add(struct note *note, const char *format, ...) ASYNC_PRINTF(2, 3);
void note_passing(struct note *note, int digits, double number);    /* which no two turns have in common */
void note_text(struct note *note, const char *key, const char *text);  /* as JSON wants it; NULL: nothing */
void note_id(struct note *note, const char *key, async_task task);     /* 0x0 for none */

#endif
