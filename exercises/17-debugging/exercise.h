/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct serve {
    const char *guest;
    double baking;              /* seconds, of the pizza */
    double printing;            /* seconds, of the bill */
    long cents;
};
async_value serve(void *args);              /* gives the cents */

struct serve_all {
    const struct serve *orders;
    size_t count;               /* 1 to MOST */
};
async_value serve_all(void *args);          /* gives the cents of all */

struct visit {
    const char *guest;
    double seconds;
};
async_value visit(void *args);

enum tool { OVEN, PEEL, KNIFE, SCALE, TOOLS };
struct dish {
    const char *cook;
    enum tool tools[2];         /* two different ones, in the order in which they come to mind */
    double seconds;
};
struct cook_all {
    const struct dish *dishes;
    size_t count;               /* 1 to MOST */
};
async_value cook_all(void *args);           /* gives how many dishes were made */

#define MOST 8

#endif
