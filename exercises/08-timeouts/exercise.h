/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

#define MOST_TRIES 5
#define MOST_CITIES 5

struct city {
    const char *name;
    long degrees;
    double seconds[MOST_TRIES]; /* that the answer takes at each try; below 0: there is none */
};

struct ask {
    const struct city *city;
    size_t try;                 /* 0 for the first one */
};
async_value ask(void *args);                /* gives the degrees */

struct temperature {
    const struct city *city;
    double limit;               /* seconds that the answer may take */
    long last_known;            /* degrees, to be given if it takes longer */
};
async_value temperature(void *args);        /* gives degrees */

struct patience {
    size_t tries;               /* the most that are made, 1 to MOST_TRIES */
    double limit;               /* seconds that each of them may take */
    double pause;               /* seconds before the second one; before each other twice as long */
};

struct ask_again {
    const struct city *city;
    struct patience with;
};
async_value ask_again(void *args);          /* gives the degrees */

struct warmest {
    const struct city *cities;
    size_t count;               /* 1 to MOST_CITIES */
    struct patience with;       /* for each city */
    double budget;              /* seconds for all of them together */
};
async_value warmest(void *args);            /* gives the name of a city, a text */

#endif
