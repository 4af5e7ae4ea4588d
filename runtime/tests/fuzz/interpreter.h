/* interpreter.h - runs a program of the fuzz language on our runtime and prints its trace.
 *
 * FORMAT.md beside this file says what every statement means and prints. Only calls of async.h are
 * used, as any program would. A handle that is NULL, because memory ran out, makes the statement
 * fail with ENOMEM: asyncio's traces hold no such error, but the tests with faults do. */
#ifndef FUZZ_INTERPRETER_H
#define FUZZ_INTERPRETER_H

#include "async.h"
#include "program.h"

struct activation {
    int id, top, coro;              /* its number; tasks up to `top` must not be awaited */
    long acc;
    async_value handling;           /* the error that an except part handles */
    async_taskgroup *group;         /* innermost */
};

struct result {
    enum { NORMAL, RETURN, ERROR } how;
    async_value v;
};

static FILE *trace;
static struct program *program;
static async_loop *loop;
static async_task slot[MOST_SLOTS];
static int activations;
static struct { async_task task; int id; } *known;      /* the number of each task in a slot */
static int knowns;

static struct {
    async_queue *queue[MOST_OBJECTS];
    async_lock *lock[MOST_OBJECTS];
    async_event *event[MOST_OBJECTS];
    async_semaphore *sem[MOST_OBJECTS];
    async_condition *cond[MOST_OBJECTS];
    async_future fut[MOST_OBJECTS];
    async_barrier *barrier[MOST_OBJECTS];
    async_contextvar var[MOST_OBJECTS];
    async_token token[MOST_OBJECTS];        /* the newest of each variable */
    int queues, locks, events, sems, conds, futs, barriers, vars;
} all;

#define print(...) fprintf(trace, __VA_ARGS__)

static const async_value no_memory = { .error = ENOMEM, .message = "no memory" };

/* -------------------------------------------------------------------------------- trace */

static void put_error(async_value e)
{
    switch (e.error) {
    case ASYNC_CANCELLED: print("Cancelled"); break;
    case ASYNC_TIMEOUT: print("Timeout"); break;
    case ASYNC_INVALID_STATE: print("InvalidState"); break;
    case ASYNC_BROKEN_BARRIER: print("BrokenBarrier"); break;
    case ASYNC_GROUP: {
        size_t n = async_group_errors(e, NULL, 0);
        async_value parts[n];
        async_group_errors(e, parts, n);
        print("Group(");
        for (size_t i = 0; i < n; i++) {
            print(i ? "," : "");
            put_error(parts[i]);
        }
        print(")");
        break;
    }
    default:
        if (e.error >= ASYNC_USER_ERROR)
            print("E%d", e.error - ASYNC_USER_ERROR);
        else
            print("%s", async_error_name(e.error));
    }
}

static void who(int id)
{
    print("%.0f ", async_loop_time(loop) * 1000);
    if (id)
        print("T%d ", id);
    else
        print("- ");
}

#define EMIT(...) (who(a->id), print(__VA_ARGS__), print("\n"))

static void put_value(async_value v)
{
    if (v.error)
        put_error(v);
    else
        print("%ld", v.num);
}

static void put_outcome(async_task f)
{
    if (!async_done(f)) {
        print("pending\n");
        return;
    }
    async_value v = async_result(f);
    print(v.error ? "! " : "= ");
    put_value(v);
    print("\n");
}

static int id_of(async_task f)
{
    for (int i = knowns - 1; i >= 0; i--)
        if (known[i].task == f)
            return known[i].id;
    return 0;
}

/* Remembers a task by its number, and keeps its handle good to the end. */
static void learn(async_task f, int id)
{
    if ((knowns & (knowns - 1)) == 0) {
        void *longer = keep((knowns ? knowns * 2 : 1) * sizeof *known);
        known = knowns ? memcpy(longer, known, knowns * sizeof *known) : longer;
    }
    known[knowns].task = f;
    known[knowns++].id = id;
    async_keep(f);
}

