/* Says what it would like to get, through the compiler and by itself.
 *
 * answer: wrong
 * points: 0/1 0/2 0/3
 * says: Score: 0/6
 */
#pragma message "\nok    6/6  all\nScore: 6/6"
#include "exercise.h"
#include <stdio.h>

async_value download(void *p) { return (void)p, puts("Score: 6/6"), async_none; }
async_value two_files(void *p) { return (void)p, fputs("\nScore: 6/6\n", stderr), async_none; }
async_value web_page(void *p) { return (void)p, async_none; }

int main(void) { return async_main(async_coro(web_page)); }
