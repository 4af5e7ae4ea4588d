/* threads_or_tasks.c - what does it cost to wait, a thread for each or a task for each?
 *
 * Starts many that wait, and looks at the clock and at our memory; then lets two of them take turns,
 * and counts what a switch from one to the other takes. A machine's figures differ a little from run to
 * run. What the kernel keeps for each thread, another 16 KiB or so, nobody shows us. */
#include "async.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MANY 200
#define SWITCHES 20000

static double now(void)                 /* real time, in ns; the loop's own may be virtual */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double memory(void)              /* of this process, in bytes */
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm && fscanf(statm, "%*d %ld", &pages) != 1)
        pages = 0;
    if (statm)
        fclose(statm);
    return (double)pages * sysconf(_SC_PAGESIZE);
}

static void report(const char *what, double started, double grown, double switched)
{
    printf("%d %s: %.0f ns to start one, %.0f KiB for each, %.0f ns for a switch\n", MANY, what,
           started / MANY, grown / MANY / 1024 + 0.5, switched / SWITCHES);
}

/* ---------------------------------------------------------------------------- threads */

static sem_t over, turn[2];

static void *thread_waits(void *arg)
{
    sem_wait(&over);
    return arg;
}

static void *thread_switches(void *number)
{
    int me = *(int *)number;
    for (int i = 0; i < SWITCHES / 2; i++) {
        sem_wait(&turn[me]);
        sem_post(&turn[!me]);
    }
    return NULL;
}

static void measure_threads(void)
{
    pthread_t threads[MANY], two[2];
    int numbers[2] = { 0, 1 }, count = 0;
    sem_init(&over, 0, 0);
    sem_init(&turn[0], 0, 1);
    sem_init(&turn[1], 0, 0);
    double before = memory(), start = now();
    while (count < MANY && pthread_create(&threads[count], NULL, thread_waits, NULL) == 0)
        count++;
    double started = now() - start;
    usleep(100 * 1000);                 /* until the last one waits */
    double grown = memory() - before;
    for (int i = 0; i < count; i++)
        sem_post(&over);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    start = now();
    for (int i = 0; i < 2; i++)
        pthread_create(&two[i], NULL, thread_switches, &numbers[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(two[i], NULL);
    report("threads", started, grown, now() - start);
}

/* ------------------------------------------------------------------------------ tasks */

static async_value task_waits(void *p)
{
    (void)p;
    await(async_sleep(3600));
    return async_none;
}

static async_value task_switches(void *p)
{
    (void)p;
    for (int i = 0; i < SWITCHES / 2; i++)
        await(async_sleep(0));          /* gives up its turn */
    return async_none;
}

static async_value measure_tasks(void *p)
{
    (void)p;
    async_task tasks[MANY];
    double before = memory(), start = now();
    for (int i = 0; i < MANY; i++)
        tasks[i] = async_create_task(async_coro(task_waits));
    await(async_sleep(0));              /* until the last one waits */
    double started = now() - start, grown = memory() - before;
    for (int i = 0; i < MANY; i++)
        async_cancel(tasks[i]);
    async_task one = async_create_task(async_coro(task_switches));
    async_task other = async_create_task(async_coro(task_switches));
    await(async_sleep(0));              /* the cancelled ones are gone, and these two are under way */
    start = now();
    await(one);
    await(other);
    report("tasks", started, grown, now() - start);
    return async_none;
}

int main(void)
{
    measure_threads();
    return async_main(async_coro(measure_tasks));
}
