/* Includes what is behind async.h, by a name that is only known to the compiler.
 *
 * answer: wrong
 * says: includes ../../runtime/core/list.h
 */
#define WHERE "../../runtime/core/list.h"
#include "exercise.h"
#include WHERE

async_value download(void *p)
{
    (void)p;
    return async_none;
}
