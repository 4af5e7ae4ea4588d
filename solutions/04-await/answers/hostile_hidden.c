/* A function that nobody else is to see.
 *
 * answer: wrong
 * says: there is no function download(): is it missing, misspelt, or static?
 */
#include "exercise.h"

__attribute__((visibility("internal"))) async_value download(void *p) { return (void)p, async_none; }
async_value two_files(void *p) { return (void)p, async_none; }
async_value web_page(void *p) { return (void)p, async_none; }
