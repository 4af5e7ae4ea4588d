/* options.c - see options.h. */
#define _GNU_SOURCE
#include "options.h"
#include "emit.h"
#include "marks.h"
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: grade-class --from DIR|ARCHIVE --out DIR --exercise N[,N...] [OPTION...]\n"
    "       grade-class --one DIR|FILE --exercise N [--as FORMAT] [OPTION...]\n"
    "       grade-class --record FILE [--as FORMAT]\n"
    "       grade-class --merge DIR... --out DIR\n"
    "       grade-class --collect --from DIR|ARCHIVE --out DIR --exercise N\n"
    "Grades a class: a folder or file for each student, or what Moodle and Canvas give out. --one grades what one\n"
    "student has handed in and prints the record, --record prints one that is there. --merge makes one class\n"
    "of several OUTs. --collect grades nothing: OUT/STUDENT/exercise.c is what would be.\n"
    "\n"
    "  --as FORMAT     record, gradescope, classroom50, prairielearn, autolab, vpl or junit\n"
    "  --share I/N     only every Nth, from the Ith on (1 to N): for several machines, and then --merge\n"
    "  --jobs N        so many at a time; otherwise as many as there are processors\n"
    "  --seed N        the same inputs as a grading with that seed had; else the one that OUT was begun with\n"
    "  --variants      each student has other inputs, which come from the seed and the name\n"
    "  --due 'YYYY-MM-DD HH:MM'  notes what was handed in later, by how much\n"
    "  --late FILE     what being late costs: rows of student,late_minutes,percent; no student: everybody\n"
    "  --weights W,W.. what the parts are worth in the mark (N:W,W.. N:W,W.. for several exercises)\n"
    "  --hidden DIR    more parts, from DIR/NN-name.c: students see title and points, and the sentence only with\n"
    "  --released      from now on\n"
    "  --only NAME     only these students (*, ? and [] as in a shell); the others keep what they have\n"
    "  --rerun         grades again what has been graded\n"
    "  --sandbox TIER  bubblewrap, or where that cannot be landlock; otherwise the best that works here; or none: the\n"
    "                  programs run with your rights. Only in a machine to throw away\n"
    "\n"
    "make grade-class FROM= OUT= N= builds what is needed and calls this. OUT holds grades.csv, items.csv,\n"
    "report.html, results/STUDENT.json and feedback/STUDENT.txt. What is there already is not graded again unless the\n"
    "submission, the seed or the graders have changed. The status is 0 if all were judged, 3 if some were not,\n"
    "2 for a mistake in the call or when nothing could be done.\n";

void give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("grade-class: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(USAGE);
}

void first_line_of(const char *command, char *line, size_t size)
{
    FILE *from = popen(command, "re");
    *line = 0;
    if (from && fgets(line, size, from))
        line[strcspn(line, "\n")] = 0;
    if (from)
        pclose(from);
}

/* An exercise and its points, which its grader knows. */
static void add_exercise(struct options *options, int number)
{
    struct exercise *exercise = &options->exercises[options->exercise_count++];
    char pattern[40], line[200] = "";
    glob_t found = { 0 };
    snprintf(pattern, sizeof pattern, "exercises/%02d-*", number);
    if (glob(pattern, 0, NULL, &found) != 0)
        give_up("There is no exercise %d.", number);
    exercise->number = number;
    exercise->room = strdup(found.gl_pathv[0]);
    exercise->name = strchr(exercise->room, '/') + 1;
    globfree(&found);
    exercise->grader = options->hidden ? format_text("%s/hidden/%s", getenv("BUILD"), exercise->name)
                                       : format_text("%s/%s/grader/grader", getenv("BUILD"), exercise->room);
    char *command = format_text("'%s' - 2>/dev/null", exercise->grader);
    first_line_of(command, line, sizeof line);
    free(command);
    if (sscanf(line, "Score: 0/%d", &exercise->most) != 1)
        give_up("The grader of exercise %d is not built: make grade-class N=%d builds it.", number, number);
}

static void read_exercises(struct options *options, const char *list)
{
    for (const char *at = list; *at;) {
        char *end;
        long number = strtol(at, &end, 10);
        if (end == at || number < 1 || number > 99 || options->exercise_count == 40 || (*end && !strchr(", ", *end)))
            give_up("N=%s: which exercises is to be numbers, such as 4 or 4,6.", list);
        for (int i = 0; i < options->exercise_count; i++)
            if (options->exercises[i].number == number)
                give_up("N=%s: exercise %ld is named twice.", list, number);
        add_exercise(options, number);
        at = end + strspn(end, ", ");
    }
    if (!options->exercise_count)
        give_up("N is missing: which exercise did they hand in? N=4");
}

long read_number(const char *text, long most, const char *what)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end || errno || number < 0 || number > most)
        give_up("%s is to be a number, and not \"%s\".", what, text);
    return number;
}

