/* switch_x86_64.S - void *switch_prepare(void *top, void (*entry)(void)), see switch.h: what switch_stack
 * would have left on the stack had entry's first instruction been about to run. */
#if defined(__x86_64__) && !defined(ASYNC_UCONTEXT)
        .text
        .globl  switch_prepare
        .type   switch_prepare, @function
        .p2align 4
switch_prepare:
        leaq    -16(%rdi), %rax
        movq    $0, 8(%rax)             /* entry's return address: every backtrace ends here */
        movq    %rsi, (%rax)            /* where switch_stack jumps to */
        ret
        .size   switch_prepare, .-switch_prepare
#endif
#if defined(__x86_64__)
/* A program has the mark that it may run with indirect jumps checked (IBT) if all its parts have. That of
 * shadow stacks we don't give: a return has to follow a call on the same stack there. */
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5                /* sizes of name and contents, NT_GNU_PROPERTY_TYPE_0 */
        .string "GNU"
        .long   0xc0000002, 4, 1, 0     /* GNU_PROPERTY_X86_FEATURE_1_AND: IBT */
#endif
        .section .note.GNU-stack,"",%progbits
