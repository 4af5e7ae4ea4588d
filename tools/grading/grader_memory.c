/* grader_memory.c - what AddressSanitizer found in the second pass, in a sentence: which memory, where it
 * was used, where it was freed, where it came from.
 *
 * Its report is a headline and some stacks, a frame to a line: "#1 0x55d in collect exercise.c:31". Of
 * a stack we name the first place in the student's file, and what was called there. */
#define _GNU_SOURCE
#include "grader_run.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    char function[64];              /* of the student's; "" if the stack does not touch the file */
    int line;
    char called[64];                /* async.h's function that it had called, or "" */
    bool directly;                  /* none of the runtime's stood between it and the C library */
    bool of_task;                   /* the runtime freed what belonged to a task or a coroutine */
};

/* Reads the stack that begins after `from`. */
static struct place first_place(const char *from)
{
    struct place place = { .directly = true };
    char text[400], function[64], file[256];
    from = from ? strchr(from, '\n') : NULL;
    while (from) {
        from++;
        snprintf(text, sizeof text, "%.*s", (int)strcspn(from, "\n"), from);
        const char *frame = text + strspn(text, " "), *found;
        if (*frame != '#' || sscanf(frame, "#%*d %*s in %63s %255[^\n]", function, file) < 2)
            break;
        if ((found = strstr(file, "exercise.c:")) && (found == file || found[-1] == '/')) {
            strcpy(place.function, function);
            place.line = atoi(found + strlen("exercise.c:"));
            break;
        }
        place.of_task |= !strncmp(function, "memory_", 7);
        place.directly &= !strstr(file, "runtime/");
        if (!strncmp(function, "async_", 6))
            strcpy(place.called, function);
        from = strchr(from, '\n');
    }
    if (!*place.function)
        place.directly = false;
    return place;
}

/* "in f() at exercise.c:12", with what was called there. */
static const char *words(struct place place)
{
    static char texts[4][300];
    static int i;
    char *text = texts[i = (i + 1) % 4];
    if (*place.function && *place.called)
        snprintf(text, sizeof texts[0], "by %s(), called in %s() at exercise.c:%d", place.called,
                 place.function, place.line);
    else if (*place.function)
        snprintf(text, sizeof texts[0], "in %s() at exercise.c:%d", place.function, place.line);
    else if (place.of_task)
        snprintf(text, sizeof texts[0], "with the task or coroutine to which it belonged, when that was over");
    else
        snprintf(text, sizeof texts[0], "outside of your file");
    return text;
}

static void judge_heap(struct run *run, const char *report, const char *how, struct place used)
{
    const char *freed = strstr(report, "freed by thread"), *made = strstr(report, "allocated by thread");
    const char *region = strstr(report, "-byte region");
    while (region && region > report && isdigit((unsigned char)region[-1]))
        region--;
    if (strstr(report, "attempting double-free"))
        reject(run, "Memory was freed twice: %s, after it had been freed %s. It was allocated %s.",
               words(used), words(first_place(freed)), words(first_place(made)));
    if (freed)
        reject(run, "Memory was %s after it had been freed: %s. It had been freed %s, and was allocated %s.\n"
                    "Whoever uses it has to come before whoever frees it; or keep a copy of its own.",
               how, words(used), words(first_place(freed)), words(first_place(made)));
    if (made && region)
        reject(run, "Memory was %s beyond its end or before its beginning: %s. It has %d bytes, and was "
                    "allocated %s.", how, words(used), atoi(region), words(first_place(made)));
}

/* "    [32, 48) 'results' (line 12) <== Memory access at offset 48 overflows this variable" */
static void judge_stack(struct run *run, const char *report, const char *how, struct place used)
{
    const char *mark = strstr(report, "<== Memory access"), *name = mark;
    int line = 0, length = 0;
    while (name > report && name[-1] != '\n')
        name--;
    name = mark ? strchr(name, '\'') : NULL;
    if (!name || name > mark)
        return;
    length = strcspn(++name, "'");
    sscanf(name + length, "' (line %d)", &line);
    bool is_over = strstr(mark, "is inside this variable") != NULL;
    reject(run, is_over ? "The local variable '%.*s' (line %d) was %s when its block or function had been left: %s.\n"
                          "What outlives its function has to come from async_alloc(), malloc() or the caller."
                        : "The array '%.*s' (line %d) was %s beyond its end or before its beginning: %s. Is "
                          "it large enough for all that is put into it?",
           length, name, line, how, words(used));
}

/* The first that is the student's; NULL: there is none. */
static const char *leak_in(const char *report, struct place *made)
{
    while ((report = strstr(report, "Direct leak of "))) {
        *made = first_place(report);
        report += strlen("Direct leak of ");
        if (made->directly)
            break;
    }
    return report;
}

static void judge_leak(struct run *run, const char *report)
{
    struct place made;
    const char *leak = leak_in(report, &made);
    if (leak)
        reject(run, "Memory was never freed: %d bytes that were allocated in %s() at exercise.c:%d. On which "
                    "way out is free() missed? An await that is cancelled is one. async_alloc() gives "
                    "memory that is freed with its task.",
               atoi(leak), made.function, made.line);
}

bool memory_is_sound(const char *said)
{
    struct place made;
    return !strstr(said, "ERROR: AddressSanitizer: ") && !leak_in(said, &made);
}

void judge_memory(struct run *run)
{
    static char said[1000];
    const char *report = strstr(run->err, "ERROR: AddressSanitizer: ");
    const char *leaks = strstr(run->err, "ERROR: LeakSanitizer: ");
    const char *begin = report ? report : leaks;
    if (!begin)
        return;
    while (begin > run->err && (begin[-1] == '=' || begin[-1] == '\n' || isdigit((unsigned char)begin[-1])))
        begin--;
    snprintf(said, sizeof said, "%.*s", (int)(begin - run->err), run->err);
    const char *all = run->err;
    run->err = said;
    const char *kind = report ? report + strlen("ERROR: AddressSanitizer: ") : "";
    if (!strncmp(kind, "SEGV", 4) || !strncmp(kind, "stack-overflow", 14))
        run->err = all;             /* a crash, which has its own sentence */
    else if (report) {
        const char *access = strstr(report, "\nWRITE of size");
        const char *reading = strstr(report, "\nREAD of size");
        const char *stack = access ? access + 1 : reading ? reading + 1 : report;
        const char *how = access ? "written" : "read";
        judge_heap(run, report, how, first_place(stack));
        judge_stack(run, report, how, first_place(stack));
        reject(run, "AddressSanitizer found a mistake in how memory is used (%.*s): %s.",
               (int)strcspn(kind, " \n"), kind, words(first_place(stack)));
    } else {
        judge_leak(run, leaks);
    }
}
