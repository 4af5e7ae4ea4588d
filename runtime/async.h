/* async.h - asyncio's ideas in C: coroutines, tasks and futures on one event loop.
 *
 * Two naming rules: asyncio.f(x) is async_f(x), and task.m() is async_m(task), for tasks and
 * futures alike. Other classes keep their noun: async_loop_stop(loop). One bare word: await.
 *
 * Who owns what (a program frees nothing that comes from here):
 *   1. A handle is a ticket, not a pointer to memory. What it stood for may be long gone: that it
 *      has ended is known for good, so async_done says true and cancelling or closing it does nothing.
 *   2. A coroutine object is used up by the first await, create_task, gather, ... it is given to. Once its
 *      maker has ended, or a million others wait as well, it is forgotten, and there until 1,024 more are.
 *   3. A value is there until it was taken (await, gather, async_result, async_exception), and until
 *      64 more, or as many as were ever alive at once, have been taken as well; 65,536 if nobody
 *      asks; or for as long as you async_keep its handle.
 *   4. Text (async_text, async_strf) and memory from async_alloc are there until each task has ended that
 *      made them, awaited who had them, or got them from a queue, a future or a context; a result's own text
 *      as long as the result. A task that never ends gives back what it is done with: async_free. What is
 *      made outside of tasks goes with the program.
 * Misuse ends in a sentence that names the task, the file and the line. Where the caller can
 * receive an error it is an error value, elsewhere the program stops with abort().
 *
 * A handle is NULL where memory ran out. NULL may be given to every call that takes an awaitable;
 * awaiting it gives the error ENOMEM. Times are in seconds. Nothing here may be called from
 * another thread than the loop's.
 *
 * Contents, each a section below:
 *   running it all                             streams and servers
 *   values and errors                          threads, for what blocks
 *   coroutines                                 processes, for what computes or is there
 *   tasks and futures                          the loop, and watching it
 *   context variables                          the fine print
 *   waiting, with a limit
 *   iterators and generators
 *   queues, locks and the like */
#ifndef ASYNC_H
#define ASYNC_H

#if __SIZEOF_POINTER__ != 8
#error "evlings needs a 64-bit machine: 32 bits are too few for a handle to tell one task from all later ones"
#endif

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#define ASYNC_MUST_USE __attribute__((warn_unused_result))
#define ASYNC_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* --------------------------------------------------------------------- running it all */

typedef struct async_value async_value;         /* a value or an error: the next section */

/* Anything that can be awaited: a coroutine object, a task, a future. One type, as in Python;
 * the other names only say what a variable is meant to hold. */
typedef struct async_ticket *async_awaitable;
typedef async_awaitable async_coroutine, async_task, async_future;

/* The last line of main(), return async_main(async_coro(my_main)): async_run, with an error that comes out
 * printed to stderr. Gives the exit status: 0, 1 after an error, 130 after Ctrl-C, or that of async_exit. */
int async_main(async_coroutine coro) ASYNC_MUST_USE;

/* asyncio.run(coro): makes a loop, runs the coroutine as its main task, cancels what is left and
 * waits for it, closes the loop. Gives what main gave. Ctrl-C cancels main, so that its clean-ups
 * run; if it ends with that the error is ASYNC_KEYBOARD_INTERRUPT. The environment is read when a loop is
 * made: with ASYNC_CLOCK=virtual time jumps to the next deadline whenever nothing is ready; it begins
 * at 0, or with ASYNC_CLOCK=virtual:1000 at 1000 s. */
async_value async_run(async_coroutine coro) ASYNC_MUST_USE;

/* The same with options: async_run(coro, .debug = true), and async_main likewise. */
typedef struct async_run_options {
    bool debug;                         /* asyncio.run(main(), debug=True); see async_loop_set_debug */
} async_run_options;
async_value async_run_with(async_coroutine coro, async_run_options options) ASYNC_MUST_USE;
int async_main_with(async_coroutine coro, async_run_options options) ASYNC_MUST_USE;

/* ------------------------------------------------------------------ values and errors */

/* What a coroutine gives back: a value, or the error that it ended with. `error` tells which:
 * 0, one of enum async_error_code, any errno, or a number of your own from ASYNC_USER_ERROR on.
 * With an error, `message` is its text (or NULL). Comes back in two registers. */
struct async_value {
    int error;
    union {
        void *ptr;
        const char *str;
        long num;
        double real;
        const char *message;
    };
};

/* Python's exceptions. They stand clear of errno. */
enum async_error_code {
    ASYNC_CANCELLED = 100001,    /* asyncio.CancelledError */
    ASYNC_TIMEOUT,               /* TimeoutError */
    ASYNC_INVALID_STATE,         /* asyncio.InvalidStateError */
    ASYNC_RUNTIME_ERROR,         /* RuntimeError: a call that makes no sense here */
    ASYNC_VALUE_ERROR,           /* ValueError */
    ASYNC_TYPE_ERROR,            /* TypeError */
    ASYNC_DEADLOCK,              /* nothing can ever happen again (asyncio would hang) */
    ASYNC_QUEUE_FULL,            /* asyncio.QueueFull */
    ASYNC_QUEUE_EMPTY,           /* asyncio.QueueEmpty */
    ASYNC_QUEUE_SHUT_DOWN,       /* asyncio.QueueShutDown */
    ASYNC_BROKEN_BARRIER,        /* asyncio.BrokenBarrierError */
    ASYNC_GROUP,                 /* ExceptionGroup: several errors, see async_group_errors */
    ASYNC_STOP_ITERATION,        /* StopAsyncIteration: an iterator is at its end */
    ASYNC_GENERATOR_EXIT,        /* GeneratorExit: a generator is being closed */
    ASYNC_KEYBOARD_INTERRUPT,    /* KeyboardInterrupt: Ctrl-C; leaves the loop at once */
    ASYNC_SYSTEM_EXIT,           /* SystemExit: leaves the loop at once; `num` is the status */
    ASYNC_INCOMPLETE_READ,       /* asyncio.IncompleteReadError */
    ASYNC_LIMIT_OVERRUN,         /* asyncio.LimitOverrunError */
    ASYNC_USER_ERROR = 200001,   /* the first number that is free for programs */
};

static const async_value async_none = { .error = 0 };       /* None */

static inline async_value async_ptr(void *ptr) { return (async_value){ .ptr = ptr }; }
static inline async_value async_str(const char *str) { return (async_value){ .str = str }; }
static inline async_value async_num(long num) { return (async_value){ .num = num }; }
static inline async_value async_real(double real) { return (async_value){ .real = real }; }

/* An error value. `message` must outlive it: a literal, or text from async_strf. */
static inline async_value async_error(int error, const char *message)
{
    return (async_value){ .error = error, .message = message };
}

/* raise SystemExit(status): returned by a coroutine or callback it ends the loop, and async_main
 * gives that status. */
static inline async_value async_exit(long status)
{
    return (async_value){ .error = ASYNC_SYSTEM_EXIT, .num = status };
}

/* The name of an error as Python spells it ("CancelledError", "ValueError"), strerror's text for
 * an errno, what a bridge calls its own ("IntegrityError"), "Error" for a program's. Never NULL, never freed. */
const char *async_error_name(int error);

/* Formatted text, as f"..." or sprintf makes it, that the current task has (rule 4 above); NULL when memory ran
 * out. The second is a value to return, return f"...": the await's `str`; or the error ENOMEM. */
const char *async_strf(const char *format, ...) ASYNC_PRINTF(1, 2) ASYNC_MUST_USE;
async_value async_text(const char *format, ...) ASYNC_PRINTF(1, 2) ASYNC_MUST_USE;

/* `size` bytes, zeroed, that the current task has (rule 4): unlike a bare malloc they don't leak when an
 * await in between ends the coroutine. Who gets them from a queue or a future has them, too, but not
 * the texts that a pointer in them names. NULL when memory ran out. */
void *async_alloc(size_t size) ASYNC_MUST_USE;

/* The current task is done with what async_strf or async_alloc gave, here or in another task from which it
 * has it: for a task that makes texts, or gets some from a queue, in a loop that never ends. It goes once
 * nobody has it. NULL is fine. */
void async_free(const void *bytes);

/* ------------------------------------------------------------------------ coroutines */

/* A coroutine function: gets its arguments, may await, returns a value or an error. */
typedef async_value async_fn(void *args);

typedef struct async_loop async_loop;

