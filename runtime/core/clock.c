/* clock.c - see clock.h. */
#include "core/clock.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000

void clock_init(struct clock *clock)
{
    const char *kind = getenv("ASYNC_CLOCK"), *name = "virtual";
    size_t length = strlen(name);
    clock->is_virtual = kind && strncmp(kind, name, length) == 0 &&
                        (kind[length] == 0 || kind[length] == ':');
    clock->now = clock->is_virtual && kind[length] ? clock_from_seconds(atof(kind + length + 1)) : 0;
    clock_read(clock);
}

int64_t clock_of_machine(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

int64_t clock_read(struct clock *clock)
{
    if (!clock->is_virtual)
        clock->now = clock_of_machine();
    return clock->now;
}

void clock_jump(struct clock *clock, int64_t when)
{
    if (when > clock->now)
        clock->now = when;
}

int64_t clock_from_seconds(double seconds)
{
    const double most = 9.2e18;
    double ns = seconds * SECOND;
    if (isinf(seconds) && seconds > 0)
        return INT64_MAX;           /* never */
    if (!(ns < most))               /* too large, or not a number */
        return (int64_t)most;
    if (ns < -most)
        return -(int64_t)most;
    return (int64_t)(ns + (ns < 0 ? -0.5 : 0.5));
}

int64_t clock_after(struct clock *clock, double seconds)
{
    int64_t delay = clock_from_seconds(seconds), when;
    if (delay == INT64_MAX)
        return delay;
    if (delay == 0 && seconds > 0)
        delay = 1;                  /* a positive delay is a timer, even if it rounds to no nanosecond */
    bool too_far = __builtin_add_overflow(clock_read(clock), delay, &when);
    return too_far ? INT64_MAX - 1 : when;          /* the reading is positive: it is far ahead */
}

double clock_to_seconds(int64_t nanoseconds) { return (double)nanoseconds / SECOND; }
