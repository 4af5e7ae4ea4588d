/* reserve.h - memory for libev, which calls abort() when realloc fails.
 *
 * It asks seldom and for little: a loop's struct, and arrays that grow with the number of watchers.
 * So where the system has no memory left it gets a piece of a reserve, and the program lives to see
 * its next allocation of its own fail in an orderly way. */
#ifndef RESERVE_H
#define RESERVE_H

/* realloc, and free if size is 0; any thread. NULL only when the reserve is used up as well. */
void *reserve_realloc(void *old, long size);

#endif
