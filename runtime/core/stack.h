/* stack.h - the stacks that coroutines run on.
 *
 * A stack costs address space when it is made and memory only where it is touched, mostly one
 * page. Stacks are cut from a few large mappings, used again last in first out while still warm
 * in the cache. Larger mappings of which none is in use are given back when the loop has a second to
 * spare. Below each stack lie pages that may not be touched, so that an overflow is caught and told
 * apart from any other crash. No frame steps over them: with -fstack-clash-protection a compiler
 * touches every page of a large one on its way down. */
#ifndef STACK_H
#define STACK_H

#include "core/switch.h"
#include <stdbool.h>
#include <stddef.h>

#define STACK_GUARD (64 * 1024)     /* as wide as aarch64's compilers expect of a guard */
#define STACK_SIZE (320 * 1024)     /* of each, guard included */

/* A stack, named by its top (its end, aligned to 16). NULL when memory ran out. */
void *stack_take(void);
void stack_give(void *top);         /* whoever stands on it still switches away next, for good */

/* For a loop that has time: gives the larger mappings back in which no stack is in use. To look for them
 * takes a moment for each free stack, so it is done only if there are new ones, or half as many in use as
 * when it was last done. */
void stack_trim(void);

/* Gives every mapping of this thread back, if no stack is in use. */
void stack_release(void);

/* From now on, when this thread overflows one of its stacks, `overflow` is called on a small
 * stack of its own, before the process ends as by any SIGSEGV. `in_task` tells whether one of them is
 * stood on, or should be. */
void stack_watch(bool (*in_task)(void), void (*overflow)(void));

/* Does the caller stand on this stack? Not when code that was compiled without that protection has
 * stepped over the guard, onto another one. */
static inline bool stack_holds(const void *top)
{
    return (size_t)((const char *)top - (const char *)__builtin_frame_address(0)) <
           STACK_SIZE - STACK_GUARD;
}

/* Leaves the stack we are on for good, for the one that was left at `place`: entry runs there, below
 * what is in use, and never returns. */
_Noreturn void stack_leave(void *place, void (*entry)(void));

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif

/* switch_stack of switch.h, made known to the sanitizers where they are compiled in. `for_good`: nobody
 * will come back to the stack that we leave. */
#if defined(WITH_ASAN) || defined(WITH_TSAN)
void stack_switch(void **from, void *to, bool for_good);
#else
__attribute__((always_inline)) static inline void stack_switch(void **from, void *to, bool for_good)
{
    (void)for_good;
    switch_stack(from, to);
}
#endif
void stack_arrived(void);           /* to be called first on a stack that is new */

#endif
