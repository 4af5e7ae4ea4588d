/* Three pitfalls. README.md has the task; `make grade-16` looks at it. */
#include "exercise.h"
#include <stdio.h>
#include <unistd.h>

/* Part 1: this works, and yet everything in it is wrong. */

async_value fetch(void *p)
{
    struct fetch *args = p;
    usleep(args->seconds * 1e6);                /* TODO: this stops everybody */
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
    /* TODO: one waits for the other */
    long weather = await(async_coro(fetch, args->weather.what, args->weather.seconds,
                                    args->weather.words)).num;
    long news = await(async_coro(fetch, args->news.what, args->news.seconds, args->news.words)).num;
    async_coroutine last = async_coro(note, weather + news);
    (void)last;                                 /* TODO: who runs this? */
    return async_num(weather + news);
}

/* Part 2: a library that blocks. */
async_value balances(void *p)
{
    struct balances *args = p;
    long sum = 0;
    /* TODO: ask for all accounts at once, in threads */
    for (size_t i = 0; i < args->count; i++)
        sum += args->ask_bank(args->accounts[i]);
    return async_num(sum);
}

/* Part 3: a long computation. */
async_value heaviest(void *p)
{
    struct heaviest *args = p;
    long best = 0, most = args->weigh(0);
    /* TODO: let the others have a turn, at least after every MOST_IN_A_ROW items */
    for (long item = 1; item < args->count; item++) {
        long weight = args->weigh(item);
        if (weight > most) {
            most = weight;
            best = item;
        }
    }
    return async_num(best);
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
