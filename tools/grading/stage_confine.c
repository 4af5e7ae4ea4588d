/* stage_confine.c - what a stage may do no more, once it is set up. */
#define _GNU_SOURCE
#include "stage_parts.h"
#include "core/stack.h"             /* WITH_ASAN */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A system that has no Landlock goes without. */
void stage_confine_writes(void)
{
    struct landlock_ruleset_attr writes = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                             LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM,
    };
    struct landlock_path_beneath_attr here = { writes.handled_access_fs, open(".", O_PATH | O_CLOEXEC) };
    struct landlock_path_beneath_attr null = { LANDLOCK_ACCESS_FS_WRITE_FILE, open("/dev/null", O_PATH | O_CLOEXEC) };
    int rules = syscall(SYS_landlock_create_ruleset, &writes, sizeof writes, 0);
    if (rules >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &here, 0) == 0 &&
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &null, 0) == 0)
        syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules), close(here.parent_fd), close(null.parent_fd);
}

/* Whoever finds a way past our contract still cannot end the grader. The kernel says EPERM; a system without such filters goes without. */
void stage_confine(int report)
{
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define DENY(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), RETURN(SECCOMP_RET_ERRNO | EPERM)
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
    struct sock_filter filter[] = {
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), RETURN(SECCOMP_RET_ERRNO | EPERM),  /* other names for all */
        DENY(execve), DENY(execveat), DENY(process_vm_readv), DENY(process_vm_writev),
        DENY(tkill), DENY(rt_sigqueueinfo), DENY(pidfd_open), DENY(pidfd_send_signal),
#ifndef WITH_ASAN                /* which looks for leaks from another process */
        DENY(ptrace),
#endif
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_writev, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 4, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD(args[0]),                          /* of those that write: where to? */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, report, 4, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD(args[0]),                          /* of signals: to whom? */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, getpid(), 0, 1),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_ERRNO | EPERM),
    };
#undef DENY
#undef LOAD
#undef RETURN
    struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
