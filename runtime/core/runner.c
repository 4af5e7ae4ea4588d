/* runner.c - running a loop: for ever, until something is done, or as asyncio.run and asyncio.Runner do:
 * run main, cancel what is left, report, close.
 *
 * Ctrl-C: the first one cancels the main task, so that its clean-ups run; if it then ends with
 * that, the run ends with ASYNC_KEYBOARD_INTERRUPT. A second one ends the process at once. */
#include "core/coro.h"
#include "core/exception.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/stack.h"
#include "core/task.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static async_value may_run(async_loop *loop, const char *caller)
{
    if (loop_given(loop, caller)->closed)
        return async_error(ASYNC_RUNTIME_ERROR, "Event loop is closed");
    if (loop->running)
        return async_error(ASYNC_RUNTIME_ERROR, "This event loop is already running");
    if (loop_running)
        return async_error(ASYNC_RUNTIME_ERROR,
                           "Cannot run the event loop while another loop is running");
    return async_none;
}

static bool in_task(void) { return task_current() != NULL; }

async_value async_loop_run_forever(async_loop *loop)
{
    async_value v = may_run(loop, __func__);
    if (v.error)
        return v;
    stack_watch(in_task, report_overflow);
    v = loop_run(loop);
    if (v.error == ASYNC_DEADLOCK)
        loop->stuck(loop);
    return v;
}

static void stop(struct job *job)
{
    (void)job;
    loop_running->stopping = true;
}

async_value async_loop_run_until_complete(async_loop *loop, async_awaitable x)
{
    async_value v = may_run(loop, __func__);
    if (v.error)
        return v;
    struct future *future = task_ensure(loop, x, __func__, &v);
    if (!future)
        return v;
    struct job done = { .run = stop };
    future_then(future, loop, &done);
    v = async_loop_run_forever(loop);
    list_remove(&done.link);
    if (!v.error)
        v = future->state != PENDING
            ? future_take(future)
            : async_error(ASYNC_RUNTIME_ERROR, "Event loop stopped before Future completed.");
    object_unpin(future_object(future));
    return v;
}

/* ------------------------------------------------------------------- what is left at the end */

/* Asks every task that is not done to end, and waits until they all have. */
static async_value cancel_all(async_loop *loop)
{
    size_t count = async_loop_all_tasks(loop, NULL, 0);
    if (!count)
        return async_none;
    async_task *tasks = calloc(count, sizeof *tasks);
    if (!tasks)
        return async_error(ENOMEM, "no memory to cancel the tasks that are left");
    async_loop_all_tasks(loop, tasks, count);
    for (size_t i = 0; i < count; i++) {
        async_keep(tasks[i]);
        async_cancel(tasks[i]);
    }
    async_future all = async_gather_list(NULL, tasks, count, true);
    async_value v = async_loop_run_until_complete(loop, all);
    for (size_t i = 0; i < count; i++) {
        struct object *object = object_find(tasks[i]);
        if (object->future.state == FINISHED && object->future.outcome.error)
            report_exception(loop, "unhandled exception during async_run() shutdown",
                             object->future.outcome, object);
        object_unpin(object);
    }
    free(tasks);
    return v;
}

/* ------------------------------------------------------------------------------- Ctrl-C */

struct interrupt {
    struct job job;
    struct task *main;
};

static struct borrowed {            /* a signal that nobody else wanted, while async_run runs */
    int number;
    void (*handler)(int number);
    async_loop *volatile loop;      /* for which; NULL: for none, or Ctrl-C has come */
} ctrl_c, usr1;                     /* the second to the very end: a clean-up may hang, too */

