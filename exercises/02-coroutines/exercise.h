/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

struct price {
    const char *item;
    long count, cents;          /* how many, and what one costs */
};
async_value price(void *args);              /* gives the cents for all of them */

async_coroutine offer(const char *item, long count, long cents);

long accept_offer(async_coroutine wanted, async_coroutine other);       /* gives the cents, or -1 */

#endif
