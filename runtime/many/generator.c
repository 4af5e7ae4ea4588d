/* generator.c - asynchronous iterators and generators: async for, yield, aclose.
 *
 * An iterator is a function that gives the next value each time it is awaited, and the error
 * ASYNC_STOP_ITERATION at the end. A generator is an iterator whose function has a stack of its
 * own, because it stops in the middle: async_yield leaves that stack for the consumer's, the next
 * async_anext comes back. All of it happens inside the consumer's task: when the generator awaits,
 * that task is suspended, on the generator's stack. */
#include "core/coro.h"
#include "core/exception.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/report.h"
#include "core/stack.h"
#include "core/task.h"
#include "core/waitq.h"

static async_value anext(void *p)
{
    async_iterator *iterator = p;
    return iterator->next(iterator->state);
}

static async_value next(void *state);

/* A generator's function has a frame of its own to leave; any other next gets one here. */
async_awaitable async_anext(async_iterator iterator)
{
    if (!iterator.next)             /* zeroes: it was never made, and says so as a generator's NULL does */
        iterator.next = next;
    if (iterator.next == next)
        return coro_make(anext, "async_anext", &iterator, sizeof iterator);
    return async_coro_new((async_call){ anext, "async_anext", &iterator, sizeof iterator });
}

struct generator {
    struct object object;
    struct coro *coro;              /* its function and arguments; pinned */
    struct list link;               /* in the loop's generators while it is started and not over */
    void *owned;                    /* stands for it in its owner's memory; NULL when it is over */
    void *stack;                    /* its own, while it runs the consumer's; NULL before the first anext
                                       and when it is over */
    void *place, *consumer_place;   /* where its stack and the consumer's were left */
    struct frame *frame;            /* where it is, while the consumer runs */
    async_value value;              /* handed over by yield, or what it ended with */
    bool running, yielded, closing, over;
};

static void give_up_stack(struct generator *generator)
{
    list_remove(&generator->link);
    if (generator->stack)
        stack_give(generator->stack);
    generator->stack = NULL;
}

static void drop(struct object *object)
{
    struct generator *generator = (struct generator *)object;
    give_up_stack(generator);
    object_unpin(&generator->coro->object);
}

/* Its owner has ended. If it was left in the middle its clean-ups must run, and may wait: so a task is
 * made for that, as Python does when the last reference goes. While another task runs it, that one has it. */
static bool abandon(struct object *object)
{
    struct generator *generator = (struct generator *)object;
    if (!generator->stack || (!generator->running && loop_running != object->future.loop))
        return false;
    generator->owned = NULL;
    object_disown(object);
    if (!generator->running) {
        async_coroutine closing = async_aclose((async_iterator){ next, object_ticket(object) });
        async_detach(closing ? async_create_task(closing) : NULL);
    }
    return true;
}

static const struct future_type generator_type = {
    .name = "async_generator", .drop = drop, .abandon = abandon
};

static void end(struct generator *generator)
{
    generator->over = true;
    give_up_stack(generator);
    memory_give_back(generator->owned);
    generator->owned = NULL;
    object_disown(&generator->object);
    object_retire(&generator->object, TAKEN);
}

static _Thread_local struct generator *starting;

/* The bottom of a generator's stack. */
static void entry(void)
{
    stack_arrived();
    struct generator *generator = starting;
    generator->value = coro_call(generator->coro, generator);
    generator->over = true;
    generator->yielded = false;
    stack_switch(&generator->place, generator->consumer_place, true);
}

static bool prepare(struct generator *generator)
{
    if (generator->stack)
        return true;
    generator->stack = stack_take();
    if (!generator->stack)
        return false;
    generator->object.future.loop = loop_running;   /* from now on: who made it need not have been of this one */
    generator->place = switch_prepare(generator->stack, entry);
    list_append(&loop_running->generators, &generator->link);
    starting = generator;
    return true;
}

static void exchange(void **a, void **b)
{
    void *was = *a;
    *a = *b;
    *b = was;
}

/* Goes on on the generator's stack until it yields or ends. */
static async_value resume(struct generator *generator)
{
    struct frame **here = coro_innermost(), *consumer = *here;
    if (!prepare(generator))
        return async_error(ENOMEM, "no memory for the generator's stack");
    object_pin(&generator->object);
    generator->running = true;
    if (generator->frame) {            /* it goes on for another consumer than it began for */
        generator->frame->outer = consumer;
        generator->frame->awaited_at = async_here;
        *here = generator->frame;
        hook_value(entered, generator->frame);
    }
    exchange(&task_current()->stack, &generator->stack);
    stack_switch(&generator->consumer_place, generator->place, false);
    exchange(&task_current()->stack, &generator->stack);
    *here = consumer;
    generator->running = false;
    async_value v = generator->value;
    if (generator->yielded)
        hook_value(yielded, generator->frame, &v);
    if (generator->over) {
        end(generator);
        v = v.error ? v : async_error(ASYNC_STOP_ITERATION, "");
    }
    object_unpin(&generator->object);
    return v;
}

