/* options.h - what grade-class is asked to do. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "sandbox.h"

enum { ALL_JUDGED = 0, USAGE = 2, SOME_NOT = 3, INTERRUPTED = 130 };      /* how we exit */

struct options {
    const char *from, *out, *only;      /* as the options of these names */
    const char *one, *record, *hidden, *seed;
    int format;                         /* of what is printed */
    char **merged;                      /* ends with NULL */
    bool merges, collects, variants, rerun, released;
    long share, shares;                 /* from 1 */
    long jobs;
    enum tier tier;
    time_t due;
    struct exercise exercises[40];
    int exercise_count;
};

/* Or says what is wrong, and exits. */
void options_read(struct options *options, int argc, char **argv);

/* A sentence for whoever called us, and exit. */
__attribute__((noreturn, format(printf, 1, 2)))
void give_up(const char *format, ...);

long read_number(const char *text, long most, const char *what);

/* The first line that a command prints; "" if there is none. */
void first_line_of(const char *command, char *line, size_t size);

#endif
