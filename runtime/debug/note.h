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
extern _Thread_local struct note note;      /* which all that follows adds to */

bool note_start(const char *name);  /* makes the file; false: errno says why not */
bool note_open(void);               /* it is empty, and of this moment; false: this is not ours to write down */
void note_write(void);
void note_turn(void);               /* a turn has ended */
void note_stop(void);               /* writes it; with that the trace ends */

void note_clock(bool virtual_one);  /* that of the last loop */
void note_jump(int64_t ns);         /* by which a virtual clock moves */

/* An event: `more` is what it has beside the usual, `event` what our own readers look for, or NULL. Then come its own
 * args. */
void note_begin(const char *kind, const char *name, const char *more, const char *event);
void note_end(void);

void note_add(const char *format, ...) ASYNC_PRINTF(1, 2);
void note_passing(int digits, double number);   /* which no two turns have in common */

/* What stands in a pair of braces, or, without a key (NULL), in a list; a comma comes before it where one is needed. */
void note_key(const char *key, const char *begins);     /* "[" or "{", which the caller closes; or "" */
void note_text(const char *key, const char *text);      /* as JSON wants it; NULL: nothing */
void note_id(const char *key, const void *ticket);

/* A value does not say what it is: small numbers are taken for numbers, addresses of text for that text, in quotes,
 * what looks like a real number for one. What is none of these is not noted. */
void note_value(const char *key, async_value value);

#endif
