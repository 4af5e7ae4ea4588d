/* Calls what it may not under names of its own.
 *
 * answer: wrong
 * says: uses getppid, which no exercise needs
 * says: uses kill, which no exercise needs
 */
#include "exercise.h"
#pragma redefine_extname end kill
int end(int process, int number);
int whose(void) __asm__("getppid");

async_value download(void *p)
{
    (void)p;
    return async_num(end(whose(), 9));
}
