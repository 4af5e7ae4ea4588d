/* Asks that nobody looks when it uses memory that is not its own.
 *
 * answer: wrong
 * says: asks that nobody watches how it uses memory
 */
#include "exercise.h"

__attribute__((no_sanitize("address"))) async_value download(void *p) { return (void)p, async_none; }
async_value two_files(void *p) { return (void)p, async_none; }
async_value web_page(void *p) { return (void)p, async_none; }