/* A call that has not happened yet: fn(...) of an `async def`. The arguments are the fields of a
 * struct that bears the function's name, and are copied into the object:
 *     struct nap { long id; double seconds; };
 *     async_coro(nap, .id = 1, .seconds = 3)
 * Without arguments fn gets a pointer to zeroes. Nothing runs until the object is awaited or made
 * a task; one that never is gets reported, with its place, when the task that made it has ended. */
#define async_coro(fn, ...) (async_note(ASYNC_HERE), async_coro_new(ASYNC_CALL(fn __VA_OPT__(,) __VA_ARGS__)))

#define ASYNC_CALL(fn, ...) (async_call){ .call = fn, .name = #fn \
    __VA_OPT__(, .size = sizeof(struct fn), .args = &(struct fn){ __VA_ARGS__ }) }
typedef struct async_call {      /* what async_coro gathers; see there */
    async_fn *call;
    const char *name;
    const void *args;
    size_t size;
} async_call;
async_coroutine async_coro_new(async_call call) ASYNC_MUST_USE;

/* coro.close(): drops an object that is not wanted after all; nothing of it runs or is reported. */
void async_coro_close(async_coroutine coro);

/* The kind of thing behind a handle: "coroutine", "Task", "Future", ...; type(x).__name__. */
const char *async_type_name(async_awaitable x);

/* await x: waits, gives the value; an error is not returned here but by the function around it,
 * as a Python exception would leave it. A coroutine runs as a plain call on this stack, so the
 * loop gets a turn only if something inside really waits; a task or future that is not done
 * suspends this task until it is; one that is done gives its outcome at once. What belongs to the
 * thread belongs to all its tasks, and may be another after an await: errno, the locale, how floating
 * point rounds. Who sets such a thing puts it back before it awaits. */
#define await(x) ({ async_value async_got_ = async_catch(x); \
    if (async_got_.error) return async_leave(async_got_); \
    async_got_; })

/* try: await x. Waits as `await` does and gives value or error to look at. Re-raise: return it; out
 * of an async_with block return async_leave(it), for only then its exit function sees the error. */
async_value async_catch(async_awaitable x);

/* raise: ends the coroutine function around it with this error. */
#define async_raise(error, message) return async_leave(async_error(error, message))

/* async with: a variable whose exit function is called with its address on every way out of the
 * block: at its end, by return, by an error or a cancellation that await passes on. Several are
 * left in reverse order. An exit function may wait (with async_catch, as it returns nothing):
 *     async_with(connection_exit) struct connection *c = await(connect(...)).ptr;
 * Inside it async_leaving() is the error that await or async_raise leaves the function with, or
 * async_none; async_leave_with() makes the function end with something else: another error, or
 * async_none to suppress it. Where Python would go on behind the block, C leaves the function. */
#define async_with(exit) __attribute__((cleanup(exit), unused))
async_value async_leaving(void);
void async_leave_with(async_value outcome);

/* Notes the error with which the current coroutine function is being left; returns it. What await
 * and async_raise are made of. */
async_value async_leave(async_value error);
async_value async_leave_at(async_value error, const char *place);

/* asyncio.sleep(seconds), sleep(seconds, result): the second await gives `result`. Zero or less gives up one turn of
 * the loop and makes no timer. */
async_awaitable async_sleep(double seconds) ASYNC_MUST_USE;
async_awaitable async_sleep_result(double seconds, async_value result) ASYNC_MUST_USE;

/* ----------------------------------------------------------------- tasks and futures */

/* asyncio.create_task(coro), create_task(coro, name=...): runs it concurrently, from the next turn of the loop on. To
 * let it run without ever awaiting it, say so: async_detach(async_create_task(...)). The name is copied; without one
 * a task is "Task-1", "Task-2", ...
 *
 * A task has a stack of 256 KiB for all the functions that it is in, and so has a generator. Endless
 * recursion, or a local array that is too large, ends the program with a sentence. Code that make does
 * not compile needs -fstack-clash-protection for that, or a large array may miss the stack's end. */
async_task async_create_task(async_coroutine coro) ASYNC_MUST_USE;
async_task async_create_task_named(async_coroutine coro, const char *name) ASYNC_MUST_USE;

/* create_task(coro, eager_start=True): its first step is now, before this returns, up to where it waits;
 * one that never waits is done then, and no turn of the loop is lost. The other is
 * loop.set_task_factory(asyncio.eager_task_factory): from now on create_task, gather, task groups and the like make
 * all their tasks so. Lessons 4 and 5 count on the turn in between: a program that needs an order says so. */
async_task async_create_task_eager(async_coroutine coro) ASYNC_MUST_USE;
void async_loop_set_eager_task_factory(async_loop *loop, bool on);

/* Nobody will ask for this task: it is collected as soon as it is done, and an error that it ends
 * with is reported at once. Python has no twin; there a task one forgets may vanish. */
void async_detach(async_task task);

/* asyncio.Future(): a result that somebody will set. Belongs to the running loop. */
async_future async_create_future(void) ASYNC_MUST_USE;
async_future async_loop_create_future(async_loop *loop) ASYNC_MUST_USE;    /* loop.create_future() */

/* Keeps a handle good until async_release, however long after its outcome was taken: what holding
 * a reference does in Python. What is never released goes with its loop. */
void async_keep(async_awaitable x);
void async_release(async_awaitable x);

/* future.set_result, future.set_exception: finishes it and queues its waiters. Give the value or
 * an async_error. Returns async_none, or the error ASYNC_INVALID_STATE if it was done already, or
 * ASYNC_RUNTIME_ERROR for a task, whose result is what its coroutine returns. */
async_value async_set_result(async_future future, async_value value);
async_value async_set_exception(async_future future, async_value error);

bool async_done(async_task x);          /* task.done() */
bool async_cancelled(async_task x);     /* task.cancelled() */

/* task.result(), task.exception(): what it ended with; the first gives value or error, the second
 * only the error, or async_none. Error ASYNC_INVALID_STATE while it is not done. */
async_value async_result(async_task x);
async_value async_exception(async_task x);

/* task.cancel(): asks; the task gets ASYNC_CANCELLED at its await, in a later turn. False if it
 * was done already. The message (copied, or NULL) travels with the error. */
bool async_cancel(async_task x);
bool async_cancel_msg(async_task x, const char *message);
int async_cancelling(async_task task);  /* task.cancelling(): requests so far */
int async_uncancel(async_task task);    /* task.uncancel(): one request fewer; what is left */

/* task.get_name(), task.set_name(): the text belongs to the task; set_name copies. */
const char *async_get_name(async_task task);
void async_set_name(async_task task, const char *name);

/* asyncio.current_task(): NULL inside a callback and outside of a loop. */
async_task async_current_task(void);

/* asyncio.all_tasks(loop): writes up to `room` handles of tasks that are not done, oldest first;
 * returns how many there are, which may be more. The first form is for the running loop. */
size_t async_all_tasks(async_task *tasks, size_t room);
size_t async_loop_all_tasks(async_loop *loop, async_task *tasks, size_t room);

/* What a task does just now. Texts last until the task goes on. */
typedef struct async_task_info {
    const char *name;
    const char *coroutine;              /* the function that it was made of */
    const char *created_at;             /* "file:line" */
    const char *waits_for;              /* "async_sleep", "Queue", "Task", "Future", ...; NULL: nothing */
    const char *waits_at;               /* "file:line" of that await, or of its last one */
    async_awaitable awaited;            /* the task, future, queue, ... if it has a handle, or NULL */
    bool is_task;                       /* `awaited` is a task */
    bool started, done;
} async_task_info;
async_task_info async_get_task_info(async_task task);

/* future.add_done_callback(fn): called through the loop, with `arg`, once x is done. An error it
 * returns goes to the loop's exception handler. Returns async_none or ENOMEM. remove_done_callback(fn) takes all of
 * them back, whatever their arg; returns how many. */
typedef async_value async_done_fn(async_future future, void *arg);
async_value async_add_done_callback(async_future x, async_done_fn *fn, void *arg);
size_t async_remove_done_callback(async_future x, async_done_fn *fn);

/* asyncio.gather(...): all at once, results in the order of the arguments. Coroutines are made
 * tasks here and now. The array (one place for each, which the compiler checks where it knows the
 * size; or NULL) is written when the gather is awaited. The first error comes out of that await at
 * once; the others run on. Cancelling the gather cancels them all. The second form is
 * gather(..., return_exceptions=True): it waits for all, and errors stand in the array like values. The third is
 * gather(*list), which is read before this returns. */
