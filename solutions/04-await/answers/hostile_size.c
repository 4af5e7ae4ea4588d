/* More static memory than it could be loaded with: its fault, and not the grader's.
 *
 * answer: wrong
 * says: No exercise needs that
 */
#include "exercise.h"
static char all[1L << 33];

async_value download(void *p)
{
    return async_num(all[(long)p]);
}
