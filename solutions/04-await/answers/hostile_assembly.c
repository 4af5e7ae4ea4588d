/* Machine code of its own, whose word is made of two.
 *
 * answer: wrong
 * says: has assembly in it
 */
#include "exercise.h"
#define JOINED(a, b) a##b

async_value download(void *p)
{
    (void)p;
    JOINED(__as, m__) volatile("nop");
    return async_none;
}
