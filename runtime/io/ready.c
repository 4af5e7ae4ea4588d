/* ready.c - a task that waits until a descriptor can be read, or written. */
#include "core/step.h"
#include "io/io.h"

struct readiness {                  /* on the stack of the task that waits */
    struct job job;
    struct future future;
    struct watch *watch;            /* NULL once the wait is over */
    bool kept;                      /* the watch rests then, and is not gone */
};

static void stop_watching(struct readiness *readiness)
{
    if (readiness->watch && readiness->kept)
        watch_rest(readiness->watch);
    else
        unwatch(&readiness->watch);
    readiness->watch = NULL;
}

static void forget(struct future *future) { stop_watching(container_of(future, struct readiness, future)); }

static const struct future_type readiness_type = {
    .name = "I/O", .cancel = future_cancel_plain, .unnamed = true, .forget = forget
};

static void is_ready(struct job *job)
{
    struct readiness *readiness = container_of(job, struct readiness, job);
    stop_watching(readiness);
    future_set(&readiness->future, async_none);
}

async_value ready_wait(struct watch **kept, int fd, bool for_writing, bool external)
{
    struct readiness readiness = { .job.run = is_ready, .watch = kept ? *kept : NULL, .kept = kept };
    if (!task_current())
        return report_no_task();
    future_init(&readiness.future, &readiness_type, loop_running);
    if (readiness.watch)
        watch_again(readiness.watch, &readiness.job);
    else
        readiness.watch = watch_fd(loop_running, fd, for_writing, external, &readiness.job);
    if (!readiness.watch)
        return async_error(ENOMEM, "no memory to wait for a descriptor");
    if (kept)
        *kept = readiness.watch;
    async_value v = task_wait(&readiness.future);
    stop_watching(&readiness);
    return v;
}

void ready_end(struct watch *kept)
{
    struct job *job = kept ? watch_job(kept) : NULL;
    if (job)
        is_ready(job);
}
