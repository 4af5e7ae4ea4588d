/* More static memory than it could be loaded with: its fault, and not the grader's.
 *
 * answer: wrong
 * says: No exercise needs that
 */
#include "exercise.h"
char all[1L << 33];             /* not static: else the compiler knows that it is empty */

async_value download(void *p)
{
    return async_num(all[(long)p]);
}
