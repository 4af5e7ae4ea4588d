/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct concert {
    const char *name;
    long free;                  /* seats, as the book says; see look_up and write_down */
    async_lock *lock;           /* made already, one for each concert */
};

struct guest {
    const char *name;
    long seats;                 /* that the guest wants, 1 or more */
    double pays;                /* seconds that the payment takes */
    bool refused;               /* it will fail */
};

/* The book, in which one looks and writes, and the payment: each takes its time. */
struct look_up { struct concert *concert; };
async_value look_up(void *args);            /* gives how many seats are free */
struct pay { struct guest *guest; };
async_value pay(void *args);                /* the error EPERM, if it is refused */
struct write_down { struct concert *concert; long free; };
async_value write_down(void *args);         /* from now on so many seats are free */

struct sell { struct concert *concert; struct guest *guest; };
async_value sell(void *args);               /* gives how many seats are left; ENOSPC: sold out */

#define MOST_TICKETS 12

struct ticket {
    const char *name;
    double seconds;             /* that it takes to print */
    bool jams;                  /* it will fail */
};

struct print_ticket { struct ticket *ticket; };
async_value print_ticket(void *args);       /* the error EIO, if the printer jams */

struct print_all {
    struct ticket *tickets;
    size_t count;               /* 1 to MOST_TICKETS */
    long printers;              /* 1 or more */
};
async_value print_all(void *args);          /* gives how many were printed */

struct waiting_list {
    long seats;                 /* that were given back, and nobody has taken yet */
    bool closed;                /* the concert has begun */
    async_condition *changed;   /* made already */
};

struct give_back { struct waiting_list *list; long seats; };
async_value give_back(void *args);
struct begin_concert { struct waiting_list *list; };
async_value begin_concert(void *args);
struct wait_for_seats { struct waiting_list *list; long seats; };
async_value wait_for_seats(void *args);     /* gives how many are left; TOO_LATE: it has begun */

enum { TOO_LATE = ASYNC_USER_ERROR };

#endif
