/* confine.c - runs a command out of whose reach nearly everything lies, where bubblewrap can make no room for it.
 *
 *     confine SCRATCH READABLE... -- COMMAND...
 *
 * Landlock, a part of the kernel, keeps it from all files but SCRATCH and those that it may only read, and from
 * processes that are not its own. We stand outside: when the command ends, or whoever called us, whatever it has started
 * ends with it. The status is the command's. */
#define _GNU_SOURCE
#include "../grading/child.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OLDEST 3                        /* of Landlock's versions; those before let everybody cut off any file */
#define READ (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define OF_FILES (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

static char **places;                   /* SCRATCH, and what can be read */

static bool allow(int rules, const char *path, uint64_t what)
{
    struct stat stat;
    struct landlock_path_beneath_attr beneath = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
    if (beneath.parent_fd < 0 || fstat(beneath.parent_fd, &stat) < 0)
        return false;
    beneath.allowed_access = S_ISDIR(stat.st_mode) ? what : what & OF_FILES;
    return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0 &&
           close(beneath.parent_fd) == 0;
}

/* All that this kernel's Landlock knows is refused, but for what is allowed. */
static bool hold_files(void)
{
    int version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct { uint64_t files, network, scopes; } refused = {
        .files = version < 5 ? (1 << 15) - 1 : (1 << 16) - 1,   /* from 5 on, what devices are told */
        .scopes = version < 6 ? 0 : 3,                          /* signals, and sockets without a file */
    };
    int rules = version < OLDEST ? -1 : syscall(SYS_landlock_create_ruleset, &refused, sizeof refused, 0);
    bool fine = rules >= 0 && allow(rules, places[0], refused.files) && allow(rules, "/dev/null", OF_FILES);
    for (char **path = places + 1; fine && *path; path++)
        fine = allow(rules, *path, READ);
    return fine && syscall(SYS_landlock_restrict_self, rules, 0) == 0 && close(rules) == 0;
}

static bool hold(void)
{
    bool held = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && hold_files();
    if (!held)
        fprintf(stderr, "confine: Landlock, as Linux has it from 6.2 on, cannot be had here: %s\n", strerror(errno));
    return held;
}

int main(int argc, char **argv)
{
    int end = 2;
    while (end < argc && strcmp(argv[end], "--") != 0)
        end++;
    if (end >= argc - 1) {
        fprintf(stderr, "usage: %s SCRATCH READABLE... -- COMMAND...\n", argv[0]);
        return 2;
    }
    argv[end] = NULL;
    places = argv + 1;
    child_prepare();
    setsid();                           /* who ends us all at once shall not end us, too */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    struct child child = { .words = argv + end + 1, .out = 1, .err = 2, .before = hold };
    child_run(&child);
    return child.how == ENDED && WIFEXITED(child.status) ? WEXITSTATUS(child.status) : 126;
}