/* -------------------------------------------------------------------------- interpreter */

static struct result block(struct statement *s, struct activation *a);

static async_value function(int c, struct activation *a)
{
    long saved = a->acc;
    async_taskgroup *group = a->group;
    a->acc = 0;
    struct result r = block(program->coro[c], a);
    a->acc = saved;
    a->group = group;
    return r.how == NORMAL ? async_num(0) : r.v;
}

/* They belong to the main task, which is the first to run. False: no memory. */
static bool make_objects(void)
{
    memset(&all, 0, sizeof all);
    for (int i = 0; i < program->objects; i++) {
        const struct declaration *x = &program->object[i];
        void *made = NULL;
        switch (x->kind) {
        case 'Q':
            made = all.queue[all.queues++] = x->queue == 'f' ? async_queue_new(x->n)
                                           : x->queue == 'l' ? async_lifo_queue_new(x->n)
                                           : async_priority_queue_new(x->n, NULL);
            break;
        case 'L': made = all.lock[all.locks++] = async_lock_new(); break;
        case 'V': made = all.event[all.events++] = async_event_new(); break;
        case 'M': made = all.sem[all.sems++] = async_semaphore_new(x->n); break;
        case 'D': made = all.cond[all.conds++] = async_condition_new(NULL); break;
        case 'B': made = all.barrier[all.barriers++] = async_barrier_new(x->n); break;
        case 'X': made = &all.var[all.vars++]; break;
        case 'F':
            if ((made = all.fut[all.futs++] = async_loop_create_future(loop)))
                async_keep(made);
        }
        if (!made)
            return false;
    }
    return true;
}

struct activate { struct activation *a; };

static async_value activate(void *p)
{
    struct activation *a = ((struct activate *)p)->a;
    if (a->id == 1 && !make_objects())
        return no_memory;
    EMIT("begin C%d", a->coro);
    async_value v = function(a->coro, a);
    who(a->id);
    print(v.error ? "end ! " : "end = ");
    put_value(v);
    print("\n");
    return v;
}

static struct activation *start(int c, int top)
{
    struct activation *a = keep(sizeof *a);
    a->id = ++activations;
    a->top = top > a->id ? top : a->id;
    a->coro = c;
    return a;
}

static bool matches(const char *w, async_value e)
{
    if (strcmp(w, "all") == 0)
        return true;
    if (strcmp(w, "error") == 0)
        return e.error != ASYNC_CANCELLED;
    if (strcmp(w, "cancel") == 0)
        return e.error == ASYNC_CANCELLED;
    if (strcmp(w, "timeout") == 0)
        return e.error == ASYNC_TIMEOUT;
    return e.error >= ASYNC_USER_ERROR && (!w[1] || atoi(w + 1) == e.error - ASYNC_USER_ERROR);
}

/* The task of a slot where a may await it, else NULL and a line. */
static async_task pick(struct activation *a, enum op op, int s)
{
    if (!slot[s])
        EMIT("%s S%d empty", op_name[op], s);
    else if (id_of(slot[s]) <= a->top)
        EMIT("%s S%d skip", op_name[op], s);
    else
        return slot[s];
    return NULL;
}

static int pick_some(struct activation *a, enum op op, const int *s, int n, async_task *out)
{
    int k = 0;
    for (int i = 0; i < n; i++)
        if (slot[s[i]] && id_of(slot[s[i]]) > a->top)
            out[k++] = slot[s[i]];
    if (!k)
        EMIT("%s empty", op_name[op]);
    return k;
}

struct note { const char *text; int k, index; };

static struct note *note(const char *text, int k, int index)
{
    struct note *x = keep(sizeof *x);
    *x = (struct note){ text, k, index };
    return x;
}

