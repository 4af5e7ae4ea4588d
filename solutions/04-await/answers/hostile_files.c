/* Would put itself in the place of its grader.
 *
 * answer: wrong
 * points: 0/1 0/2 0/3
 * says: Permission denied
 */
#include "exercise.h"
#include <stdio.h>

async_value download(void *p)
{
    static const char *const names[] = { "../settings", "../exercises/04-await/grader/grader",
                                         "../hostile" };
    (void)p;
    for (int i = 0; i < 3; i++)
        printf("%s\n", async_catch(async_write_file(names[i], "x", 1, true)).message);
    return async_none;
}

async_value two_files(void *p) { return (void)p, async_none; }
async_value web_page(void *p) { return (void)p, async_none; }
