/* poll.h - what the loop cannot know by itself: files, signals, other threads, and waiting. */
#ifndef POLL_H
#define POLL_H

#include "async.h"
#include "core/timer.h"
#include <stdatomic.h>

struct poll;                     /* a loop's link to it; libev inside */
struct poll *poll_new(async_loop *loop);      /* NULL: no memory, or no descriptors left */
void poll_free(struct poll *poll);

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
void unwatch(struct watch **watch);         /* and makes it NULL, which it may be before */

/* From another thread: runs the job in one of the next turns and ends the loop's wait. False: the
 * loop is closed, or about to be. */
bool poll_post(async_loop *loop, struct job *job);
void poll_refuse(struct poll *poll);       /* from now on, when the loop is being closed */
void poll_interrupt(async_loop *loop);   /* from a signal handler: makes loop->interrupted ready */
void poll_ask_tree(async_loop *loop);    /* from a signal handler: has its tasks printed */
bool poll_called(struct poll *poll);       /* did either happen since the last look? */
void poll_fetch(async_loop *loop);       /* moves what other threads posted to the ready queue */

/* Is there another thread that might post something? Not one of the executor's, which are idle, and not
 * the runtime's own, which post only what somebody waits for. */
bool poll_has_threads(int idle);
extern atomic_int poll_own_threads;

/* Waits until something happens, but no longer than this: 0 or less is a look without waiting. */
void poll_wait(struct poll *poll, double seconds);

#endif