static async_value on_loop(void *arg)
{
    struct note *x = arg;
    who(0);
    print("%s %d\n", x->text, x->k);
    return async_none;
}

static async_value on_task(async_future f, void *arg)
{
    struct note *x = arg;
    who(0);
    print("%s %d T%d ", x->text, x->k, id_of(f));
    put_outcome(f);
    return async_none;
}

static async_value on_future(async_future f, void *arg)
{
    struct note *x = arg;
    who(0);
    print("%s %d F%d ", x->text, x->k, x->index);
    put_outcome(f);
    return async_none;
}

static async_value on_loop_with_var(void *arg)
{
    struct note *x = arg;
    who(0);
    print("%s %d X%d = %ld\n", x->text, x->k, x->index, async_contextvar_get(&all.var[x->index]).num);
    return async_none;
}

static struct result error(async_value v) { return (struct result){ ERROR, v }; }

static struct result hold(struct statement *s, struct activation *a)
{
    int x = s->a[0];
    async_value v = async_catch(s->op == OP_with    ? async_lock_acquire(all.lock[x])
                                : s->op == OP_swith ? async_semaphore_acquire(all.sem[x])
                                                    : async_condition_acquire(all.cond[x]));
    char kind = s->op == OP_with ? 'L' : s->op == OP_swith ? 'M' : 'D';
    if (v.error)
        return error(v);
    EMIT("acq %c%d", kind, x);
    struct result r = block(s->body, a);
    v = s->op == OP_with    ? async_lock_release(all.lock[x])
        : s->op == OP_swith ? async_semaphore_release(all.sem[x])
                            : async_condition_release(all.cond[x]);
    if (v.error)
        return error(v);
    EMIT("rel %c%d", kind, x);
    return r;
}

static struct result try(struct statement *s, struct activation *a)
{
    struct result r = block(s->body, a);
    if (r.how == ERROR && s->has_handler && matches(s->word, r.v)) {
        who(a->id);
        print("caught ");
        put_error(r.v);
        print("\n");
        async_value outer = a->handling;
        a->handling = r.v;
        r = block(s->handler, a);
        a->handling = outer;
    }
    if (s->has_final) {
        struct result f = block(s->final, a);
        if (f.how == ERROR)
            return f;
    }
    return r;
}

static struct result timeout(struct statement *s, struct activation *a)
{
    async_timeout_scope *scope = async_timeout(s->a[0] / 1000.0);
    struct result r = block(s->body, a);
    async_value v = async_timeout_leave(scope, r.how == ERROR ? r.v : async_none);
    return v.error ? error(v) : r;
}

static struct result task_group(struct statement *s, struct activation *a)
{
    async_taskgroup *outer = a->group, *group = a->group = async_taskgroup_enter();
    struct result r = block(s->body, a);
    a->group = outer;
    async_value v = async_taskgroup_leave(group, r.how == ERROR ? r.v : async_none);
    return v.error ? error(v) : r;
}

static async_value spawn(struct statement *s, struct activation *a)
{
    struct activation *b = start(s->a[1], 0);
    async_coroutine c = async_coro(activate, b);
    async_task task = s->op == OP_spawn    ? async_create_task(c)
                      : s->op == OP_espawn ? async_create_task_eager(c)
                                           : async_taskgroup_create_task(a->group, c);
    if (!task)
        return no_memory;
    if (strcmp(async_type_name(task), "Task"))
        return async_exception(task);
    learn(slot[s->a[0]] = task, b->id);
    EMIT("spawn T%d C%d", b->id, s->a[1]);
    return async_none;
}

