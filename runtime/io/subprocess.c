/* subprocess.c - asyncio.create_subprocess_exec and _shell: other programs, with pipes and an end.
 *
 * The end of a child makes a descriptor readable (a pidfd), which the loop watches like any other; so
 * no signal handler is needed and any number of tasks may wait. Linux before 5.3 has none: there a
 * thread of the executor waits for each child. One that is still running when its record or its loop
 * goes is killed. */
#define _GNU_SOURCE
#include "core/coro.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"
#include "io/io.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

extern char **environ;

struct subprocess {
    struct object object;
    struct part part;               /* of its loop, while it runs */
    pid_t pid;
    int pidfd;                      /* readable when it has ended; -1: none */
    struct job job;                 /* sees to that end */
    struct watch *watch;            /* of pidfd, or NULL */
    struct object *thread;          /* the future of the thread that waits instead, pinned; or NULL */
    struct waitq ended;             /* tasks in wait */
    long returncode;                /* ASYNC_RUNNING, exit status, or minus the signal */
    async_stream *pipes[3];         /* our ends of its stdin, stdout, stderr, or NULL */
};

static void stop_watching(struct subprocess *process)
{
    unwatch(&process->watch);
    if (process->thread)
        object_unpin(process->thread);
    if (process->pidfd >= 0)
        close(process->pidfd);
    process->thread = NULL;
    process->pidfd = -1;
    list_remove(&process->job.link);
    list_remove(&process->part.link);
}

/* Takes the child's status if it has ended, or waits for that if it must have. */
static void reap(struct subprocess *process, int options)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(process->pid, &status, options)) < 0 && errno == EINTR)
        ;
    if (pid == process->pid)
        process->returncode = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    else if (pid < 0)
        process->returncode = 255;  /* somebody else has taken it; Python says so, too */
}

static void on_end(struct job *job)
{
    struct subprocess *process = container_of(job, struct subprocess, job);
    reap(process, WNOHANG);
    if (process->returncode == ASYNC_RUNNING)
        return;
    stop_watching(process);
    waitq_wake_all(&process->ended);
}

static void drop(struct object *object)
{
    struct subprocess *process = (struct subprocess *)object;
    stop_watching(process);
    if (process->pid > 0 && process->returncode == ASYNC_RUNNING) {
        kill(process->pid, SIGKILL);
        reap(process, 0);
    }
}

static void close_subprocess(struct part *part)
{
    kill(container_of(part, struct subprocess, part)->pid, SIGKILL);
}

static const struct future_type subprocess_type = { .name = "Process", .drop = drop };

/* ------------------------------------------------------------------------------- starting */

struct start {
    const char *const *argv;        /* or NULL, and then */
    const char *command;            /* for the shell */
    int pipes;                      /* of enum async_pipes */
    async_subprocess_options options;
};

/* Of the three pipes: [i][0] is ours, [i][1] the child's. */
typedef int pipe_ends[3][2];

static void close_ends(pipe_ends ends, int side)
{
    for (int i = 0; i < 3; i++) {
        if (ends[i][side] >= 0)
            close(ends[i][side]);
        ends[i][side] = -1;
    }
}

static bool open_pipes(pipe_ends ends, int wanted)
{
    memset(ends, -1, 3 * sizeof *ends);
    for (int i = 0; i < 3; i++) {
        int both[2];
        if (!(wanted & 1 << i))
            continue;
        if (pipe2(both, O_CLOEXEC))
            return false;
        ends[i][0] = both[i == 0];      /* we write its input and read its output */
        ends[i][1] = both[i != 0];
    }
    return true;
}

/* Its descriptors: our pipes or /dev/null at 0, 1, 2, and none of the others that we have. */
static int arrange(posix_spawn_file_actions_t *actions, const struct start *args, pipe_ends ends)
{
    int error = 0;
    for (int i = 0; i < 3; i++)
        if (ends[i][1] >= 0)
            error |= posix_spawn_file_actions_adddup2(actions, ends[i][1], i);
        else if (args->pipes & ASYNC_DEVNULL_STDIN << i)
            error |= posix_spawn_file_actions_addopen(actions, i, "/dev/null", i ? O_WRONLY : O_RDONLY, 0);
    if (args->pipes & ASYNC_STDERR_TO_STDOUT)
        error |= posix_spawn_file_actions_adddup2(actions, 1, 2);
#ifdef __GLIBC__                    /* musl has no such call: there we rely on O_CLOEXEC */
    if (!args->options.keep_fds)
        error |= posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
    if (args->options.cwd)
        error |= posix_spawn_file_actions_addchdir_np(actions, args->options.cwd);
    return error;
}

