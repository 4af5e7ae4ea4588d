/* stage.c - calls what the student wrote with the inputs of this run.
 *
 * The bank and the scales are ours: they note in which thread they are called. A thread that is not
 * the loop's waits for what it wants to see, the other questions, or the loop going on, until all
 * other threads sleep: then nobody is left who could bring it about. So no verdict depends on how
 * fast the machine is. */
#define _GNU_SOURCE
#include "exercise.h"
#include "core/hooks.h"
#include "stage.h"
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_ACCOUNTS 4
#define A_MOMENT 1000000        /* real nanoseconds between two looks at who sleeps ... */
#define LOOKS 5                 /* ... of whom so many have to say the same */
#define OFTEN 100               /* who looks again and again does that more often than this */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_t loops_thread;
static pid_t stages_process;
static long asked, to_ask;      /* questions that the bank got, and will get */
static long turns, weighed_at;  /* of the loop, as far as we asked for them; weigh()'s last one */
static async_loop *loop;
static bool turn_asked_for;
static long in_a_row, most_in_a_row;
static bool in_loop, in_vain;
static atomic_long steps;       /* that tasks have made since a thread became busy, or the loop weighed */
static atomic_bool restless;    /* there were many while a thread was busy */

static bool in_loops_thread(void) { return pthread_equal(pthread_self(), loops_thread); }

static bool sleeps(pid_t thread)
{
    char name[64], state = 0;
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", thread);
    FILE *file = fopen(name, "r");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (file)
        fclose(file);
    return state == 'S' || !file;       /* one that has ended does nothing any more */
}

/* In another thread: do all but this one sleep? Of the loop's the process has the number. */
static bool others_sleep(void)
{
    bool all = true;
    pid_t self = syscall(SYS_gettid);
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *one; all && threads && (one = readdir(threads)); )
        all = atoi(one->d_name) == 0 || atoi(one->d_name) == self || sleeps(atoi(one->d_name));
    if (threads)
        closedir(threads);
    return all;
}

static bool loop_sleeps(void) { return sleeps(stages_process); }

/* In another thread, for a moment: returns how many looks in a row have found them asleep by now. */
static int look(bool (*asleep)(void), int looks)
{
    syscall(SYS_nanosleep, &(struct timespec){ 0, A_MOMENT }, NULL);
    return asleep() ? looks + 1 : 0;
}

/* In another thread, with the mutex: until *value is `least`, or nobody is awake who could make it so. */
static void wait_until(const long *value, long least)
{
    for (int looks = 0; *value < least && looks < LOOKS && !in_vain; ) {
        pthread_mutex_unlock(&mutex);
        looks = look(others_sleep, looks);
        pthread_mutex_lock(&mutex);
    }
    in_vain = in_vain || *value < least;
}

static void on_resumed(async_task task) { (void)task, steps++; }
static struct async_hooks hooks = { .resumed = on_resumed };

/* In another thread: takes its time, and sees whether the loop rests meanwhile. */
static void be_busy(void)
{
    steps = 0;
    for (int looks = 0; looks < LOOKS && steps <= OFTEN; )
        looks = look(loop_sleeps, looks);
    if (steps > OFTEN)
        restless = true;
}

static long ask_bank(const char *account)
{
    bool in_thread = !in_loops_thread() && getpid() == stages_process;
    pthread_mutex_lock(&mutex);
    asked++;
    if (in_loops_thread())
        in_loop = true;
    else
        wait_until(&asked, to_ask);
    pthread_mutex_unlock(&mutex);
    if (in_thread)
        be_busy();
    return atol(account + 1);
}

/* Of two calls at once each has scales of its own. No weight fits into an int. What is no item weighs more than all
 * of them. */
static struct scales {
    long count, factor, offset;
} scales[2];
static int calls;

static long weight_of(const struct scales *on, long item)
{
    bool is_item = item >= 0 && item < on->count;
    return (is_item ? (item * on->factor + on->offset) % 99991 : 2 * 99991) << 32;
}

/* From the loop: it goes on. */
static async_value another_turn(void *p)
{
    (void)p;
    pthread_mutex_lock(&mutex);
    turns++;
    turn_asked_for = false;
    pthread_mutex_unlock(&mutex);
    return async_none;
}

static void weigh_in_loop(void)
{
    in_a_row = weighed_at == turns ? in_a_row + 1 : 1;
    weighed_at = turns;
    steps = 0;
    if (in_a_row > most_in_a_row)
        most_in_a_row = in_a_row;
    if (!turn_asked_for)
        async_loop_call_soon(loop, another_turn, NULL);
    turn_asked_for = true;
}

static long weigh_on(const struct scales *on, long item)
{
    if (getpid() != stages_process)
        return weight_of(on, item);
    static bool seen;
    pthread_mutex_lock(&mutex);
    bool first_in_thread = !in_loops_thread() && !seen && item == 0;
    seen = seen || first_in_thread;
    if (in_loops_thread()) {
        weigh_in_loop();
    } else if (first_in_thread) {
        async_loop_call_soon_threadsafe(loop, another_turn, NULL);
        wait_until(&turns, turns + 1);
    }
    pthread_mutex_unlock(&mutex);
    if (first_in_thread)
        be_busy();
    return weight_of(on, item);
}

static long weigh(long item) { return weigh_on(&scales[0], item); }
static long weigh_for_other(long item) { return weigh_on(&scales[1], item); }

struct note_loop { async_coroutine what; };
static async_value note_loop(void *p)
{
    loop = async_get_running_loop();
    return async_catch(((struct note_loop *)p)->what);
}

static void run_morning(void)
{
    struct fetch got[2];
    for (int i = 0; i < 2; i++)
        got[i] = (struct fetch){ i ? "news" : "weather", stage_real(1 + 2 * i),
                                 stage_integer(2 + 2 * i) };
    stage_number("morning", stage_run(async_coro(morning, got[0], got[1])));
}

static void run_balances(void)
{
    const char *accounts[MOST_ACCOUNTS];
    to_ask = stage_words() - 1;
    for (int i = 0; i < to_ask && i < MOST_ACCOUNTS; i++)
        accounts[i] = stage_word(1 + i);
    stage_number("balances", stage_run(async_coro(balances, ask_bank, accounts, to_ask)));
    stage_number("asked", async_num(asked));
    stage_number("in_loop", async_num(in_loop));
    stage_number("in_vain", async_num(in_vain));
}

static void run_heaviest(void)
{
    scales[calls] = (struct scales){ stage_integer(1), stage_integer(2), stage_integer(3) };
    async_coroutine what = async_coro(heaviest, calls++ ? weigh_for_other : weigh, stage_integer(1));
    stage_number("heaviest", stage_run(async_coro(note_loop, what)));
    stage_number("in_a_row", async_num(most_in_a_row));
    stage_number("in_vain", async_num(in_vain));
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (!stages_process)        /* of two calls at once, the first */
        async_hooks_add(&hooks);
    loops_thread = pthread_self();
    stages_process = getpid();
    if (stage_part("morning"))
        run_morning();
    if (stage_part("balances"))
        run_balances();
    if (stage_part("heaviest"))
        run_heaviest();
    stage_number("restless", async_num(restless));
    return stage_close();
}
