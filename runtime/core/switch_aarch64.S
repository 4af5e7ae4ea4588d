/* switch_aarch64.S - void *switch_prepare(void *top, void (*entry)(void)), see switch.h: what
 * switch_stack would have left on the stack had entry's first instruction been about to run. */
#if defined(__aarch64__) && !defined(ASYNC_UCONTEXT)
        .text
        .globl  switch_prepare
        .type   switch_prepare, %function
        .p2align 4
switch_prepare:
        sub     x0, x0, #32             /* the topmost word is no frame's, and sp is a multiple of 16 */
        stp     xzr, x1, [x0]           /* x29: no frame above; where switch_stack jumps to */
        ret
        .size   switch_prepare, .-switch_prepare
#endif
        .section .note.GNU-stack,"",%progbits
