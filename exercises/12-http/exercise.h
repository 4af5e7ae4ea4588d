/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "http.h"

struct fetch_page {
    async_http_session *session;
    const char *url;
};
async_value fetch_page(void *args);         /* gives the text of the page */

struct link {
    const char *name;               /* to be printed */
    const char *url;                /* to be fetched */
};

struct check_links {
    const struct link *links;
    size_t count;               /* 1 or more */
    long width;                 /* the most requests at the same time, 1 or more */
};
async_value check_links(void *args);        /* gives how many are not all right */

struct fetch_fastest {
    async_http_session *session;
    const struct link *mirrors;
    size_t count;               /* 1 or more */
};
async_value fetch_fastest(void *args);      /* gives the text of the page */

#endif
