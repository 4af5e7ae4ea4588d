/* Includes what never ends, with as little of a directive to be seen as C allows.
 *
 * answer: wrong
 * says: includes /dev/zero. A program of an exercise is one file
 */
#include "exercise.h"
/* here
 */ %: /* and
 there */ inc\
lude "/dev/zero"

async_value download(void *p)
{
    (void)p;
    return async_none;
}
