/* An await to wait and another one for the result.
 *
 * answer: wrong
 * points: 1/1 0/2 3/3
 * says: it was measured twice
 */
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
    await(ask(&args->sensor));
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

int main(void) { return 0; }