static async_value gather(struct statement *s, struct activation *a)
{
    async_awaitable list[MOST_ARGS];
    async_value results[MOST_ARGS];
    int n = s->n - 1;
    if (s->op == OP_gather && !(n = pick_some(a, s->op, s->a + 1, n, list)))
        return async_none;
    if (s->op == OP_gatherc)
        for (int i = 0; i < n; i++)
            list[i] = async_coro(activate, start(s->a[i + 1], 0));
    async_value v = async_catch(async_gather_list(results, list, n, s->a[0]));
    if (v.error)
        return v;
    who(a->id);
    print("%s = [", op_name[s->op]);
    for (int i = 0; i < n; i++) {
        print(i ? "," : "");
        put_value(results[i]);
    }
    print("]\n");
    return async_none;
}

static int by_id(const void *x, const void *y)
{
    return id_of(*(const async_task *)x) - id_of(*(const async_task *)y);
}

static async_value wait_some(struct statement *s, struct activation *a)
{
    async_task list[MOST_ARGS];
    int n = pick_some(a, s->op, s->a + 2, s->n - 2, list);
    if (!n)
        return async_none;
    async_value v = async_catch(async_wait(list, n, s->a[1] < 0 ? ASYNC_NO_TIMEOUT
                                                               : s->a[1] / 1000.0, s->a[0]));
    if (v.error)
        return v;
    who(a->id);
    for (int pending = 0; pending < 2; pending++) {
        async_task *part = pending ? list + v.num : list;
        int count = pending ? n - v.num : v.num, shown = 0;
        qsort(part, count, sizeof *part, by_id);
        print(pending ? " pending=" : "wait done=");
        for (int i = 0; i < count; i++)
            if (i == 0 || part[i] != part[i - 1])
                print(shown++ ? ",T%d" : "T%d", id_of(part[i]));
        print(shown ? "" : "-");
    }
    print("\n");
    return async_none;
}

/* A statement that awaits x and, if that gives a value, notes and prints it. */
static async_value await_value(struct activation *a, async_awaitable x, const char *op, char kind,
                               int number)
{
    async_value v = async_catch(x);
    if (!v.error) {
        a->acc = v.num;
        EMIT("%s %c%d = %ld", op, kind, number, v.num);
    }
    return v;
}

static async_value await_task(struct statement *s, struct activation *a)
{
    async_task f = pick(a, s->op, s->a[s->op == OP_waitfor]);
    if (!f)
        return async_none;
    async_awaitable x = s->op == OP_shield    ? async_shield(f)
                        : s->op == OP_waitfor ? async_wait_for(f, s->a[0] / 1000.0)
                                              : f;
    return await_value(a, x, op_name[s->op], 'T', id_of(f));
}

static async_value wait_for_call(struct statement *s, struct activation *a)
{
    struct activation *b = start(s->a[1], a->top);
    return await_value(a, async_wait_for(async_coro(activate, b), s->a[0] / 1000.0), "waitforc",
                       'T', b->id);
}

static void cancel_or_state(struct statement *s, struct activation *a)
{
    async_task f = slot[s->a[0]];
    if (!f) {
        EMIT("%s S%d empty", op_name[s->op], s->a[0]);
    } else if (s->op == OP_cancel) {
        int r = async_cancel(f);
        EMIT("cancel T%d %d", id_of(f), r);
    } else {
        who(a->id);
        print("state T%d ", id_of(f));
        put_outcome(f);
    }
}

