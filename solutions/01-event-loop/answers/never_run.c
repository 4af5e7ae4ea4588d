/* Calls are booked, but the loop never runs.
 *
 * answer: wrong
 * points: 1/1 0/2 3/3
 * says: Booking a call does not make it
 */
#include "exercise.h"
#include <stdio.h>

struct announce { const char *shop; };
static async_value announce(void *p)
{
    struct announce *args = p;
    printf("%s is open\n", args->shop);
    return async_none;
}

int open_shop(const char *shop)
{
    return async_main(async_coro(announce, .shop = shop));
}

struct egg {
    async_loop *loop;
    const char *what;
};

static async_value started(void *p)
{
    struct egg *egg = p;
    printf("%s: started\n", egg->what);
    return async_none;
}

static async_value done(void *p)
{
    struct egg *egg = p;
    printf("%s: done\n", egg->what);
    async_loop_stop(egg->loop);
    return async_none;
}

void egg_timer(const char *what, double seconds)
{
    struct egg egg = { async_new_event_loop(), what };
    async_loop_call_soon(egg.loop, started, &egg);
    async_loop_call_later(egg.loop, seconds, done, &egg);
    async_loop_close(egg.loop);
}

struct light {
    async_loop *loop;
    long flash, flashes;        /* so far, in all */
    double pause;
};

static async_value flash(void *p)
{
    struct light *light = p;
    printf("Flash %ld\n", ++light->flash);
    if (light->flash == light->flashes)
        async_loop_stop(light->loop);
    else
        async_loop_call_later(light->loop, light->pause, flash, light);
    return async_none;
}

void lighthouse(long flashes, double pause)
{
    struct light light = { async_new_event_loop(), 0, flashes, pause };
    async_loop_call_later(light.loop, pause, flash, &light);
    async_loop_run_forever(light.loop);
    async_loop_close(light.loop);
}

int main(void) { return 0; }
