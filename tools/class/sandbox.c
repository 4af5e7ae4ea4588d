/* sandbox.c - the words for bubblewrap, and the limits of what runs in there.
 *
 * A grading sees the system's programs and libraries, what make has built for its exercise, and one
 * source; all of that it can only read. /tmp is its own, in memory, with a limit. There is no network, and
 * no process but its own; when it ends, whatever it started ends with it. So it does when we are killed. */
#define _GNU_SOURCE
#include "sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM_IN_TMP "268435456"         /* bytes */
#define MOST_WORDS 600

const char *const tier_names[] = { "bubblewrap", "none" };

static char **words;                    /* of the command that is being put together */
static int count;

static void begin(void)
{
    words = calloc(MOST_WORDS, sizeof *words);
    count = 0;
    if (!words)
        abort();
}

void words_free(char **all)
{
    for (int i = 0; all[i]; i++)
        free(all[i]);
    free(all);
}

__attribute__((format(printf, 1, 2)))
static void word(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (count > MOST_WORDS - 2 || vasprintf(&words[count++], format, args) < 0)
        abort();
    va_end(args);
}

/* Words without anything to fill in; ends with NULL. */
static void say(const char *first, ...)
{
    va_list args;
    va_start(args, first);
    for (const char *next = first; next; next = va_arg(args, const char *))
        word("%s", next);
    va_end(args);
}

/* Folders on the way are made first: those that bubblewrap makes by itself are its own only. */
static void see(const char *from, const char *to)
{
    if (access(from, F_OK) < 0)
        return;
    for (const char *at = strchr(to + 1, '/'); at; at = strchr(at + 1, '/'))
        word("--dir"), word("%.*s", (int)(at - to), to);
    say("--ro-bind", from, to, NULL);
}

/* A part of what make has built, in BUILD and once more with AddressSanitizer. */
static void see_built(const char *part)
{
    static const char *const variants[] = { "", "/memory" };
    const char *build = getenv("BUILD");
    char text[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        glob_t found = { 0 };
        snprintf(text, sizeof text, "%s%s/%s", build, variants[i], part);
        glob(text, 0, NULL, &found);
        for (size_t k = 0; k < found.gl_pathc; k++) {
            snprintf(text, sizeof text, "/evlings/build%s", found.gl_pathv[k] + strlen(build));
            see(found.gl_pathv[k], text);
        }
        globfree(&found);
    }
}

static void set(const char *name, const char *value) { say("--setenv", name, value ? value : "", NULL); }

/* The room, but for what is graded. A root of ours becomes nobody in particular before it runs anything:
 * only so do limits hold for it. */
static void furnish(const struct exercise *exercise, const char *filter)
{
    static const char *const system[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
                                          "/etc/alternatives", "/etc/ld.so.cache" };
    static const char *const built[] = { "grade", "timeline", "include", "tools/grading", "libasync*.a", "watched-*" };
    char text[PATH_MAX];
    say("sh", "-c", "exec \"$@\" 9<\"$0\"", filter, "bwrap", "--seccomp", "9", "--die-with-parent", "--new-session", "--clearenv", "--unshare-pid", "--unshare-net", "--unshare-ipc",
        "--unshare-uts", "--unshare-cgroup-try", "--hostname", "evlings", NULL);
    if (getuid() == 0)
        say("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", NULL);
    else
        say("--unshare-user", NULL);
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        see(system[i], system[i]);
    see("tools", "/evlings/tools");
    see("runtime", "/evlings/runtime");
    snprintf(text, sizeof text, "/evlings/%s", exercise->room);
    see(exercise->room, text);
    snprintf(text, sizeof text, "%s/grader", exercise->room);
    see_built(text);
    for (size_t i = 0; i < sizeof built / sizeof built[0]; i++)
        see_built(built[i]);
    say("--chdir", "/evlings", "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", ROOM_IN_TMP, "--tmpfs", "/tmp", NULL);
}

/* System calls that neither a compiler nor a program of an exercise has a use for, and that the kernel's own
 * mistakes were found in. */
bool sandbox_filter(const char *path)
{
    static const char *const forbidden[] = {
        "add_key", "bpf", "finit_module", "fsconfig", "fsmount", "fsopen", "init_module", "io_uring_setup", "kexec_load",
        "keyctl", "mount", "move_mount", "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "process_vm_readv",
        "process_vm_writev", "reboot", "request_key", "setns", "swapon", "umount2", "unshare", "userfaultfd",
    };
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool fine = file >= 0 && filter;
    for (size_t i = 0; fine && i < sizeof forbidden / sizeof forbidden[0]; i++) {
        int call = seccomp_syscall_resolve_name(forbidden[i]);
        fine = call == __NR_SCMP_ERROR || seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
    }
    fine = fine && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&   /* its flags are out of sight */
           seccomp_export_bpf(filter, file) == 0;
    seccomp_release(filter);
    return file >= 0 && close(file) == 0 && fine;
}

static void limit(void)
{
    if (getuid() == 0) {
        int nobody = 61184 + getpid() % 4000;      /* of those that systemd, too, takes for a moment */
        word("setpriv"), word("--reuid=%d", nobody), word("--regid=%d", nobody);
        say("--clear-groups", "--no-new-privs", "--bounding-set=-all", NULL);
    }
    say("prlimit", "--nproc=64", "--core=0", "--nofile=256", "--fsize=67108864", NULL);
}

bool sandbox_works(const struct exercise *exercise, const char *filter)
{
    begin();
    furnish(exercise, filter);
    limit();
    say("test", "-x", "build/grade", "-a", "-r", "tools/student-cc.sh", NULL);
    pid_t pid = fork();
    int status = 0;
    if (pid == 0) {
        execvp(words[0], words);
        fprintf(stderr, "bwrap: there is no bubblewrap here\n");
        _exit(127);
    }
    words_free(words);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static const char *const passed_on[] = { "CC", "FLAGS", "LIBS", "EXTRA" };

char **sandbox_command(enum tier tier, const struct exercise *exercise, const char *source,
                       const char *scratch, const char *filter, const char *seed)
{
    begin();
    if (tier == NO_SANDBOX) {
        say("env", "COLUMNS=80", "LC_ALL=C.UTF-8", "FROM=", NULL);
        word("SEED=%s", seed), word("EVLINGS_SCRATCH=%s", scratch), word("EVLINGS_GRADER=%s", exercise->grader);
        word("%s/grade", getenv("BUILD"));
        say(exercise->room, source, NULL);
        return words;
    }
    furnish(exercise, filter);
    see(source, "/evlings/exercise.c");
    see(exercise->grader, "/evlings/build/grader");
    set("EVLINGS_GRADER", "build/grader");
    set("PATH", "/usr/local/bin:/usr/bin:/bin");
    set("LC_ALL", "C.UTF-8"), set("COLUMNS", "80"), set("TMPDIR", "/tmp");
    set("BUILD", "build"), set("EVLINGS_SCRATCH", "/tmp"), set("SEED", seed), set("CCACHE_DISABLE", "1");
    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
        set(passed_on[i], getenv(passed_on[i]));
    limit();
    say("build/grade", exercise->room, "exercise.c", NULL);
    return words;
}
