/* shuffle.h - a loop that runs what is ready in any order, to find programs that rely on one.
 *
 * asyncio and this runtime run what is ready first come, first served. Python promises that for
 * call_soon and hardly anywhere else, so a program that is right gives its answer in any order.
 * ASYNC_SHUFFLE=7 makes every turn of every loop run in an order drawn from the seed 7; a word
 * instead of a number draws the seed as well. The seed is said on stderr, to do it again. */
#ifndef SHUFFLE_H
#define SHUFFLE_H

#include "core/list.h"
#include <stdbool.h>
#include <stdint.h>

struct shuffle {
    bool on;
    uint64_t state;             /* of the generator of random numbers */
};

void shuffle_init(struct shuffle *shuffle);                     /* as ASYNC_SHUFFLE says */
void shuffle_list(struct shuffle *shuffle, struct list *list);

#endif
