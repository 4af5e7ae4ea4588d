/* grader.c - the parts of an exercise: runs them with libcheck, prints one line each, adds up.
 *
 * libcheck need not fork here, since no code of the student's is in this process. The verdict is
 * taken from libcheck's own results, never from anything printed. Only full marks exit with 0. */
#define _GNU_SOURCE
#include "grader_run.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_PARTS 8
#define WIDTH 94 /* of a message, behind its indentation */

static struct {
    int points;
    const char *title;
} parts[MOST_PARTS];
static int part_count;
static Suite *suite;
static const char *stage;

const char *grader_stage(void) { return stage; }

void grader_cannot(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nThis is no fault of the program, which was not judged.\n", stderr);
    puts("Score: not judged");
    fflush(stdout);
    _exit(NOT_JUDGED);
}

/* The seed decides what is chosen at random: with the same one a grading is the same once more. */
static void plant_seed(void)
{
    const char *given = getenv("SEED");
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    unsigned seed = (unsigned)(t.tv_nsec ^ t.tv_sec ^ getpid()) % 1000000;
    if (given && *given) {
        char *end;
        seed = (unsigned)strtoul(given, &end, 10);
        if (*end || *given < '0' || *given > '9')
            grader_cannot("SEED=%.40s: a seed is a number, such as each grading names.", given);
    }
    srandom(seed);
    printf("Seed: %u\n", seed);
}

/* Neither libcheck nor the stage shall hear of what happens to be set where we are called. */
static void clean_environment(void)
{
    if (clearenv() != 0 || setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1) != 0 ||
        setenv("LC_ALL", "C.UTF-8", 1) != 0)
        grader_cannot("The environment could not be set: %s.", strerror(errno));
}

void grader_open(int argc, char **argv)
{
    if (argc != 2 || access(argv[1], X_OK) != 0) {
        fprintf(stderr,
                "usage: %s STAGE\nSTAGE is the program with the student's functions in it.\n",
                argv[0]);
        exit(NOT_JUDGED);
    }
    stage = argv[1];
    suite = suite_create("exercise");
    plant_seed();
    clean_environment();
}

TCase *grader_part(int points, const char *title)
{
    if (part_count == MOST_PARTS)
        abort();
    parts[part_count].points = points;
    parts[part_count++].title = title;
    TCase *tcase = tcase_create(title);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* The message below its part, indented, and wrapped where it isn't indented itself. */
static void print_indented(const char *text)
{
    while (*text) {
        int length = strcspn(text, "\n"), cut = length;
        if (*text != ' ' && length > WIDTH) {
            for (cut = WIDTH; cut && text[cut] != ' '; cut--)
                ;
            cut = cut ? cut : length;
        }
        printf(cut ? "      %.*s\n" : "\n", cut, text);
        text += cut;
        text += *text == '\n' || (*text == ' ' && cut < length);
    }
    printf("\n");
}

/* A part often fails for the same reason as the one before it: that need not be said twice. What
 * is compared ends before the inputs, which always differ. */
static void print_message(const char *text)
{
    static size_t length;
    static const char *last = "";
    const char *inputs = strstr(text, "\n(tried with:");
    bool same = inputs && length == (size_t)(inputs - text) && !strncmp(text, last, length);
    if (same)
        text = "The same as above.";
    else
        last = text, length = inputs ? inputs - text : 0;
    print_indented(text);
}

int grader_close(void)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    TestResult **results = srunner_results(runner);
    int count = srunner_ntests_run(runner), score = 0, most = 0;
    for (int i = 0; i < part_count; i++) {
        bool passed = count == part_count && tr_rtype(results[i]) == CK_PASS;
        score += passed ? parts[i].points : 0;
        most += parts[i].points;
        printf("%-5s %d/%d  %s\n", passed ? "ok" : "FAIL", passed ? parts[i].points : 0,
               parts[i].points, parts[i].title);
        if (!passed && count == part_count)
            print_message(tr_msg(results[i]));
    }
    printf("Score: %d/%d\n", score, most);
    free(results);
    srunner_free(runner);
    return fflush(stdout) == 0 && score == most ? 0 : 1;
}

/* ------------------------------------------------------------------------------- inputs */

int random_between(int low, int high) { return low + random() % (high - low + 1); }

/* From a bag without putting back. */
static int draw(bool *taken, int size)
{
    int i = random() % size;
    while (taken[i])
        i = (i + 1) % size;
    taken[i] = true;
    return i;
}

#define WORDS 20
#define TENTHS 25
static bool words_taken[WORDS], tenths_taken[TENTHS];

void grader_new_inputs(void)
{
    memset(words_taken, 0, sizeof words_taken);
    memset(tenths_taken, 0, sizeof tenths_taken);
}

double random_seconds(void) { return (3 + draw(tenths_taken, TENTHS)) / 10.0; }

const char *random_word(void)
{
    static const char *const words[WORDS] = {
        "alder", "birch",  "cedar",   "damson", "elm",   "fig",    "gorse",
        "hazel", "iris",   "juniper", "larch",  "maple", "nettle", "olive",
        "pine",  "quince", "rowan",   "sorrel", "thyme", "willow",
    };
    return words[draw(words_taken, WORDS)];
}
