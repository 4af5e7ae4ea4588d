/* GNU C has functions in functions. Whose address is taken is called over a few bytes of machine code on the stack,
 * and a task's stack holds none.
 *
 * answer: wrong
 * says: takes the address of a function inside of a function
 */
#include "exercise.h"
#include <stdio.h>

async_value download(void *p)
{
    struct download *args = p;
    void say(const char *what) { printf("%s: %s\n", args->what, what); }
    void (*volatile how)(const char *what) = say;
    how("started");
    await(async_sleep(args->seconds));
    how("finished");
    return async_num(args->bytes);
}

async_value two_files(void *p) { return (void)p, async_none; }
async_value web_page(void *p) { return (void)p, async_none; }
