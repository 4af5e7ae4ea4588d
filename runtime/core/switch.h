/* switch.h - leaving one stack in the middle of a function and going on on another.
 *
 * Two functions are all that the machine has to give us; everything else about coroutines is portable
 * C. x86-64 and aarch64 switch in a dozen instructions, which stand right where they are needed: a call
 * that never returns on its own stack would spoil the processor's prediction of every return after it.
 * Beside each lies a .S file with how a stack begins. switch_ucontext.c serves every other machine, slower. */
#ifndef SWITCH_H
#define SWITCH_H

/* Keeps our place on this stack in *from and goes on at the place `to`. Returns when somebody
 * switches back to *from. Keeps the registers that a C call may expect to be kept. How floating point
 * rounds (mxcsr, the x87 control word, fpcr) stays with the thread, as async.h says: to save that as
 * well would take 2.8 ns more. */
static inline void switch_stack(void **from, void *to);

/* A place to switch to: the start of `entry` on the empty stack that ends at `top` (its highest
 * address, aligned to 16). entry must never return, and no frame of it reaches into the topmost word, in
 * which stack.c chains the free ones while they are still stood on. */
void *switch_prepare(void *top, void (*entry)(void));

#if defined(__x86_64__) && !defined(ASYNC_UCONTEXT)

#ifdef __AVX512F__
#define SWITCH_AVX512 , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", \
    "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define SWITCH_AVX512
#endif

/* A place is where the stack pointer was; there lie the address to go on at and the frame pointer. All
 * other registers are named as overwritten, so the compiler keeps those that it needs, and no others. */
__attribute__((always_inline)) static inline void switch_stack(void **from, void *to)
{
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"      /* past what a leaf function may use below */
                     "pushq %%rbp\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "movq %%rsp, (%0)\n\t"
                     "movq %1, %%rsp\n\t"
                     "popq %%rax\n\t"
                     "xorl %%ebp, %%ebp\n\t"            /* for entry: no frame above */
                     "notrack jmp *%%rax\n"             /* to a place that bears no endbr64 */
                     "1:\n\t"
                     "popq %%rbp\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     : "+D"(from), "+S"(to) :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15" SWITCH_AVX512, "memory", "cc");
}

#elif defined(__aarch64__) && !defined(ASYNC_UCONTEXT)

/* The same. Here it is the link register that tells where entry would return to. */
__attribute__((always_inline)) static inline void switch_stack(void **from, void *to)
{
    register void **x0 __asm__("x0") = from;
    register void *x1 __asm__("x1") = to;
    __asm__ volatile("adr x16, 1f\n\t"
                     "stp x29, x16, [sp, #-16]!\n\t"
                     "mov x9, sp\n\t"
                     "str x9, [x0]\n\t"
                     "mov sp, x1\n\t"
                     "mov x30, xzr\n\t"
                     "ldp x29, x16, [sp], #16\n\t"
                     "br x16\n"
                     "1:"
                     : "+r"(x0), "+r"(x1) :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
                       "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
                       "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
                       "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",
                       "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory", "cc");
}

#else
#define SWITCH_UCONTEXT 1

void switch_context(void **from, void *to);
static inline void switch_stack(void **from, void *to) { switch_context(from, to); }
#endif

#endif