#define async_gather(results, ...)            ASYNC_GATHER(false, results, __VA_ARGS__)
#define async_gather_exceptions(results, ...) ASYNC_GATHER(true, results, __VA_ARGS__)
async_future async_gather_list(async_value *results, const async_awaitable *list, size_t count,
                               bool return_exceptions) ASYNC_MUST_USE;

/* ------------------------------------------------------------------- context variables */

/* contextvars.ContextVar(name, default=...): a value that goes with the task, so that what is called far
 * below finds it and nobody in between has to hand it on; the id of a request for each line of a log:
 *     static async_contextvar request = { "request", .initial = { .str = "-" } };
 * `initial` is what get gives where nobody has set it. A task begins with a copy of what its maker had, and
 * so do a callback (of whoever booked it) and a function of async_to_thread, which may get and set, too. What
 * they set then is their own. The variable must last as long as its program. */
typedef struct async_contextvar {
    const char *name;
    async_value initial;
} async_contextvar;

/* var.get(), var.set(value): a text is there until each task has ended that had it (rule 4). The token
 * puts back what was there before: var.reset(token), once, in the task that set it, or else the error
 * ASYNC_RUNTIME_ERROR or ASYNC_VALUE_ERROR; at the end of a block (3.14: with var.set(...)) it is
 *     async_with(async_token_exit) async_token token = async_contextvar_set(&request, async_num(7));
 * Nothing has to be done with it. Its `error` is set if memory ran out, or `value` is an error. */
typedef struct async_token {
    const async_contextvar *var;        /* NULL once it is used */
    async_value before;
    async_task task;                    /* whose it is */
    async_value error;
} async_token;
async_value async_contextvar_get(const async_contextvar *var);
async_token async_contextvar_set(const async_contextvar *var, async_value value);
async_value async_contextvar_reset(const async_contextvar *var, async_token *token);
void async_token_exit(async_token *token);

/* ---------------------------------------------------------------- waiting, with a limit */

#define ASYNC_NO_TIMEOUT __builtin_inf()        /* timeout=None */

enum async_return_when { ASYNC_FIRST_COMPLETED, ASYNC_FIRST_EXCEPTION, ASYNC_ALL_COMPLETED };

/* asyncio.wait(tasks, timeout, return_when): the await gives how many are done (num), and has sorted
 * the array: those first, then the pending ones, each in their former order. Raises no error of a
 * task and cancels none. The array must last until then. Error ASYNC_VALUE_ERROR if it is empty. */
async_awaitable async_wait(async_task *tasks, size_t count, double timeout,
                           enum async_return_when return_when) ASYNC_MUST_USE;

/* asyncio.wait_for(x, timeout): what x gives, or ASYNC_TIMEOUT after x was cancelled and has ended.
 * A coroutine runs in the calling task; with a timeout of 0 or less it never starts. */
async_awaitable async_wait_for(async_awaitable x, double timeout) ASYNC_MUST_USE;

/* asyncio.timeout(seconds), timeout_at(when): from here to the end of the block; what it cuts short
 * ends the function around it with ASYNC_TIMEOUT.
 *     async_with(async_timeout_exit) async_timeout_scope *scope = async_timeout(2);
 * async_timeout_leave is the exit for code that looks at outcomes itself: it is given how the block
 * ended and gives how it goes on. NULL when memory ran out; then leaving gives ENOMEM. */
typedef struct async_timeout_scope async_timeout_scope;
async_timeout_scope *async_timeout(double seconds) ASYNC_MUST_USE;
async_timeout_scope *async_timeout_at(double when) ASYNC_MUST_USE;
void async_timeout_exit(async_timeout_scope **scope);
async_value async_timeout_leave(async_timeout_scope *scope, async_value outcome);

/* timeout.reschedule(when): on the loop's clock; an error once the block is over or cut short. */
async_value async_timeout_reschedule(async_timeout_scope *scope, double when);
bool async_timeout_expired(async_timeout_scope *scope);
double async_timeout_when(async_timeout_scope *scope);

/* asyncio.shield(x): a future with x's outcome; cancelling it, or who awaits it, leaves x alone. */
async_future async_shield(async_awaitable x) ASYNC_MUST_USE;

/* asyncio.TaskGroup(): tasks that have all ended before the function goes on.
 *     async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
 *     async_task task = async_taskgroup_create_task(group, coro);
 *     await(async_taskgroup_join(group));                      the end of the block
 * When one fails the others and this task are cancelled; join then raises ASYNC_GROUP with all the
 * errors. Left without a join the group waits as well, at a return; where await or async_raise pass
 * an error on it cancels its tasks first. A task that can no longer be added is a future that holds
 * the RuntimeError. async_taskgroup_leave: as async_timeout_leave. */
typedef struct async_taskgroup async_taskgroup;
async_taskgroup *async_taskgroup_enter(void) ASYNC_MUST_USE;
async_task async_taskgroup_create_task(async_taskgroup *group, async_coroutine coro);
async_task async_taskgroup_create_task_named(async_taskgroup *group, async_coroutine coro,
                                             const char *name);     /* create_task(coro, name=...) */
async_awaitable async_taskgroup_join(async_taskgroup *group) ASYNC_MUST_USE;
void async_taskgroup_exit(async_taskgroup **group);
async_value async_taskgroup_leave(async_taskgroup *group, async_value outcome);

/* group.exceptions: writes up to `room` of the errors in an ASYNC_GROUP; returns how many it has. */
size_t async_group_errors(async_value error, async_value *parts, size_t room);

/* ------------------------------------------------------------- iterators and generators */

/* An asynchronous iterator: `next` is its __anext__, a coroutine function that gets `state` and
 * returns the next value, or the error ASYNC_STOP_ITERATION. */
typedef struct async_iterator {
    async_fn *next;
    void *state;
} async_iterator;

async_awaitable async_anext(async_iterator iterator) ASYNC_MUST_USE;    /* anext(iterator) */

/* async for: async_for (value, iterator) { ... value.num ... }
 * An error other than the end leaves the function, as with await. */
#define async_for(value, ...) \
    for (async_iterator async_over_ = (__VA_ARGS__), *async_once_ = &async_over_; async_once_; \
         async_once_ = NULL) \
        for (async_value value; ({ value = async_catch(async_anext(async_over_)); \
            if (value.error && value.error != ASYNC_STOP_ITERATION) \
                return async_leave(value); \
            !value.error; });)

/* Calling an `async def` with yield in it: like async_coro, but gives an iterator. fn hands out
 * values with async_yield and may await in between. Leaving async_for early does not close it:
 *     async_with(async_aclose_exit) async_iterator numbers = async_generator(count, .from = 1); */
#define async_generator(fn, ...) \
    (async_note(ASYNC_HERE), async_generator_new(ASYNC_CALL(fn __VA_OPT__(,) __VA_ARGS__)))
async_iterator async_generator_new(async_call call) ASYNC_MUST_USE;

/* yield: hands a value to the consumer and stops until the next one is asked for. Leaves the
 * function with ASYNC_GENERATOR_EXIT when the generator is closed. */
#define async_yield(...) do { async_value async_got_ = async_yield_value(__VA_ARGS__); \
    if (async_got_.error) return async_leave(async_got_); } while (0)
async_value async_yield_value(async_value value);

/* generator.aclose(): ends it at its yield; its clean-ups run and may wait. async_run does it for
 * those that are left, all at once. */
async_awaitable async_aclose(async_iterator generator) ASYNC_MUST_USE;
void async_aclose_exit(async_iterator *generator);
async_awaitable async_loop_shutdown_asyncgens(async_loop *loop) ASYNC_MUST_USE;

/* asyncio.as_completed(list, timeout): an iterator over the tasks (ptr is the handle) in the order
 * in which they end. After the timeout each further step raises ASYNC_TIMEOUT. The list is read
 * before this returns; a task that stands there twice comes once. */
async_iterator async_as_completed(const async_awaitable *list, size_t count,
                                  double timeout) ASYNC_MUST_USE;

/* -------------------------------------------------------------- queues, locks and the like */

/* These belong to the task that makes them, and to who awaits that. A constructor
 * gives NULL when memory ran out or the argument makes no sense. Calls that return an async_value
 * do not wait: they return async_none or an error. */

/* asyncio.Queue(maxsize): 0 or less, no limit. Waiting getters and putters are served in order. A text in
 * a queue is there until whoever gets it has ended (rule 4). */
typedef struct async_queue async_queue;
async_queue *async_queue_new(long maxsize) ASYNC_MUST_USE;
async_queue *async_lifo_queue_new(long maxsize) ASYNC_MUST_USE;

