/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct photo {
    const char *name;
    double read, shrink, store; /* seconds that each of these takes */
    bool broken;                /* to shrink it will fail */
};

/* One step of the work with one photo. */
struct read_photo { struct photo *photo; };
async_value read_photo(void *args);
struct shrink_photo { struct photo *photo; };
async_value shrink_photo(void *args);       /* the error EIO, if it is broken */
struct store_photo { struct photo *photo; };
async_value store_photo(void *args);

#define MOST_WORKERS 8

struct copy_album {
    struct photo *photos;
    size_t count;               /* 1 or more */
    long capacity;              /* of the queue, 1 or more */
};
async_value copy_album(void *args);         /* gives how many were stored */

struct shrink_album {
    struct photo *photos;
    size_t count;               /* 1 or more */
    size_t workers;             /* 1 to MOST_WORKERS */
};
async_value shrink_album(void *args);       /* gives how many went well */

struct import_album {
    struct photo *photos;
    size_t count;               /* 1 or more */
    size_t workers;             /* 1 to MOST_WORKERS */
    long capacity;              /* of each queue, 1 or more */
};
async_value import_album(void *args);       /* gives how many were stored */

#endif