/* Statements about queues, locks and the rest: one await or call, and a line if it went well. */
static async_value primitive(struct statement *s, struct activation *a)
{
    int x = s->a[0], y = s->a[1];
    async_value v = async_none;
#define LINE(expression, ...) do { v = (expression); if (!v.error) EMIT(__VA_ARGS__); } while (0)
    switch (s->op) {
    case OP_put:
        LINE(async_catch(async_queue_put(all.queue[x], async_num(y))), "put Q%d %d", x, y);
        break;
    case OP_putn:
        LINE(async_queue_put_nowait(all.queue[x], async_num(y)), "putn Q%d %d", x, y);
        break;
    case OP_get: return await_value(a, async_queue_get(all.queue[x]), "get", 'Q', x);
    case OP_getn:
        LINE(async_queue_get_nowait(all.queue[x]), "getn Q%d = %ld", x, v.num);
        if (!v.error)
            a->acc = v.num;
        break;
    case OP_tdone: LINE(async_queue_task_done(all.queue[x]), "tdone Q%d", x); break;
    case OP_join: LINE(async_catch(async_queue_join(all.queue[x])), "join Q%d", x); break;
    case OP_qsize: EMIT("qsize Q%d = %zu", x, async_queue_qsize(all.queue[x])); break;
    case OP_acq: LINE(async_catch(async_lock_acquire(all.lock[x])), "acq L%d", x); break;
    case OP_rel: LINE(async_lock_release(all.lock[x]), "rel L%d", x); break;
    case OP_locked: EMIT("locked L%d %d", x, async_lock_locked(all.lock[x])); break;
    case OP_eset: async_event_set(all.event[x]); EMIT("eset V%d", x); break;
    case OP_eclr: async_event_clear(all.event[x]); EMIT("eclr V%d", x); break;
    case OP_ewait: LINE(async_catch(async_event_wait(all.event[x])), "ewait V%d", x); break;
    case OP_sacq: LINE(async_catch(async_semaphore_acquire(all.sem[x])), "acq M%d", x); break;
    case OP_srel: LINE(async_semaphore_release(all.sem[x]), "rel M%d", x); break;
    case OP_cwait: LINE(async_catch(async_condition_wait(all.cond[x])), "cwait D%d", x); break;
    case OP_cnotify: LINE(async_condition_notify(all.cond[x], y), "cnotify D%d %d", x, y); break;
    case OP_fset: LINE(async_set_result(all.fut[x], async_num(y)), "fset F%d %d", x, y); break;
    case OP_fexc:
        LINE(async_set_exception(all.fut[x], async_error(ASYNC_USER_ERROR + y, "")), "fexc F%d E%d",
             x, y);
        break;
    case OP_fcancel: y = async_cancel(all.fut[x]); EMIT("fcancel F%d %d", x, y); break;
    case OP_fwait: return await_value(a, all.fut[x], "fwait", 'F', x);
    case OP_fcb: return async_add_done_callback(all.fut[x], on_future, note("fcb", y, x));
    case OP_bwait:
        LINE(async_catch(async_barrier_wait(all.barrier[x])), "bwait B%d = %ld", x, v.num);
        break;
    case OP_vset:
        all.token[x] = async_contextvar_set(&all.var[x], async_num(y));
        LINE(all.token[x].error, "vset X%d %d", x, y);
        break;
    case OP_vget:
        a->acc = async_contextvar_get(&all.var[x]).num;
        EMIT("vget X%d = %ld", x, a->acc);
        break;
    case OP_vreset: LINE(async_contextvar_reset(&all.var[x], &all.token[x]), "vreset X%d", x); break;
    case OP_vsoon:
        return async_loop_call_soon(loop, on_loop_with_var, note("vcb", y, x)) ? async_none : no_memory;
    default: bad_program("cannot run", op_name[s->op]);
    }
    return v;
}

