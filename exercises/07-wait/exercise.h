/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

#define MOST_MIRRORS 8

struct ask {
    const char *mirror;
    double seconds;             /* that it takes to answer */
    double goodbye;             /* seconds that it takes to hang up */
    bool broken;                /* the answer will be an error */
};
async_value ask(void *args);                /* gives the name of the mirror, a text */

struct first_answer {
    const struct ask *mirrors;
    size_t count;               /* 1 to MOST_MIRRORS */
};
async_value first_answer(void *args);       /* gives the name of the first to answer, a text */

struct check_all {
    const struct ask *mirrors;
    size_t count;               /* 1 to MOST_MIRRORS */
};
async_value check_all(void *args);          /* gives how many there are, or the first error */

struct first_good {
    const struct ask *mirrors;
    size_t count;               /* 1 to MOST_MIRRORS */
    double patience;            /* seconds for all of it */
};
async_value first_good(void *args);         /* gives the name of a mirror, or "nobody", a text */

#endif
