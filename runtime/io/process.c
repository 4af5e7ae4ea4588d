/* process.c - functions in other processes, for work that keeps a processor busy.
 *
 * Python's ProcessPoolExecutor keeps its workers; we fork one for each call, which costs a fraction
 * of a millisecond and buys three things: the arguments need not be packed, a crash is only an error
 * of that call, and unlike a thread it can be cancelled, by killing it. At most as many run at a time
 * as there are processors; others wait in line. What the child sends back through a pipe is a struct
 * answer and, for text and error messages, the text behind it. */
#define _GNU_SOURCE
#include "core/coro.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/object.h"
#include "core/report.h"
#include "core/stack.h"
#include "core/task.h"
#include "core/waitq.h"
#include "io/io.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct answer {
    async_value value;
    bool is_text;                   /* then the value's pointer means nothing here */
    size_t length;                  /* of the text that follows */
};

struct child {                      /* on the stack of the task that waits for it */
    struct part part;               /* of its loop */
    pid_t pid;
    int fd;                         /* its answer comes from here */
};

struct processes {                  /* of one loop */
    struct part part;
    struct waitq waitq;             /* tasks that wait for a processor */
    long running, most;
};

/* ----------------------------------------------------------------------------- the child */

static struct {
    const struct call *call;
    int fd;                         /* its answer goes there */
} ours;                             /* what a child is for */

static void hang_up(struct object *object, void *unused)
{
    (void)unused;
    if (object->future.type->hang_up)
        object->future.type->hang_up(object);
}

/* Never returns: nothing of the parent may run here, least of all what it does at its exit. fn computes,
 * so it has the whole stack of our thread instead of a coroutine's. */
static void be_child(void)
{
    struct memory made = { { NULL, NULL } };
    stack_arrived();
    signal(SIGINT, SIG_DFL);
    object_each(hang_up, NULL);     /* who talks to our parent has to see when it hangs up, even while we compute */
    loop_running = NULL;
    memory_of_thread = &made;
    async_value v = ours.call->fn((void *)ours.call->args);
    bool has_message = v.error && v.error != ASYNC_SYSTEM_EXIT && v.message;
    struct answer answer;
    memset(&answer, 0, sizeof answer);     /* its gaps, too: all of it is sent */
    answer.value.error = v.error;
    answer.value.ptr = v.ptr;
    answer.is_text = has_message || memory_holds(&made, v.ptr);
    if (answer.is_text)
        answer.length = strlen(v.str);
    fflush(stdout);
    _exit(!write_all(ours.fd, &answer, sizeof answer) || !write_all(ours.fd, v.str, answer.length));
}

/* ---------------------------------------------------------------------------- the parent */

/* Reads n bytes from the child; an error if it ended before. */
static async_value get(int fd, void *into, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = read(fd, (char *)into + have, n - have);
        if (got > 0) {
            have += got;
        } else if (got == 0) {
            return async_error(EPIPE, NULL);
        } else if (errno == EAGAIN) {
            async_value v = ready_wait(NULL, fd, false, true);
            if (v.error)
                return v;
        } else if (errno != EINTR) {
            return async_error(errno, strerror(errno));
        }
    }
    return async_none;
}

static async_value receive(int fd)
{
    struct answer answer;
    async_value v = get(fd, &answer, sizeof answer);
    if (v.error || !answer.is_text)
        return v.error ? v : answer.value;
    char *text = async_alloc(answer.length + 1);
    if (!text)
        return async_error(ENOMEM, "no memory for what the process returned");
    v = get(fd, text, answer.length);
    answer.value.str = text;
    return v.error ? v : answer.value;
}

static int end(struct child *child, bool killed)
{
    int status = 0;
    close(child->fd);
    if (killed)
        kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void close_child(struct part *part) { end(container_of(part, struct child, part), true); }

static async_value run_child(const struct call *call)
{
    struct child child = { .part = { .close = close_child, .is_process = true } };
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC))
        return async_error(errno, async_strf("no pipe to another process: %s", strerror(errno)));
    fflush(stdout);                 /* or the child would print what we have not printed yet; of NULL
                                       it would wait for a thread that reads from stdin */
    child.pid = fork();
    if (child.pid == 0) {
        ours.call = call;
        ours.fd = ends[1];
        task_leave_stack(be_child);
    }
    close(ends[1]);
    if (child.pid < 0) {
        close(ends[0]);
        return async_error(errno, async_strf("no other process: %s", strerror(errno)));
    }
    fcntl(child.fd = ends[0], F_SETFL, O_NONBLOCK);
    loop_has(loop_running, &child.part);
    async_value v = receive(child.fd);
    list_remove(&child.part.link);
    status = end(&child, v.error && v.error != EPIPE);  /* cancelled, or no memory; or it has ended */
    if (v.error == EPIPE && !v.message)
        v = WIFSIGNALED(status)
            ? async_error(EPIPE, async_strf("the process that ran %s was ended by signal %d (%s)",
                                            call->name, WTERMSIG(status), strsignal(WTERMSIG(status))))
            : async_error(EPIPE, async_strf("the process that ran %s exited with status %d before it "
                                            "returned", call->name, WEXITSTATUS(status)));
    return v;
}

/* ------------------------------------------------------------------------------ the line */

static void close_processes(struct part *part)
{
    struct processes *processes = container_of(part, struct processes, part);
    waitq_serve_all(&processes->waitq);         /* it goes before they do */
    free(processes);
}

static struct processes *processes_of(async_loop *loop)
{
    struct processes *processes = (struct processes *)loop_part(loop, close_processes, sizeof *processes);
    if (!processes || processes->most)
        return processes;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    waitq_init(&processes->waitq, NULL);
    processes->most = processors > 0 ? processors : 1;
    return processes;
}

static async_value to_process(void *p)
{
    struct waiter waiter;
    if (!task_current())
        return report_no_task();
    struct processes *processes = processes_of(loop_running);
    if (!processes)
        return async_error(ENOMEM, "no memory for another process");
    while (processes->running >= processes->most) {
        async_value v = waitq_wait(&processes->waitq, &waiter);
        if (v.error) {
            if (waiter_woken(&waiter))
                waitq_serve_next(&processes->waitq);
            return v;
        }
    }
    processes->running++;
    async_value v = run_child(p);
    processes->running--;
    waitq_serve_next(&processes->waitq);
    return v;
}

async_awaitable async_to_process_call(async_call what) { return coro_with_call(to_process, what); }
