/* grader.c - the parts of an exercise: runs them with libcheck, prints one line each, adds up.
 *
 * libcheck need not fork here, since no code of the student's is in this process. The verdict is
 * taken from libcheck's own results, never from anything printed. Only full marks exit with 0. */
#define _GNU_SOURCE
#include "child.h"
#include "grader_run.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_PARTS 8
#define SECONDS_OF_SEEDS 60
#define INDENT 6                /* of a message */

static struct {
    int points;
    const char *title;
    const char *base[MOST_PARTS];       /* the functions that it calls, by the part that they are */
    bool failed, good_for[MOST_PARTS];
} parts[MOST_PARTS];
static int part_count, first_hidden;
static unsigned long seed;              /* with the same one all is the same once more */
static int seeds;                       /* so many more are tried */
static Suite *suite;
static const char *stage;
static bool watching_memory;            /* the second pass: what was fine is not said twice */
static bool seeing_leaks;               /* in that pass */
static int shown_part;                  /* of which the last run is to be drawn, from 1; or 0 */
static const char *viewer;              /* the program that does it */
static int running_part;
static int runs;                        /* a file: of each run of the first pass a line, its part and its words */
static char picture[200];               /* the command that draws a run, but for the part; "": there is none */

const char *grader_stage(void) { return stage; }
bool grader_watches_memory(void) { return watching_memory; }

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

/* Messages are as wide as a terminal with COLUMNS. */
static int width = 80 - INDENT;

static void measure(void)
{
    const char *columns = getenv("COLUMNS");
    if (columns && atoi(columns) > 20)
        width = atoi(columns) - INDENT;
}

#define RUNS 3                          /* whoever calls us several times gives us that file each time */
#define OF_MEMORY "allocator_may_return_null=1:fast_unwind_on_malloc=0"
#define NO_LEAKS ":detect_leaks=0"

/* Neither libcheck nor the stage shall hear of what happens to be set where we are called. The last
 * one has freed memory overwritten: what is read from there is seen to be wrong. */
