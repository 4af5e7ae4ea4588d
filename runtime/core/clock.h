/* clock.h - what time it is for a loop: the machine's clock, or one that only jumps.
 *
 * Times are whole nanoseconds, so that 0.1 s + 0.2 s meets 0.3 s. The virtual clock starts at 0,
 * or with ASYNC_CLOCK=virtual:1000 at 1000 s, stands still while anything is ready, and is moved by
 * the loop to the next deadline when nothing is: programs keep their order and their pauses, and end
 * in milliseconds. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    bool is_virtual;        /* time only moves by clock_jump */
    int64_t now;            /* the last reading */
};

void clock_init(struct clock *clock);                   /* as ASYNC_CLOCK says */
int64_t clock_of_machine(void);                         /* that never goes back */
int64_t clock_read(struct clock *clock);                /* reads, remembers and returns the time */
void clock_jump(struct clock *clock, int64_t when);     /* virtual only; never backwards */

int64_t clock_from_seconds(double seconds);     /* at most 292 years; infinity is INT64_MAX, never */
int64_t clock_after(struct clock *clock, double seconds);   /* from a fresh reading on; clamped */
double clock_to_seconds(int64_t nanoseconds);

#endif
