/* Machine code outside of every function.
 *
 * answer: wrong
 * says: has assembly in it
 */
#include "exercise.h"
__asm__(".globl hidden\nhidden: .byte 0xc3");

async_value download(void *p)
{
    (void)p;
    return async_none;
}
