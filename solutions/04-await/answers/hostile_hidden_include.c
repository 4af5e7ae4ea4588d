/* Includes what is behind async.h, by a name that is only known to the compiler.
 *
 * answer: wrong
 * says: includes a file that only a macro names. A program of an exercise is one file
 */
#include "exercise.h"
#define WHERE "../../runtime/core/list.h"
#include WHERE

async_value download(void *p)
{
    (void)p;
    return async_none;
}
