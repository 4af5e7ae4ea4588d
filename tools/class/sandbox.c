/* sandbox.c - the words for bubblewrap or for confine, and the limits of what runs in there.
 *
 * In bubblewrap a grading sees the system's programs and libraries, what make has built for its exercise, and one
 * source; all of that it can only read. /tmp is its own, in memory, with a limit. There is no network, and
 * no process but its own; when it ends, whatever it started ends with it. So it does when we are killed.
 *
 * Held by Landlock (see confine.c) it can read and do the same, but where that lies for everybody: it knows which other
 * processes there are, and what it writes lies on the disk. What Landlock says nothing about the kernel's filter
 * refuses altogether, as it does all sockets. */
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM_IN_TMP "268435456"         /* bytes */
#define MOST_WORDS 600
#define MOST_SET 40
#define MOST_PROCESSES 64
#define FIRST_NEW 452                   /* fchmodat2; from 424 on numbers are the same on all processors */

const char *const tier_names[] = { "", "bubblewrap", "landlock", "none" };

static char **words;                    /* of the command that is being put together */
static char **environment;              /* its environment */
static int count, set_count;
static enum tier tier;                  /* for which it is */
static int nobody;                      /* who runs in there, if we are root */
static char filter[16384];              /* what the kernel is to refuse in there, in hexadecimal digits */

static void begin(enum tier its)
{
    words = calloc(MOST_WORDS, sizeof *words);
    environment = calloc(MOST_SET, sizeof *environment);
    count = set_count = 0;
    tier = its;
    if (!words || !environment)
        abort();
}

static void free_all(char **all)
{
    for (int i = 0; all && all[i]; i++)
        free(all[i]);
    free(all);
}

void sandbox_free(struct command *command) { free_all(command->words), free_all(command->environment); }

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

/* In bubblewrap a place can have another name. Folders on the way are made first: those that it makes by itself are
 * its own only. */
static void see(const char *from, const char *to)
{
    if (access(from, F_OK) < 0)
        return;
    if (tier == LANDLOCK) {
        say(from, NULL);
        return;
    }
    char target[PATH_MAX] = "";
    for (const char *at = strchr(to + 1, '/'); at; at = strchr(at + 1, '/'))
        word("--dir"), word("%.*s", (int)(at - to), to);
    if (readlink(from, target, sizeof target - 1) > 0 && !strcmp(from, to))
        say("--symlink", target, to, NULL);
    else
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
            snprintf(text, sizeof text, IN_BUBBLEWRAP "/build%s", found.gl_pathv[k] + strlen(build));
            see(found.gl_pathv[k], text);
        }
        globfree(&found);
    }
}

static void set(const char *name, const char *value)
{
    if (set_count > MOST_SET - 2 || asprintf(&environment[set_count++], "%s=%s", name, value ? value : "") < 0)
        abort();
}

/* Who has a right to everything becomes nobody in particular before it runs anything: only so do limits hold for it.
 * Each is another, of those that systemd, too, takes for a moment: the processes of one user are counted together. */
static void choose_nobody(void)
{
    static int chosen;
    nobody = 61184 + (getpid() + chosen++) % 4000;
}

void sandbox_pass(const char *folder)
{
    if (getuid() == 0 && chmod(folder, 0711) < 0)
        perror(folder);
}

