/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct entry {                  /* a line of a log */
    long time;
    const char *text;
};

#define MOST_PAGES 8
struct page {                   /* a log is an array of them: log[1], ... */
    double seconds;             /* that fetching it takes */
    struct entry *entries;
    size_t count;               /* may be 0 */
    int next;                   /* the number of the page that follows; 0: none */
    int failures;               /* so many times fetching it fails, before it goes well */
};

struct fetch_page { struct page *log; int number; };
async_value fetch_page(void *args);         /* gives the struct page, in .ptr */

/* Part 1: an iterator over the entries of a log; each value is a struct entry, in .ptr. */
async_iterator log_entries(struct page *log);

/* Part 2 */
struct connection { bool open; };
async_value open_log(void *args);           /* gives a struct connection, in .ptr */
struct close_log { struct connection *connection; };
async_value close_log(void *args);

struct read_gently {
    struct page *log;
    double gap;                 /* seconds; the least from one entry to the next */
};
async_value read_gently(void *args);        /* a generator: yields entries as above */

struct find {
    struct page *log;
    double gap;
    const char *word;
};
async_value find(void *args);               /* gives the text of an entry, or "nothing" */

/* Part 3 */
struct merge {
    async_iterator first, second;       /* generators that yield entries, by time */
};
async_value merge(void *args);              /* a generator: yields the entries of both, by time */

#endif
