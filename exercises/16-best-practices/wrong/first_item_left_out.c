/* expect: That is the item that weighs most */
#include "exercise.h"
#include <stdio.h>
#include <unistd.h>

async_value fetch(void *p)
{
    struct fetch *args = p;
    await(async_sleep(args->seconds));
    printf("the %s is here\n", args->what);
    return async_num(args->words);
}

async_value note(void *p)
{
    struct note *args = p;
    await(async_sleep(0.5));
    printf("noted: %ld words\n", args->words);
    return async_none;
}

async_value morning(void *p)
{
    struct morning *args = p;
    async_value got[2];
    await(async_gather(
        got, async_coro(fetch, args->weather.what, args->weather.seconds, args->weather.words),
        async_coro(fetch, args->news.what, args->news.seconds, args->news.words)));
    long words = got[0].num + got[1].num;
    await(async_coro(note, words));
    return async_num(words);
}

/* In a thread. */
struct ask { long (*ask_bank)(const char *account); const char *account; };
static async_value ask(void *p)
{
    struct ask *args = p;
    return async_num(args->ask_bank(args->account));
}

async_value balances(void *p)
{
    struct balances *args = p;
    async_value got[args->count];
    async_awaitable asked[args->count];
    long sum = 0;
    for (size_t i = 0; i < args->count; i++)
        asked[i] = async_to_thread(ask, args->ask_bank, args->accounts[i]);
    await(async_gather_list(got, asked, args->count, false));
    for (size_t i = 0; i < args->count; i++)
        sum += got[i].num;
    return async_num(sum);
}

/* In a thread, too. */
struct search { long (*weigh)(long item); long count; };
static async_value search(void *p)
{
    struct search *args = p;
    long best = args->count > 1, most = args->weigh(best);
    for (long item = 1; item < args->count; item++) {
        long weight = args->weigh(item);
        if (weight > most) {
            most = weight;
            best = item;
        }
    }
    return async_num(best);
}

async_value heaviest(void *p)
{
    struct heaviest *args = p;
    return async_catch(async_to_thread(search, args->weigh, args->count));
}

/* To try it: make exercise-16. The grader uses a main of its own. */

static long ask_bank(const char *account)
{
    sleep(1);
    return account[0];
}

static long weigh(long item)
{
    volatile long weight = 0;
    for (long i = 0; i < 5000; i++)
        weight = (weight * 31 + item * i) % 1009;
    return weight;
}

static async_value heart(void *p)
{
    (void)p;
    for (;;) {
        await(async_sleep(0.1));
        printf("  the heart beats\n");
    }
}

static async_value try_it(void *p)
{
    (void)p;
    static const char *const accounts[] = { "alice", "bob", "carol" };
    async_task beating = async_create_task(async_coro(heart));
    await(async_coro(morning, { "weather", 0.5, 20 }, { "news", 1, 300 }));
    printf("in the bank: %ld\n", await(async_coro(balances, ask_bank, accounts, 3)).num);
    printf("the heaviest: %ld\n", await(async_coro(heaviest, weigh, 40000)).num);
    async_cancel(beating);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
