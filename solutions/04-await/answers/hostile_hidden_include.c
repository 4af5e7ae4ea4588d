/* Includes what is behind async.h, by a name that is only known to the compiler.
 *
 * answer: wrong
 * says: /runtime/core/list.h. A program of an exercise is one file
 */
#if __has_include("../../runtime/core/list.h")
#define WHERE "../../runtime/core/list.h"
#else                                           /* where one builds is a folder deeper */
#define WHERE "../../../runtime/core/list.h"
#endif
#include "exercise.h"
#include WHERE

async_value download(void *p)
{
    (void)p;
    return async_none;
}
