/* Moves the virtual clock by itself, with a function of the runtime.
 *
 * answer: wrong
 * says: uses clock_jump, which no exercise needs
 */
#include "exercise.h"
void clock_jump(void *clock, long when);

async_value download(void *p)
{
    clock_jump(p, 1000000000);
    return async_none;
}