static time_t read_due(const char *text)
{
    struct tm tm = { .tm_isdst = -1 };
    const char *end = strptime(text, strchr(text, 'T') ? "%Y-%m-%dT%H:%M" : "%Y-%m-%d %H:%M", &tm);
    int day = tm.tm_mday;
    time_t due = mktime(&tm);               /* which makes of the 31st of February a day of March */
    if (!end || *end || tm.tm_mday != day)
        give_up("DUE is to be a date and a time of this machine's zone, such as \"2027-01-31 23:59\", and not \"%s\".", text);
    return due;
}

void options_read(struct options *options, int argc, char **argv)
{
    enum { ONE = 1, AS, RECORD, MERGE, COLLECT, SHARE, FROM, OUT, EXERCISE, JOBS, SEED, VARIANTS, DUE, ONLY, RERUN, SANDBOX,
           LATE, WEIGHTS, HIDDEN, RELEASED, HELP };
    static const struct option names[] = {
        { "from", 1, NULL, FROM }, { "out", 1, NULL, OUT }, { "exercise", 1, NULL, EXERCISE },
        { "jobs", 1, NULL, JOBS }, { "seed", 1, NULL, SEED }, { "variants", 0, NULL, VARIANTS },
        { "due", 1, NULL, DUE }, { "only", 1, NULL, ONLY }, { "rerun", 0, NULL, RERUN },
        { "sandbox", 1, NULL, SANDBOX }, { "help", 0, NULL, HELP }, { "one", 1, NULL, ONE }, { "as", 1, NULL, AS },
        { "record", 1, NULL, RECORD }, { "merge", 0, NULL, MERGE }, { "collect", 0, NULL, COLLECT },
        { "share", 1, NULL, SHARE }, { "late", 1, NULL, LATE }, { "weights", 1, NULL, WEIGHTS },
        { "hidden", 1, NULL, HIDDEN }, { "released", 0, NULL, RELEASED }, { 0 },
    };
    const char *exercises = "", *weights = "", *late = "";
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (option) {
        case FROM: options->from = optarg; break;
        case OUT: options->out = optarg; break;
        case EXERCISE: exercises = optarg; break;
        case JOBS:
            options->jobs = *optarg ? read_number(optarg, 1000, "JOBS") : 0;
            if (*optarg && !options->jobs)
                give_up("JOBS is how many at a time, at least 1.");
            break;
        case SEED: options->seed = optarg; break;
        case VARIANTS: options->variants = true; break;
        case DUE: options->due = *optarg ? read_due(optarg) : 0; break;
        case ONLY: options->only = *optarg ? optarg : NULL; break;
        case RERUN: options->rerun = true; break;
        case LATE: late = optarg; break;
        case WEIGHTS: weights = optarg; break;
        case HIDDEN: options->hidden = *optarg ? optarg : NULL; break;
        case RELEASED: options->released = true; break;
        case ONE: options->one = *optarg ? optarg : NULL; break;
        case AS:
            options->format = *optarg ? emit_format(optarg) : 0;
            if (options->format < 0)
                give_up("FORMAT is to be one of %s, and not \"%s\".", emit_formats, optarg);
            break;
        case RECORD: options->record = optarg; break;
        case MERGE: options->merges = true; break;
        case COLLECT: options->collects = true; break;
        case SHARE:
            if (*optarg && (sscanf(optarg, "%ld/%ld", &options->share, &options->shares) != 2 || options->share < 1 ||
                            options->share > options->shares))
                give_up("SHARE is to be which of how many, such as 2/8, and not \"%s\".", optarg);
            break;
        case SANDBOX:
            options->tier = NO_SANDBOX;
            while (options->tier > BEST && strcmp(optarg, tier_names[options->tier]) != 0)
                options->tier--;
            if (*optarg && options->tier == BEST)
                give_up("SANDBOX is to be bubblewrap, landlock, or none at all, and not \"%s\".", optarg);
            break;
        case HELP: fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(USAGE);
        }
    options->merged = argv + optind;
    bool has_out = options->out && *options->out, has_from = options->from && *options->from;
    bool is_told = options->record || options->one || (has_from && has_out);
    if (options->merges ? !has_out || optind == argc : optind < argc || !is_told) {
        fputs(usage, stderr);
        exit(USAGE);
    }
    if (options->merges || options->record)
        return;
    if (!getenv("BUILD") || !getenv("CC") || !getenv("FLAGS") || !getenv("LIBS"))
        give_up("BUILD, CC, FLAGS and LIBS are to be set, as make grade-class does.");
    if (has_from && has_out && is_same(options->from, options->out))
        give_up("FROM and OUT are the same folder: what is made would be somebody's submission.");
    read_exercises(options, exercises);
    if (options->one && options->exercise_count > 1)
        give_up("ONE is an answer to one exercise, and N=%s are several.", exercises);
    marks_weigh(weights, options->exercises, options->exercise_count);
    if (*late)
        marks_late(late);
}
