/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

#define MOST_ENTRIES 80
#define MOST_ROUNDS 100

/* ------------------------------------------------------------------------------ the inputs */

static struct entry entries[MOST_ENTRIES];
static size_t entry_count;

static struct entry *new_entry(const char *name, int page, int i, long time)
{
    static char texts[MOST_ENTRIES][80];
    struct entry *entry = &entries[entry_count];
    if (page)
        snprintf(texts[entry_count], sizeof texts[0], "%s-%d.%d", name, page, i);
    else
        snprintf(texts[entry_count], sizeof texts[0], "%s-%d", name, i);
    *entry = (struct entry){ time, texts[entry_count] };
    entry_count += entry_count < MOST_ENTRIES - 1;
    return entry;
}

/* NUMBER:SECONDS:COUNT:NEXT:FAILURES each, from word i on. Its entries are NAME-NUMBER.1, ... Of each call a log of
 * its own: there may be two. */
static struct page *read_pages(const char *name, int i)
{
    static struct page logs[2][MOST_PAGES + 1];
    static int calls;
    struct page *pages = logs[calls++ % 2];
    for (int number; i < stage_words(); i++) {
        struct page page = { .entries = &entries[entry_count] };
        if (sscanf(stage_word(i), "%d:%lf:%zu:%d:%d", &number, &page.seconds, &page.count,
                   &page.next, &page.failures) != 5 || number < 1 || number > MOST_PAGES)
            continue;
        for (size_t k = 1; k <= page.count; k++)
            new_entry(name, number, k, entry_count);
        pages[number] = page;
    }
    return pages;
}

/* One of the two sources for part 3: a generator that says what happens to it. */
struct step { double seconds; long time; struct entry *entry; };
struct source { const char *name; struct step *steps; long count; };

static void source_exit(const char **name)
{
    async_value slept = async_catch(async_sleep(0.1));
    if (slept.error)
        async_leave_with(slept);
    else
        printf("%s closed\n", *name);
}

static async_value source(void *p)
{
    struct source *args = p;
    async_with(source_exit) const char *name = args->name;
    for (long i = 0; i < args->count; i++) {
        struct step *step = &args->steps[i];
        printf("%s asked\n", name);
        await(async_sleep(step->seconds));
        if (step->time < 0)
            async_raise(ECONNRESET, "the connection is gone");
        async_yield(async_ptr(step->entry));
    }
    return async_none;
}

/* SIDE:SECONDS:TIME each, from word i on; a side is a or b, a time below 0 is a failure. */
static struct source read_source(const char *name, char side, int i)
{
    static struct step steps[4][MOST_ENTRIES / 2];
    static int calls;
    struct source source = { name, steps[calls++ % 4], 0 };
    for (; i < stage_words(); i++) {
        struct step step = { 0, 0, NULL };
        char of;
        if (sscanf(stage_word(i), "%c:%lf:%ld", &of, &step.seconds, &step.time) != 3 || of != side)
            continue;
        step.entry = new_entry(name, 0, source.count + 1, step.time);
        source.steps[source.count++] = step;
    }
    return source;
}

/* ----------------------------------------------------------------------------- a consumer */

static void print_entry(async_value value)
{
    for (size_t i = 0; i < entry_count; i++)
        if (value.ptr == &entries[i]) {
            printf("got %s\n", entries[i].text);
            return;
        }
    printf("got no entry\n");
}

/* Takes up to `most` entries, with a pause after each. After an error or the end it asks once more,
 * unless it closes the generator then. */
struct take { async_iterator from; double pause; long most; bool close; };
static async_value take(void *p)
{
    struct take *args = p;
    long got = 0;
    for (int round = 0, over = 0; got < args->most && over < 2; round++) {
        async_value value = async_catch(async_anext(args->from));
        if (!value.error) {
            print_entry(value);
            got++;
        } else if (value.error == ASYNC_STOP_ITERATION) {
            printf("the end\n");
        } else if (value.error == ASYNC_CANCELLED) {
            printf("cancelled\n");
        } else {
            printf("error: %s\n", value.message);
        }
        over += value.error == ASYNC_STOP_ITERATION || (value.error && args->close);
        if (args->close && over)
            break;
        if (round == MOST_ROUNDS) {
            printf("still no end\n");
            return async_none;
        }
        if (got < args->most && !value.error)
            await(async_sleep(args->pause));
    }
    if (args->close)
        stage_outcome("aclose", async_catch(async_aclose(args->from)));
    printf("left\n");
    return async_none;
}

