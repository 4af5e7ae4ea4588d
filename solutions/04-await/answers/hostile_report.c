/* Has the C library print into all descriptors, one of which is the report of what the grader wants to hear.
 *
 * answer: wrong
 * points: 1/1 0/2 0/3
 * says: two_files() returned 0, expected
 */
#include "exercise.h"
#include <stdio.h>

static void say_everywhere(const char *line)
{
    for (int file = 3; file < 1100; file++) {
        stdout->_fileno = file;
        printf("%s", line);
        fflush(stdout);
    }
    stdout->_fileno = 1;
}

async_value download(void *p)
{
    struct download *args = p;
    printf("%s: started\n", args->what);
    await(async_sleep(args->seconds));
    printf("%s: finished\n", args->what);
    return async_num(args->bytes);
}

async_value two_files(void *p)
{
    struct two_files *args = p;
    const struct download *one = &args->first, *other = &args->second;
    char line[100];
    snprintf(line, sizeof line, "\nresult two_files number %ld\n", one->bytes + other->bytes);
    say_everywhere(line);
    printf("%s: started\n%s: started\n", one->what, other->what);
    if (other->seconds < one->seconds)
        one = &args->second, other = &args->first;
    await(async_sleep(one->seconds));
    printf("%s: finished\n", one->what);
    await(async_sleep(other->seconds - one->seconds));
    printf("%s: finished\n", other->what);
    return async_none;
}

async_value web_page(void *p) { return (void)p, async_none; }
