/* Offers: calls that have not happened yet. README.md has the task; `make grade-2` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: a coroutine function. */
async_value price(void *p)
{
    struct price *args = p;
    /* TODO: print "Pricing COUNT x ITEM"; return what all of them cost together, as a number. */
    (void)args;
    return async_none;
}

/* Part 2: a regular function that gives an object. */
async_coroutine offer(const char *item, long count, long cents)
{
    /* TODO: return a coroutine object of price with these arguments. Nothing may run yet. */
    (void)item, (void)count, (void)cents;
    return NULL;
}

/* Part 3: two objects; one of them is run, the other never will be. */
long accept_offer(async_coroutine wanted, async_coroutine other)
{
    /* TODO: run `wanted` in a loop and return the number that it gives, or -1 if it ends with an
     * error. Nobody needs `other` any more: drop it, so that it isn't reported as forgotten. */
    (void)wanted, (void)other;
    return 0;
}

/* To try it: make exercise-2. The grader uses a main of its own. */
int main(void)
{
    async_coroutine apples = offer("apple", 3, 40), pears = offer("pear", 2, 55);
    printf("Two offers are made, and nothing is priced\n");
    if (apples && pears)
        printf("The apples cost %ld cents\n", accept_offer(apples, pears));
    return 0;
}
