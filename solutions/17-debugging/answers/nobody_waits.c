/* The wait is gone, and with it the printer.
 *
 * answer: wrong
 * points: 0/2 2/2 3/3
 * says: nobody waited for the printer
 */
#include "exercise.h"
#include <stdio.h>

/* ---------------------------------------------- Part 1: everybody waits, and nobody knows why */

/* It waits for the printer, so it is a coroutine, and so is everybody above it who waits for it. */
struct print_bill { const struct serve *order; };
static async_value print_bill(void *p)
{
    const struct serve *order = ((struct print_bill *)p)->order;
    printf("%s: %ld cents\n", order->guest, order->cents);
    return async_none;
}

struct check_out { const struct serve *order; };
static async_value check_out(void *p)
{
    const struct serve *order = ((struct check_out *)p)->order;
    await(async_coro(print_bill, order));
    return async_num(order->cents);
}

async_value serve(void *p)
{
    struct serve *args = p;
    printf("%s: ordered\n", args->guest);
    await(async_sleep(args->baking));
    async_value cents = await(async_coro(check_out, args));
    printf("%s: served\n", args->guest);
    return cents;
}

async_value serve_all(void *p)
{
    struct serve_all *args = p;
    async_task tasks[MOST];
    long cents = 0;
    for (size_t i = 0; i < args->count; i++) {
        const struct serve *order = &args->orders[i];
        tasks[i] = async_create_task_named(async_coro(serve, order->guest, order->baking,
                                                      order->printing, order->cents),
                                           order->guest);
    }
    for (size_t i = 0; i < args->count; i++)
        cents += await(tasks[i]).num;
    return async_num(cents);
}

/* ------------------------------------------ Part 2: the guests have left, who is still there? */

struct candle { const char *guest; };
static async_value candle(void *p)
{
    struct candle *args = p;
    printf("%s: candle lit\n", args->guest);
    for (;;) {
        async_value flicker = async_catch(async_sleep(0.5));
        if (flicker.error) {
            printf("%s: candle out\n", args->guest);
            return flicker;
        }
    }
}

static void put_out(async_task *light)
{
    async_cancel(*light);
    async_value ended = async_catch(*light);
    (void)ended;                        /* cancelled, as we wanted */
}

async_value visit(void *p)
{
    struct visit *args = p;
    async_with(put_out) async_task light =
        async_create_task_named(async_coro(candle, args->guest), "candle");
    printf("%s: sits down\n", args->guest);
    await(async_sleep(args->seconds));
    printf("%s: goodbye\n", args->guest);
    return async_none;
}

/* -------------------------------------------------- Part 3: the kitchen has stopped for good */

struct cook { const struct dish *dish; async_lock **tools; };
static async_value cook(void *p)
{
    struct cook *args = p;
    enum tool a = args->dish->tools[0], b = args->dish->tools[1];
    async_lock *first = args->tools[a < b ? a : b];
    async_lock *second = args->tools[a < b ? b : a];
    await(async_lock_acquire(first));
    async_with(async_lock_exit) async_lock *held = first;
    await(async_sleep(0.1));                            /* reaches for the other one */
    await(async_lock_acquire(second));
    async_with(async_lock_exit) async_lock *held_too = second;
    printf("%s: begins\n", args->dish->cook);
    await(async_sleep(args->dish->seconds));
    printf("%s: done\n", args->dish->cook);
    return async_none;
}

async_value cook_all(void *p)
{
    struct cook_all *args = p;
    async_lock *tools[TOOLS];
    async_task tasks[MOST];
    for (int i = 0; i < TOOLS; i++)
        tools[i] = async_lock_new();
    for (size_t i = 0; i < args->count; i++)
        tasks[i] = async_create_task_named(async_coro(cook, &args->dishes[i], tools),
                                           args->dishes[i].cook);
    await(async_gather_list(NULL, tasks, args->count, false));
    return async_num(args->count);
}

int main(void) { return 0; }
