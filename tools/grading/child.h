/* child.h - another program is run, with limits, and nothing of it is left.
 *
 * No deadline here is of the wall: on a machine with much to do a program may wait long for the
 * processor and the disk. What is counted is processor time, and the time in which no process of
 * the program's wanted anything: each of its threads slept, and none was woken. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>

#define MOST_ARGUMENTS 1000

struct child {
    char *const *words;             /* the program and its arguments */
    const char *shell;              /* or a command line for sh, to which they are "$0", "$1", ... */
    const char *directory;          /* where it runs; NULL: here */
    bool (*before)(void);           /* called in the child, last of all; false: it is not run */
    int in, out, err;               /* descriptors; 0: /dev/null */
    int more[2];                    /* become 3 and 4, if they are not 0 */
    int cpu_seconds;                /* of each process, three times that of all together; 0: no limit */
    int still_seconds;              /* it may sleep so long, all of it; 0: no limit */
    size_t memory, file_size;       /* bytes of each process, of each file; 0: no limit */
    size_t resident;                /* bytes that all of them may have in memory together; 0: no limit */

    /* What became of it: */
    enum { ENDED, STOOD_STILL, TOLD_TO_END, NOT_STARTED } how;
    int status;                     /* as wait4 gives it */
    double cpu;                     /* seconds that it used */
    double still;                   /* seconds for which it slept */
};

/* Once, before the first run. From then on a signal that ends programs ends the child that runs, and
 * child_run says TOLD_TO_END; at other times child_told_to_end() says whether there was one. */
void child_prepare(void);
bool child_told_to_end(void);

void child_run(struct child *child);

/* The same in two steps. One that is started goes on beside those that run later, until we end; a process that
 * such a one has made in our name (CLONE_PARENT) is waited for like one of ours. */
int child_start(struct child *child);           /* its number; -1, and `how` says why */
void child_wait(struct child *child, int pid);

/* A file without a name, in memory. It can be shared with whom one does not trust: what was written
 * once stays. */
int child_file(void);
int child_file_end(int file);       /* the same for the child: all that is written goes to its end */
char *child_file_text(int file, size_t size, size_t *length);   /* to be freed; ends with a 0 */

#endif