static void clean_environment(bool leaks)
{
    char *place = strdup(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    const char *const names[][2] = {
        { "PATH", "/usr/local/bin:/usr/bin:/bin" },
        { "LC_ALL", "C.UTF-8" },
        { "TEMP", place },                      /* for libcheck's file, out of the submission's reach */
        { "LD_LIBRARY_PATH", ".." },            /* where the submission is: exercise.so */
        { "ASYNC_CLOCK", "virtual:1000" },      /* so that nobody takes a time for a delay */
        { "ASAN_OPTIONS", leaks ? OF_MEMORY : OF_MEMORY NO_LEAKS },
        { "LSAN_OPTIONS", "exitcode=0:use_globals=0" },     /* the runtime's leaks are not the student's */
        { "GLIBC_TUNABLES", "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0" },
    };
    bool done = clearenv() == 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        done = done && setenv(names[i][0], names[i][1], 1) == 0;
    if (!done)
        grader_cannot("The environment could not be set: %s.", strerror(errno));
    free(place);
}

void grader_open(int argc, char **argv)
{
    const char *given = getenv("SEED"), *more = getenv("SEEDS");
    if (argc < 2) {
        fprintf(stderr,
                "usage: %s STAGE|- [memory | accesses | show PART VIEWER]\nSTAGE is the program with the student's "
                "functions in it; -: there is none, and so no points.\n"
                "memory: it is watched; accesses: but not for leaks.\n", argv[0]);
        exit(NOT_JUDGED);
    }
    stage = argv[1];
    snprintf(picture, sizeof picture, "%s", getenv("PICTURE") ? getenv("PICTURE") : "");
    watching_memory = argc == 3;
    shown_part = argc == 5 ? atoi(argv[3]) : 0;
    viewer = argc == 5 ? argv[4] : NULL;
    suite = suite_create("exercise");
    seed = given ? strtoul(given, NULL, 10) : 0;
    seeds = more && argc == 2 ? atoi(more) : 0;
    measure();
    runs = fcntl(RUNS, F_GET_SEALS) >= 0 ? fcntl(RUNS, F_DUPFD_CLOEXEC, 10) : child_file();
    seeing_leaks = argc != 3 || strcmp(argv[2], "accesses") != 0;
    clean_environment(seeing_leaks);
    child_prepare();
    prctl(PR_SET_DUMPABLE, 0);          /* nobody may look into this process, or write to it */
}

static void begin_part(void) { running_part++; }

void grader_failed(void) { parts[running_part - 1].failed = true; }
void builds_on(int base, const char *function) { parts[part_count - 1].base[base - 1] = function; }
void good_enough_for(int part) { parts[running_part - 1].good_for[part - 1] = true; }

/* The first part on which this one builds and that has failed, even if it is good enough; from 0; -1: none. */
static int failed_base(bool even_if_good)
{
    for (int i = 0; i < running_part; i++)
        if (parts[running_part - 1].base[i] && parts[i].failed &&
            (even_if_good || !parts[i].good_for[running_part - 1]))
            return i;
    return -1;
}

bool base_passed(void) { return failed_base(true) < 0; }

const char *grader_base(void)
{
    static char text[200];
    int base = failed_base(false);
    if (base < 0)
        return NULL;
    snprintf(text, sizeof text, "Repair part %d first: %s() is needed here, too, and what is not right yet "
                                "may come from there.", base + 1, parts[running_part - 1].base[base]);
    return text;
}

const char *grader_picture(void)
{
    static char text[sizeof picture + 40];
    snprintf(text, sizeof text, *picture ? "\n(drawn: %s PART=%d)" : "%s", picture, running_part);
    return text;
}

void grader_remember(const char *inputs)
{
    if (!watching_memory)
        dprintf(runs, "%d %s\n", running_part, inputs);
}

/* The words of the last run of a part: the one that failed, or else the last of all. NULL: there was none. */
static char *last_run_of(int part)
{
    char *text = child_file_text(runs, MOST_RUNS, NULL), *found = NULL;
    for (char *line = text, *end; line && (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        if (atoi(line) == part)
            found = strchr(line, ' ') + 1;
    }
    return found;
}

/* Once more the run that decided about a part. */
static int show(void)
{
    char title[80], *words[MOST_WORDS + 5] = { (char *)viewer, "--title", title, (char *)stage };
    char *inputs = last_run_of(shown_part);
    if (shown_part > part_count || !inputs)
        grader_cannot("There is no part %d: PART is a number from 1 to %d.", shown_part, part_count);
    grader_split(inputs, words + 4);
    snprintf(title, sizeof title, "part %d: %s", shown_part, parts[shown_part - 1].title);
    grader_open_report();
    execv(viewer, words);
    grader_cannot("%s cannot be started: %s.", viewer, strerror(errno));
}

TCase *grader_part(int points, const char *title)
{
    if (part_count == MOST_PARTS)
        abort();
    parts[part_count].points = points;
    parts[part_count++].title = title;
    TCase *tcase = tcase_create(title);
    tcase_add_checked_fixture(tcase, begin_part, NULL);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* The message below its part, indented, and wrapped where it isn't indented itself. */
static void print_indented(const char *text)
{
    while (*text) {
        int length = strcspn(text, "\n"), cut = length;
        if (*text != ' ' && length > width) {
            for (cut = width; cut && text[cut] != ' '; cut--)
                ;
            cut = cut ? cut : length;
        }
        printf("%*s%.*s\n", cut ? INDENT : 0, "", cut, text);
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

/* None of the points, or all of them. */
static int at_once(bool passed)
{
    int most = 0;
    for (int i = 0; i < part_count; i++)
        most += parts[i].points;
    printf("Score: %d/%d\n", passed ? most : 0, most);
    return !passed;
}

/* The second pass at once. Who does not ask for leaks need not know where each piece of memory came from. */
static bool all_is_sound(void)
{
    if (!seeing_leaks)
        setenv("ASAN_OPTIONS", OF_MEMORY NO_LEAKS ":malloc_context_size=0", 1);
    bool sound = runs_are_sound(runs);
    if (!seeing_leaks)
        setenv("ASAN_OPTIONS", OF_MEMORY NO_LEAKS, 1);
    return sound;
}

/* A part of an instructor's, whose sentence students are not to read yet. */
static const char *mark_of(int part) { return part >= first_hidden ? "hidden: " : ""; }

static SRunner *run_parts(unsigned long with)
{
    SRunner *runner = srunner_create(suite);
    srandom(with);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    return runner;
}

/* A letter for each part, 'p' where it passed, with that seed. It is run in a process of its own, where all is as at
 * the first time; for each is a stage loaded, but no compiler and no shell is started. */
static void parts_with(unsigned long with, char *letters)
{
    int ends[2], count = 0;
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) < 0)
        grader_cannot("The grader could not make a pipe: %s.", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        child_prepare();
        runs = child_file();            /* of its own */
        SRunner *runner = run_parts(with);
        TestResult **results = srunner_results(runner);
        for (; count < srunner_ntests_run(runner); count++)
            letters[count] = tr_rtype(results[count]) == CK_PASS ? 'p' : '-';
        _exit(write(ends[1], letters, count) != count);
    }
    close(ends[1]);
    if (pid < 0 || read(ends[0], letters, MOST_PARTS) < part_count)
        grader_cannot("The parts could not be tried with SEED=%lu.", with);
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

/* For authors, with SEEDS=50 in the environment: are the same parts passed with so many other seeds, too? What does not
 * come to an end is tried for a minute. */
static void try_seeds(void)
{
    char first[MOST_PARTS + 1] = "", letters[MOST_PARTS + 1] = "";
    time_t begin = time(NULL);
    parts_with(seed, first);
    for (int i = 1; i < seeds; i++) {
        parts_with(i, letters);
        if (strcmp(letters, first) != 0)
            printf("A matter of luck: with SEED=%lu the parts end as %s, with SEED=%d as %s\n", seed, first, i, letters);
        if (time(NULL) - begin > SECONDS_OF_SEEDS) {
            printf("Only %d seeds were tried, which took a minute.\n", i + 1);
            return;
        }
    }
}

int grader_close(void)
{
    first_hidden = part_count;
    if (hidden_parts)
        hidden_parts();
    if (strcmp(stage, "-") == 0)
        return at_once(false);
    if (watching_memory && all_is_sound())
        return at_once(true);
    if (shown_part && lseek(runs, 0, SEEK_END) > 0)
        return show();
    if (seeds)
        try_seeds();
    SRunner *runner = run_parts(seed);
    if (shown_part)
        return show();
    TestResult **results = srunner_results(runner);
    int count = srunner_ntests_run(runner), score = 0, most = 0;
    for (int i = 0; i < part_count; i++) {
        bool passed = count == part_count && tr_rtype(results[i]) == CK_PASS;
        score += passed ? parts[i].points : 0;
        most += parts[i].points;
        if (passed && watching_memory)
            continue;
        printf("%-5s %d/%d  %s%s\n", passed ? "ok" : "FAIL", passed ? parts[i].points : 0,
               parts[i].points, mark_of(i), parts[i].title);
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
#define SECONDS 20
static bool words_taken[WORDS], seconds_taken[SECONDS];

void grader_new_inputs(void)
{
    memset(words_taken, 0, sizeof words_taken);
    memset(seconds_taken, 0, sizeof seconds_taken);
}

/* 0.3, 0.4, 0.6, ... 2.7: whole and half seconds are what tasks show, and somebody may have copied from there. */
double random_seconds(void)
{
    int i = draw(seconds_taken, SECONDS);
    return (3 + i + (i + 2) / 4) / 10.0;
}

const char *random_word(void)
{
    static const char *const words[WORDS] = {
        "alder", "birch",  "cedar",   "damson", "elm",   "fig",    "gorse",
        "hazel", "iris",   "juniper", "larch",  "maple", "nettle", "olive",
        "pine",  "quince", "rowan",   "sorrel", "thyme", "willow",
    };
    return words[draw(words_taken, WORDS)];
}