/* asyncio.PriorityQueue: the smallest first, by `less`, or by .num if that is NULL. */
typedef bool async_less_fn(async_value a, async_value b);
async_queue *async_priority_queue_new(long maxsize, async_less_fn *less) ASYNC_MUST_USE;

async_awaitable async_queue_put(async_queue *queue, async_value item) ASYNC_MUST_USE;
async_awaitable async_queue_get(async_queue *queue) ASYNC_MUST_USE;
async_value async_queue_put_nowait(async_queue *queue, async_value item);   /* ASYNC_QUEUE_FULL */
async_value async_queue_get_nowait(async_queue *queue);         /* the item, or ASYNC_QUEUE_EMPTY */
async_value async_queue_task_done(async_queue *queue);          /* ASYNC_VALUE_ERROR: one too many */
async_awaitable async_queue_join(async_queue *queue) ASYNC_MUST_USE;
void async_queue_shutdown(async_queue *queue, bool immediate);  /* then ASYNC_QUEUE_SHUT_DOWN */
size_t async_queue_qsize(async_queue *queue);
size_t async_queue_maxsize(async_queue *queue);
bool async_queue_empty(async_queue *queue);
bool async_queue_full(async_queue *queue);

/* asyncio.Lock. async with lock: await(async_lock_acquire(lock)), then
 *     async_with(async_lock_exit) async_lock *held = lock; */
typedef struct async_lock async_lock;
async_lock *async_lock_new(void) ASYNC_MUST_USE;
async_awaitable async_lock_acquire(async_lock *lock) ASYNC_MUST_USE;
async_value async_lock_release(async_lock *lock);       /* ASYNC_RUNTIME_ERROR: not acquired */
bool async_lock_locked(async_lock *lock);
void async_lock_exit(async_lock **lock);

/* asyncio.Event. */
typedef struct async_event async_event;
async_event *async_event_new(void) ASYNC_MUST_USE;
void async_event_set(async_event *event);
void async_event_clear(async_event *event);
bool async_event_is_set(async_event *event);
async_awaitable async_event_wait(async_event *event) ASYNC_MUST_USE;

/* asyncio.Condition(lock): over a lock of its own if that is NULL. */
typedef struct async_condition async_condition;
typedef bool async_predicate_fn(void *arg);
async_condition *async_condition_new(async_lock *lock) ASYNC_MUST_USE;
async_awaitable async_condition_acquire(async_condition *condition) ASYNC_MUST_USE;
async_value async_condition_release(async_condition *condition);
bool async_condition_locked(async_condition *condition);
async_awaitable async_condition_wait(async_condition *condition) ASYNC_MUST_USE;
async_awaitable async_condition_wait_for(async_condition *condition, async_predicate_fn *predicate,
                                         void *arg) ASYNC_MUST_USE;
async_value async_condition_notify(async_condition *condition, size_t count);
async_value async_condition_notify_all(async_condition *condition);
void async_condition_exit(async_condition **condition);

/* asyncio.Semaphore(permits), BoundedSemaphore. NULL if permits is negative. */
typedef struct async_semaphore async_semaphore;
async_semaphore *async_semaphore_new(long permits) ASYNC_MUST_USE;
async_semaphore *async_bounded_semaphore_new(long permits) ASYNC_MUST_USE;
async_awaitable async_semaphore_acquire(async_semaphore *semaphore) ASYNC_MUST_USE;
async_value async_semaphore_release(async_semaphore *semaphore);    /* ASYNC_VALUE_ERROR: bounded */
bool async_semaphore_locked(async_semaphore *semaphore);
void async_semaphore_exit(async_semaphore **semaphore);

/* asyncio.Barrier(parties): wait gives the index of arrival (num), or ASYNC_BROKEN_BARRIER. */
typedef struct async_barrier async_barrier;
async_barrier *async_barrier_new(long parties) ASYNC_MUST_USE;
async_awaitable async_barrier_wait(async_barrier *barrier) ASYNC_MUST_USE;
async_awaitable async_barrier_reset(async_barrier *barrier) ASYNC_MUST_USE;
async_awaitable async_barrier_abort(async_barrier *barrier) ASYNC_MUST_USE;
long async_barrier_n_waiting(async_barrier *barrier);
bool async_barrier_broken(async_barrier *barrier);

/* ------------------------------------------------------------------- streams and servers */

/* StreamReader and StreamWriter in one. Errors are the system's errno with a message that names the
 * connection. A stream belongs to the task that opened it and is closed with it at the latest. */
typedef struct async_stream async_stream;

/* loop.getaddrinfo(host, port, type=SOCK_STREAM): looks a name up in a thread. The value's ptr is the
 * first struct addrinfo (<netdb.h>) of a list like the C library's, in memory of the task, so it is
 * not for freeaddrinfo. host NULL: every interface, to listen on. ENOENT if nobody knows the name,
 * ASYNC_VALUE_ERROR for a port beyond 65535. The text must last until this is awaited. */
async_awaitable async_getaddrinfo(const char *host, int port) ASYNC_MUST_USE;

/* asyncio.open_connection(host, port), open_unix_connection(path): the value's ptr is the stream. The host is looked
 * up as by async_getaddrinfo, and the text must last until this is awaited. */
async_awaitable async_open_connection(const char *host, int port) ASYNC_MUST_USE;
async_awaitable async_open_unix_connection(const char *path) ASYNC_MUST_USE;

/* Reading. The value's str (or ptr) is what was read, followed by a 0; it lies in the stream's buffer
 * and lasts until the next read from this stream. *length (may be NULL) is set to its length, and
 * must last until the read is awaited. One task at a time may read.
 *   read(n)            1 to n bytes, as soon as there are any; at the end "", whose length is 0, and never
 *                      NULL; n = 0: all, until the end
 *   readline()         a line with its \n; at the end what is left, then ""; of one beyond 64 KiB
 *                      what has come is thrown away: ASYNC_LIMIT_OVERRUN, and the next read gives
 *                      the rest, as in Python
 *   readuntil(text)    up to and including that; ASYNC_LIMIT_OVERRUN beyond 64 KiB
 *   readexactly(n)     n bytes, or ASYNC_INCOMPLETE_READ; what there was is still there to be read */
async_awaitable async_stream_read(async_stream *stream, size_t n, size_t *length) ASYNC_MUST_USE;
async_awaitable async_stream_readline(async_stream *stream, size_t *length) ASYNC_MUST_USE;
async_awaitable async_stream_readuntil(async_stream *stream, const char *separator,
                                       size_t *length) ASYNC_MUST_USE;
async_awaitable async_stream_readexactly(async_stream *stream, size_t n) ASYNC_MUST_USE;
bool async_stream_at_eof(async_stream *stream);

/* async for line in reader: async_for (line, async_stream_lines(stream)) { ... line.str ... }, each with
 * its \n, until the end. */
async_iterator async_stream_lines(async_stream *stream);

/* Standard input as a stream to read from, which in asyncio takes loop.connect_read_pipe(sys.stdin). What
 * stdio has read ahead is not in it. NULL when memory ran out, or there is no standard input. */
async_stream *async_stdin(void) ASYNC_MUST_USE;

/* writer.write(bytes), of text: copies and does not wait; an error if the connection is broken or
 * closed. writer.drain() waits while more than 64 KiB are waiting to be sent, and raises what broke
 * the connection: call it after each write, it is what slows a fast writer down. */
async_value async_stream_write(async_stream *stream, const void *bytes, size_t length);
async_value async_stream_puts(async_stream *stream, const char *text);
async_awaitable async_stream_drain(async_stream *stream) ASYNC_MUST_USE;
void async_stream_write_eof(async_stream *stream);      /* nothing more will be written */

/* writer.close(): what was written is still sent; then the connection goes. As long as the other side
 * sends what nobody reads, we take it, for two seconds, and throw it away, lest it lose what we sent.
 * writer.wait_closed() raises what broke the connection. async_stream_exit closes and waits, for async_with, and
 * does not. writer.transport.abort() closes at once, and what was not sent is lost: for a peer that takes
 * nothing, and that a close would wait for without an end. */
void async_stream_close(async_stream *stream);
void async_stream_abort(async_stream *stream);
bool async_stream_is_closing(async_stream *stream);
async_awaitable async_stream_wait_closed(async_stream *stream) ASYNC_MUST_USE;
void async_stream_exit(async_stream **stream);

/* writer.get_extra_info("peername"), ("sockname"): the address of the other end, of ours, as text of the
 * current task, "127.0.0.1"; *port (may be NULL) is set to its port. Of a Unix socket the path, which
 * is "" at most ends. NULL of what is no socket, is closed, or is not connected any more. */
