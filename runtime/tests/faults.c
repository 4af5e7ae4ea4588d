/* faults.c - runs the programs of corpus/ while things go wrong, and asks only that we survive.
 *
 *      build/runtime/tests/faults KIND FILE [ROUNDS [EVERY]]
 *
 *      alloc     the first, second, third ... allocation fails, and then: all from there on
 *      cancel    the first, second, third ... suspension is answered with a cancel, and then: all
 *                from there on
 *      shuffle   the ready queue runs in random order (ASYNC_SHUFFLE), the same for the same seed
 *      storm     all of it at once, by chance
 *
 * The last two go ROUNDS times over a program; of the places for the first two, one of EVERY has its
 * turn, and another one in the next program. After the programs of the FILE comes a tour of the rest of
 * async.h. Each has a process of its own, in which all its runs follow one another. Wanted is that each run comes to an end, that the process
 * neither crashes nor hangs, and that in the end every block is given back. Where memory runs out a
 * statement ends with an error value, and that is how it travels on; what a program prints then is
 * nobody's business.
 *
 * Allocations are caught by the linker's --wrap, see the Makefile. */
#include "core/coro.h"
#include "core/hooks.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/stack.h"
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the interpreter itself allocates is none of our business: programs only borrow it. */
void *__real_calloc(size_t count, size_t size);
void __real_free(void *bytes);
#include <stdlib.h>
#define calloc __real_calloc
#define free __real_free
#include "fuzz/interpreter.h"
#undef calloc
#undef free
#include "fuzz/tour.h"

#define PATIENCE 10                 /* seconds of processor time for one run, which takes a millisecond, ... */
#define LONG_PATIENCE 600           /* ... and of real time, for one that waits */
#define MOST_CANCELS 300            /* in one run: who is cancelled at every step may never end */
#define MOST_SHOWN 10

/* What happens, shared with the process that runs a program: so we know where it died. */
static struct progress {
    const char *what;
    unsigned long at, runs;
    bool onwards;
} *progress;

static uint64_t random_state;
static unsigned rounds = 8;         /* of shuffle and storm */
static unsigned every = 1;          /* of the places where an allocation fails or a cancellation comes */
static unsigned long first = 1;     /* of these; another one for each program, so that each place has its turn */

static unsigned draw(unsigned below)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (random_state >> 33) % below;
}

/* ------------------------------------------------------------------------- allocations */

static struct {
    unsigned long count, fail_at;   /* counts from 1; 0: none fails */
    bool onwards;                   /* all later ones fail as well */
    unsigned one_in;                /* or by chance; 0: not */
    long held;                      /* blocks that were not given back */
} alloc;

static bool fails(void)
{
    alloc.count++;
    if (alloc.one_in)
        return draw(alloc.one_in) == 0;
    return alloc.fail_at && (alloc.onwards ? alloc.count >= alloc.fail_at
                                           : alloc.count == alloc.fail_at);
}

