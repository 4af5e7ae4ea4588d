/* outside.h - what the loop cannot know by itself: files, signals, other threads, and waiting. */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include "async.h"
#include "core/timer.h"
#include <stdatomic.h>

struct outside;                     /* a loop's link to it; libev inside */
struct outside *outside_new(async_loop *loop);      /* NULL: no memory, or no descriptors left */
void outside_free(struct outside *outside);

/* Makes the job ready each time the descriptor can be read (or written), or the signal comes. NULL
 * when memory ran out. Unwatching also takes the job off the ready queue. While something is watched
 * that `holds_clock` a virtual clock does not jump: what we wait for is under way outside. */
struct watch;
struct watch *watch_fd(async_loop *loop, int fd, bool for_writing, bool holds_clock,
                       struct job *job);
struct watch *watch_signal(async_loop *loop, int number, struct job *job);
void watch_rest(struct watch *watch);       /* stops it, and ... */
void watch_again(struct watch *watch, struct job *job);     /* ... has it go on, with less work than a new one */
struct job *watch_job(const struct watch *watch);           /* NULL while it rests */
void watch_is_foreign(struct watch *watch); /* the descriptor is the program's, which may close it */
void unwatch(struct watch *watch);

/* From another thread: runs the job in one of the next turns and ends the loop's wait. False: the
 * loop is closed, or about to be. */
bool outside_post(async_loop *loop, struct job *job);
void outside_refuse(struct outside *outside);       /* from now on, when the loop is being closed */
void outside_interrupt(async_loop *loop);   /* from a signal handler: makes loop->interrupted ready */
void outside_ask_tree(async_loop *loop);    /* from a signal handler: has async_print_tasks called */
bool outside_called(struct outside *outside);       /* did either happen since the last look? */
void outside_fetch(async_loop *loop);       /* moves what other threads posted to the ready queue */

/* Is there another thread that might post something? Not one of the executor's, which are idle, and not
 * the runtime's own, which post only what somebody waits for. */
bool outside_has_threads(int idle);
extern atomic_int outside_own_threads;

/* Looks without waiting; waits until something happens; or until these seconds are over. */
void outside_glance(struct outside *outside);
void outside_wait(struct outside *outside);
void outside_wait_for(struct outside *outside, double seconds);

#endif