const char *async_stream_peername(async_stream *stream, int *port);
const char *async_stream_sockname(async_stream *stream, int *port);

/* asyncio.start_server(fn, host, port), start_unix_server(fn, path): serves from now on; fn(stream, arg)
 * runs in a task of its own for each client, and the stream is closed when it returns. Host NULL: every
 * interface; port 0: any free one, see async_server_port. The value's ptr is the server. */
typedef struct async_server async_server;
typedef async_value async_client_fn(async_stream *stream, void *arg);
async_awaitable async_start_server(async_client_fn *fn, void *arg, const char *host,
                                   int port) ASYNC_MUST_USE;
async_awaitable async_start_unix_server(async_client_fn *fn, void *arg,
                                        const char *path) ASYNC_MUST_USE;
int async_server_port(async_server *server);

/* server.serve_forever(): the last line of a main function. Cancelled (Ctrl-C), or when somebody closes
 * the server, it closes the server and the clients, waits for them, and raises ASYNC_CANCELLED. */
async_awaitable async_server_serve_forever(async_server *server) ASYNC_MUST_USE;
bool async_server_is_serving(async_server *server);

/* server.close(): accepts nobody any more; those who are served go on. wait_closed waits for them.
 * close_clients, abort_clients: closes the stream of each, as async_stream_close and _abort do; who
 * reads from one is at its end. async_server_exit closes and waits; left by an error, Ctrl-C say, it
 * closes the clients as well, so that one who says nothing holds up nobody; one who takes nothing does, until
 * async_server_abort_clients. */
void async_server_close(async_server *server);
void async_server_close_clients(async_server *server);
void async_server_abort_clients(async_server *server);
async_awaitable async_server_wait_closed(async_server *server) ASYNC_MUST_USE;
void async_server_exit(async_server **server);

/* ------------------------------------------------------------------- threads, for what blocks */

/* asyncio.to_thread(fn, ...): runs a blocking function in a thread while the loop goes on; its
 * arguments as for async_coro, copied. The await gives what fn returned; text that it made with
 * async_strf passes to who awaits. fn has a stack of 8 MiB, and may call nothing else of this header but
 * async_contextvar_get and _set. Cancelling gives up the result; the thread goes on to its end, and
 * async_run waits for it. At most as many at a time as there are processors and four; the others queue. */
#define async_to_thread(fn, ...) \
    (async_note(ASYNC_HERE), async_to_thread_call(ASYNC_CALL(fn __VA_OPT__(,) __VA_ARGS__)))
async_awaitable async_to_thread_call(async_call call) ASYNC_MUST_USE;

/* loop.run_in_executor(None, fn, arg): starts at once and gives the future. arg is not copied. */
async_future async_loop_run_in_executor(async_loop *loop, async_fn *fn, void *arg) ASYNC_MUST_USE;
async_awaitable async_loop_shutdown_default_executor(async_loop *loop) ASYNC_MUST_USE;

/* Files, which asyncio leaves to others: read or written in a thread. Reading gives the contents (str,
 * with a 0 behind them; *length, if not NULL, is set); they belong to who awaits. What is passed must
 * last until the await is over, and, if that is cancelled, until the thread has ended: better not
 * cancel a write. Errors are errno, with a message that names the file. */
async_awaitable async_read_file(const char *path, size_t *length) ASYNC_MUST_USE;
async_awaitable async_write_file(const char *path, const void *bytes, size_t length,
                                 bool append) ASYNC_MUST_USE;

/* asyncio.run_coroutine_threadsafe, for other threads: has the loop run fn(...) as a task. What comes
 * back is shared by the two threads: result waits up to `timeout` seconds (ASYNC_TIMEOUT) and gives the
 * outcome, cancel asks the task to end (false: it is done), free lets go of it, at any time; text in
 * the outcome lasts until then. NULL when memory ran out. */
typedef struct async_concurrent async_concurrent;
#define async_run_coroutine_threadsafe(loop, fn, ...) \
    (async_note(ASYNC_HERE), async_run_threadsafe_call(loop, ASYNC_CALL(fn __VA_OPT__(,) __VA_ARGS__)))
async_concurrent *async_run_threadsafe_call(async_loop *loop, async_call call) ASYNC_MUST_USE;
async_value async_concurrent_result(async_concurrent *future, double timeout);
bool async_concurrent_cancel(async_concurrent *future);
void async_concurrent_free(async_concurrent *future);

/* -------------------------------------------------------- processes, for what computes or is there */

/* What a ProcessPoolExecutor is for: runs a function that computes in a process of its own, so that it
 * has a processor to itself. Arguments as for async_coro; what they point to can be read there, and
 * nothing that fn writes is seen here. Files are open there, too, but no streams and servers. It may
 * return a number, or text from async_strf, or an error. A crash is an error, EPIPE. Cancelling kills
 * it. It has the stack of the thread that runs the loop, 8 MiB mostly (ulimit -s). At most as many run
 * at a time as there are processors. */
#define async_to_process(fn, ...) \
    (async_note(ASYNC_HERE), async_to_process_call(ASYNC_CALL(fn __VA_OPT__(,) __VA_ARGS__)))
async_awaitable async_to_process_call(async_call call) ASYNC_MUST_USE;

/* asyncio.create_subprocess_exec(*argv), _shell(command): starts a program; the value's ptr is the
 * process. argv ends with NULL; it is looked for in PATH. Error ENOENT if there is no such program.
 * `pipes` says which of its ends we want, which are /dev/null (DEVNULL), and whether its stderr goes
 * where its stdout goes (stderr=STDOUT); the others it shares with us. It has no other descriptor of ours,
 * and no signal blocked. The process belongs to the task that started it, and is killed if it still runs
 * when that is collected. The texts must last until this is awaited. _with takes further wishes. */
typedef struct async_subprocess async_subprocess;
enum async_pipes {
    ASYNC_PIPE_STDIN = 1, ASYNC_PIPE_STDOUT = 2, ASYNC_PIPE_STDERR = 4,
    ASYNC_DEVNULL_STDIN = 8, ASYNC_DEVNULL_STDOUT = 16, ASYNC_DEVNULL_STDERR = 32,
    ASYNC_STDERR_TO_STDOUT = 64,
};
typedef struct async_subprocess_options {
    const char *cwd;                    /* where it starts; NULL: where we are */
    const char *const *env;             /* its environment, "NAME=value" each, then NULL; NULL: ours */
    bool keep_fds;                      /* close_fds=False */
} async_subprocess_options;
async_awaitable async_create_subprocess_exec(const char *const *argv, int pipes) ASYNC_MUST_USE;
async_awaitable async_create_subprocess_shell(const char *command, int pipes) ASYNC_MUST_USE;
async_awaitable async_create_subprocess_exec_with(const char *const *argv, int pipes,
                                                  async_subprocess_options options) ASYNC_MUST_USE;
async_awaitable async_create_subprocess_shell_with(const char *command, int pipes,
                                                   async_subprocess_options options) ASYNC_MUST_USE;

/* process.wait(): gives the exit status (num), or minus the signal that ended it. Cancelling the wait
 * does not end the process. process.communicate(input): sends the text (or NULL), collects what it
 * prints, waits; *out and *err (may be NULL) are set to the texts ("" of what was not asked for), which
 * last as long as the process's record. process.returncode: ASYNC_RUNNING while it runs. */
#define ASYNC_RUNNING (-100000L)
async_awaitable async_subprocess_wait(async_subprocess *process) ASYNC_MUST_USE;
async_awaitable async_subprocess_communicate(async_subprocess *process, const char *input,
                                             const char **out, const char **err) ASYNC_MUST_USE;
long async_subprocess_returncode(async_subprocess *process);
int async_subprocess_pid(async_subprocess *process);
async_value async_subprocess_send_signal(async_subprocess *process, int number);
async_value async_subprocess_terminate(async_subprocess *process);
async_value async_subprocess_kill(async_subprocess *process);
async_stream *async_subprocess_stdin(async_subprocess *process);    /* NULL: not asked for */
async_stream *async_subprocess_stdout(async_subprocess *process);
async_stream *async_subprocess_stderr(async_subprocess *process);

/* ----------------------------------------------------------------- the loop, and watching it */

