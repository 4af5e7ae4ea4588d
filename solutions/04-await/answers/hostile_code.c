/* Machine code as numbers, among the functions.
 *
 * answer: wrong
 * says: puts a variable, code, where functions are
 */
#include "exercise.h"
__attribute__((section(".text"))) const unsigned char code[] = { 0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3 };

async_value download(void *p)
{
    (void)p;
    return async_num(((long (*)(void))(void *)code)());
}
