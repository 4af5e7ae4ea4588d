/* Names of the C library and of the runtime, which stay its own: nobody else calls these.
 *
 * answer: wrong
 * points: 0/1 0/2 0/3
 * says: Nothing was printed
 */
#include "exercise.h"
#include <stdarg.h>
#include <stddef.h>

long write(int file, const void *bytes, size_t size) { return (void)file, (void)bytes, (long)size; }
int vsnprintf(char *to, size_t size, const char *format, va_list args) { return (void)to, (void)size, (void)format, (void)args, 0; }
void task_start(void) { }
void lock_acquire(void) { }
long clock_read = 1;

async_value download(void *p) { return (void)p, async_none; }
async_value two_files(void *p) { return (void)p, async_none; }
async_value web_page(void *p) { return (void)p, async_none; }

int main(void) { return async_main(async_coro(web_page)); }