static void on_sigint(int number)
{
    async_loop *loop = ctrl_c.loop;
    ctrl_c.loop = NULL;
    if (loop) {
        poll_interrupt(loop);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void on_sigusr1(int number)
{
    (void)number;
    if (usr1.loop)
        poll_ask_tree(usr1.loop);
}

static bool borrow(struct borrowed *borrowed, int number, void (*handler)(int number), async_loop *loop)
{
    struct sigaction now, ours = { .sa_handler = handler };
    if (borrowed->loop || sigaction(number, NULL, &now) != 0 || now.sa_handler != SIG_DFL)
        return false;
    *borrowed = (struct borrowed){ number, handler, loop };
    sigaction(number, &ours, NULL);
    return true;
}

static void give_back(struct borrowed *borrowed)
{
    struct sigaction now;
    sigaction(borrowed->number, NULL, &now);
    if (now.sa_handler == borrowed->handler)        /* else main has set its own, and keeps it */
        signal(borrowed->number, SIG_DFL);
    borrowed->loop = NULL;
}

static void cancel_main(struct job *job)
{
    future_cancel(&container_of(job, struct interrupt, job)->main->coro.object.future, NULL);
}

/* Runs main with Ctrl-C in our hands, if nobody else wants it. */
static async_value run_main(async_loop *loop, struct task *main)
{
    struct interrupt interrupt = { { .run = cancel_main }, main };
    list_init(&interrupt.job.link);
    if (poll_called(loop->poll))  /* perhaps by a Ctrl-C that came as the last main ended */
        poll_wait(loop->poll, 0);
    loop->interrupted = &interrupt.job;
    bool ours = borrow(&ctrl_c, SIGINT, on_sigint, loop);
    async_value v = async_loop_run_until_complete(loop, object_ticket(&main->coro.object));
    bool came = ours && !ctrl_c.loop;
    if (ours)
        give_back(&ctrl_c);
    loop->interrupted = NULL;
    list_remove(&interrupt.job.link);
    if (came && v.error == ASYNC_CANCELLED && task_uncancel(main) == 0)
        v = async_error(ASYNC_KEYBOARD_INTERRUPT, "");
    return v;
}

/* ------------------------------------------------------------------ what async.h offers */

/* A runner is its loop. */
static async_loop *loop_of(async_runner *runner, const char *caller)
{
    return loop_given((async_loop *)runner, caller);
}

async_runner *async_runner_new(void)
{
    async_loop *loop = async_new_event_loop();
    if (loop)
        borrow(&usr1, SIGUSR1, on_sigusr1, loop);
    return (async_runner *)loop;
}

static void end(async_loop *loop)
{
    if (usr1.loop == loop)
        give_back(&usr1);
    async_loop_close(loop);
}

async_loop *async_runner_get_loop(async_runner *runner) { return loop_of(runner, __func__); }

async_value async_runner_run(async_runner *runner, async_coroutine coro)
{
    async_value v;
    async_loop *loop = loop_of(runner, __func__);
    if (loop_running || loop->closed) {
        async_coro_close(coro);
        return report_refused(ASYNC_RUNTIME_ERROR, "async_runner_run", loop->closed
                              ? "the Runner is closed" : "cannot be called from a running event loop");
    }
    struct task *main = task_start(loop, coro, NULL, "async_runner_run", &v);
    if (!main)
        return v;
    object_pin(&main->coro.object);
    if (loop->context) {                            /* not the first main: it goes on where that was */
        context_release(main->context);
        main->context = context_keep(loop->context);
    }
    v = run_main(loop, main);
    context_release(loop->context);
    loop->context = context_keep(main->context);
    object_unpin(&main->coro.object);
    return v;
}

async_value async_runner_close(async_runner *runner)
{
    async_loop *loop = loop_of(runner, __func__);
    if (loop->closed)
        return async_none;
    async_value v = cancel_all(loop);
    if (v.error != ASYNC_DEADLOCK) {
        async_value closed = async_loop_run_until_complete(loop, async_loop_shutdown_asyncgens(loop));
        loop_close_parts(loop, true);  /* or a thread may have to wait for one that goes on */
        if (!closed.error && loop->threads)
            closed = async_loop_run_until_complete(loop, async_loop_shutdown_default_executor(loop));
        if (!v.error)
            v = closed;
    }
    end(loop);
    return v;
}

async_value async_run(async_coroutine coro) { return async_run_with(coro, (async_run_options){ 0 }); }

async_value async_run_with(async_coroutine coro, async_run_options options)
{
    if (loop_running) {
        async_coro_close(coro);
        return report_refused(ASYNC_RUNTIME_ERROR, "async_run", "async_run() cannot be called from a "
                              "running event loop. Inside a coroutine await what you want to run");
    }
    if (!object_fit(coro, &coroutine_type))
        return report_misuse(coro, "async_run");
    async_runner *runner = async_runner_new();
    if (!runner) {
        int why = errno;
        async_coro_close(coro);
        return async_error(why, async_strf("no event loop can be made: %s", strerror(why)));
    }
    if (options.debug)
        async_loop_set_debug(async_runner_get_loop(runner), true);
    async_value v = async_runner_run(runner, coro);
    if (v.error == ASYNC_DEADLOCK) {                /* nobody is left who could still end */
        end(async_runner_get_loop(runner));
        return v;
    }
    async_value closed = async_runner_close(runner);
    return v.error ? v : closed.error ? closed : v;
}

int async_main(async_coroutine coro) { return async_main_with(coro, (async_run_options){ 0 }); }

int async_main_with(async_coroutine coro, async_run_options options)
{
    async_value v = async_run_with(coro, options);
    fflush(stdout);
    if (v.error == ASYNC_SYSTEM_EXIT)
        return v.num;
    if (v.error == ASYNC_KEYBOARD_INTERRUPT)
        return 130;                                 /* what a shell says of Ctrl-C */
    if (v.error && v.error != ASYNC_DEADLOCK)       /* which has been reported at length */
        fprintf(stderr, "%s: %s\n", async_error_name(v.error), v.message ? v.message : "");
    return v.error ? 1 : 0;
}
