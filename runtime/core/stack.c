/* stack.c - see stack.h.
 *
 * A chunk is one mapping; its stacks are cut off it one by one and then live on a free list, whose
 * links lie at the top of the free stacks themselves, where the memory is warm. Tops are shifted
 * by a few cache lines, else the same line of a thousand stacks would fight for one cache set.
 *
 * Guards: MADV_GUARD_INSTALL (Linux 6.13) forbids pages without splitting the mapping.
 * Older kernels need mprotect, two mappings for each stack of the 65,530 a process may have, so
 * there only the first stacks are guarded. A system call costs more than the guard itself, and a
 * page fault more than the page: so stacks are guarded, and the tops of them made ready where there
 * are many, a batch at a time, by process_madvise (of oneself: Linux 6.14). */
#define _GNU_SOURCE
#include "core/stack.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_UNDEFINED(low, size) 0
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, high) ((void)(low), 0)
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#endif

#define ADVISE_GUARD 102            /* MADV_GUARD_INSTALL; older headers lack these */
#define ADVISE_POPULATE 23          /* MADV_POPULATE_WRITE */
#define OURSELVES (-10000)          /* PIDFD_SELF */
#define BATCH 64                    /* stacks */
#define PAGE 4096
#define MOST_MPROTECTED 30000
#define FIRST_CHUNK 16              /* stacks; every chunk is twice as large as the one before */
#define LARGEST_CHUNK 4096
#define LARGEST_KEPT 512            /* chunks up to this size, a thousand stacks in all, are kept for the next wave */
#define COLOURS 32
#define LINE 64

struct chunk {
    struct chunk *next;
    char *base;
    size_t stacks, cut;             /* how many fit, how many have been cut off so far */
    size_t mprotected;
    size_t spare;                   /* how many are on the free list; only stack_trim knows */
    void **fibers;                  /* ThreadSanitizer's names for them, where it is compiled in */
    unsigned valgrind_ids[];        /* one a stack */
};

static _Thread_local struct {
    struct chunk *chunks;           /* newest first; only that one has uncut stacks */
    void *free;                     /* top of the stack that was freed last */
    size_t cut, in_use, mprotected; /* stacks, in all chunks */
    size_t trim_below;              /* to look for spare chunks is worth it when fewer are in use */
} arena;

static void **link_of(void *top) { return (void **)top - 1; }

static char *top_of(const struct chunk *chunk, size_t i)
{
    return chunk->base + (i + 1) * STACK_SIZE - i % COLOURS * LINE;
}

static bool lies_in(const void *address, const struct chunk *chunk)
{
    return (uintptr_t)address - (uintptr_t)chunk->base < chunk->stacks * STACK_SIZE;
}

/* The chunk that an address lies in, or NULL. */
static struct chunk *chunk_of(const void *address)
{
    struct chunk *chunk = arena.chunks;
    while (chunk && !lies_in(address, chunk))
        chunk = chunk->next;
    return chunk;
}

#ifdef WITH_ASAN                    /* the part of a stack that a coroutine may touch */
static size_t usable(void) { return STACK_SIZE - STACK_GUARD - COLOURS * LINE; }
static void *lowest(void *top) { return (char *)top - usable(); }
#endif

/* Nobody may read there, not even the kernel on our behalf? An emulator of one takes any advice, and ignores what
 * it does not know. (Valgrind would read for the kernel, and end there.) */
static bool guarded(const char *low)
{
    return RUNNING_ON_VALGRIND || (access(low, F_OK) < 0 && errno == EFAULT);
}

static void guard(struct chunk *chunk, char *low)
{
    if (madvise(low, STACK_GUARD, ADVISE_GUARD) == 0 && guarded(low))
        return;
    if (arena.mprotected < MOST_MPROTECTED && mprotect(low, STACK_GUARD, PROT_NONE) == 0) {
        arena.mprotected++;
        chunk->mprotected++;
    }
}

/* Gives the kernel one advice on the lowest or highest part of many stacks. False if it cannot take it. */
static bool advise(const struct chunk *chunk, size_t first, size_t count, int advice)
{
    struct iovec parts[BATCH];
    size_t size = advice == ADVISE_GUARD ? STACK_GUARD : PAGE;
    for (size_t i = 0; i < count; i++) {
        char *top = top_of(chunk, first + i) - PAGE, *low = chunk->base + (first + i) * STACK_SIZE;
        top += -(uintptr_t)top % PAGE;          /* the page that holds its last byte */
        parts[i] = (struct iovec){ advice == ADVISE_GUARD ? low : top, size };
    }
    return syscall(SYS_process_madvise, OURSELVES, parts, count, advice, 0) == (long)(count * size);
}

