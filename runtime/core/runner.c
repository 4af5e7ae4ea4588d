/* runner.c - asyncio.run and asyncio.Runner: run main, cancel what is left, report, close.
 *
 * Ctrl-C: the first one cancels the main task, so that its clean-ups run; if it then ends with
 * that, the run ends with ASYNC_KEYBOARD_INTERRUPT. A second one ends the process at once. */
#include "core/coro.h"
#include "core/exception.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/task.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    for (size_t i = 0; i < count; i++)
        async_keep(tasks[i]);
    for (size_t i = 0; i < count; i++)
        async_cancel(tasks[i]);
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

static async_loop *volatile to_interrupt;       /* while async_run waits for Ctrl-C; else NULL */

static void on_sigint(int number)
{
    async_loop *loop = to_interrupt;
    to_interrupt = NULL;
    if (loop) {
        poll_interrupt(loop);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static async_loop *volatile to_print;           /* while async_run shows its tasks on SIGUSR1 */

static void on_sigusr1(int number)
{
    (void)number;
    if (to_print)
        poll_ask_tree(to_print);
}

struct borrowed {                   /* a signal that nobody else wanted, while async_run runs */
    int number;
    void (*handler)(int);
    struct sigaction before;
    bool ours;
};

static void borrow(struct borrowed *signal, async_loop *volatile *target, async_loop *loop)
{
    struct sigaction action = { .sa_handler = signal->handler };
    signal->ours = !*target && sigaction(signal->number, NULL, &signal->before) == 0
                   && signal->before.sa_handler == SIG_DFL;
    if (!signal->ours)
        return;
    *target = loop;
    sigaction(signal->number, &action, NULL);
}

static void give_back(struct borrowed *signal, async_loop *volatile *target)
{
    struct sigaction now;
    if (!signal->ours)
        return;
    sigaction(signal->number, NULL, &now);
    if (now.sa_handler == signal->handler)          /* else main has set its own, and keeps it */
        sigaction(signal->number, &signal->before, NULL);
    *target = NULL;
}

static void cancel_main(struct job *job)
{
    future_cancel(&container_of(job, struct interrupt, job)->main->coro.object.future, NULL);
}

/* Runs main with Ctrl-C in our hands, if nobody else wants it. */
static async_value run_main(async_loop *loop, struct task *main)
{
    struct interrupt interrupt = { { .run = cancel_main }, main };
    struct borrowed ctrl_c = { SIGINT, .handler = on_sigint };
    list_init(&interrupt.job.link);
    if (poll_called(loop->poll))  /* perhaps by a Ctrl-C that came as the last main ended */
        poll_wait(loop->poll, 0);
    loop->interrupted = &interrupt.job;
    borrow(&ctrl_c, &to_interrupt, loop);
    async_value v = async_loop_run_until_complete(loop, object_ticket(&main->coro.object));
    bool came = ctrl_c.ours && !to_interrupt;
    give_back(&ctrl_c, &to_interrupt);
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
    async_loop *loop = (async_loop *)runner;
    loop_given(loop, caller);
    return loop;
}

static struct borrowed usr1 = { SIGUSR1, .handler = on_sigusr1 };   /* to the very end: a clean-up may hang, too */

async_runner *async_runner_new(void)
{
    async_loop *loop = async_new_event_loop();
    if (loop && !to_print)
        borrow(&usr1, &to_print, loop);
    return (async_runner *)loop;
}

static void end(async_loop *loop)
{
    if (to_print == loop)
        give_back(&usr1, &to_print);
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
    struct object *object = object_find(coro);
    if (!object || object->future.type != &coroutine_type)
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
