/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

#define MOST 12

static char names[MOST][32];

/* Runs it in a task from `at` on; cancels that after some time, if it is more than 0. */
struct visit { const char *name; async_coroutine what; double at, cancelled_at; };
static async_value visit(void *p)
{
    struct visit *args = p;
    await(async_sleep(args->at));
    async_task task = async_create_task_named(args->what, args->name);
    if (args->cancelled_at > 0) {
        await(async_sleep(args->cancelled_at - args->at));
        async_cancel(task);
    }
    async_value got = async_catch(task);
    stage_number(args->name, got);
    return got.error == ASYNC_CANCELLED ? async_none : got;
}

/* --------------------------------------------------------- part 1: FREE FREE, then guests */

static async_value evening(void *p)
{
    (void)p;
    struct concert concerts[] = { { "jazz", stage_integer(1), async_lock_new() },
                                  { "opera", stage_integer(2), async_lock_new() } };
    struct guest guests[MOST];
    async_awaitable visits[MOST];
    size_t count = 0;
    for (int i = 3; i < stage_words() && count < MOST; i++) {
        struct guest *guest = &guests[count];
        char concert[8];
        int refused;
        double at, cancelled_at;
        if (sscanf(stage_word(i), "%7[^:]:%31[^:]:%ld:%lf:%lf:%d:%lf", concert, names[count],
                   &guest->seats, &at, &guest->pays, &refused, &cancelled_at) != 7)
            continue;
        guest->name = names[count];
        guest->refused = refused;
        visits[count++] = async_coro(visit, guest->name,
                                     async_coro(sell, &concerts[*concert == 'o'], guest), at,
                                     cancelled_at);
    }
    await(async_gather_list(NULL, visits, count, true));
    stage_number("locked", async_num(async_lock_locked(concerts[0].lock) +
                                     async_lock_locked(concerts[1].lock)));
    return async_none;
}

/* -------------------------------------------------------- part 2: PRINTERS, then tickets */

static struct ticket tickets[MOST];

/* Those in the words from `first` on; how many they are. */
static size_t read_tickets(int first)
{
    size_t count = 0;
    for (int i = first; i < stage_words() && count < MOST; i++) {
        char how[8];
        if (sscanf(stage_word(i), "%7[^:]:%31[^:]:%lf", how, names[count],
                   &tickets[count].seconds) != 3)
            continue;
        tickets[count].name = names[count];
        tickets[count++].jams = *how == 'j';
    }
    return count;
}

/* COUNT PRINTERS PRINTERS, then tickets: so many of them are one list, and the rest another. */
static async_value two_lists(void *p)
{
    (void)p;
    async_value printed[2];
    size_t count = read_tickets(4), first = stage_integer(1);
    await(async_gather_exceptions(
        printed, async_coro(print_all, tickets, first, stage_integer(2)),
        async_coro(print_all, tickets + first, count - first, stage_integer(3))));
    stage_number("print_all", printed[0]);
    stage_number("other_print_all", printed[1]);
    return async_none;
}

/* ------------------------------- part 3: NAME:AT:SEATS:CANCELLED for each who waits; the name
 * + is for seats that come back, and ! for the beginning */

struct wait { const char *name; struct waiting_list *list; long seats; };
static async_value wait(void *p)
{
    struct wait *args = p;
    async_value got = async_catch(async_coro(wait_for_seats, args->list, args->seats));
    printf("%s: %s\n", args->name, !got.error               ? "has seats"
                                   : got.error == TOO_LATE ? "too late"
                                                           : "gone");
    return got;
}

static async_value waiting(void *p)
{
    (void)p;
    struct waiting_list list = { .changed = async_condition_new(NULL) };
    async_awaitable visits[MOST];
    size_t count = 0;
    for (int i = 1; i < stage_words() && count < MOST; i++) {
        double at, cancelled_at;
        long seats;
        char *name = names[count];
        if (sscanf(stage_word(i), "%31[^:]:%lf:%ld:%lf", name, &at, &seats, &cancelled_at) != 4)
            continue;
        async_coroutine what = *name == '+'   ? async_coro(give_back, &list, seats)
                               : *name == '!' ? async_coro(begin_concert, &list)
                                              : async_coro(wait, name, &list, seats);
        visits[count++] = async_coro(visit, name, what, at, cancelled_at);
    }
    await(async_gather_list(NULL, visits, count, true));
    stage_number("locked", async_num(async_condition_locked(list.changed)));
    return async_none;
}

/* Calls one of the three, wait_for_seats, give_back or begin_concert, while somebody else has the lock of
 * the condition, and cancels it then. Is the lock still held? Who has no use for that lock is done
 * already. */
static async_value held(void *p)
{
    (void)p;
    struct waiting_list list = { .changed = async_condition_new(NULL) };
    const char *which = stage_word(1);
    await(async_condition_acquire(list.changed));
    async_task task = async_create_task_named(*which == 'w'   ? async_coro(wait_for_seats, &list, 1)
                                              : *which == 'g' ? async_coro(give_back, &list, 1)
                                                              : async_coro(begin_concert, &list),
                                              which);
    await(async_sleep(1));
    async_cancel(task);
    stage_number(which, async_catch(task));
    stage_number("locked", async_num(async_condition_locked(list.changed)));
    async_condition_release(list.changed);
    return async_none;
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("sell"))
        stage_outcome("sell", stage_run(async_coro(evening)));
    if (stage_part("print_all"))
        stage_number("print_all", stage_run(async_coro(print_all, tickets, read_tickets(2),
                                                       stage_integer(1))));
    if (stage_part("two_lists"))
        stage_outcome("two_lists", stage_run(async_coro(two_lists)));
    if (stage_part("waiting"))
        stage_outcome("waiting", stage_run(async_coro(waiting)));
    if (stage_part("held"))
        stage_outcome("held", stage_run(async_coro(held)));
    return stage_close();
}
