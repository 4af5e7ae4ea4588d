/* switch.h - leaving one stack in the middle of a function and going on on another.
 *
 * Two functions are all that the machine has to give us; everything else about coroutines is
 * portable C. switch_x86_64.S and switch_aarch64.S fit a screen each; switch_ucontext.c serves
 * every other machine, slower. */
#ifndef SWITCH_H
#define SWITCH_H

/* Keeps our place on this stack in *from and goes on at the place `to`. Returns when somebody
 * switches back to *from. Saves the registers that a C call may expect to be kept. How floating point
 * rounds (mxcsr, the x87 control word, fpcr) stays with the thread, as async.h says: to save that as
 * well would take 6.3 ns instead of 3.5. */
void switch_stack(void **from, void *to);

/* A place to switch to: the start of `entry` on the empty stack that ends at `top` (its highest
 * address, aligned to 16). entry must never return. */
void *switch_prepare(void *top, void (*entry)(void));

#endif