/* Debug mode, asyncio.run(main(), debug=True): ASYNC_DEBUG=1 in the environment, or this, also while
 * it runs. Steps that take 0.1 s (adjustable) or longer are reported on stderr with task and place; a
 * step that still runs after half a second is reported by a watchdog with its stack; reports name who made
 * a task or coroutine; calls from the wrong thread end in a sentence. It changes no scheduling, but the
 * watchdog's question interrupts a blocking sleep(). */
void async_loop_set_debug(async_loop *loop, bool on);
bool async_loop_get_debug(async_loop *loop);
void async_loop_set_slow_callback_duration(async_loop *loop, double seconds);

/* asyncio.print_call_graph for all tasks: who is there, what each waits for, since when (in debug mode),
 * as a tree on stderr; cycles are marked. SIGUSR1 does it in a program that async_run runs. */
void async_print_tasks(async_loop *loop);

typedef struct async_ticket *async_handle;      /* of a callback; asyncio.Handle, TimerHandle */

async_loop *async_new_event_loop(void) ASYNC_MUST_USE;      /* NULL: errno says why. Ends with async_loop_close */
async_loop *async_get_running_loop(void);                   /* NULL outside of a loop */

/* loop.run_forever(): until async_loop_stop, which gives async_none. run_until_complete(x): until x is done; its value
 * or error, or ASYNC_RUNTIME_ERROR if the loop was stopped before. Both: ASYNC_RUNTIME_ERROR if a loop is running
 * already or this one is closed; ASYNC_DEADLOCK when nothing can ever happen again. */
async_value async_loop_run_forever(async_loop *loop);
async_value async_loop_run_until_complete(async_loop *loop, async_awaitable x);

void async_loop_stop(async_loop *loop);         /* after the callbacks that are ready now */
bool async_loop_is_running(async_loop *loop);
bool async_loop_is_closed(async_loop *loop);

/* loop.close(): drops everything that belongs to the loop. Tasks that are not done, errors nobody
 * asked for and coroutines never awaited are reported on stderr. Twice is fine; giving a closed loop
 * anything to do is "Event loop is closed" (until 1,024 more have been closed). Error ASYNC_RUNTIME_ERROR
 * if it is running. */
async_value async_loop_close(async_loop *loop);

double async_loop_time(async_loop *loop);       /* in seconds; from 0 when virtual */
async_task async_loop_create_task(async_loop *loop, async_coroutine coro) ASYNC_MUST_USE;   /* it need not run yet */

/* loop.call_soon, call_later(delay), call_at(when): calls fn(arg) from the loop, once: in its next
 * turn, after `delay` seconds, or at `when` on the loop's clock. An error that fn returns goes to
 * the loop's exception handler. The handle is for cancelling it.
 * call_soon_threadsafe is for any thread: it ends the loop's wait, and gives async_none or ENOMEM. */
async_handle async_loop_call_soon(async_loop *loop, async_fn *fn, void *arg);
async_handle async_loop_call_later(async_loop *loop, double delay, async_fn *fn, void *arg);
async_handle async_loop_call_at(async_loop *loop, double when, async_fn *fn, void *arg);
void async_handle_cancel(async_handle handle);      /* it will not be called; twice is fine */
bool async_handle_cancelled(async_handle handle);
double async_handle_when(async_handle handle);      /* its deadline; 0 for call_soon */
async_value async_loop_call_soon_threadsafe(async_loop *loop, async_fn *fn, void *arg);

/* loop.add_reader, add_writer: calls fn(arg) in every turn in which the descriptor can be read
 * (written), until removed; adding again replaces. remove: was there something to remove? */
async_value async_loop_add_reader(async_loop *loop, int fd, async_fn *fn, void *arg);
async_value async_loop_add_writer(async_loop *loop, int fd, async_fn *fn, void *arg);
bool async_loop_remove_reader(async_loop *loop, int fd);
bool async_loop_remove_writer(async_loop *loop, int fd);

/* loop.add_signal_handler(number, fn): called from the loop, not from the interrupted code. Error
 * ASYNC_RUNTIME_ERROR for a signal that cannot be caught, or that belongs to a loop of another thread;
 * from another loop of this thread it is taken. remove restores the default. */
async_value async_loop_add_signal_handler(async_loop *loop, int number, async_fn *fn, void *arg);
bool async_loop_remove_signal_handler(async_loop *loop, int number);

/* loop.set_exception_handler(fn): gets errors that no coroutine can receive, instead of stderr.
 * `message` says what happened, `x` is the task, future or handle concerned or NULL. NULL: stderr again.
 * call_exception_handler hands it an error of your own; default_exception_handler is the one that prints: for a handler
 * that wants to do more than that. */
typedef void async_exception_fn(async_loop *loop, const char *message, async_value error, async_awaitable x);
void async_loop_set_exception_handler(async_loop *loop, async_exception_fn *fn);
void async_loop_call_exception_handler(async_loop *loop, const char *message, async_value error, async_awaitable x);
void async_loop_default_exception_handler(async_loop *loop, const char *message, async_value error, async_awaitable x);

/* asyncio.Runner(): a loop in which several main coroutines run one after the other, as async_run
 * runs one. NULL when memory ran out. close cancels what is left and closes the loop; twice is fine. */
typedef struct async_runner async_runner;
async_runner *async_runner_new(void) ASYNC_MUST_USE;
async_value async_runner_run(async_runner *runner, async_coroutine coro) ASYNC_MUST_USE;
async_loop *async_runner_get_loop(async_runner *runner);
async_value async_runner_close(async_runner *runner);

/* ------------------------------------------------------------------------ the fine print */

/* Every call below notes the place it stands at, so that a report can name it. The functions are
 * declared above; the macros of the same name only store the place first. */
#define ASYNC_TEXT_(line) #line
#define ASYNC_TEXT(line) ASYNC_TEXT_(line)
#define ASYNC_HERE __FILE__ ":" ASYNC_TEXT(__LINE__)
extern _Thread_local const char *async_here;
static inline void async_note(const char *place) { async_here = place; }

/* How many values there is room for, as far as the compiler knows: of an array, and not of a pointer. */
#define ASYNC_ROOM(results) (__builtin_choose_expr( \
    __builtin_types_compatible_p(__typeof__(results), async_value[]) && __builtin_constant_p(sizeof(results)), \
    sizeof(results), (size_t)-1) / sizeof(async_value))

#define ASYNC_GATHER(exceptions, results, ...) (async_note(ASYNC_HERE), \
    async_gather_list(results, (async_awaitable[]){ NULL __VA_OPT__(,) __VA_ARGS__ } + 1, ({ \
        typedef __typeof__((async_awaitable[]){ NULL __VA_OPT__(,) __VA_ARGS__ }) async_list_; \
        _Static_assert(ASYNC_ROOM(results) >= sizeof(async_list_) / sizeof(async_awaitable) - 1, \
                       "the array has fewer places than there is to gather"); \
        sizeof(async_list_) / sizeof(async_awaitable) - 1; }), exceptions))

#ifndef ASYNC_RUNTIME
#define ASYNC_AT(fn, ...) (async_note(ASYNC_HERE), fn(__VA_ARGS__))
#define async_leave(...) async_leave_at((__VA_ARGS__), ASYNC_HERE)
#define async_run(coro, ...)  ASYNC_AT(async_run_with, coro, (async_run_options){ __VA_ARGS__ })
#define async_main(coro, ...) ASYNC_AT(async_main_with, coro, (async_run_options){ __VA_ARGS__ })

