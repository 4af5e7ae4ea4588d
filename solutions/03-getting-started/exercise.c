/* A weather station: an await waits and gives a result; gather waits for two at once.
 *
 * Python twin of part 3:
 *     a, b = await asyncio.gather(measure(first), measure(second))
 *     return f"{first} is {a}, {second} is {b}" */
#include "exercise.h"
#include <stdio.h>

async_value measure(void *p)
{
    struct measure *args = p;
    printf("Measuring %s\n", args->what);
    await(async_sleep(args->seconds));
    printf("%s measured\n", args->what);
    return async_num(args->reading);
}

static async_coroutine ask(const struct measure *sensor)
{
    return async_coro(measure, sensor->what, sensor->seconds, sensor->reading);
}

async_value forecast(void *p)
{
    struct forecast *args = p;
    async_value got = await(ask(&args->sensor));
    return async_text("%s is %ld", args->sensor.what, got.num);
}

async_value station(void *p)
{
    struct station *args = p;
    async_value got[2];
    await(async_gather(got, ask(&args->first), ask(&args->second)));
    return async_text("%s is %ld, %s is %ld", args->first.what, got[0].num,
                      args->second.what, got[1].num);
}

static async_value try_it(void *p)
{
    (void)p;
    async_value one = await(async_coro(forecast, { "wind", 1, 12 }));
    printf("%s\n", one.str ? one.str : "(no text)");
    async_value two = await(async_coro(station, { "rain", 2, 3 }, { "sunshine", 1, 7 }));
    printf("%s\n", two.str ? two.str : "(no text)");
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
