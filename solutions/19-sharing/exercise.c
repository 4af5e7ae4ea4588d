/* The box office: a lock across three awaits, a semaphore for the printers, a condition for the
 * waiting list.
 *
 * Python twin of part 3:
 *     async with list.changed:
 *         await list.changed.wait_for(lambda: list.closed or list.seats >= seats)
 *         if list.closed:
 *             raise TooLate
 *         list.seats -= seats */
#include "exercise.h"
#include <stdio.h>

#define LOOKING 0.1             /* seconds that it takes to look into the book, or to write */

async_value look_up(void *p)
{
    struct look_up *args = p;
    await(async_sleep(LOOKING));
    return async_num(args->concert->free);
}

async_value pay(void *p)
{
    struct pay *args = p;
    printf("%s: pays\n", args->guest->name);
    await(async_sleep(args->guest->pays));
    printf("%s: %s\n", args->guest->name, args->guest->refused ? "refused" : "paid");
    if (args->guest->refused)
        async_raise(EPERM, "the payment was refused");
    return async_none;
}

async_value write_down(void *p)
{
    struct write_down *args = p;
    await(async_sleep(LOOKING));
    args->concert->free = args->free;
    printf("%s: %ld free\n", args->concert->name, args->free);
    return async_none;
}

async_value print_ticket(void *p)
{
    struct print_ticket *args = p;
    printf("%s: printing\n", args->ticket->name);
    await(async_sleep(args->ticket->seconds));
    printf("%s: %s\n", args->ticket->name, args->ticket->jams ? "jammed" : "printed");
    if (args->ticket->jams)
        async_raise(EIO, "the printer jams");
    return async_none;
}

async_value sell(void *p)
{
    struct sell *args = p;
    await(async_lock_acquire(args->concert->lock));
    async_with(async_lock_exit) async_lock *held = args->concert->lock;
    long free = await(async_coro(look_up, args->concert)).num;
    if (free < args->guest->seats)
        async_raise(ENOSPC, "sold out");
    await(async_coro(pay, args->guest));
    await(async_coro(write_down, args->concert, free - args->guest->seats));
    return async_num(free - args->guest->seats);
}

/* Gives 1, or 0 if the printer jams. */
struct print_one { async_semaphore *free; struct ticket *ticket; };
static async_value print_one(void *p)
{
    struct print_one *args = p;
    await(async_semaphore_acquire(args->free));
    async_with(async_semaphore_exit) async_semaphore *held = args->free;
    async_value printed = async_catch(async_coro(print_ticket, args->ticket));
    if (printed.error && printed.error != EIO)
        return async_leave(printed);
    return async_num(!printed.error);
}

async_value print_all(void *p)
{
    struct print_all *args = p;
    async_awaitable all[MOST_TICKETS];
    async_value results[MOST_TICKETS];
    long printed = 0;
    async_semaphore *free = async_semaphore_new(args->printers);
    for (size_t i = 0; i < args->count; i++)
        all[i] = async_coro(print_one, free, &args->tickets[i]);
    await(async_gather_list(results, all, args->count, false));
    for (size_t i = 0; i < args->count; i++)
        printed += results[i].num;
    return async_num(printed);
}

async_value give_back(void *p)
{
    struct give_back *args = p;
    await(async_condition_acquire(args->list->changed));
    async_with(async_condition_exit) async_condition *changed = args->list->changed;
    args->list->seats += args->seats;
    async_condition_notify_all(changed);
    return async_none;
}

async_value begin_concert(void *p)
{
    struct begin_concert *args = p;
    await(async_condition_acquire(args->list->changed));
    async_with(async_condition_exit) async_condition *changed = args->list->changed;
    args->list->closed = true;
    async_condition_notify_all(changed);
    return async_none;
}

/* Has the waiting an end? */
static bool can_go_on(void *p)
{
    struct wait_for_seats *args = p;
    return args->list->closed || args->list->seats >= args->seats;
}

async_value wait_for_seats(void *p)
{
    struct wait_for_seats *args = p;
    await(async_condition_acquire(args->list->changed));
    async_with(async_condition_exit) async_condition *changed = args->list->changed;
    await(async_condition_wait_for(changed, can_go_on, args));
    if (args->list->closed)
        async_raise(TOO_LATE, "the concert has begun");
    args->list->seats -= args->seats;
    return async_num(args->list->seats);
}

struct somebody { struct waiting_list *list; const char *name; long seats; };
static async_value somebody(void *p)
{
    struct somebody *args = p;
    async_value got = async_catch(async_coro(wait_for_seats, args->list, args->seats));
    printf("%s: %s\n", args->name, got.error == TOO_LATE ? "too late"
                                   : got.error ? async_error_name(got.error) : "has seats");
    return async_none;
}

static async_value try_it(void *p)
{
    (void)p;
    struct concert jazz = { "jazz", 10, async_lock_new() };
    struct guest ann = { "Ann", 4, 1, false };
    struct guest ben = { "Ben", 3, 1, true };
    struct guest cem = { "Cem", 5, 1, false };
    await(async_gather_exceptions(NULL, async_coro(sell, &jazz, &ann),
                                  async_coro(sell, &jazz, &ben), async_coro(sell, &jazz, &cem)));
    printf("%ld seats are free, and should be 1\n\n", jazz.free);

    struct ticket tickets[] = { { "A1", 2, false }, { "A2", 1, true }, { "A3", 1, false } };
    async_value printed = await(async_coro(print_all, tickets, 3, 2));
    printf("%ld printed\n\n", printed.num);

    struct waiting_list list = { .changed = async_condition_new(NULL) };
    async_future all = async_gather(NULL, async_coro(somebody, &list, "Ann", 4),
                                    async_coro(somebody, &list, "Ben", 1),
                                    async_coro(somebody, &list, "Cem", 9));
    await(async_sleep(1));
    await(async_coro(give_back, &list, 2));
    await(async_sleep(1));
    await(async_coro(give_back, &list, 3));
    await(async_sleep(1));
    await(async_coro(begin_concert, &list));
    await(all);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