/* Or why not: no task runs, or another loop than the one in which it was started. */
static async_value may_go_on(struct generator *generator)
{
    if (!task_current())
        return report_no_task();
    return generator->stack && object_is_foreign(&generator->object) ? report_foreign(&generator->object) : async_none;
}

static async_value next(void *state)
{
    if (object_over(state))
        return async_error(ASYNC_STOP_ITERATION, "");
    struct generator *generator = object_fit(state, &generator_type);
    if (!generator)
        return report_misuse(state, "async_anext");
    if (generator->running)
        return async_error(ASYNC_RUNTIME_ERROR,
                           "anext(): asynchronous generator is already running");
    if (generator->over)
        return async_error(ASYNC_STOP_ITERATION, "");
    async_value v = may_go_on(generator);
    return v.error ? v : resume(generator);
}

async_value async_yield_value(async_value value)
{
    struct frame **here = coro_innermost();
    struct generator *generator = *here ? (*here)->generator : NULL;
    if (!generator)
        return async_error(ASYNC_RUNTIME_ERROR, "async_yield outside of an async generator's own "
                                                "function");
    generator->value = value;
    generator->yielded = true;
    generator->frame = *here;
    if (!stack_holds(task_current()->stack))
        report_stepped_over();
    stack_switch(&generator->place, generator->consumer_place, false);
    generator->yielded = false;
    return generator->closing ? async_error(ASYNC_GENERATOR_EXIT, "") : async_none;
}

async_iterator async_generator_new(async_call call)
{
    async_iterator iterator = { next, NULL };
    async_coroutine coro = async_coro_new(call);
    struct generator *generator = coro ? object_make(struct generator, &generator_type, loop_running) : NULL;
    if (!generator) {
        async_coro_close(coro);
        return iterator;
    }
    generator->coro = object_find(coro);
    list_init(&generator->link);
    generator->coro->object.future.type = &running_type;
    object_pin(&generator->coro->object);
    object_expire(&generator->coro->object);        /* it goes when we unpin it */
    iterator.state = object_ticket(&generator->object);
    generator->owned = memory_own(memory_here(), iterator.state);   /* without it, until the loop closes */
    return iterator;
}

/* -------------------------------------------------------------------------------- aclose */

static async_value aclose(void *p)
{
    async_iterator *iterator = p;
    if (iterator->next != next)
        return async_error(ASYNC_TYPE_ERROR, "only a generator can be closed");
    if (object_over(iterator->state))
        return async_none;
    struct generator *generator = object_fit(iterator->state, &generator_type);
    if (!generator)
        return report_misuse(iterator->state, "async_aclose");
    if (generator->running)
        return async_error(ASYNC_RUNTIME_ERROR,
                           "aclose(): asynchronous generator is already running");
    if (!generator->stack) {                    /* it is over, or never started: then nothing of it runs */
        end(generator);
        return async_none;
    }
    async_value v = may_go_on(generator);
    if (v.error)
        return v;
    generator->closing = true;
    v = resume(generator);
    if (generator->yielded)
        return async_error(ASYNC_RUNTIME_ERROR, "async generator ignored GeneratorExit");
    return v.error == ASYNC_GENERATOR_EXIT || v.error == ASYNC_STOP_ITERATION ? async_none : v;
}

async_awaitable async_aclose(async_iterator iterator)
{
    return coro_make(aclose, __func__, &iterator, sizeof iterator);
}

void async_aclose_exit(async_iterator *iterator)
{
    async_value v = async_catch(async_aclose(*iterator));
    if (v.error)
        async_leave_with(v);
}

/* All at once, as gather does it: the slowest clean-up decides how long it takes. */
static async_value close_all(void *p)
{
    async_loop *loop = *(async_loop **)p;
    size_t count = 0, i = 0;
    list_each(link, &loop->generators)
        count++;
    async_awaitable *closing = async_alloc(count * sizeof *closing);
    async_value *ends = async_alloc(count * sizeof *ends);
    if (!closing || !ends)
        return async_error(ENOMEM, "no memory to close the generators that are left");
    list_each(link, &loop->generators) {
        struct generator *generator = container_of(link, struct generator, link);
        closing[i++] = async_aclose((async_iterator){ next, object_ticket(&generator->object) });
        list_remove(link);
    }
    async_value v = count ? async_catch(async_gather_list(ends, closing, count, true)) : async_none;
    for (i = 0; i < count && !v.error; i++)
        if (ends[i].error)
            report_exception(loop, "an error occurred during closing of asynchronous generator", ends[i],
                             NULL);
    return v;
}

async_awaitable async_loop_shutdown_asyncgens(async_loop *loop)
{
    loop_given(loop, __func__);
    return coro_make(close_all, "async_loop_shutdown_asyncgens", &loop, sizeof loop);
}