static int spawn(pid_t *pid, const struct start *args, pipe_ends ends)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t ordinary, none;
    const char *shell[] = { "/bin/sh", "-c", args->command, NULL };
    const char *const *argv = args->argv ? args->argv : shell;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigemptyset(&ordinary);
    sigaddset(&ordinary, SIGINT);
    sigaddset(&ordinary, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &ordinary);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    const char *const *env = args->options.env;
    int error = arrange(&actions, args, ends) ? ENOMEM
              : posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv,
                             env ? (char *const *)env : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static struct subprocess *subprocess_new(pid_t pid)
{
    struct subprocess *process = primitive_new(struct subprocess, &subprocess_type);
    if (!process)
        return NULL;
    *process = (struct subprocess){ .object = process->object, .pid = pid, .pidfd = -1, .job.run = on_end,
                                    .part = { .close = close_subprocess, .is_process = true },
                                    .returncode = ASYNC_RUNNING };
    list_init(&process->job.link);
    list_init(&process->part.link);
    waitq_init(&process->ended, &process->object);
    return process;
}

/* In a thread: until the child has ended; its status is left to reap. */
static async_value wait_in_thread(void *pid)
{
    siginfo_t info;
    while (waitid(P_PID, (intptr_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    return async_none;
}

static bool watch_end(struct subprocess *process)
{
    process->pidfd = syscall(SYS_pidfd_open, process->pid, 0);
    if (process->pidfd >= 0) {
        process->watch = watch_fd(loop_running, process->pidfd, false, true, &process->job);
        return process->watch;
    }
    async_future future = async_loop_run_in_executor(loop_running, wait_in_thread,
                                                     (void *)(intptr_t)process->pid);
    if (!future)
        return false;
    process->thread = object_find(future);
    object_pin(process->thread);
    list_append(&process->thread->future.waiters, &process->job.link);
    return true;
}

/* Watches for its end, and makes streams of the pipes. */
static async_value adopt(struct subprocess *process, pipe_ends ends)
{
    bool watched = watch_end(process);
    loop_has(loop_running, &process->part);     /* now, so that it ends before the thread has to */
    if (!watched)
        return async_error(ENOMEM, "no memory to watch a process");
    for (int i = 0; i < 3; i++) {
        int fd = ends[i][0];
        if (fd < 0)
            continue;
        ends[i][0] = -1;
        process->pipes[i] = stream_new(fd, i > 0, i == 0, i ? "its output" : "its input", true);
        if (!process->pipes[i])
            return async_error(ENOMEM, "no memory for the pipes of a process");
    }
    return async_ptr(object_ticket(&process->object));
}

static async_value start(void *p)
{
    struct start *args = p;
    pipe_ends ends;
    pid_t pid = 0;
    const char *name = args->argv ? args->argv[0] : args->command, *cwd = args->options.cwd;
    if (!task_current())
        return report_no_task();
    if (!name)
        return async_error(EINVAL, "no program to start was named");
    int error = open_pipes(ends, args->pipes) ? spawn(&pid, args, ends) : errno;
    close_ends(ends, 1);
    struct subprocess *process = error ? NULL : subprocess_new(pid);
    async_value v = process ? adopt(process, ends) : async_error(ENOMEM, "no memory for a process");
    if (error) {
        v = async_error(error, async_strf("starting %s%s%s: %s", name, cwd ? " in " : "", cwd ? cwd : "",
                                          strerror(error)));
    } else if (v.error) {
        kill(pid, SIGKILL);
        if (!process)
            waitpid(pid, NULL, 0);
    }
    close_ends(ends, 0);
    return v;
}

/* `name`: of the coroutine. */
static async_awaitable starting(const char *name, struct start args)
{
    return coro_make(start, name, &args, sizeof args);
}

async_awaitable async_create_subprocess_exec_with(const char *const *argv, int pipes,
                                                  async_subprocess_options options)
{
    return starting("async_create_subprocess_exec", (struct start){ argv, NULL, pipes, options });
}

async_awaitable async_create_subprocess_shell_with(const char *command, int pipes,
                                                   async_subprocess_options options)
{
    return starting("async_create_subprocess_shell", (struct start){ NULL, command, pipes, options });
}

async_awaitable async_create_subprocess_exec(const char *const *argv, int pipes)
{
    return async_create_subprocess_exec_with(argv, pipes, (async_subprocess_options){ 0 });
}

async_awaitable async_create_subprocess_shell(const char *command, int pipes)
{
    return async_create_subprocess_shell_with(command, pipes, (async_subprocess_options){ 0 });
}

/* -------------------------------------------------------------------------------- the end */

static struct subprocess *find(async_subprocess *x, const char *caller)
{
    return object_of(x, &subprocess_type, caller, NULL);
}

static async_value wait_for_end(void *object)
{
    struct subprocess *process = object;
    struct waiter waiter;
    async_value v = async_none;
    if (process->returncode == ASYNC_RUNNING)
        v = waitq_wait(&process->ended, &waiter);
    return v.error ? v : async_num(process->returncode);
}

async_awaitable async_subprocess_wait(async_subprocess *x)
{
    return coro_on(x, &subprocess_type, wait_for_end, __func__);
}

long async_subprocess_returncode(async_subprocess *x) { return find(x, __func__)->returncode; }
int async_subprocess_pid(async_subprocess *x) { return find(x, __func__)->pid; }

async_value async_subprocess_send_signal(async_subprocess *x, int number)
{
    struct subprocess *process = object_known(x, &subprocess_type, __func__);
    if (!process || process->returncode != ASYNC_RUNNING || kill(process->pid, number) == 0)
        return async_none;
    return async_error(errno, async_strf("sending signal %d: %s", number, strerror(errno)));
}

async_value async_subprocess_terminate(async_subprocess *process)
{
    return async_subprocess_send_signal(process, SIGTERM);
}

async_value async_subprocess_kill(async_subprocess *process)
{
    return async_subprocess_send_signal(process, SIGKILL);
}

async_stream *async_subprocess_stdin(async_subprocess *x) { return find(x, __func__)->pipes[0]; }
async_stream *async_subprocess_stdout(async_subprocess *x) { return find(x, __func__)->pipes[1]; }
async_stream *async_subprocess_stderr(async_subprocess *x) { return find(x, __func__)->pipes[2]; }

/* ---------------------------------------------------------------------------- communicate */

struct feed {
    async_stream *to;               /* or NULL */
    const char *input;
};

/* Sends all input; a child that does not read it to its end is no error. */
static async_value feed(void *p)
{
    struct feed args = *(struct feed *)p;
    if (!args.to)
        return async_none;
    if (args.input)
        async_stream_puts(args.to, args.input);
    async_stream_close(args.to);
    async_value v = async_catch(async_stream_wait_closed(args.to));
    return v.error == ASYNC_CANCELLED ? v : async_none;
}

static async_value read_all(void *p)
{
    async_stream *from = *(async_stream **)p;
    return from ? async_catch(async_stream_read(from, 0, NULL)) : async_str("");
}

struct communicate {
    async_subprocess *process;
    const char *input;
    const char **out, **err;
};

static async_value communicate(void *p)
{
    struct communicate *args = p;
    async_value v, done[4];
    in_use struct subprocess *process = primitive_use(args->process, &subprocess_type,
                                                      "async_subprocess_communicate", &v);
    if (!process)
        return v;
    async_awaitable parts[] = {
        coro_make(feed, "feed", &(struct feed){ process->pipes[0], args->input }, sizeof(struct feed)),
        coro_make(read_all, "read_all", &process->pipes[1], sizeof process->pipes[1]),
        coro_make(read_all, "read_all", &process->pipes[2], sizeof process->pipes[2]),
        async_subprocess_wait(args->process),
    };
    v = async_catch(async_gather_list(done, parts, 4, false));
    if (v.error)
        return v;
    if (args->out)
        *args->out = done[1].str;
    if (args->err)
        *args->err = done[2].str;
    return done[3];
}

async_awaitable async_subprocess_communicate(async_subprocess *process, const char *input,
                                             const char **out, const char **err)
{
    return coro_for(communicate, struct communicate, process, input, out, err);
}
