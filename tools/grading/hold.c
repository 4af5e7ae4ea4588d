/* hold.c - see hold.h. */
#define _GNU_SOURCE
#include "hold.h"
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static bool become(unsigned user)
{
    return setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0;
}

static bool limit(int what, rlim_t most) { return setrlimit(what, &(struct rlimit){ most, most }) == 0; }

bool hold(const char *how)
{
    static struct sock_filter steps[4096];
    struct sock_fprog program = { 0, steps };
    unsigned char *byte = (unsigned char *)steps, *end = (unsigned char *)(steps + 4096);
    unsigned user;
    unsigned long processes;
    int at = 0;
    errno = EINVAL;
    if (sscanf(how, "%u %lu %n", &user, &processes, &at) != 2)
        return false;
    while (byte < end && sscanf(how + at, "%2hhx", byte) == 1)
        byte++, at += 2;
    program.len = (byte - (unsigned char *)steps) / sizeof steps[0];
    return (!user || become(user)) && limit(RLIMIT_NPROC, processes) && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_NOFILE, 256) && limit(RLIMIT_FSIZE, 64 << 20) &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