static void *held(void *bytes)
{
    alloc.held += bytes != NULL;
    return bytes;
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *__real_malloc(size_t size);
void *__real_realloc(void *bytes, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__real_mmap(void *at, size_t size, int access, int flags, int fd, off_t offset);

void *__wrap_malloc(size_t size)
{
    return fails() ? out_of_memory() : held(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? out_of_memory() : held(__real_calloc(count, size));
}

void *__wrap_realloc(void *bytes, size_t size)
{
    if (fails())
        return out_of_memory();
    return bytes ? __real_realloc(bytes, size) : held(__real_realloc(bytes, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? out_of_memory() : held(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text)
{
    return fails() ? out_of_memory() : held(__real_strdup(text));
}

void *__wrap_mmap(void *at, size_t size, int access, int flags, int fd, off_t offset)
{
    if (!fails())
        return __real_mmap(at, size, access, flags, fd, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

/* Records and stacks come in chunks, so that malloc and mmap are seldom asked; but each of them may
 * be the one for which there is no room. */
struct object *__real_object_new(const struct future_type *type, async_loop *loop);
struct coro *__real_coro_new(async_fn *fn, const char *name);
async_coroutine __real_async_coro_new(async_call call);
void *__real_stack_take(void);

struct object *__wrap_object_new(const struct future_type *type, async_loop *loop)
{
    return fails() ? NULL : __real_object_new(type, loop);
}

struct coro *__wrap_coro_new(async_fn *fn, const char *name)
{
    return fails() ? NULL : __real_coro_new(fn, name);
}

async_coroutine __wrap_async_coro_new(async_call call)
{
    return fails() ? NULL : __real_async_coro_new(call);
}

void *__wrap_stack_take(void) { return fails() ? NULL : __real_stack_take(); }

void __wrap_free(void *bytes)
{
    alloc.held -= bytes != NULL;
    __real_free(bytes);
}

/* Called when everything that the runtime does at exit is done. */
static void check_held(void)
{
    if (alloc.held == 0)
        return;
    fprintf(stderr, "%ld blocks were never given back\n", alloc.held);
    _exit(99);
}

/* ----------------------------------------------------------------------- cancellations */

static struct {
    unsigned long count, cancel_at, cancelled;
    bool onwards;
    unsigned one_in;
    struct job job;                 /* cancels, in the next turn, ... */
    async_task victim;
} cancels;

static void cancel_victim(struct job *job)
{
    (void)job;
    async_cancel(cancels.victim);
}

static void on_suspended(async_task task)
{
    cancels.count++;
    bool now = cancels.one_in ? draw(cancels.one_in) == 0
             : cancels.cancel_at && (cancels.onwards ? cancels.count >= cancels.cancel_at
                                                     : cancels.count == cancels.cancel_at);
    if (!now || cancels.cancelled >= MOST_CANCELS || !list_empty(&cancels.job.link))
        return;
    cancels.cancelled++;
    cancels.victim = task;
    loop_ready(loop_running, &cancels.job);
}

static struct async_hooks hooks = { .suspended = on_suspended };

/* --------------------------------------------------------------------------------- runs */

static struct source last_stops[STOPS];     /* without a text; behind the programs of the file */
static FILE *out;
static char text[1 << 20];

/* One run of a program. What goes wrong was set up before. */
static void run(const struct source *source, const char *what, unsigned long at, bool onwards)
{
    *progress = (struct progress){ what, at, progress->runs + 1, onwards };
    setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = PATIENCE }, NULL);
    alarm(LONG_PATIENCE);
    rewind(out);
    if (ftruncate(STDERR_FILENO, 0) == 0)       /* there we want the reports of the last run only */
        lseek(STDERR_FILENO, 0, SEEK_SET);
    alloc.count = cancels.count = cancels.cancelled = 0;
    cancels.job.run = cancel_victim;
    list_init(&cancels.job.link);
    if (source->text)
        run_program(source, out);
    else
        tour((size_t)(source - last_stops));
}

static void fail_allocations(const struct source *source)
{
    run(source, "nothing", 0, false);
    unsigned long last = alloc.count;
    for (unsigned long at = first; at <= 2 * last; at += every) {
        alloc.onwards = at > last;
        alloc.fail_at = alloc.onwards ? at - last : at;
        run(source, "failing allocation", alloc.fail_at, alloc.onwards);
    }
    alloc.fail_at = 0;
}

static void cancel_suspensions(const struct source *source)
{
    async_hooks_add(&hooks);
    run(source, "nothing", 0, false);
    unsigned long last = cancels.count;
    for (unsigned long at = first; at <= 2 * last; at += every) {
        cancels.onwards = at > last;
        cancels.cancel_at = cancels.onwards ? at - last : at;
        run(source, "cancelled suspension", cancels.cancel_at, cancels.onwards);
    }
    async_hooks_remove(&hooks);
}

static void shuffle(unsigned seed)
{
    char number[16];
    snprintf(number, sizeof number, "%u", seed);
    setenv("ASYNC_SHUFFLE", number, 1);
}

static void shuffle_turns(const struct source *source)
{
    static char before[sizeof text];
    for (unsigned seed = 1; seed <= rounds; seed++) {
        for (int again = 0; again < 2; again++) {
            memset(text, 0, sizeof text);
            shuffle(seed);
            run(source, "shuffle with seed", seed, false);
            if (again && strcmp(before, text)) {
                fprintf(stderr, "the same seed gave another order\n");
                _exit(98);
            }
            strcpy(before, text);
        }
    }
}

static void storm(const struct source *source)
{
    async_hooks_add(&hooks);
    for (unsigned seed = 1; seed <= 4 * rounds; seed++) {
        random_state = seed;
        alloc.one_in = draw(3) ? 5 + draw(60) : 0;
        cancels.one_in = draw(3) ? 1 + draw(30) : 0;
        if (draw(2))
            shuffle(seed);
        else
            unsetenv("ASYNC_SHUFFLE");
        run(source, "storm with seed", seed, false);
    }
    alloc.one_in = 0;
    async_hooks_remove(&hooks);
}

static const struct {
    const char *name;
    void (*run)(const struct source *source);
} kinds[] = {
    { "alloc", fail_allocations }, { "cancel", cancel_suspensions }, { "shuffle", shuffle_turns },
    { "storm", storm },
};

/* ---------------------------------------------------------------------------- processes */

static int survived, failed;

/* Prints the end of what the process said on stderr. */
static void show(FILE *said)
{
    static char bytes[3000];
    fseek(said, 0, SEEK_END);
    long size = ftell(said);
    fseek(said, size > (long)sizeof bytes ? size - (long)sizeof bytes : 0, SEEK_SET);
    size_t got = fread(bytes, 1, sizeof bytes, said);
    printf("%.*s\n", (int)got, bytes);
}

/* Gives whether all runs of the program went well. */
static bool survives(int kind, const struct source *source, FILE *said)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        atexit(check_held);
        dup2(fileno(said), STDERR_FILENO);
        if (!source->text && !freopen("/dev/null", "w", stdout))
            exit(97);
        out = fmemopen(text, sizeof text, "w");
        kinds[kind].run(source);
        fclose(out);
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status == 0)
        return true;
    if (failed < MOST_SHOWN) {
        printf("%s: %s %lu%s: ", source->name, progress->what, progress->at,
               progress->onwards ? " and all later ones" : "");
        if (WIFSIGNALED(status))
            printf("%s\n", WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGPROF
                           ? "it hangs" : strsignal(WTERMSIG(status)));
        else
            printf("exit status %d\n", WEXITSTATUS(status));
        show(said);
    }
    return false;
}

static void count_result(bool good)
{
    if (good)
        survived++;
    else
        failed++;
}

int main(int argc, char **argv)
{
    int kind = 0, count = sizeof kinds / sizeof kinds[0];
    while (kind < count && (argc < 3 || strcmp(kinds[kind].name, argv[1])))
        kind++;
    if (kind == count) {
        fprintf(stderr, "usage: faults alloc|cancel|shuffle|storm FILE [ROUNDS [EVERY]]\n");
        return 2;
    }
    rounds = argc > 3 ? (unsigned)atoi(argv[3]) : rounds;
    every = argc > 4 ? (unsigned)atoi(argv[4]) : every;
    progress = __real_mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FILE *said = tmpfile();
    struct source *sources = read_sources(argv[2]);
    if (!said || progress == MAP_FAILED)
        bad_program("no memory for", "the tests");
    for (struct source *one = sources; one->text; one++) {
        count_result(survives(kind, one, said));
        first = first % every + 1;
    }
    for (size_t i = 0; i < STOPS; i++) {
        last_stops[i].name = stops[i].name;
        count_result(survives(kind, &last_stops[i], said));
        first = first % every + 1;
    }
    printf("%s: %lu runs\n", kinds[kind].name, progress->runs);
    printf("%d passed, %d failed\n", survived, failed);
    fclose(said);
    keep_nothing(NULL, 0);
    return failed != 0;
}
