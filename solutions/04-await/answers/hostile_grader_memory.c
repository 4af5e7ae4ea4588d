/* Would write into the memory of its grader.
 *
 * answer: wrong
 * says: uses fopen, which no exercise needs
 */
#include "exercise.h"
#include <stdio.h>
#include <unistd.h>

async_value download(void *p)
{
    char path[40];
    (void)p;
    snprintf(path, sizeof path, "/proc/%d/mem", getppid());
    FILE *memory = fopen(path, "r+");
    return async_num(memory != NULL);
}
