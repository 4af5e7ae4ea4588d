/* A weather station. README.md has the task; `make grade-3` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: a coroutine that waits. */
async_value measure(void *p)
{
    struct measure *args = p;
    /* TODO: print "Measuring WHAT", wait for the seconds, print "WHAT measured", return the reading
     * as a number. */
    (void)args;
    return async_none;
}

/* Part 2: a coroutine that awaits another and uses what it gives. */
async_value forecast(void *p)
{
    struct forecast *args = p;
    /* TODO: measure, and return the text "WHAT is READING" (async_text makes one to return). The call:
     *     async_coro(measure, args->sensor.what, args->sensor.seconds, args->sensor.reading) */
    (void)args;
    return async_none;
}

/* Part 3: two at once. */
async_value station(void *p)
{
    struct station *args = p;
    /* TODO: measure both at once, and return the text "WHAT is READING, WHAT is READING", the first
     * one first. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-3. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    async_value one = await(async_coro(forecast, { "wind", 1, 12 }));
    printf("%s\n", one.str ? one.str : "(no text)");
    async_value two = await(async_coro(station, { "rain", 2, 3 }, { "sunshine", 1, 7 }));
    printf("%s\n", two.str ? two.str : "(no text)");
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
