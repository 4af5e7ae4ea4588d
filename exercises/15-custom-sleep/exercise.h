/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

/* Part 1. What a struct typing is, is up to you; so are the structs of the other parts. */
struct typing;
struct typing *typing_new(double seconds);      /* the silence that makes a pause */
void typing_key(struct typing *typing);         /* a key was pressed */

struct typing_pause { struct typing *typing; };
async_value typing_pause(void *args);           /* waits for a pause */

/* Part 2 */
struct latch;
struct latch *latch_new(long count);            /* 0 or more; at 0 it is open */
void latch_count_down(struct latch *latch);

struct latch_wait {
    struct latch *latch;
    double patience;            /* seconds, more than 0 */
};
async_value latch_wait(void *args);             /* waits until it is open, or ASYNC_TIMEOUT */

/* Part 3 */
#define MOST_STATIONS 8
struct station {
    const char *name;
    double seconds;             /* that it takes to answer */
    int failures;               /* so many times it does not answer, before all goes well */
    long degrees;
};
struct ask_station { struct station *station; };
async_value ask_station(void *args);            /* gives the degrees */

struct cache;
struct cache *cache_new(void);

struct cache_get { struct cache *cache; struct station *station; };
async_value cache_get(void *args);              /* gives the degrees */

/* These the runtime has already. Here you build such things, so the compiler refuses them. */
#undef async_event_new
#undef async_condition_new
#undef async_semaphore_new
#undef async_queue_new
#undef async_timeout
#undef async_wait_for
#define async_event_new(...) not_to_be_used_here_build_it_from_a_future
#define async_condition_new(...) not_to_be_used_here_build_it_from_a_future
#define async_semaphore_new(...) not_to_be_used_here_build_it_from_a_future
#define async_queue_new(...) not_to_be_used_here_build_it_from_a_future
#define async_timeout(...) not_to_be_used_here_build_it_from_a_future
#define async_wait_for(...) not_to_be_used_here_build_it_from_a_future

#endif
