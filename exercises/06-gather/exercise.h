/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct ask {
    const char *shop;
    double seconds;             /* that the shop takes to answer */
    long cents;                 /* that it will say */
};
async_value ask(void *args);                /* gives the cents */

struct compare_three {
    struct ask first, second, third;
};
async_value compare_three(void *args);      /* gives the lowest price */

struct compare_all {
    const struct ask *shops;
    size_t count;               /* 1 or more */
};
async_value compare_all(void *args);        /* gives the name of the cheapest shop, a text */

struct compare_gently {
    const struct ask *shops;
    size_t count;               /* 1 or more */
    size_t width;               /* the most that may be asked at the same time, 1 or more */
};
async_value compare_gently(void *args);     /* gives the name of the cheapest shop, a text */

#endif
