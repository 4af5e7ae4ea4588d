/* The box office. README.md has the task; `make grade-19` looks at it. */
#include "exercise.h"
#include <stdio.h>

#define LOOKING 0.1             /* seconds that it takes to look into the book, or to write */

/* These four are done: the book, the payment, the printer. */
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

/* Part 1: look, pay, write down, and nobody comes in between. */
async_value sell(void *p)
{
    struct sell *args = p;
    /* TODO: look_up how many seats of args->concert are free. If that is less than the guest wants
     * raise ENOSPC. Else let the guest pay, write_down how many are left, and return that. Hold
     * args->concert->lock meanwhile; it is free again on every way out. */
    (void)args;
    return async_none;
}

/* Part 2: many tickets, few printers. */
async_value print_all(void *p)
{
    struct print_all *args = p;
    /* TODO: print_ticket for args->tickets[0] to [args->count - 1], all at once, but never more
     * than args->printers at the same time. Pass over those that jam (EIO). Return how many were
     * printed. */
    (void)args;
    return async_none;
}

/* Part 3: seats that come back, and those who wait for them. */
async_value give_back(void *p)
{
    struct give_back *args = p;
    /* TODO: add args->seats to args->list->seats, and tell those who wait. */
    (void)args;
    return async_none;
}

async_value begin_concert(void *p)
{
    struct begin_concert *args = p;
    /* TODO: set args->list->closed, and tell those who wait. */
    (void)args;
    return async_none;
}

async_value wait_for_seats(void *p)
{
    struct wait_for_seats *args = p;
    /* TODO: wait until args->list->seats are as many as args->seats, take those off, and return
     * what is left. If the concert begins first, or has begun, raise TOO_LATE. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-19. The grader uses a main of its own. */
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
