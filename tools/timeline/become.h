/* become.h - timeline and show look at a program: a child of theirs becomes it, on the virtual clock. */
#ifndef BECOME_H
#define BECOME_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the child: what it does is told to the descriptor `trace`, what it prints goes to `output`. */
__attribute__((noreturn))
static inline void become(char **program, int trace, int output)
{
    char name[32];
    snprintf(name, sizeof name, "/dev/fd/%d", trace);
    setenv("ASYNC_CLOCK", "virtual", 1);
    setenv("ASYNC_TRACE", name, 1);
    dup2(open("/dev/null", O_RDWR), 0);
    dup2(output, 1);
    execv(program[0], program);
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, program[0], strerror(errno));
    _exit(127);
}

#endif
