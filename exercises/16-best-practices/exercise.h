/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

#define MOST_IN_A_ROW 1000      /* calls of weigh() without a turn of the loop between them */

struct fetch {
    const char *what;
    double seconds;             /* that the network takes */
    long words;                 /* that it will bring */
};
async_value fetch(void *args);              /* gives the words */

struct note {
    long words;
};
async_value note(void *args);

struct morning {
    struct fetch weather, news;
};
async_value morning(void *args);            /* gives the sum of the words */

struct balances {
    long (*ask_bank)(const char *account);  /* blocks until the bank has answered */
    const char *const *accounts;
    size_t count;                           /* 1 to 4 */
};
async_value balances(void *args);           /* gives the sum of what is in the accounts */

struct heaviest {
    long (*weigh)(long item);               /* computes; never waits */
    long count;                             /* the items are 0 to count - 1 */
};
async_value heaviest(void *args);           /* gives the item that weighs most */

#endif
