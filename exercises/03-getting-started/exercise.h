/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct measure {
    const char *what;           /* "wind" */
    double seconds;             /* that the sensor takes */
    long reading;               /* that it will give */
};
async_value measure(void *args);            /* gives the reading */

struct forecast {
    struct measure sensor;
};
async_value forecast(void *args);           /* gives a text, "wind is 12" */

struct station {
    struct measure first, second;
};
async_value station(void *args);            /* gives a text, "wind is 12, rain is 3" */

#endif
