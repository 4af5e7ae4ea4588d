/* Machine code in the name of a function, which compilers copy as it is.
 *
 * answer: wrong
 * says: has assembly in it (in the text of a name or a section)
 */
#include "exercise.h"
#define NAMED(text) __asm__(text)
void nothing(void) NAMED("puts\n\tnop\n#");

async_value download(void *p)
{
    (void)p;
    nothing();
    return async_none;
}
