/* Runs before main.
 *
 * answer: wrong
 * says: runs by itself, before or after the program
 */
#include "exercise.h"
static long early;

__attribute__((constructor)) static void begin(void) { early = 1; }

async_value download(void *p)
{
    (void)p;
    return async_num(early);
}
