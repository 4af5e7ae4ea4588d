/* switch_x86_64.S - void switch_stack(void **from, void *to), see switch.h.
 *
 * The callee-saved registers go onto the stack we leave, the stack pointer into *from; then the
 * same backwards on the stack we enter. We come back by jmp instead of ret: the processor predicts
 * where a ret goes from the calls it has seen, and those were made on the other stack. (notrack: the
 * place is behind a call and has no endbr64, which -fcf-protection would ask of it.) */
#if defined(__x86_64__) && !defined(ASYNC_UCONTEXT)
        .text
        .globl  switch_stack
        .type   switch_stack, @function
        .p2align 4
switch_stack:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        popq    %rcx
        notrack jmp *%rcx
        .size   switch_stack, .-switch_stack

/* void *switch_prepare(void *top, void (*entry)(void)): what switch_stack would have left there
 * had entry's first instruction been about to run; a return address of 0 ends every backtrace. */
        .globl  switch_prepare
        .type   switch_prepare, @function
        .p2align 4
switch_prepare:
        leaq    -64(%rdi), %rax
        movq    $0, 56(%rax)            /* entry's return address: none */
        movq    %rsi, 48(%rax)          /* where switch_stack jumps to */
        movq    $0, 40(%rax)            /* rbp: no frame above */
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