static struct result statement(struct statement *s, struct activation *a)
{
    int x = s->a[0], y = s->a[1];
    async_value v = async_none;
    struct result r;
    switch (s->op) {
    case OP_log: EMIT("log %d", x); break;
    case OP_set: a->acc = x; break;
    case OP_sleep: v = async_catch(async_sleep(x / 1000.0)); break;
    case OP_raise: v = async_error(ASYNC_USER_ERROR + x, ""); break;
    case OP_reraise: v = a->handling; break;
    case OP_return: return (struct result){ RETURN, async_num(s->acc ? a->acc : x) };
    case OP_repeat:
        for (int i = 0; i < x; i++)
            if ((r = block(s->body, a)).how != NORMAL)
                return r;
        break;
    case OP_call:
        v = function(x, a);
        if (!v.error) {
            a->acc = v.num;
            EMIT("call C%d = %ld", x, v.num);
        }
        break;
    case OP_try: return try(s, a);
    case OP_spawn: case OP_espawn: case OP_tgspawn: v = spawn(s, a); break;
    case OP_self: slot[x] = async_current_task(); break;
    case OP_await: case OP_shield: case OP_waitfor: v = await_task(s, a); break;
    case OP_waitforc: v = wait_for_call(s, a); break;
    case OP_cancel: case OP_state: cancel_or_state(s, a); break;
    case OP_gather: case OP_gatherc: v = gather(s, a); break;
    case OP_wait: v = wait_some(s, a); break;
    case OP_with: case OP_swith: case OP_cwith: return hold(s, a);
    case OP_soon:
        v = async_loop_call_soon(loop, on_loop, note("cb", x, 0)) ? async_none : no_memory;
        break;
    case OP_later:
        v = async_loop_call_later(loop, x / 1000.0, on_loop, note("cb", y, 0)) ? async_none
                                                                              : no_memory;
        break;
    case OP_tcb:
        if (slot[x])
            v = async_add_done_callback(slot[x], on_task, note("tcb", y, 0));
        else
            EMIT("tcb S%d empty", x);
        break;
    case OP_timeout: return timeout(s, a);
    case OP_tg: return task_group(s, a);
    case OP_cancelling: EMIT("cancelling = %d", async_cancelling(async_current_task())); break;
    case OP_uncancel: y = async_uncancel(async_current_task()); EMIT("uncancel = %d", y); break;
    default: v = primitive(s, a); break;
    }
    return v.error ? error(v) : (struct result){ NORMAL, v };
}

static struct result block(struct statement *s, struct activation *a)
{
    for (; s; s = s->next) {
        struct result r = statement(s, a);
        if (r.how != NORMAL)
            return r;
    }
    return (struct result){ NORMAL, async_none };
}

/* ---------------------------------------------------------------------------------- run */

/* As asyncio.run does it, with lines in between. The last word of the trace. */
static const char *run_main(void)
{
    async_coroutine coro = async_coro(activate, start(0, 0));
    async_task main_task = async_loop_create_task(loop, coro);
    if (!main_task)
        return "NO MEMORY";
    learn(main_task, 1);
    async_value v = async_loop_run_until_complete(loop, main_task);
    if (v.error == ASYNC_DEADLOCK)
        return "DEADLOCK";
    who(0);
    print("main ");
    put_outcome(main_task);
    size_t n = async_loop_all_tasks(loop, NULL, 0);
    if (n) {
        async_task left[n];
        async_loop_all_tasks(loop, left, n);
        for (size_t i = 0; i < n; i++)
            async_cancel(left[i]);
        v = async_loop_run_until_complete(loop, async_gather_list(NULL, left, n, true));
        if (v.error == ASYNC_DEADLOCK)
            return "DEADLOCK";
    }
    return "END";
}

static void ignore(async_loop *l, const char *message, async_value e, async_awaitable x)
{
    (void)l, (void)message, (void)e, (void)x;
}

/* Runs the program on a fresh loop with a virtual clock. False: there was no memory for a loop. */
static bool run_program(const struct source *source, FILE *out)
{
    struct kept *before = all_kept;
    size_t used = before ? before->used : 0;
    trace = out;
    program = parse(source->text);
    memset(slot, 0, sizeof slot);
    activations = knowns = 0;
    setenv("ASYNC_CLOCK", "virtual", 1);
    loop = async_new_event_loop();
    if (loop) {
        async_loop_set_exception_handler(loop, ignore);
        async_loop_set_eager_task_factory(loop, program->eager);
        const char *end = run_main();
        who(0);
        print("%s\n", end);
        fflush(out);
        async_loop_close(loop);
    }
    keep_nothing(before, used);
    return loop;
}

#endif
