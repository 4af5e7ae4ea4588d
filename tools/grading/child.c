/* child.c - see child.h. */
#define _GNU_SOURCE
#include "child.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 3                 /* times its limit is what a child and its children may use together */
#define LOOK 50                     /* milliseconds from one look at a child to the next */

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define ENDS (int)(sizeof ends / sizeof ends[0])
static bool told_to_end;
static pid_t kept;                  /* goes on until we end; 0: there is none */

/* ---------------------------------------------------------------------------- signals */

/* They are kept waiting, and taken when we look: so there is no moment at which one comes amiss. */
static void signals_of_ours(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (int i = 0; i < ENDS; i++)
        sigaddset(set, ends[i]);
}

void child_prepare(void)
{
    sigset_t set;
    signals_of_ours(&set);
    for (int i = 0; i < ENDS; i++)              /* ignored, they would not wait */
        signal(ends[i], SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);                   /* whom we tell may be gone: we clean up all the same */
    sigprocmask(SIG_BLOCK, &set, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Waits for a signal of ours, so long at most. */
static void take_signal(long milliseconds)
{
    sigset_t set;
    signals_of_ours(&set);
    int number = sigtimedwait(&set, NULL, &(struct timespec){ 0, milliseconds * 1000000 });
    if (number > 0 && number != SIGCHLD)
        told_to_end = true;
}

bool child_told_to_end(void)
{
    sigset_t waiting;
    sigpending(&waiting);
    for (int i = 0; i < ENDS; i++)
        told_to_end |= sigismember(&waiting, ends[i]) == 1;
    return told_to_end;
}

/* --------------------------------------------------------------------- does it stand still? */

struct look {
    bool awake;                     /* a thread runs, waits for the processor, or for a disk */
    unsigned long long progress;    /* changes when any of them has run */
    double cpu;                     /* seconds that all of them have used, and those that they waited for */
    size_t resident;                /* bytes that they have in memory and share with nobody */
};

/* A thread's state and how much it has run. */
static void look_at_thread(const char *process, const char *thread, struct look *look)
{
    char path[600], text[1024];
    unsigned long long ran = 0, waited = 0, times = 0;
    snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/stat", process, thread);
    FILE *file = fopen(path, "re");
    char *end = file && fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
    look->awake |= end && strlen(end) > 2 && strchr("RD", end[2]);
    if (file)
        fclose(file);
    snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/schedstat", process, thread);
    file = fopen(path, "re");
    if (file && fscanf(file, "%llu %llu %llu", &ran, &waited, &times) == 3)
        look->progress += ran + times;
    if (file)
        fclose(file);
}

/* What a process has used, and those of its children that have ended. */
static double used_by(const char *process)
{
    char path[64], text[1024];
    unsigned long long used[4];
    snprintf(path, sizeof path, "/proc/%.20s/stat", process);
    FILE *file = fopen(path, "re");
    char *end = file && fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
    bool read = end && sscanf(end, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %llu %llu", &used[0], &used[1],
                              &used[2], &used[3]) == 4;
    if (file)
        fclose(file);
    return read ? (double)(used[0] + used[1] + used[2] + used[3]) / sysconf(_SC_CLK_TCK) : 0;
}

static size_t resident_of(const char *process)
{
    char path[64];
    size_t all = 0, shared = 0;
    snprintf(path, sizeof path, "/proc/%.20s/statm", process);
    FILE *file = fopen(path, "re");
    bool read = file && fscanf(file, "%*u %zu %zu", &all, &shared) == 2;
    if (file)
        fclose(file);
    return read ? (all - shared) * sysconf(_SC_PAGESIZE) : 0;
}

/* A process and all that it has started. */
static void look_at(const char *process, struct look *look, int depth)
{
    char path[600], child[24];
    look->cpu += used_by(process);
    look->resident += resident_of(process);
    snprintf(path, sizeof path, "/proc/%.20s/task", process);
    DIR *threads = depth < 20 ? opendir(path) : NULL;
    for (struct dirent *thread; threads && (thread = readdir(threads));) {
        if (thread->d_name[0] == '.')
            continue;
        look_at_thread(process, thread->d_name, look);
        snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/children", process, thread->d_name);
        FILE *file = fopen(path, "re");
        while (file && fscanf(file, "%23s", child) == 1)
            look_at(child, look, depth + 1);
        if (file)
            fclose(file);
    }
    if (threads)
        closedir(threads);
}

/* ------------------------------------------------------------------------------ the child */

static void limit(int what, rlim_t most)
{
    struct rlimit now;
    getrlimit(what, &now);
    if (most && (now.rlim_max == RLIM_INFINITY || most < now.rlim_max))
        setrlimit(what, &(struct rlimit){ most, most });
}

/* Puts `from` in the place of `to`, for the program to come. */
static bool place(int from, int to) { return dup2(from, to) == to; }

__attribute__((noreturn))
static void become(const struct child *child, pid_t parent)
{
    sigset_t none;
    char *words[MOST_ARGUMENTS + 4] = { "sh", "-c", (char *)child->shell };
    int null = open("/dev/null", O_RDWR), files[5] = { child->in, child->out, child->err };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)                    /* it was too late for that */
        _exit(126);
    setpgid(0, 0);
    for (int i = 0; child->shell && child->words[i] && i < MOST_ARGUMENTS; i++)
        words[3 + i] = child->words[i];
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    limit(RLIMIT_CPU, child->cpu_seconds);
    limit(RLIMIT_AS, child->memory);
    limit(RLIMIT_FSIZE, child->file_size);
    files[3] = child->more[0], files[4] = child->more[1];
    for (int i = 0; i < 5; i++) {               /* out of each other's way first */
        files[i] = i < 3 || files[i] ? fcntl(files[i] ? files[i] : null, F_DUPFD, 10) : -1;
        if (files[i] < 0 && i < 3)
            _exit(126);
    }
    for (int i = 0; i < 5; i++)
        if (files[i] >= 0 && !place(files[i], i))
            _exit(126);
    close_range(files[3] < 0 ? 3 : files[4] < 0 ? 4 : 5, ~0U, 0);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if ((child->directory && chdir(child->directory) < 0) || (child->before && !child->before()))
        _exit(126);
    execvp(child->shell ? "/bin/sh" : child->words[0], child->shell ? words : child->words);
    _exit(127);
}

/* Processes that the child started and left behind have become our children; but not the one that is to stay. */
static void end_orphans(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int tries = 0; tries < 1000; tries++) {
        FILE *file = fopen(path, "re");
        int pid, found = 0;
        while (file && fscanf(file, "%d", &pid) == 1)
            if (pid != kept && ++found)
                kill(pid, SIGKILL);
        if (file)
            fclose(file);
        for (pid_t ended; (ended = waitpid(-1, NULL, WNOHANG)) > 0;)
            kept = ended == kept ? 0 : kept;
        if (!found)
            return;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = { 0 };
    return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Until it has ended, and stays a zombie so that its number still means its group. */
static void wait_for(struct child *child, pid_t pid)
{
    char process[24];
    struct look before = { .awake = true };
    int most = child->cpu_seconds * PROCESSES;
    bool looks = most || child->still_seconds || child->resident;
    snprintf(process, sizeof process, "%d", (int)pid);
    for (struct timespec last, now; !has_ended(pid);) {
        clock_gettime(CLOCK_MONOTONIC, &last);
        take_signal(LOOK);
        if (told_to_end) {
            child->how = TOLD_TO_END;
            return;
        }
        if (!looks || has_ended(pid))           /* most do soon, and looks are dear */
            continue;
        struct look look = { .awake = false };
        look_at(process, &look, 0);
        if (most && look.cpu > most) {          /* each has kept its limit, but there is no end of them */
            kill(-pid, look.cpu > most + 1 ? SIGKILL : SIGXCPU);
            kill(pid, look.cpu > most + 1 ? SIGKILL : SIGXCPU);
        }
        if (child->resident && look.resident > child->resident) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        double slept = now.tv_sec - last.tv_sec + (now.tv_nsec - last.tv_nsec) / 1e9;
        bool still = !look.awake && look.progress == before.progress;
        child->still = still ? child->still + (slept < 2 * LOOK / 1e3 ? slept : LOOK / 1e3) : 0;
        before = look;
        if (child->still_seconds && child->still > child->still_seconds) {
            child->how = STOOD_STILL;
            return;
        }
    }
}

static pid_t start(struct child *child)
{
    pid_t parent = getpid();
    fflush(NULL);
    child->how = ENDED;
    child->still = child->cpu = 0;
    if (child_told_to_end()) {
        child->how = TOLD_TO_END;
        return -1;
    }
    pid_t pid = vfork();            /* until it is another program it works in our memory: no page is copied */
    if (pid == 0)
        become(child, parent);
    if (pid < 0)
        child->how = NOT_STARTED;
    else
        setpgid(pid, pid);
    return pid;
}

int child_start(struct child *child)
{
    pid_t pid = start(child);
    kept = pid > 0 ? pid : kept;
    return pid;
}

void child_wait(struct child *child, int pid)
{
    struct rusage used = { 0 };
    child->how = ENDED;
    child->still = child->cpu = 0;
    setpgid(pid, pid);
    wait_for(child, pid);
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    while (wait4(pid, &child->status, 0, &used) < 0 && errno == EINTR)
        ;
    end_orphans();
    child->cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
                 (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void child_run(struct child *child)
{
    pid_t pid = start(child);
    if (pid > 0)
        child_wait(child, pid);
}

/* ------------------------------------------------------------------------------ files */

int child_file(void)
{
    int file = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file >= 0)
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL);
    return file;
}

int child_file_end(int file)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

char *child_file_text(int file, size_t size, size_t *length)
{
    struct stat stat;
    size = fstat(file, &stat) == 0 && (size_t)stat.st_size < size ? (size_t)stat.st_size : size;
    char *text = malloc(size + 1);
    size_t all = 0;
    ssize_t got;
    while (text && all < size && (got = pread(file, text + all, size - all, all)) > 0)
        all += got;
    for (size_t i = 0; i < all; i++)            /* a zero byte would hide what follows it */
        if (!text[i])
            text[i] = '\1';
    if (text)
        text[all] = 0;
    if (length)
        *length = all;
    return text;
}
