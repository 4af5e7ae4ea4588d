/* switch_ucontext.c - switch.h for machines without a page of assembly of their own.
 *
 * The place on a stack is a ucontext_t that lies on that very stack. swapcontext asks the kernel
 * for the signal mask each time, so a switch costs hundreds of nanoseconds instead of four. */
#include "core/switch.h"
#ifdef SWITCH_UCONTEXT
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define FIRST_STACK 65536       /* more than the smallest stack has; makecontext needs only the end */

void switch_context(void **from, void *to)
{
    ucontext_t here;
    *from = &here;
    swapcontext(&here, to);
}

void *switch_prepare(void *top, void (*entry)(void))
{
    uintptr_t room = ((uintptr_t)top - sizeof(ucontext_t)) & ~(uintptr_t)63;
    ucontext_t *place = (ucontext_t *)room;
    memset(place, 0, sizeof *place);
    getcontext(place);
    place->uc_stack.ss_sp = (void *)(room - FIRST_STACK);
    place->uc_stack.ss_size = FIRST_STACK;
    makecontext(place, entry, 0);
    return place;
}
#endif