/* Guards the stacks from `first` on, and touches the tops of those that come by the hundred. */
static void guard_batch(struct chunk *chunk, size_t first)
{
    size_t count = chunk->stacks - first < BATCH ? chunk->stacks - first : BATCH;
    char *low = chunk->base + first * STACK_SIZE;
    bool advised = !RUNNING_ON_VALGRIND && advise(chunk, first, count, ADVISE_GUARD) && guarded(low);
    for (size_t i = 0; i < count && !advised; i++)
        guard(chunk, low + i * STACK_SIZE);
    if (advised && chunk->stacks > BATCH)
        advise(chunk, first, count, ADVISE_POPULATE);
}

static struct chunk *chunk_new(size_t stacks)
{
    for (; stacks >= FIRST_CHUNK; stacks /= 2) {
        struct chunk *chunk = calloc(1, sizeof *chunk + stacks * sizeof chunk->valgrind_ids[0]);
        if (!chunk)
            continue;
        chunk->stacks = stacks;
        chunk->base = mmap(NULL, stacks * STACK_SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (chunk->base != MAP_FAILED)
            return chunk;
        free(chunk);
    }
    return NULL;
}

/* A stack that was never used, from the newest chunk or a new one. */
static void *cut(void)
{
    struct chunk *chunk = arena.chunks;
    if (!chunk || chunk->cut == chunk->stacks) {
        size_t stacks = chunk ? chunk->stacks * 2 : FIRST_CHUNK;
        chunk = chunk_new(stacks < LARGEST_CHUNK ? stacks : LARGEST_CHUNK);
        if (!chunk)
            return NULL;
        chunk->next = arena.chunks;
        arena.chunks = chunk;
        arena.trim_below = SIZE_MAX;
    }
    size_t i = chunk->cut++;
    arena.cut++;
    char *low = chunk->base + i * STACK_SIZE, *top = top_of(chunk, i);
    if (i % BATCH == 0)
        guard_batch(chunk, i);
    chunk->valgrind_ids[i] = VALGRIND_STACK_REGISTER(low + STACK_GUARD, top);
    return top;
}

#ifdef WITH_TSAN
static _Thread_local void *own_fiber;

/* What ThreadSanitizer knows the coroutine on this stack as. */
static void **fiber_of(void *place)
{
    struct chunk *chunk = chunk_of(place);
    if (!chunk)
        return &own_fiber;
    if (!chunk->fibers)
        chunk->fibers = calloc(chunk->stacks, sizeof *chunk->fibers);
    return &chunk->fibers[(size_t)((char *)place - chunk->base) / STACK_SIZE];
}
#endif

void *stack_take(void)
{
    void *top = arena.free;
    if (top)
        arena.free = *link_of(top);
    else
        top = cut();
    if (top)
        arena.in_use++;
    return top;
}

void stack_give(void *top)
{
#ifdef WITH_ASAN                    /* frames that were left without returning stay poisoned */
    ASAN_UNPOISON_MEMORY_REGION(lowest(top), usable());
#endif
#ifdef WITH_TSAN
    void **fiber = fiber_of(link_of(top));
    if (*fiber && *fiber != __tsan_get_current_fiber()) {
        __tsan_destroy_fiber(*fiber);
        *fiber = NULL;
    }
#endif
    *link_of(top) = arena.free;
    arena.free = top;
    arena.in_use--;
}

/* Gives a chunk back to the system. */
static void discard(struct chunk *chunk)
{
    arena.cut -= chunk->cut;
    arena.mprotected -= chunk->mprotected;
    for (size_t i = 0; i < chunk->cut; i++)
        VALGRIND_STACK_DEREGISTER(chunk->valgrind_ids[i]);
    munmap(chunk->base, chunk->stacks * STACK_SIZE);
    free(chunk->fibers);
    free(chunk);
}

/* The chunk of a stack that most often lies in the same one as the stack before. */
static struct chunk *same_or_other(struct chunk *chunk, const void *top)
{
    return chunk && lies_in(top, chunk) ? chunk : chunk_of(top);
}

static bool is_superfluous(const struct chunk *chunk)
{
    return chunk->spare == chunk->cut && chunk->stacks > LARGEST_KEPT;
}

void stack_trim(void)
{
    if (arena.in_use >= arena.trim_below || arena.cut - arena.in_use <= LARGEST_KEPT)
        return;
    arena.trim_below = (arena.in_use + 1) / 2;
    for (struct chunk *chunk = arena.chunks; chunk; chunk = chunk->next)
        chunk->spare = 0;
    struct chunk *chunk = NULL;
    for (void *top = arena.free; top; top = *link_of(top)) {
        chunk = same_or_other(chunk, top);
        chunk->spare++;
    }
    for (void **next = &arena.free; *next;) {
        chunk = same_or_other(chunk, *next);
        if (is_superfluous(chunk))
            *next = *link_of(*next);
        else
            next = link_of(*next);
    }
    for (struct chunk **next = &arena.chunks; (chunk = *next);) {
        if (is_superfluous(chunk)) {
            *next = chunk->next;
            discard(chunk);
        } else {
            next = &chunk->next;
        }
    }
}

void stack_release(void)
{
    if (arena.in_use)
        return;
    for (struct chunk *chunk; (chunk = arena.chunks);) {
        arena.chunks = chunk->next;
        discard(chunk);
    }
    arena.free = NULL;
}

/* ------------------------------------------------------------------------- overflow */

static _Thread_local bool (*on_its_stack)(void);
static _Thread_local void (*on_overflow)(void);
static _Thread_local char signal_stack[64 * 1024];

static bool in_guard(const char *address)
{
    struct chunk *chunk = chunk_of(address);
    return chunk && (size_t)(address - chunk->base) % STACK_SIZE < STACK_GUARD;
}

/* Where the code that was interrupted had its stack; NULL where we cannot tell. */
static const char *stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (const char *)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (const char *)context->uc_mcontext.sp;
#else
    (void)context;
    return NULL;
#endif
}

