/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

#define MOST_SHOPS 8
#define MOST_SERVICES 5

struct shop {
    const char *name;
    double seconds;             /* that its answer takes */
    long price;                 /* 1 or more */
    bool sold_out;              /* the answer is an error */
};

struct ask { const struct shop *shop; };
async_value ask(void *args);                /* gives the price; the error ENOENT: sold out */

struct buy_all {
    const struct shop *shops;
    size_t count;               /* 1 to MOST_SHOPS */
};
async_value buy_all(void *args);            /* gives the sum of the prices */

struct cheapest {
    const struct shop *shops;
    size_t count;               /* 1 to MOST_SHOPS */
    double limit;               /* seconds that all of it may take */
};
async_value cheapest(void *args);           /* gives a price; the error ENOENT: there is none */

struct service {
    const char *name;
    double seconds;             /* that it runs each time */
    long breaks;                /* so many times it breaks before it ends well */
};

struct serve { struct service *service; };
async_value serve(void *args);              /* runs it once; the error EPIPE: it broke */

struct supervise {
    struct service *services;
    size_t count;               /* 1 to MOST_SERVICES */
    long restarts;              /* the most for each service, 0 or more */
    double pause;               /* seconds before each of them */
};
async_value supervise(void *args);          /* gives how many restarts there were in all */

#endif