/* The iterator is made by a function that has returned: nothing of its stack lasts. */
static void write_over_stack(void)
{
    volatile char stack[2000];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = 0x5a;
}

struct by_hand { struct page *log; double pause; long most; };
static async_value by_hand(void *p)
{
    struct by_hand *args = p;
    async_iterator from = log_entries(args->log);
    write_over_stack();
    if (!from.next) {
        printf("no iterator\n");
        return async_none;
    }
    return async_catch(async_coro(take, from, args->pause, args->most, false));
}

/* Two iterators over one log, each asked for an entry in its turn. */
struct in_turn { struct page *log; };
static async_value in_turn(void *p)
{
    struct in_turn *args = p;
    async_iterator two[2] = { log_entries(args->log), log_entries(args->log) };
    for (int round = 0, over = 0; over < 2 && round < MOST_ROUNDS; round++) {
        async_value value = async_catch(async_anext(two[round % 2]));
        if (!value.error)
            print_entry(value);
        else if (value.error != ASYNC_STOP_ITERATION)
            printf("error: %s\n", value.message);
        over += value.error != 0;
    }
    return async_none;
}

struct gently { struct page *log; double gap, pause; long most; };
static async_value gently(void *p)
{
    struct gently *args = p;
    return async_catch(async_coro(take, async_generator(read_gently, args->log, args->gap),
                                  args->pause, args->most, true));
}

/* Cancels it after some time. */
struct cancelled { async_coroutine what; double after; };
static async_value cancelled(void *p)
{
    struct cancelled *args = p;
    async_task task = async_create_task(args->what);
    await(async_sleep(args->after));
    async_cancel(task);
    return async_catch(task);
}

struct merged { struct source first, second; long most; };
static async_value merged(void *p)
{
    struct merged *args = p;
    async_iterator first = async_generator(source, args->first.name, args->first.steps,
                                           args->first.count);
    async_iterator second = async_generator(source, args->second.name, args->second.steps,
                                            args->second.count);
    async_iterator both = async_generator(merge, first, second);
    return async_catch(async_coro(take, both, 0, args->most, true));
}

struct found { struct page *log; double gap; const char *word; };
static async_value found(void *p)
{
    struct found *args = p;
    async_value text = async_catch(async_coro(find, args->log, args->gap, args->word));
    printf("find returned\n");
    stage_text("find", text);
    return async_none;
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("log_entries"))          /* PART PAUSE MOST NAME PAGES */
        stage_outcome("run", stage_run(async_coro(by_hand, read_pages(stage_word(3), 4),
                                                  stage_real(1), stage_integer(2))));
    if (stage_part("in_turn"))              /* PART - NAME PAGES */
        stage_outcome("run", stage_run(async_coro(in_turn, read_pages(stage_word(2), 3))));
    if (stage_part("read_gently"))          /* PART GAP PAUSE MOST NAME PAGES */
        stage_outcome("run", stage_run(async_coro(gently, read_pages(stage_word(4), 5),
                                                  stage_real(1), stage_real(2), stage_integer(3))));
    if (stage_part("cancelled")) {          /* PART GAP AFTER NAME PAGES */
        async_coroutine what = async_coro(gently, read_pages(stage_word(3), 4), stage_real(1), 0,
                                          MOST_ENTRIES);
        stage_outcome("run", stage_run(async_coro(cancelled, what, stage_real(2))));
    }
    if (stage_part("find"))                 /* PART GAP WORD NAME PAGES */
        stage_outcome("run", stage_run(async_coro(found, read_pages(stage_word(3), 4),
                                                  stage_real(1), stage_word(2))));
    if (stage_part("merge"))                /* PART MOST FIRST SECOND STEPS */
        stage_outcome("run", stage_run(async_coro(merged, read_source(stage_word(2), 'a', 4),
                                                  read_source(stage_word(3), 'b', 4),
                                                  stage_integer(1))));
    return stage_close();
}
