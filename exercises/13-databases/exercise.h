/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"
#include "sqlite.h"

/* The bank has one table: accounts (name TEXT, city TEXT, balance INTEGER), no balance below 0. */

struct list_city {
    const char *url;            /* of the database */
    const char *city;
};
async_value list_city(void *args);      /* prints the accounts; gives how many there are */

struct confirm { double seconds; };
async_value confirm(void *args);

struct transfer {
    async_db *db;               /* connected; stays so */
    const char *giver, *taker;
    long amount;
    double seconds;             /* for confirm */
};
async_value transfer(void *args);       /* gives what the taker then has */

struct look_up {
    async_db *db;
    const char *name;
    double seconds;             /* that it takes */
};
async_value look_up(void *args);        /* gives a balance */

struct sum_up {
    const char *url;
    const struct wanted { const char *name; double seconds; } *wanted;
    size_t count;               /* 1 to 16 */
    size_t width;               /* the most connections at the same time, 1 or more */
};
async_value sum_up(void *args);         /* gives the sum of their balances */

#endif