/* Was it over all guards already, on no stack of ours, nor on the one for signals? */
static bool went_astray(const ucontext_t *context)
{
    const char *place = stack_pointer(context), *signals = context->uc_stack.ss_sp;
    return place && on_its_stack() && !chunk_of(place) &&
           (size_t)(place - signals) >= context->uc_stack.ss_size;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    if (on_overflow && (in_guard(info->si_addr) || went_astray(context)))
        on_overflow();
    signal(number, SIG_DFL);        /* the faulting instruction runs again and ends us */
}

void stack_watch(bool (*in_task)(void), void (*overflow)(void))
{
    struct sigaction now, action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    stack_t alternative = { .ss_sp = signal_stack, .ss_size = sizeof signal_stack }, before;
    if (on_overflow)
        return;
    on_its_stack = in_task;
    on_overflow = overflow;
    bool has_one = sigaltstack(NULL, &before) == 0 && !(before.ss_flags & SS_DISABLE);
    if (has_one || sigaltstack(&alternative, NULL) == 0)    /* has_one: ASan's, which it unmaps */
        for (int i = 0; i < 2; i++) {
            int number = i ? SIGBUS : SIGSEGV;
            if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
                sigaction(number, &action, NULL);   /* unless a sanitizer has its own */
        }
}

/* ----------------------------------------------------------------------- sanitizers */

#ifdef WITH_ASAN
static _Thread_local struct {
    const void *low;                /* the thread's own stack, as ASan told us */
    size_t size;
} thread;

/* We have left one stack for another; ASan tells where the one we came from lies. */
static void arrived(void *fake)
{
    const void *low;
    size_t size;
    __sanitizer_finish_switch_fiber(fake, &low, &size);
    if (!chunk_of(low)) {
        thread.low = low;
        thread.size = size;
    }
}

/* The lowest byte that may be touched of the stack in which this address lies. */
static void *lowest_of(const struct chunk *chunk, const void *address)
{
    return lowest(top_of(chunk, (size_t)((char *)address - chunk->base) / STACK_SIZE));
}

void stack_arrived(void)
{
    char *here = __builtin_frame_address(0);
    struct chunk *chunk = chunk_of(here);
    if (chunk) {        /* who was here before still stood on it when it was given back, and left marks */
        char *low = lowest_of(chunk, here);
        ASAN_UNPOISON_MEMORY_REGION(low, (size_t)(here - low));
    }
    arrived(NULL);
}

void stack_switch(void **from, void *to, bool for_good)
{
    struct chunk *chunk = chunk_of(to);
    void *fake = NULL, **kept = for_good ? NULL : &fake;
    if (chunk)
        __sanitizer_start_switch_fiber(kept, lowest_of(chunk, to), usable());
    else
        __sanitizer_start_switch_fiber(kept, thread.low, thread.size);
    switch_stack(from, to);
    arrived(fake);
}
#elif defined(WITH_TSAN)
void stack_arrived(void) { }

void stack_switch(void **from, void *to, bool for_good)
{
    void **fiber = fiber_of(to), **left = fiber_of(__builtin_frame_address(0));
    if (!own_fiber)
        own_fiber = __tsan_get_current_fiber();     /* the first switch leaves the thread's own stack */
    if (!*fiber)
        *fiber = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(*fiber, 0);
    if (for_good) {
        __tsan_destroy_fiber(*left);
        *left = NULL;
    }
    switch_stack(from, to);
}
#else
void stack_arrived(void) { }
#endif

#define RED_ZONE 512                /* what a function may use below its stack pointer, and more */

void stack_leave(void *place, void (*entry)(void))
{
    void *here, *top = (void *)(((uintptr_t)place - RED_ZONE) & ~(uintptr_t)63);
    (void)VALGRIND_MAKE_MEM_UNDEFINED((char *)top - PAGE, (char *)place - (char *)top + PAGE);
    stack_switch(&here, switch_prepare(top, entry), true);
    __builtin_unreachable();
}
