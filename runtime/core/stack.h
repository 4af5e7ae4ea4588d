/* stack.h - the stacks that coroutines run on.
 *
 * A stack costs address space when it is made and memory only where it is touched, mostly one
 * page. Stacks are cut from a few large mappings, used again last in first out while still warm
 * in the cache, and all given back when the last one is free. Below each lie pages that may not
 * be touched, so that an overflow is caught and told apart from any other crash. */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stddef.h>

#define STACK_GUARD (64 * 1024)     /* wide, so that a large array in a frame hits it, too */
#define STACK_SIZE (320 * 1024)     /* of each, guard included */

/* A stack, named by its top (its end, aligned to 16). NULL when memory ran out. */
void *stack_take(void);
void stack_give(void *top);         /* nobody may be running on it */

/* Gives every mapping of this thread back, if no stack is in use. */
void stack_release(void);

/* From now on, when this thread overflows one of its stacks, `overflow` is called on a small
 * stack of its own, before the process ends as by any SIGSEGV. */
void stack_watch(void (*overflow)(void));

/* switch_stack of switch.h, made known to AddressSanitizer where that is compiled in. `for_good`:
 * nobody will come back to the stack that we leave. */
void stack_switch(void **from, void *to, bool for_good);
void stack_arrived(void);           /* to be called first on a stack that is new */

#endif
