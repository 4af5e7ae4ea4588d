/* loop.h - the event loop: what is ready, what is due when, and the wait in between.
 *
 * One turn, as in asyncio: if nothing is ready, wait for I/O or the next deadline; then append what
 * became due to the ready queue; then run exactly the jobs that are ready at that point. What they
 * make ready waits for the next turn. */
#ifndef LOOP_H
#define LOOP_H

#include "async.h"
#include "core/clock.h"
#include "core/list.h"
#include "core/shuffle.h"
#include "core/timer.h"

struct future;
struct object;
struct task;

/* What the core tells debug mode, and asks it: hooks are there for all loops, this for one. */
struct observer {
    void (*run)(async_loop *loop, struct job *job);             /* runs it, and looks on */
    void (*born)(struct object *object);                        /* the current task has made it */
    void (*raised)(async_value error, const char *place);       /* it leaves a coroutine function with this error */
    const char *(*raised_at)(const struct object *object, async_value error);   /* where it first did; or NULL */
    const char *(*origin)(const struct object *object);         /* ", by task 'Task-1' (main)", and by whom that
                                                                   was made; "" if it does not know */
    void (*check_thread)(async_loop *loop, const char *caller); /* ends the program if this is another thread */
};

struct async_loop {
    struct list ready;          /* jobs for the next turn, first come first served */
    struct list batch;          /* what is left of this turn */
    struct timers timers;
    struct clock clock;
    struct shuffle shuffle;     /* off, unless ASYNC_SHUFFLE says otherwise */
    struct task *current;       /* the task whose step runs, or NULL */
    struct list tasks;          /* all that are not done, oldest first */
    struct list parts;          /* what ends with it, the newest first */
    struct list generators;     /* asynchronous ones that are started and not over */
    async_value left_with;      /* an error that leaves the loop at once (Ctrl-C, exit), or none */
    async_exception_fn *on_exception;
    struct context *context;    /* that a runner's mains have in common: what the last one left, or NULL */
    unsigned watched;           /* waits that only the outside can end: they hold a virtual clock */
    unsigned listening;         /* waits for what may never come: signals, clients, data from ourselves */
    struct poll *poll;          /* libev, which waits for files, signals and other threads */
    void (*look)(async_loop *loop, int64_t until);      /* called when there is a moment, and the next will be
                                                           at `until` (INT64_MAX: who knows) */
    void (*failed)(struct object *object);              /* called when it ends with an error: will somebody ask? */
    void (*unasked)(struct object *object);             /* and when nobody will any more, whatever it ended with */
    void (*print)(async_loop *loop);                    /* its tasks, as SIGUSR1 asks */
    void (*stuck)(async_loop *loop);                    /* called when nothing can ever happen again */
    struct observer *debug;     /* its debug mode, or NULL */
    struct forgotten *forgotten;    /* what nobody awaits or asks for; NULL: nothing */
    unsigned threads;           /* for blocking calls: how many; all idle while nothing is watched */
    struct job *interrupted;    /* made ready by Ctrl-C, or NULL */
    unsigned unpolled;          /* turns since we last looked at the clock and the outside */
    unsigned patience;          /* how many turns we dare not to */
    bool running, stopping, closed, deadlocked;
    bool eager;                 /* a task that is made begins at once */
};

/* Something that a loop has beside its tasks, threads or a subprocess or a watcher: until it ends, or the loop does.
 * close is called when it has been taken off the list. */
struct part {
    struct list link;
    void (*close)(struct part *part);
    bool is_process;            /* threads may wait for its end */
};

extern _Thread_local async_loop *loop_running;      /* of this thread, or NULL */

static inline void loop_ready(async_loop *loop, struct job *job)    /* run it in the next turn */
{
    list_append(&loop->ready, &job->link);
}

static inline void loop_has(async_loop *loop, struct part *part) { list_prepend(&loop->parts, &part->link); }

/* The one with this close; if there is none it is made, of so many bytes, zeroes behind it. NULL: no memory. */
struct part *loop_part(async_loop *loop, void (*close)(struct part *part), size_t size);

void loop_close_parts(async_loop *loop, bool only_processes);   /* the newest first */

/* Of timer.h's errands: what the loop runs, which errand a job is (NULL: none), and a new one. */
void errand_run(struct job *job);
struct errand *errand_of(struct job *job);
static inline struct errand errand_new(void (*run)(struct errand *errand), void (*drop)(struct errand *errand))
{
    return (struct errand){ { .run = errand_run }, run, drop };
}

/* Runs timer->job once `when` has come; the caller has set job.run. False: no memory. */
bool ASYNC_MUST_USE loop_timer_start(async_loop *loop, struct timer *timer, int64_t when);
void loop_timer_stop(async_loop *loop, struct timer *timer);    /* also if it is ready already */

int64_t loop_now(async_loop *loop);     /* a fresh reading of its clock, in nanoseconds */

/* Ctrl-C and exit are not handed to anybody: they leave the loop with this error, in the middle of
 * the turn; the rest stays ready. False: it is another error. */
bool loop_leave_with(async_loop *loop, async_value error);

void loop_drop(struct list *jobs);      /* for closing: takes all of them off this list, and drops errands */

/* Runs turns until `stopping`. Error ASYNC_DEADLOCK when nothing is ready and nothing can come. */
async_value loop_run(async_loop *loop);

#endif
