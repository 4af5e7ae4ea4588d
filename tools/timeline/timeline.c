/* timeline.c - timeline [--svg] [--title TEXT] [--part FROM-UNTIL] PROGRAM [ARGUMENT...]: draws what
 * a program does, or the part of it between two times in seconds.
 *
 * Runs it on the virtual clock with a trace (runtime/debug/trace.c), which comes through a pipe, and with
 * its output in a file, so that the trace can say which part of it was printed when. Then draws it
 * for a terminal, or as SVG. What the program writes to stderr goes there as ever. */
#define _GNU_SOURCE
#include "become.h"
#include "timeline.h"
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10             /* real seconds for the program */
#define SLACK 2                 /* columns that stay free at the right */

static struct timeline timeline;

static void fail(const char *what)
{
    fprintf(stderr, "timeline: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* A picture is the same whoever asks for it. */
static void forget_wishes(void)
{
    dup2(open("/dev/null", O_WRONLY), 2);
    unsetenv("ASYNC_SHUFFLE");
    unsetenv("ASYNC_DEBUG");
}

/* Hands the complete lines in the buffer on; returns false when no more are wanted. */
static bool read_lines(char *buffer, size_t *length)
{
    char *line = buffer, *end;
    bool more = true;
    while (more && (end = memchr(line, '\n', buffer + *length - line))) {
        *end = 0;
        more = timeline_read(&timeline, line);
        line = end + 1;
    }
    *length -= line - buffer;
    memmove(buffer, line, *length);
    return more;
}

/* Reads the trace until the program has ended, or we have seen enough. */
static int follow(pid_t program, int trace)
{
    static char buffer[65536];
    size_t length = 0;
    int status = 0;
    bool ended = false, more = true;
    time_t started = time(NULL);
    while (more) {
        struct pollfd wait = { trace, POLLIN, 0 };
        if (!ended && waitpid(program, &status, WNOHANG) == program)
            ended = true;           /* what it wrote last is in the pipe */
        int found = poll(&wait, 1, ended ? 0 : 50);
        ssize_t got = found > 0 ? read(trace, buffer + length, sizeof buffer - length - 1) : -1;
        if (got > 0) {
            length += got;
            more = read_lines(buffer, &length) && length < sizeof buffer - 1;
        } else if (got == 0 || ended) {
            break;                  /* children of its own may still hold the pipe */
        }
        if (!ended && time(NULL) - started > PATIENCE) {
            timeline.cut = true;
            timeline.ending = "it had not ended after 10 s of real time, and was stopped";
            break;
        }
    }
    if (!ended && timeline.cut)
        kill(program, SIGKILL);
    if (!ended)
        waitpid(program, &status, 0);
    return status;
}

static void judge(int status)
{
    static char text[80];
    if (timeline.cut)
        return;
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "it crashed: %s", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        snprintf(text, sizeof text, "it ended with exit status %d", WEXITSTATUS(status));
    else
        return;
    timeline.ending = text;
}

static int width_of_terminal(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (columns && atoi(columns) > 0)
        return atoi(columns);
    if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

int main(int argc, char **argv)
{
    bool svg = false;
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--svg") == 0)
            svg = true;
        else if (strcmp(argv[i], "--title") == 0 && i + 1 < argc)
            timeline.title = argv[++i];
        else if (strcmp(argv[i], "--part") == 0 && i + 1 < argc &&
                 sscanf(argv[i + 1], "%lf-%lf", &timeline.from, &timeline.until) == 2)
            i++;
        else
            i = argc;
    }
    if (i >= argc) {
        fputs("timeline [--svg] [--title TEXT] [--part FROM-UNTIL] PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    setlocale(LC_CTYPE, "");
    timeline.steady = svg;
    if (!timeline.title)
        timeline.title = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
    int trace[2];
    FILE *output = tmpfile();
    if (!output)
        fail("no temporary file");
    if (pipe(trace) < 0)
        fail("no pipe");
    fcntl(trace[0], F_SETFD, FD_CLOEXEC);
    pid_t program = fork();
    if (program < 0)
        fail("no process");
    if (program == 0) {
        if (svg)
            forget_wishes();
        become(argv + i, trace[1], fileno(output));
    }
    close(trace[1]);
    timeline.program = argv[i];
    judge(follow(program, trace[0]));
    timeline_complete(&timeline, output);
    if (timeline.lanes == 0 && timeline.until > 0) {
        printf("%s: nothing happens from %g s to %g s.\n", timeline.title, timeline.from, timeline.until);
        return 1;
    }
    if (timeline.lanes == 0) {
        printf("%s started no task%s%s.\n", timeline.title, timeline.ending ? "; " : "",
               timeline.ending ? timeline.ending : "");
        return 1;
    }
    if (timeline.lanes_left_out && timeline.cut) {
        printf("%s: %s and more are too many for a picture. --part FROM-UNTIL draws some seconds of it.\n",
               timeline.title, timeline_who(&timeline));
        return 0;
    }
    if (svg)
        timeline_draw_svg(&timeline);
    else
        timeline_draw_text(&timeline, width_of_terminal() - SLACK,
                           strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
    return 0;
}
