/* switch_aarch64.S - void switch_stack(void **from, void *to), see switch.h.
 *
 * x19 to x30 and the low halves of v8 to v15 belong to the caller; they go onto the stack we
 * leave, its pointer into *from, and the same backwards. `br` instead of `ret`, for the return
 * predictor only knows the calls that were made on the other stack. */
#if defined(__aarch64__) && !defined(ASYNC_UCONTEXT)
        .text
        .globl  switch_stack
        .type   switch_stack, %function
        .p2align 4
switch_stack:
        sub     sp, sp, #160
        stp     x19, x20, [sp]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8,  d9,  [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x9, sp
        str     x9, [x0]
        mov     sp, x1
        ldp     x19, x20, [sp]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x17, [sp, #80]
        ldp     d8,  d9,  [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        mov     x30, x17
        br      x17
        .size   switch_stack, .-switch_stack

/* void *switch_prepare(void *top, void (*entry)(void)): entry first runs through start, which
 * clears the return address so that every backtrace ends there. */
        .globl  switch_prepare
        .type   switch_prepare, %function
        .p2align 4
switch_prepare:
        sub     x0, x0, #160
        adr     x9, start
        str     x1, [x0]                /* x19: entry */
        stp     xzr, x9, [x0, #80]      /* x29: no frame above; where switch_stack jumps to */
        ret
start:
        mov     x30, xzr
        br      x19
        .size   switch_prepare, .-switch_prepare
#endif
        .section .note.GNU-stack,"",%progbits