/* Made by tests/places.sh from the declarations above. */
#define async_free(...)                       ASYNC_AT(async_free, __VA_ARGS__)
#define async_coro_close(...)                 ASYNC_AT(async_coro_close, __VA_ARGS__)
#define async_type_name(...)                  ASYNC_AT(async_type_name, __VA_ARGS__)
#define async_catch(...)                      ASYNC_AT(async_catch, __VA_ARGS__)
#define async_sleep(...)                      ASYNC_AT(async_sleep, __VA_ARGS__)
#define async_sleep_result(...)               ASYNC_AT(async_sleep_result, __VA_ARGS__)
#define async_create_task(...)                ASYNC_AT(async_create_task, __VA_ARGS__)
#define async_create_task_named(...)          ASYNC_AT(async_create_task_named, __VA_ARGS__)
#define async_create_task_eager(...)          ASYNC_AT(async_create_task_eager, __VA_ARGS__)
#define async_loop_set_eager_task_factory(...) ASYNC_AT(async_loop_set_eager_task_factory, __VA_ARGS__)
#define async_detach(...)                     ASYNC_AT(async_detach, __VA_ARGS__)
#define async_create_future()                 ASYNC_AT(async_create_future)
#define async_loop_create_future(...)         ASYNC_AT(async_loop_create_future, __VA_ARGS__)
#define async_keep(...)                       ASYNC_AT(async_keep, __VA_ARGS__)
#define async_release(...)                    ASYNC_AT(async_release, __VA_ARGS__)
#define async_set_result(...)                 ASYNC_AT(async_set_result, __VA_ARGS__)
#define async_set_exception(...)              ASYNC_AT(async_set_exception, __VA_ARGS__)
#define async_done(...)                       ASYNC_AT(async_done, __VA_ARGS__)
#define async_cancelled(...)                  ASYNC_AT(async_cancelled, __VA_ARGS__)
#define async_result(...)                     ASYNC_AT(async_result, __VA_ARGS__)
#define async_exception(...)                  ASYNC_AT(async_exception, __VA_ARGS__)
#define async_cancel(...)                     ASYNC_AT(async_cancel, __VA_ARGS__)
#define async_cancel_msg(...)                 ASYNC_AT(async_cancel_msg, __VA_ARGS__)
#define async_cancelling(...)                 ASYNC_AT(async_cancelling, __VA_ARGS__)
#define async_uncancel(...)                   ASYNC_AT(async_uncancel, __VA_ARGS__)
#define async_get_name(...)                   ASYNC_AT(async_get_name, __VA_ARGS__)
#define async_set_name(...)                   ASYNC_AT(async_set_name, __VA_ARGS__)
#define async_all_tasks(...)                  ASYNC_AT(async_all_tasks, __VA_ARGS__)
#define async_loop_all_tasks(...)             ASYNC_AT(async_loop_all_tasks, __VA_ARGS__)
#define async_get_task_info(...)              ASYNC_AT(async_get_task_info, __VA_ARGS__)
#define async_add_done_callback(...)          ASYNC_AT(async_add_done_callback, __VA_ARGS__)
#define async_remove_done_callback(...)       ASYNC_AT(async_remove_done_callback, __VA_ARGS__)
#define async_gather_list(...)                ASYNC_AT(async_gather_list, __VA_ARGS__)
#define async_contextvar_reset(...)           ASYNC_AT(async_contextvar_reset, __VA_ARGS__)
#define async_wait(...)                       ASYNC_AT(async_wait, __VA_ARGS__)
#define async_wait_for(...)                   ASYNC_AT(async_wait_for, __VA_ARGS__)
#define async_timeout(...)                    ASYNC_AT(async_timeout, __VA_ARGS__)
#define async_timeout_at(...)                 ASYNC_AT(async_timeout_at, __VA_ARGS__)
#define async_timeout_leave(...)              ASYNC_AT(async_timeout_leave, __VA_ARGS__)
#define async_timeout_reschedule(...)         ASYNC_AT(async_timeout_reschedule, __VA_ARGS__)
#define async_timeout_expired(...)            ASYNC_AT(async_timeout_expired, __VA_ARGS__)
#define async_timeout_when(...)               ASYNC_AT(async_timeout_when, __VA_ARGS__)
#define async_shield(...)                     ASYNC_AT(async_shield, __VA_ARGS__)
#define async_taskgroup_enter()               ASYNC_AT(async_taskgroup_enter)
#define async_taskgroup_create_task(...)      ASYNC_AT(async_taskgroup_create_task, __VA_ARGS__)
#define async_taskgroup_create_task_named(...) ASYNC_AT(async_taskgroup_create_task_named, __VA_ARGS__)
#define async_taskgroup_join(...)             ASYNC_AT(async_taskgroup_join, __VA_ARGS__)
#define async_taskgroup_leave(...)            ASYNC_AT(async_taskgroup_leave, __VA_ARGS__)
#define async_anext(...)                      ASYNC_AT(async_anext, __VA_ARGS__)
#define async_yield_value(...)                ASYNC_AT(async_yield_value, __VA_ARGS__)
#define async_aclose(...)                     ASYNC_AT(async_aclose, __VA_ARGS__)
#define async_loop_shutdown_asyncgens(...)    ASYNC_AT(async_loop_shutdown_asyncgens, __VA_ARGS__)
#define async_as_completed(...)               ASYNC_AT(async_as_completed, __VA_ARGS__)
#define async_queue_new(...)                  ASYNC_AT(async_queue_new, __VA_ARGS__)
#define async_lifo_queue_new(...)             ASYNC_AT(async_lifo_queue_new, __VA_ARGS__)
#define async_priority_queue_new(...)         ASYNC_AT(async_priority_queue_new, __VA_ARGS__)
#define async_queue_put(...)                  ASYNC_AT(async_queue_put, __VA_ARGS__)
#define async_queue_get(...)                  ASYNC_AT(async_queue_get, __VA_ARGS__)
#define async_queue_put_nowait(...)           ASYNC_AT(async_queue_put_nowait, __VA_ARGS__)
#define async_queue_get_nowait(...)           ASYNC_AT(async_queue_get_nowait, __VA_ARGS__)
#define async_queue_task_done(...)            ASYNC_AT(async_queue_task_done, __VA_ARGS__)
#define async_queue_join(...)                 ASYNC_AT(async_queue_join, __VA_ARGS__)
#define async_queue_shutdown(...)             ASYNC_AT(async_queue_shutdown, __VA_ARGS__)
#define async_queue_qsize(...)                ASYNC_AT(async_queue_qsize, __VA_ARGS__)
#define async_queue_maxsize(...)              ASYNC_AT(async_queue_maxsize, __VA_ARGS__)
#define async_queue_empty(...)                ASYNC_AT(async_queue_empty, __VA_ARGS__)
#define async_queue_full(...)                 ASYNC_AT(async_queue_full, __VA_ARGS__)
#define async_lock_new()                      ASYNC_AT(async_lock_new)
#define async_lock_acquire(...)               ASYNC_AT(async_lock_acquire, __VA_ARGS__)
#define async_lock_release(...)               ASYNC_AT(async_lock_release, __VA_ARGS__)
#define async_lock_locked(...)                ASYNC_AT(async_lock_locked, __VA_ARGS__)
#define async_event_new()                     ASYNC_AT(async_event_new)
#define async_event_set(...)                  ASYNC_AT(async_event_set, __VA_ARGS__)
#define async_event_clear(...)                ASYNC_AT(async_event_clear, __VA_ARGS__)
#define async_event_is_set(...)               ASYNC_AT(async_event_is_set, __VA_ARGS__)
#define async_event_wait(...)                 ASYNC_AT(async_event_wait, __VA_ARGS__)
#define async_condition_new(...)              ASYNC_AT(async_condition_new, __VA_ARGS__)
#define async_condition_acquire(...)          ASYNC_AT(async_condition_acquire, __VA_ARGS__)
#define async_condition_release(...)          ASYNC_AT(async_condition_release, __VA_ARGS__)
#define async_condition_locked(...)           ASYNC_AT(async_condition_locked, __VA_ARGS__)
#define async_condition_wait(...)             ASYNC_AT(async_condition_wait, __VA_ARGS__)
#define async_condition_wait_for(...)         ASYNC_AT(async_condition_wait_for, __VA_ARGS__)
#define async_condition_notify(...)           ASYNC_AT(async_condition_notify, __VA_ARGS__)
#define async_condition_notify_all(...)       ASYNC_AT(async_condition_notify_all, __VA_ARGS__)
#define async_semaphore_new(...)              ASYNC_AT(async_semaphore_new, __VA_ARGS__)
#define async_bounded_semaphore_new(...)      ASYNC_AT(async_bounded_semaphore_new, __VA_ARGS__)
#define async_semaphore_acquire(...)          ASYNC_AT(async_semaphore_acquire, __VA_ARGS__)
#define async_semaphore_release(...)          ASYNC_AT(async_semaphore_release, __VA_ARGS__)
#define async_semaphore_locked(...)           ASYNC_AT(async_semaphore_locked, __VA_ARGS__)
#define async_barrier_new(...)                ASYNC_AT(async_barrier_new, __VA_ARGS__)
#define async_barrier_wait(...)               ASYNC_AT(async_barrier_wait, __VA_ARGS__)
#define async_barrier_reset(...)              ASYNC_AT(async_barrier_reset, __VA_ARGS__)
#define async_barrier_abort(...)              ASYNC_AT(async_barrier_abort, __VA_ARGS__)
#define async_barrier_n_waiting(...)          ASYNC_AT(async_barrier_n_waiting, __VA_ARGS__)
#define async_barrier_broken(...)             ASYNC_AT(async_barrier_broken, __VA_ARGS__)
#define async_getaddrinfo(...)                ASYNC_AT(async_getaddrinfo, __VA_ARGS__)
#define async_open_connection(...)            ASYNC_AT(async_open_connection, __VA_ARGS__)
#define async_open_unix_connection(...)       ASYNC_AT(async_open_unix_connection, __VA_ARGS__)
#define async_stream_read(...)                ASYNC_AT(async_stream_read, __VA_ARGS__)
#define async_stream_readline(...)            ASYNC_AT(async_stream_readline, __VA_ARGS__)
#define async_stream_readuntil(...)           ASYNC_AT(async_stream_readuntil, __VA_ARGS__)
#define async_stream_readexactly(...)         ASYNC_AT(async_stream_readexactly, __VA_ARGS__)
#define async_stream_at_eof(...)              ASYNC_AT(async_stream_at_eof, __VA_ARGS__)
#define async_stdin()                         ASYNC_AT(async_stdin)
#define async_stream_write(...)               ASYNC_AT(async_stream_write, __VA_ARGS__)
#define async_stream_puts(...)                ASYNC_AT(async_stream_puts, __VA_ARGS__)
#define async_stream_drain(...)               ASYNC_AT(async_stream_drain, __VA_ARGS__)
#define async_stream_write_eof(...)           ASYNC_AT(async_stream_write_eof, __VA_ARGS__)
#define async_stream_close(...)               ASYNC_AT(async_stream_close, __VA_ARGS__)
#define async_stream_abort(...)               ASYNC_AT(async_stream_abort, __VA_ARGS__)
#define async_stream_is_closing(...)          ASYNC_AT(async_stream_is_closing, __VA_ARGS__)
#define async_stream_wait_closed(...)         ASYNC_AT(async_stream_wait_closed, __VA_ARGS__)
#define async_stream_peername(...)            ASYNC_AT(async_stream_peername, __VA_ARGS__)
#define async_stream_sockname(...)            ASYNC_AT(async_stream_sockname, __VA_ARGS__)
#define async_start_server(...)               ASYNC_AT(async_start_server, __VA_ARGS__)
#define async_start_unix_server(...)          ASYNC_AT(async_start_unix_server, __VA_ARGS__)
#define async_server_port(...)                ASYNC_AT(async_server_port, __VA_ARGS__)
#define async_server_serve_forever(...)       ASYNC_AT(async_server_serve_forever, __VA_ARGS__)
#define async_server_is_serving(...)          ASYNC_AT(async_server_is_serving, __VA_ARGS__)
#define async_server_close(...)               ASYNC_AT(async_server_close, __VA_ARGS__)
#define async_server_close_clients(...)       ASYNC_AT(async_server_close_clients, __VA_ARGS__)
#define async_server_abort_clients(...)       ASYNC_AT(async_server_abort_clients, __VA_ARGS__)
#define async_server_wait_closed(...)         ASYNC_AT(async_server_wait_closed, __VA_ARGS__)
#define async_loop_run_in_executor(...)       ASYNC_AT(async_loop_run_in_executor, __VA_ARGS__)
#define async_loop_shutdown_default_executor(...) ASYNC_AT(async_loop_shutdown_default_executor, __VA_ARGS__)
#define async_read_file(...)                  ASYNC_AT(async_read_file, __VA_ARGS__)
#define async_write_file(...)                 ASYNC_AT(async_write_file, __VA_ARGS__)
#define async_create_subprocess_exec(...)     ASYNC_AT(async_create_subprocess_exec, __VA_ARGS__)
#define async_create_subprocess_shell(...)    ASYNC_AT(async_create_subprocess_shell, __VA_ARGS__)
#define async_create_subprocess_exec_with(...) ASYNC_AT(async_create_subprocess_exec_with, __VA_ARGS__)
#define async_create_subprocess_shell_with(...) ASYNC_AT(async_create_subprocess_shell_with, __VA_ARGS__)
#define async_subprocess_wait(...)            ASYNC_AT(async_subprocess_wait, __VA_ARGS__)
#define async_subprocess_communicate(...)     ASYNC_AT(async_subprocess_communicate, __VA_ARGS__)
#define async_subprocess_returncode(...)      ASYNC_AT(async_subprocess_returncode, __VA_ARGS__)
#define async_subprocess_pid(...)             ASYNC_AT(async_subprocess_pid, __VA_ARGS__)
#define async_subprocess_send_signal(...)     ASYNC_AT(async_subprocess_send_signal, __VA_ARGS__)
#define async_subprocess_terminate(...)       ASYNC_AT(async_subprocess_terminate, __VA_ARGS__)
#define async_subprocess_kill(...)            ASYNC_AT(async_subprocess_kill, __VA_ARGS__)
#define async_subprocess_stdin(...)           ASYNC_AT(async_subprocess_stdin, __VA_ARGS__)
#define async_subprocess_stdout(...)          ASYNC_AT(async_subprocess_stdout, __VA_ARGS__)
#define async_subprocess_stderr(...)          ASYNC_AT(async_subprocess_stderr, __VA_ARGS__)
#define async_loop_set_debug(...)             ASYNC_AT(async_loop_set_debug, __VA_ARGS__)
#define async_loop_get_debug(...)             ASYNC_AT(async_loop_get_debug, __VA_ARGS__)
#define async_loop_set_slow_callback_duration(...) ASYNC_AT(async_loop_set_slow_callback_duration, __VA_ARGS__)
#define async_print_tasks(...)                ASYNC_AT(async_print_tasks, __VA_ARGS__)
#define async_loop_run_forever(...)           ASYNC_AT(async_loop_run_forever, __VA_ARGS__)
#define async_loop_run_until_complete(...)    ASYNC_AT(async_loop_run_until_complete, __VA_ARGS__)
#define async_loop_stop(...)                  ASYNC_AT(async_loop_stop, __VA_ARGS__)
#define async_loop_is_running(...)            ASYNC_AT(async_loop_is_running, __VA_ARGS__)
#define async_loop_is_closed(...)             ASYNC_AT(async_loop_is_closed, __VA_ARGS__)
#define async_loop_close(...)                 ASYNC_AT(async_loop_close, __VA_ARGS__)
#define async_loop_time(...)                  ASYNC_AT(async_loop_time, __VA_ARGS__)
#define async_loop_create_task(...)           ASYNC_AT(async_loop_create_task, __VA_ARGS__)
#define async_loop_call_soon(...)             ASYNC_AT(async_loop_call_soon, __VA_ARGS__)
#define async_loop_call_later(...)            ASYNC_AT(async_loop_call_later, __VA_ARGS__)
#define async_loop_call_at(...)               ASYNC_AT(async_loop_call_at, __VA_ARGS__)
#define async_handle_cancel(...)              ASYNC_AT(async_handle_cancel, __VA_ARGS__)
#define async_handle_cancelled(...)           ASYNC_AT(async_handle_cancelled, __VA_ARGS__)
#define async_handle_when(...)                ASYNC_AT(async_handle_when, __VA_ARGS__)
#define async_loop_call_soon_threadsafe(...)  ASYNC_AT(async_loop_call_soon_threadsafe, __VA_ARGS__)
#define async_loop_add_reader(...)            ASYNC_AT(async_loop_add_reader, __VA_ARGS__)
#define async_loop_add_writer(...)            ASYNC_AT(async_loop_add_writer, __VA_ARGS__)
#define async_loop_remove_reader(...)         ASYNC_AT(async_loop_remove_reader, __VA_ARGS__)
#define async_loop_remove_writer(...)         ASYNC_AT(async_loop_remove_writer, __VA_ARGS__)
#define async_loop_add_signal_handler(...)    ASYNC_AT(async_loop_add_signal_handler, __VA_ARGS__)
#define async_loop_remove_signal_handler(...) ASYNC_AT(async_loop_remove_signal_handler, __VA_ARGS__)
#define async_loop_set_exception_handler(...) ASYNC_AT(async_loop_set_exception_handler, __VA_ARGS__)
#define async_loop_call_exception_handler(...) ASYNC_AT(async_loop_call_exception_handler, __VA_ARGS__)
#define async_loop_default_exception_handler(...) ASYNC_AT(async_loop_default_exception_handler, __VA_ARGS__)
#define async_runner_run(...)                 ASYNC_AT(async_runner_run, __VA_ARGS__)
#define async_runner_get_loop(...)            ASYNC_AT(async_runner_get_loop, __VA_ARGS__)
#define async_runner_close(...)               ASYNC_AT(async_runner_close, __VA_ARGS__)
/* End of what is made. */
#endif

#endif
