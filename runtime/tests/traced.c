/* traced.c - a program for trace.sh to trace: a little of everything.
 *
 *     traced [short|spin|kill|abort]     short: without long waits; spin: with ten thousand turns for nothing;
 *                                        else how it ends, in the middle */
#include "async.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *how = "";

struct sleeper { double seconds; };
static async_value sleeper(void *p)
{
    struct sleeper *args = p;
    await(async_sleep(args->seconds));
    return async_none;
}

static async_value failing(void *p)
{
    (void)p;
    await(async_sleep(0));
    async_raise(ASYNC_VALUE_ERROR, "a\nb");
}

static async_value nested(void *p)
{
    (void)p;
    await(async_sleep(strcmp(how, "short") == 0 ? 0.01 : 2.5));
    return async_str("nested is done");
}

struct counting { long from; };
static async_value counting(void *p)
{
    struct counting *args = p;
    for (long i = args->from; ; i++)
        async_yield(async_num(i));
}

struct setting { async_future future; };
static async_value setting(void *p)
{
    struct setting *args = p;
    async_set_result(args->future, async_num(42));
    return async_none;
}

static async_value set(void *event)
{
    async_event_set(event);
    return async_none;
}

struct emptying { async_queue *queue; };
static async_value emptying(void *p)
{
    struct emptying *args = p;
    for (int i = 0; i < 3; i++) {
        await(async_queue_get(args->queue));
        async_queue_task_done(args->queue);
    }
    return async_str("empty");
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_loop *loop = async_get_running_loop();
    async_event *event = async_event_new();
    async_task odd = async_create_task_named(async_coro(sleeper, 9),
                                             "say \"hi\" \\ \t\xff \xe0\x80\x80 \xc3\xa9");
    async_task never = async_create_task(async_coro(sleeper, 1));
    async_cancel(never);
    printf("first\n");
    async_value results[3];
    await(async_gather_exceptions(results, never, async_coro(failing), async_coro(sleeper, 0)));
    await(async_coro(nested));
    async_with(async_aclose_exit) async_iterator numbers = async_generator(counting, 1);
    await(async_anext(numbers));
    async_set_name(odd, "odd");
    async_future future = async_create_future();
    async_detach(async_create_task(async_coro(setting, future)));
    await(future);
    for (int i = 0; strcmp(how, "spin") == 0 && i < 10000; i++)
        await(async_sleep(0));
    async_loop_add_signal_handler(loop, SIGUSR1, set, event);
    raise(SIGUSR1);
    await(async_event_wait(event));
    async_event_clear(event);
    async_loop_call_soon(loop, set, event);
    await(async_event_wait(event));
    async_loop_remove_signal_handler(loop, SIGUSR1);
    if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(how, "abort") == 0)
        abort();
    async_queue *queue = async_queue_new(3);
    async_queue_put_nowait(queue, async_str("tea \"green\""));
    async_queue_put_nowait(queue, async_num(7));
    async_queue_put_nowait(queue, async_real(2.5));
    await(async_gather(NULL, async_queue_join(queue), async_coro(emptying, queue)));
    async_cancel(odd);
    async_value v = async_catch(odd);
    printf("later\n");
    return v.error == ASYNC_CANCELLED ? async_none : v;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        how = argv[1];
    return async_main(async_coro(main_coroutine));
}
