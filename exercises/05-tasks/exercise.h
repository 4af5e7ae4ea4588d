/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct upload {
    const char *file;           /* "photo.jpg" */
    double seconds;             /* that the transfer takes */
    long bytes;
};
async_value upload(void *args);             /* gives the bytes */

#define MOST_UPLOADS 8
struct backup {
    size_t count;               /* 1 to MOST_UPLOADS */
    struct upload files[MOST_UPLOADS];
};
async_value backup(void *args);             /* gives the bytes of all */

struct upload_within {
    struct upload what;
    double patience;            /* seconds */
};
async_value upload_within(void *args);      /* gives the bytes, or 0 */

#endif