/* How many a user may have: without namespaces all of them count, wherever they run, and more may come meanwhile. */
static size_t most_processes(void)
{
    glob_t found = { 0 };
    struct stat task;
    size_t most = MOST_PROCESSES;
    if (tier == BUBBLEWRAP || getuid() == 0)
        return most;
    glob("/proc/[0-9]*/task", GLOB_NOSORT, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        most += stat(found.gl_pathv[i], &task) == 0 && task.st_uid == getuid() ? task.st_nlink - 2 : 0;
    globfree(&found);
    return most + 1000;
}

/* What grade is told; it holds itself, as EVLINGS_HELD says (see tools/grading/hold.h). */
static void tell(const char *build, const char *grader, const char *scratch, const char *seed)
{
    char held[sizeof filter + 40];
    static const char *const passed_on[] = { "CC", "FLAGS", "EXTRA", "COMPILE", "ASSEMBLE" };
    set("PATH", "/usr/local/bin:/usr/bin:/bin"), set("LC_ALL", "C.UTF-8"), set("COLUMNS", "80");
    set("CCACHE_DISABLE", "1"), set("BUILD", build), set("EVLINGS_GRADER", grader);
    set("EVLINGS_SCRATCH", scratch), set("TMPDIR", scratch), set("SEED", seed);
    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
        set(passed_on[i], getenv(passed_on[i]));
    snprintf(held, sizeof held, "%d %zu %s", getuid() ? 0 : nobody, most_processes(), filter);
    set("EVLINGS_HELD", held);
}

/* All but the source, which is its last word. A folder of ours in which it is to write becomes its own. */
static void furnish(enum tier its, const struct exercise *exercise, const char *source, const char *scratch,
                    const char *seed)
{
    static const char *const system[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
                                          "/etc/alternatives", "/etc/ld.so.cache" };
    static const char *const built[] = { "grade", "timeline", "include" };
    const char *its_grader = exercise->grader + strlen(getenv("BUILD")) + 1;    /* may be another with more parts */
    char text[PATH_MAX], *here;
    begin(its);
    choose_nobody();
    if (tier == LANDLOCK) {
        here = realpath(scratch, NULL);
        tell(getenv("BUILD"), exercise->grader, here, seed);
        word("%s/confine", getenv("BUILD"));
        say(here, "/proc", "/dev/urandom", NULL);
        if (getuid() == 0 && chown(here, nobody, nobody) < 0)
            perror(here);
        free(here);
    } else {
        snprintf(text, sizeof text, "build/%s", its_grader);
        tell("build", text, "/tmp", seed);
        say("bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net", "--unshare-ipc",
            "--unshare-uts", "--unshare-cgroup-try", "--hostname", "evlings", NULL);
        if (getuid() == 0)
            say("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", NULL);
        else
            say("--unshare-user", NULL);
    }
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        see(system[i], system[i]);
    see("tools", IN_BUBBLEWRAP "/tools");
    snprintf(text, sizeof text, IN_BUBBLEWRAP "/%s", exercise->room);
    see(exercise->room, text);
    snprintf(text, sizeof text, "%s/grader", exercise->room);
    see_built(text);
    for (size_t i = 0; i < sizeof built / sizeof built[0]; i++)
        see_built(built[i]);
    if (!strstr(its_grader, exercise->room))
        see_built(its_grader);
    see(source, IN_BUBBLEWRAP "/exercise.c");
    if (tier == LANDLOCK)
        say("--", NULL);
    else
        say("--chdir", IN_BUBBLEWRAP, "--proc", "/proc", "--dir", "/dev", "--dev-bind", "/dev/null", "/dev/null",
            "--dev-bind", "/dev/urandom", "/dev/urandom", "--symlink", "/proc/self/fd", "/dev/fd", "--perms", "1777",
            "--size", ROOM_IN_TMP, "--tmpfs", "/tmp", NULL);
    word("%s/grade", tier == LANDLOCK ? getenv("BUILD") : "build");
    say(exercise->room, NULL);
}

/* System calls that neither a compiler nor a program of an exercise has a use for, and that the kernel's own
 * mistakes were found in. */
static bool make_filter(enum tier its)
{
    static const char *const forbidden[] = {
        "add_key", "bpf", "finit_module", "fsconfig", "fsmount", "fsopen", "init_module", "io_uring_setup",
        "kexec_load", "keyctl", "mount", "move_mount", "open_by_handle_at", "open_tree", "perf_event_open",
        "pivot_root", "process_vm_readv", "process_vm_writev", "reboot", "request_key", "setns", "swapon", "umount2",
        "unshare", "userfaultfd",
        /* From here on only where all of it is everybody's: sockets, files but for their contents, processes. */
        "", "socket", "mq_open", "msgget", "semget", "shmat", "shmget", "inotify_add_watch",
        "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown", "utime", "utimes", "futimesat",
        "utimensat", "setxattr", "fsetxattr", "lsetxattr", "removexattr", "fremovexattr", "lremovexattr",
        "ioprio_set", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler", "setpriority",
    };
    int file = memfd_create("filter", MFD_CLOEXEC), length = 0;
    unsigned char bytes[sizeof filter / 2];
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    bool fine = file >= 0 && context;
    for (size_t i = 0; fine && i < sizeof forbidden / sizeof forbidden[0] && (its == LANDLOCK || *forbidden[i]); i++) {
        int call = seccomp_syscall_resolve_name(forbidden[i]);
        fine = call == __NR_SCMP_ERROR || seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
    }
    fine = fine && seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)) == 0 &&
           seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;  /* its flags are out of sight */
    if (its == LANDLOCK) {              /* others' limits; and calls from Linux 6.6 on, some of which change files */
        fine = fine && seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
                                        SCMP_A0(SCMP_CMP_NE, 0)) == 0;
        for (int call = FIRST_NEW; fine && call < FIRST_NEW + 150; call++)
            fine = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), call, 0) == 0;
    }
    fine = fine && seccomp_export_bpf(context, file) == 0 && (length = pread(file, bytes, sizeof bytes, 0)) > 0;
    for (int i = 0; i < length; i++)
        sprintf(filter + 2 * i, "%02x", bytes[i]);
    seccomp_release(context);
    close(file);
    return fine && length < (int)sizeof bytes;
}

bool sandbox_works(enum tier its, const struct exercise *exercise, const char *scratch)
{
    if (!make_filter(its))
        return false;
    furnish(its, exercise, "tools/student-cc.sh", scratch, "");
    struct command command = { words, environment };
    pid_t pid = fork();
    int status = 0;
    if (pid == 0) {
        execvpe(words[0], words, environment);
        _exit(127);
    }
    sandbox_free(&command);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

bool sandbox_has_network(enum tier its, const struct exercise *exercise)
{
    char path[PATH_MAX], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/grader/stage.c", exercise->room);
    FILE *file = its == LANDLOCK ? fopen(path, "re") : NULL;
    bool needs = file && getdelim(&text, &size, 0, file) > 0 && strstr(text, "\"127.0.0.1\"");
    free(text);
    if (file)
        fclose(file);
    return !needs;
}

struct command sandbox_command(enum tier its, const struct exercise *exercise, const char *source,
                               const char *scratch, const char *seed)
{
    if (its == NO_SANDBOX) {
        begin(its);
        say("env", "COLUMNS=80", "LC_ALL=C.UTF-8", "FROM=", NULL);
        word("SEED=%s", seed), word("EVLINGS_SCRATCH=%s", scratch), word("EVLINGS_GRADER=%s", exercise->grader);
        word("%s/grade", getenv("BUILD"));
        say(exercise->room, source, NULL);
        free_all(environment);
        return (struct command){ words, NULL };
    }
    furnish(its, exercise, source, scratch, seed);
    say(tier == LANDLOCK ? source : IN_BUBBLEWRAP "/exercise.c", NULL);
    return (struct command){ words, environment };
}
