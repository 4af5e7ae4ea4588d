/* grader_run.c - one run of the stage: start it, wait no longer than it deserves, read it all.
 *
 * To load a program takes longer than what most runs do. So the stage is loaded once, and waits before any code
 * of the student's; each run is a copy of that process. Where it cannot wait each run is loaded anew.
 *
 * The child has limits, /dev/null to read from, and writes to three files without a name, to which it
 * can only append: nothing it writes can fill a pipe and block, or take back what is written. Whatever
 * it leaves running is killed. The nonce comes through a pipe; a report whose last line does not give
 * it back is not complete. */
#define _GNU_SOURCE
#include "child.h"
#include "core/stack.h"
#include "grader_run.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define STILL_SECONDS 5
#ifdef WITH_ASAN                /* which reserves much more than it uses */
#define MOST_MEMORY 0
#else
#define MOST_MEMORY (grader_watches_memory() ? 0 : 1UL << 30)
#endif
#define MOST_RESIDENT (1UL << 30)
#define MOST_SECONDS 30         /* of all runs: what they computed, and stood still */

static struct run run;
static struct raw raw;
static double spent;

/* Reads one of the files into `to`. */
static size_t take_text(int file, char *to)
{
    size_t length = 0;
    char *text = child_file_text(file, MOST_OUTPUT - 1, &length);
    if (!text)
        grader_cannot("There is no memory for what the program wrote.");
    memcpy(to, text, length + 1);
    free(text);
    close(file);
    return length;
}

/* The end of a pipe from which the stage reads the nonce. */
static int send_nonce(void)
{
    unsigned char bytes[16];
    int ends[2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        grader_cannot("The grader got no random numbers.");
    for (int i = 0; i < 16; i++)
        sprintf(raw.nonce + 2 * i, "%02x", bytes[i]);
    if (pipe2(ends, O_CLOEXEC) < 0 || write(ends[1], raw.nonce, 32) != 32)
        grader_cannot("The grader could not make a pipe: %s.", strerror(errno));
    close(ends[1]);
    return ends[0];
}

void grader_open_report(void)
{
    int nonce = fcntl(send_nonce(), F_DUPFD, 10);       /* out of the way, and not closed by exec */
    if (dup2(open("/dev/null", O_WRONLY), 3) < 0 || dup2(nonce, 4) < 0)
        grader_cannot("There is no descriptor for the report: %s.", strerror(errno));
}

/* The stage, loaded and waiting: the socket on which it is told of a run. -1: it could not be had. */
static int load_stage(void)
{
    int ends[2];
    char *words[] = { (char *)grader_stage(), NULL };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    struct child child = { .words = words, .more = { ends[1] }, .cpu_seconds = CPU_SECONDS, .memory = MOST_MEMORY,
                           .file_size = MOST_OUTPUT };
    int pid = child_start(&child);
    close(ends[1]);
    return pid > 0 ? ends[0] : -1;
}

/* Has the waiting stage begin a run with these files: the number of its process, a child of ours; or -1. */
static int begin_run(char *const *words, const int *files)
{
    static int stage = -2;
    char text[MOST_WORDS * 100], control[CMSG_SPACE(4 * sizeof(int))] = { 0 };
    int pid;
    size_t length = 0;
    for (int i = 1; words[i] && length < sizeof text; i++)
        length += snprintf(text + length, sizeof text - length, "%s", words[i]) + 1;
    if (stage == -2)
        stage = load_stage();
    if (stage < 0 || length > sizeof text)
        return -1;
    struct iovec part = { text, length };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof control };
    struct cmsghdr *with = CMSG_FIRSTHDR(&message);
    *with = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(with), files, 4 * sizeof(int));
    if (sendmsg(stage, &message, MSG_NOSIGNAL) < 0 || recv(stage, &pid, sizeof pid, 0) != sizeof pid) {
        close(stage);
        stage = -1;
    }
    return stage < 0 ? -1 : pid;
}

/* `list`: where the words of many runs stand, for a stage that makes all of them; 0: these are the run's. */
static void spawn(char **words, int list)
{
    int files[3], appending[3], nonce = send_nonce();
    for (int i = 0; i < 3; i++) {
        files[i] = child_file();
        appending[i] = files[i] < 0 ? -1 : child_file_end(files[i]);
        if (appending[i] < 0)
            grader_cannot("The grader could not make a temporary file: %s.", strerror(errno));
    }
    struct child child = {
        .words = words, .in = list, .out = appending[0], .err = appending[1], .more = { appending[2], nonce },
        .cpu_seconds = CPU_SECONDS, .memory = MOST_MEMORY, .still_seconds = STILL_SECONDS, .file_size = MOST_OUTPUT,
        .resident = MOST_RESIDENT,
    };
    int pid = list ? -1 : begin_run(words, (int[4]){ appending[0], appending[1], appending[2], nonce });
    if (pid > 0)
        child_wait(&child, pid);
    else
        child_run(&child);
    if (child.how == NOT_STARTED)
        grader_cannot("The grader could not start a process: %s.", strerror(errno));
    if (child.how == TOLD_TO_END)
        grader_cannot("The grading was interrupted.");
    for (int i = 0; i < 3; i++)
        close(appending[i]);
    close(nonce);
    raw.in_time = child.how == ENDED;
    raw.status = child.status;
    run.cpu = child.cpu;
    spent += child.cpu + child.still;
    raw.out_length = take_text(files[0], raw.out);
    take_text(files[1], raw.err);
    take_text(files[2], raw.report);
}

void grader_split(char *inputs, char **words)
{
    int count = 0;
    for (char *word = strtok(inputs, " "); word && count < MOST_WORDS; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
}

bool runs_are_sound(int list)
{
    char *words[] = { (char *)grader_stage(), "*", NULL };
    memset(&run, 0, sizeof run);
    lseek(list, 0, SEEK_SET);
    spawn(words, list);
    spent = 0;                      /* that was no part of what a grading has */
    run_read(&run, &raw);
    return raw.in_time && raw.status == 0 && raw.complete && memory_is_sound(run.err);
}

struct run *stage_run(const char *format, ...)
{
    static char line[sizeof run.inputs];
    char *words[MOST_WORDS + 2] = { (char *)grader_stage() };
    va_list args;
    if (grader_timeouts >= 2)
        ck_abort_msg("Not tried: two runs before this one did not come to an end.");
    if (spent > MOST_SECONDS)
        ck_abort_msg("Not tried: the runs before this one took %.0f seconds, of the processor's time or "
                     "standing still, and a grading has %d for all.", spent, MOST_SECONDS);
    memset(&run, 0, sizeof run);
    va_start(args, format);
    vsnprintf(run.inputs, sizeof run.inputs, format, args);
    va_end(args);
    strcpy(line, run.inputs);
    grader_split(line, words + 1);
    grader_remember(run.inputs);
    spawn(words, 0);
    grader_new_inputs();
    run_read(&run, &raw);
    run_judge(&run, &raw);
    run.sound = true;
    return &run;
}
