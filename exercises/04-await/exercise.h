/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct download {
    const char *what;           /* "style.css" */
    double seconds;             /* that the transfer takes */
    long bytes;
};
async_value download(void *args);           /* gives the bytes */

struct two_files {
    struct download first, second;
};
async_value two_files(void *args);          /* gives the bytes of both */

struct web_page {
    struct download page, style, image;
};
async_value web_page(void *args);           /* gives the bytes of all three */

#endif
