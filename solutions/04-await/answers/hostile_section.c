/* Puts a function pointer where the start of a program looks for some.
 *
 * answer: wrong
 * says: No exercise needs that
 */
#include "exercise.h"
static void begin(void) { }
__attribute__((section(".preinit_array"), used)) static void (*early)(void) = begin;

async_value download(void *p)
{
    (void)p;
    return async_none;
}
