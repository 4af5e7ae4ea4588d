/* Would change the report at the end.
 *
 * answer: wrong
 * says: uses atexit, which no exercise needs
 */
#include "exercise.h"
#include <stdlib.h>

static void rewrite(void) { }

async_value download(void *p)
{
    (void)p;
    return async_num(atexit(rewrite));
}
