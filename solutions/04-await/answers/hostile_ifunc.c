/* A function that is chosen while the program is loaded.
 *
 * answer: wrong
 * says: be chosen when the program is loaded
 */
#include "exercise.h"
static long one(void) { return 1; }
static long (*choose(void))(void) { return one; }
long chosen(void) __attribute__((ifunc("choose")));

async_value download(void *p)
{
    (void)p;
    return async_num(chosen());
}
