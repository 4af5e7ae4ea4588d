/* Three programs that wait for the clock. README.md has the task; `make grade-1` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: the coroutine is here. What runs it? (Its argument is in the struct with its name: lesson 2
 * is about that.) */
struct announce { const char *shop; };
static async_value announce(void *p)
{
    struct announce *args = p;
    printf("%s is open\n", args->shop);
    return async_none;
}

int open_shop(const char *shop)
{
    async_coroutine opening = async_coro(announce, .shop = shop);
    /* TODO: run it in an event loop, as the last line of a main() does, and return the exit
     * status. */
    async_coro_close(opening);          /* this throws it away instead */
    return 1;
}

/* Part 2: one callback now, one later. */
void egg_timer(const char *what, double seconds)
{
    /* TODO: make a loop; book a callback that prints "WHAT: started" as soon as the loop runs, and
     * one that prints "WHAT: done" after the seconds and stops the loop; run the loop until then;
     * close it. A callback looks like announce, and gets the pointer that it was booked with. */
    (void)what, (void)seconds;
}

/* Part 3: a callback that books itself again. The loop is here, and what the callback has to
 * remember; only the callback is missing. */
struct light {
    async_loop *loop;
    long flash, flashes;        /* so far, in all */
    double pause;
};

static async_value flash(void *p)
{
    struct light *light = p;
    /* TODO: print "Flash 1", the next time "Flash 2", and so on. After the last one stop the loop;
     * after every other book this function again, for a pause later. */
    async_loop_stop(light->loop);       /* after the first one already: too early */
    return async_none;
}

void lighthouse(long flashes, double pause)
{
    struct light light = { async_new_event_loop(), 0, flashes, pause };
    async_loop_call_later(light.loop, pause, flash, &light);
    async_loop_run_forever(light.loop);
    async_loop_close(light.loop);
}

/* To try it: make exercise-1. The grader uses a main of its own. */
int main(void)
{
    egg_timer("soft egg", 2);
    lighthouse(3, 0.5);
    return open_shop("The bakery");
}
