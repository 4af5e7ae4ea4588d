/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

#define MOST_TRIES 5
#define MOST_FEEDS 8

enum { BAD_FEED = ASYNC_USER_ERROR };       /* an error of our own: class BadFeed(Exception) */

struct feed {
    const char *name;
    double seconds;             /* that it takes to read it, well or not */
    long items;
    int errors[MOST_TRIES];     /* what each try ends with; 0: well */
    const char *message;        /* of these errors */
    bool stuck;                 /* half a file cannot be removed */
};

struct read_feed {
    const struct feed *feed;
    size_t try;                 /* 0 for the first one */
};
async_value read_feed(void *args);          /* gives how many items it has */

struct remove_half { const struct feed *feed; };
async_value remove_half(void *args);

struct collect {
    const struct feed *feeds;
    size_t count;               /* 1 to MOST_FEEDS */
};
async_value collect(void *args);            /* gives how many items all of them have */

struct subscribe { const struct feed *feed; };
async_value subscribe(void *args);          /* gives how many items it has */

struct save {
    const struct feed *feed;
    size_t tries;               /* the most that are made, 1 to MOST_TRIES */
    double pause;               /* seconds between two tries */
};
async_value save(void *args);               /* gives how many items it has */

#endif
