/* run_forever.c - an event loop made by hand: we book calls, it makes them when they are due.
 *
 * Python twin:
 *     loop = asyncio.new_event_loop()
 *     loop.call_later(2, stop, loop)
 *     loop.call_later(1, print, "One second later")
 *     loop.call_soon(print, "As soon as the loop runs")
 *     print("Three calls are booked, none has happened")
 *     loop.run_forever()
 *     print("The loop has stopped")
 *     loop.close() */
#include "async.h"
#include <stdio.h>

static async_value say(void *text)
{
    printf("%s\n", (const char *)text);
    return async_none;
}

static async_value stop(void *loop)
{
    printf("Two seconds later: stop\n");
    async_loop_stop(loop);
    return async_none;
}

int main(void)
{
    async_loop *loop = async_new_event_loop();
    if (!loop)
        return 1;

    async_loop_call_later(loop, 2, stop, loop);
    async_loop_call_later(loop, 1, say, "One second later");
    async_loop_call_soon(loop, say, "As soon as the loop runs");
    printf("Three calls are booked, none has happened\n");

    async_value how = async_loop_run_forever(loop);
    printf("The loop has stopped\n");
    async_loop_close(loop);
    return how.error ? 1 : 0;
}
