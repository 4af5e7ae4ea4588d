/* grader_run.c - one run of the stage: start it, wait no longer than it deserves, read it all.
 *
 * The child gets its own process group, limits, /dev/null to read from, and three temporary files
 * without a name: nothing it writes can fill a pipe and block. Whatever it leaves running is
 * killed. The nonce is put into the report before the start; a report whose last line does not
 * give it back is not complete. */
#define _GNU_SOURCE
#include "grader_run.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WALL_SECONDS 10
#define MOST_WORDS 64

static struct run run;
static struct raw raw;

/* --------------------------------------------------------------------------- the child */

static void limit(int what, rlim_t most)
{
    setrlimit(what, &(struct rlimit){ most, most });
}

__attribute__((noreturn))
static void become_stage(char **words, const int *files)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_FSIZE, MOST_OUTPUT);
    setenv("ASYNC_CLOCK", "virtual:1000", 1);       /* so that nobody takes a time for a delay */
    int null = open("/dev/null", O_RDONLY);
    if (dup2(null, 0) < 0 || dup2(files[0], 1) < 0 || dup2(files[1], 2) < 0 ||
        dup2(files[2], 3) < 0)
        _exit(126);
    close_range(4, ~0U, 0);
    execv(words[0], words);
    _exit(127);
}

/* Waits for the child's end. False if we had to end it. It stays a zombie, so that its number
 * still means its group. */
static bool wait_for(pid_t child)
{
    struct timespec now, end, left;
    siginfo_t info = { 0 };
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += WALL_SECONDS;
    for (;;) {
        if (waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left = (struct timespec){ end.tv_sec - now.tv_sec, end.tv_nsec - now.tv_nsec };
        if (left.tv_nsec < 0)
            left = (struct timespec){ left.tv_sec - 1, left.tv_nsec + 1000000000 };
        if (left.tv_sec < 0)
            return false;
        sigtimedwait(&ends, NULL, &left);
    }
}

/* Processes that the child started and left behind have become our children. */
static void end_orphans(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int tries = 0; tries < 100; tries++) {
        FILE *file = fopen(path, "r");
        int pid, found = 0;
        while (file && fscanf(file, "%d", &pid) == 1 && ++found)
            kill(pid, SIGKILL);
        if (file)
            fclose(file);
        if (!found)
            return;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
}

static void spawn(char **words, const int *files)
{
    struct rusage used;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        become_stage(words, files);
    if (child < 0)
        grader_cannot("The grader could not start a process: %s.", strerror(errno));
    setpgid(child, child);
    raw.in_time = wait_for(child);
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    wait4(child, &raw.status, 0, &used);
    end_orphans();
    run.cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
              (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* ------------------------------------------------------------------------------ the files */

static int temporary(void)
{
    FILE *file = tmpfile();
    int fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 0) : -1;
    if (fd < 0)
        grader_cannot("The grader could not make a temporary file: %s.", strerror(errno));
    fclose(file);
    return fd;
}

static size_t read_all(int fd, char *to)
{
    size_t length = 0;
    ssize_t got;
    while (length < MOST_OUTPUT - 1 &&
           (got = pread(fd, to + length, MOST_OUTPUT - 1 - length, length)) > 0)
        length += got;
    to[length] = 0;
    for (size_t i = 0; i < length; i++)         /* a zero byte would hide what follows it */
        if (!to[i])
            to[i] = '\1';
    return length;
}

static void make_nonce(int report)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        grader_cannot("The grader got no random numbers.");
    for (int i = 0; i < 16; i++)
        sprintf(raw.nonce + 2 * i, "%02x", bytes[i]);
    if (pwrite(report, raw.nonce, 32, 0) != 32)
        grader_cannot("The grader could not write its report file.");
}

struct run *stage_run(const char *format, ...)
{
    static char line[sizeof run.inputs];
    char *words[MOST_WORDS + 1] = { (char *)grader_stage() };
    int files[3], count = 1;
    va_list args;
    if (grader_timeouts >= 2)
        ck_abort_msg("Not tried: two runs before this one did not come to an end.");
    memset(&run, 0, sizeof run);
    va_start(args, format);
    vsnprintf(run.inputs, sizeof run.inputs, format, args);
    va_end(args);
    strcpy(line, run.inputs);
    for (char *word = strtok(line, " "); word && count < MOST_WORDS; word = strtok(NULL, " "))
        words[count++] = word;
    for (int i = 0; i < 3; i++)
        files[i] = temporary();
    make_nonce(files[2]);
    spawn(words, files);
    raw.out_length = read_all(files[0], raw.out);
    read_all(files[1], raw.err);
    read_all(files[2], raw.report);
    for (int i = 0; i < 3; i++)
        close(files[i]);
    grader_new_inputs();
    run_read(&run, &raw);
    run_judge(&run, &raw);
    return &run;
}
