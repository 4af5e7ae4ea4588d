/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"

int open_shop(const char *shop);                        /* gives the exit status */
void egg_timer(const char *what, double seconds);
void lighthouse(long flashes, double pause);

#endif
