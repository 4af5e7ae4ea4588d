/* expect: is the text made after the await */
/* The text is made before the results are there. */
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
    return async_str(async_strf("%s is %ld", args->sensor.what, got.num));
}

async_value station(void *p)
{
    struct station *args = p;
    async_value got[2] = { async_none, async_none };
    async_future both = async_gather(got, ask(&args->first), ask(&args->second));
    const char *text = async_strf("%s is %ld, %s is %ld", args->first.what, got[0].num,
                                  args->second.what, got[1].num);
    await(both);
    return async_str(text);
}

int main(void) { return 0; }
