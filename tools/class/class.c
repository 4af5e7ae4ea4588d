/* class.c - grade-class: grades a whole class, each submission in a sandbox, several at a time.
 *
 * A program on our own runtime. Each submission is a task; a semaphore lets JOBS of them go on at once.
 * A task takes its submission in, lets `grade` judge it in a process of its own, and writes the record, whole or
 * not at all. So whatever ends us, what was judged is judged: called again we go on where we were. The tables
 * and pages are made from the records when all of them are there. */
#define _GNU_SOURCE
#include "async.h"
#include "emit.h"
#include "sandbox.h"
#include "tables.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALL_JUDGED = 0, USAGE = 2, SOME_NOT = 3, INTERRUPTED = 130 };

#define MOST_REPORT (4 << 20)           /* bytes that a grading may print */
#define MOST_SECONDS 1200               /* of a grading; only what is broken takes so long */

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
    "  --only NAME     only these students (*, ? and [] as in a shell); the others keep what they have\n"
    "  --rerun         grades again what has been graded\n"
    "  --sandbox none  without bubblewrap: the programs run with your rights. Only in a machine to throw away\n"
    "\n"
    "make grade-class FROM= OUT= N= builds what is needed and calls this. OUT holds grades.csv, items.csv,\n"
    "report.html, results/STUDENT.json and feedback/STUDENT.txt. What is there already is not graded again unless the\n"
    "submission, the seed or the graders have changed. The status is 0 if all were judged, 3 if some were not,\n"
    "2 for a mistake in the call or when nothing could be done.\n";

struct class {
    const char *from, *out, *only;      /* as the options of these names */
    const char *one, *record;
    int format;                         /* of what is printed */
    char **merged;                      /* ends with NULL */
    bool merges, collects;
    long share, shares;                 /* from 1 */
    enum tier tier;
    long jobs;
    bool variants, rerun, is_terminal;
    unsigned seed;
    time_t due;
    struct exercise exercises[40];
    int exercise_count;
    struct submission *submissions;
    struct source *sources;             /* one each */
    json_t **records;                   /* the same; NULL: not yet */
    bool *running;
    size_t count, done;
    char *work, *filter, compiler[200], version[65];
    async_semaphore *turns;
};

__attribute__((noreturn, format(printf, 1, 2)))
static void give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("grade-class: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(USAGE);
}

/* -------------------------------------------------------------------------- the progress */

/* On a terminal one line that changes: how many there are of how many, and who is being graded. */
static void draw(const struct class *class)
{
    struct winsize size;
    int columns = ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col : 80, filled;
    char names[400] = "";
    if (!class->is_terminal)
        return;
    for (size_t i = 0; i < class->count && strlen(names) < 200; i++)
        if (class->running[i])
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.60s", *names ? ", " : "",
                     class->submissions[i].student);
    filled = class->count ? 20 * class->done / class->count : 20;
    char *line = format_text("%.*s%.*s %zu/%zu %s", filled, "####################", 20 - filled, "....................",
                       class->done, class->count, names);
    fprintf(stderr, "\r\033[K%.*s", columns - 1, line);
    free(line);
}

static void tell(struct class *class, size_t i)
{
    const json_t *record = class->records[i];
    class->running[i] = false;
    class->done++;
    if (!class->is_terminal && !class->one)
        fprintf(stderr, "%zu/%zu  %s: %s %ld/%ld\n", class->done, class->count, text_of(record, "student"),
                text_of(record, "status"), number_of(record, "score"), number_of(record, "max"));
    draw(class);
}

/* ---------------------------------------------------------------------------- a grading */

/* What it prints, up to a limit; the value's num is how the process ended. */
struct run_command {
    char **words;
    char *report;
};
static async_value run_command(void *p)
{
    struct run_command *args = p;
    async_subprocess *process = await(async_create_subprocess_exec((const char *const *)args->words,
        ASYNC_PIPE_STDOUT | ASYNC_DEVNULL_STDIN | ASYNC_STDERR_TO_STDOUT)).ptr;
    size_t length, all = 0;
    for (;;) {
        const char *bytes = await(async_stream_read(async_subprocess_stdout(process), 65536, &length)).ptr;
        if (!length)
            break;
        if (all + length >= MOST_REPORT) {
            async_subprocess_kill(process);
            return async_error(ASYNC_VALUE_ERROR, "The grading printed without an end.");
        }
        memcpy(args->report + all, bytes, length);
        all += length;
    }
    args->report[all] = 0;
    for (size_t i = 0; i < all; i++)
        if (!args->report[i])
            args->report[i] = '?';
    return await(async_subprocess_wait(process));
}

static void freed(char **bytes) { free(*bytes); }
static void words_left(char ***words) { words_free(*words); }

/* Lets grade judge the source, which is given to it in a file of its own. */
struct judge {
    struct class *class;
    size_t i;
    json_t *record;
    const char *seed;
};
static async_value judge(void *p)
{
    struct judge *args = p;
    struct class *class = args->class;
    const struct source *source = &class->sources[args->i];
    const char *folder = async_strf("%s/%zu", class->work, args->i), *file = async_strf("%s/exercise.c", folder);
    async_with(freed) char *report = calloc(1, MOST_REPORT);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        async_raise(errno, async_strf("%s: %s", folder, strerror(errno)));
    if (!report || !write_whole(file, source->bytes, source->length))
        async_raise(errno, async_strf("%s: %s", file, strerror(errno)));
    async_with(words_left) char **words = sandbox_command(class->tier, class->submissions[args->i].exercise, file,
                                                          folder, class->filter, args->seed);
    async_value ended = async_catch(async_wait_for(async_coro(run_command, words, report), MOST_SECONDS));
    if (ended.error == ASYNC_CANCELLED)
        return async_leave(ended);
    record_report(args->record, report, ended.error ? -1 : ended.num);
    return async_none;
}

/* Every student has the class's seed, or one that is made of it and the name. */
static const char *seed_of(const struct class *class, const struct submission *submission)
{
    unsigned seed = class->seed;
    if (class->variants) {
        char hash[65], *text = format_text("%u %s %s", seed, submission->student, submission->id);
        hash_bytes(text, strlen(text), hash);
        free(text);
        seed = strtoul(strndupa(hash, 7), NULL, 16) % 1000000;
    }
    return async_strf("%u", seed);
}

/* A record is good as long as what it was made of is the same. */
static bool is_good(const json_t *old, const json_t *new)
{
    static const char *const made_of[] = { "sha256", "seed", "version", "exercise", "student", "id", "late_minutes",
                                           "marked_late" };
    for (size_t i = 0; i < sizeof made_of / sizeof made_of[0]; i++) {
        const json_t *before = json_object_get(old, made_of[i]), *after = json_object_get(new, made_of[i]);
        if ((before || after) && !json_equal(before, after))
            return false;
    }
    return was_judged(old);
}

struct find {
    struct class *class;
    size_t i;
};
static async_value find(void *p)
{
    struct find *args = p;
    struct class *class = args->class;
    char *scratch = format_text("%s/in-%zu", class->work, args->i);
    mkdir(scratch, 0700);
    source_find(&class->sources[args->i], &class->submissions[args->i], scratch, class->exercise_count == 1);
    remove_tree(scratch);
    free(scratch);
    return async_none;
}

/* False: errno says why a file could not be written. */
static bool save_record(const struct class *class, const json_t *record, const char *name)
{
    char *path = format_text("%s/results/%s.json", class->out, name), *text = record_feedback(record);
    char *feedback = format_text("%s/feedback/%s.txt", class->out, name);
    bool fine = write_whole(feedback, text, strlen(text)) && record_write(record, path);
    int error = errno;
    free(path), free(text), free(feedback);
    errno = error;
    return fine;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

struct grade_one {
    struct class *class;
    size_t i;
};
static async_value grade_one(void *p)
{
    struct grade_one *args = p;
    struct class *class = args->class;
    size_t i = args->i;
    const struct submission *submission = &class->submissions[i];
    await(async_semaphore_acquire(class->turns));
    async_with(async_semaphore_exit) async_semaphore *turn = class->turns;
    json_t *old = record_read(async_strf("%s/results/%s.json", class->out, submission->file));
    if ((class->only && fnmatch(class->only, submission->student, 0) != 0) ||
        (class->shares && (long)i % class->shares != class->share - 1)) {
        class->records[i] = old;
        class->count -= !old;
        return async_none;
    }
    double began = now();
    class->running[i] = true;
    draw(class);
    await(async_to_thread(find, class, i));
    const char *seed = seed_of(class, submission);
    json_t *record = record_new(submission, &class->sources[i], seed, class->version, class->due);
    if (old && !class->rerun && is_good(old, record)) {
        json_decref(record);
        class->records[i] = old;
        tell(class, i);
        return async_none;
    }
    if (!class->sources[i].status)
        await(async_coro(judge, class, i, record, seed));
    source_free(&class->sources[i]);
    if (old && !strcmp(text_of(old, "sha256"), text_of(record, "sha256")) &&
        number_of(old, "score") > number_of(record, "score"))
        json_object_set(record, "lowered_from", json_object_get(old, "score"));
    json_decref(old);
    record_done(record, now() - began, tier_names[class->tier], class->compiler);
    class->records[i] = record;
    if (!save_record(class, record, submission->file))
        async_raise(errno, async_strf("the record of %s cannot be written: %s", submission->student, strerror(errno)));
    tell(class, i);
    return async_none;
}

struct grade_all {
    struct class *class;
};
static async_value grade_all(void *p)
{
    struct class *class = ((struct grade_all *)p)->class;
    class->turns = async_semaphore_new(class->jobs);
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    size_t count = class->count;
    for (size_t i = 0; i < count; i++)
        async_taskgroup_create_task(group, async_coro(grade_one, class, i));
    return await(async_taskgroup_join(group));
}

/* ------------------------------------------------------------------------- what is asked for */

/* The first line that a command prints; "" if there is none. */
static void ask(const char *command, char *line, size_t size)
{
    FILE *from = popen(command, "re");
    *line = 0;
    if (from && fgets(line, size, from))
        line[strcspn(line, "\n")] = 0;
    if (from)
        pclose(from);
}

/* An exercise and its points, which its grader knows. */
static void add_exercise(struct class *class, int number)
{
    struct exercise *exercise = &class->exercises[class->exercise_count++];
    char pattern[40], line[200] = "";
    glob_t found = { 0 };
    snprintf(pattern, sizeof pattern, "exercises/%02d-*", number);
    if (glob(pattern, 0, NULL, &found) != 0)
        give_up("There is no exercise %d.", number);
    exercise->number = number;
    exercise->room = strdup(found.gl_pathv[0]);
    exercise->name = strchr(exercise->room, '/') + 1;
    globfree(&found);
    char *command = format_text("\"$BUILD/%s/grader/grader\" - 2>/dev/null", exercise->room);
    ask(command, line, sizeof line);
    free(command);
    if (sscanf(line, "Score: 0/%d", &exercise->most) != 1)
        give_up("The grader of exercise %d is not built: make grade-class N=%d builds it.", number, number);
}

static void read_exercises(struct class *class, const char *list)
{
    for (const char *at = list; *at;) {
        char *end;
        long number = strtol(at, &end, 10);
        if (end == at || number < 1 || number > 99 || class->exercise_count == 40 || (*end && !strchr(", ", *end)))
            give_up("N=%s: which exercises is to be numbers, such as 4 or 4,6.", list);
        add_exercise(class, number);
        at = end + strspn(end, ", ");
    }
    if (!class->exercise_count)
        give_up("N is missing: which exercise did they hand in? N=4");
}

static long read_number(const char *text, long most, const char *what)
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
    if (!end || *end)
        give_up("DUE is to be a date and a time of this machine's zone, such as \"2027-01-31 23:59\", and not \"%s\".", text);
    return mktime(&tm);
}

static void read_options(struct class *class, int argc, char **argv, const char **seed)
{
    enum { ONE = 1, AS, RECORD, MERGE, COLLECT, SHARE, FROM, OUT, EXERCISE, JOBS, SEED, VARIANTS, DUE, ONLY, RERUN, SANDBOX, HELP };
    static const struct option options[] = {
        { "from", 1, NULL, FROM }, { "out", 1, NULL, OUT }, { "exercise", 1, NULL, EXERCISE },
        { "jobs", 1, NULL, JOBS }, { "seed", 1, NULL, SEED }, { "variants", 0, NULL, VARIANTS },
        { "due", 1, NULL, DUE }, { "only", 1, NULL, ONLY }, { "rerun", 0, NULL, RERUN },
        { "sandbox", 1, NULL, SANDBOX }, { "help", 0, NULL, HELP }, { "one", 1, NULL, ONE }, { "as", 1, NULL, AS },
        { "record", 1, NULL, RECORD }, { "merge", 0, NULL, MERGE }, { "collect", 0, NULL, COLLECT },
        { "share", 1, NULL, SHARE }, { 0 },
    };
    const char *exercises = "";
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case FROM: class->from = optarg; break;
        case OUT: class->out = optarg; break;
        case EXERCISE: exercises = optarg; break;
        case JOBS: class->jobs = *optarg ? read_number(optarg, 1000, "JOBS") : 0; break;
        case SEED: *seed = optarg; break;
        case VARIANTS: class->variants = true; break;
        case DUE: class->due = *optarg ? read_due(optarg) : 0; break;
        case ONLY: class->only = *optarg ? optarg : NULL; break;
        case RERUN: class->rerun = true; break;
        case ONE: class->one = *optarg ? optarg : NULL; break;
        case AS:
            class->format = *optarg ? emit_format(optarg) : 0;
            if (class->format < 0)
                give_up("FORMAT is to be one of %s, and not \"%s\".", emit_formats, optarg);
            break;
        case RECORD: class->record = optarg; break;
        case MERGE: class->merges = true; break;
        case COLLECT: class->collects = true; break;
        case SHARE:
            if (*optarg && (sscanf(optarg, "%ld/%ld", &class->share, &class->shares) != 2 || class->share < 1 ||
                            class->share > class->shares))
                give_up("SHARE is to be which of how many, such as 2/8, and not \"%s\".", optarg);
            break;
        case SANDBOX:
            if (*optarg && strcmp(optarg, "none") != 0)
                give_up("SANDBOX can only be none, for no sandbox at all, and not \"%s\".", optarg);
            class->tier = *optarg ? NO_SANDBOX : BUBBLEWRAP;
            break;
        case HELP: fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(USAGE);
        }
    class->merged = argv + optind;
    bool has_out = class->out && *class->out, has_from = class->from && *class->from;
    if (class->merges ? !has_out || optind == argc : optind < argc || (!class->record && !class->one && !(has_from && has_out))) {
        fputs(usage, stderr);
        exit(USAGE);
    }
    if (class->merges || class->record)
        return;
    if (!getenv("BUILD") || !getenv("CC") || !getenv("FLAGS") || !getenv("LIBS"))
        give_up("BUILD, CC, FLAGS and LIBS are to be set, as make grade-class does.");
    read_exercises(class, exercises);
}

/* ------------------------------------------------------------------------------ the place */

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        give_up("%s cannot be made: %s.", path, strerror(errno));
}

/* OUT, which only one of us may have; what one before us left half done is no loss. */
static void open_place(struct class *class)
{
    make_folder(class->out);
    char *lock = format_text("%s/.lock", class->out), *results = format_text("%s/results", class->out),
         *feedback = format_text("%s/feedback", class->out);
    int file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        give_up("OUT=%s cannot be written to: %s.", class->out, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB) < 0)
        give_up("Another grade-class is at work in %s.", class->out);
    make_folder(results);
    make_folder(feedback);
    class->work = format_text("%s/.work", class->out);
    if (!remove_tree(class->work))
        give_up("%s is left from before and cannot be removed: %s.", class->work, strerror(errno));
    make_folder(class->work);
    free(lock), free(results), free(feedback);
}

/* The one that was asked for, or that OUT was begun with, or a new one, which nobody could know. */
static void settle_seed(struct class *class, const char *given)
{
    char *path = format_text("%s/seed", class->out), line[40] = "";
    FILE *file = fopen(path, "re");
    if (file && !fgets(line, sizeof line, file))
        *line = 0;
    if (file)
        fclose(file);
    line[strcspn(line, "\n")] = 0;
    class->seed = given && *given ? read_number(given, UINT_MAX, "SEED") :
                  *line ? read_number(line, UINT_MAX, path) : (unsigned)(now() * 1e6) % 1000000;
    snprintf(line, sizeof line, "%u\n", class->seed);
    if (!write_whole(path, line, strlen(line)))
        give_up("%s cannot be written: %s.", path, strerror(errno));
    free(path);
}

/* Of all that verdicts depend on and that is ours: the same hash, the same verdicts. */
static void name_version(struct class *class)
{
    static const char *const patterns[] = { "exercises/*/exercise.h", "exercises/*/grader/*", "runtime/*.h",
                                            "runtime/*/*.[chS]", "tools/grading/*", "tools/student-cc.sh" };
    glob_t found = { 0 };
    size_t size;
    char *hashes;
    FILE *to = open_memstream(&hashes, &size);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char bytes[200000], hash[65];
        FILE *file = fopen(found.gl_pathv[i], "re");
        size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
        if (file)
            fclose(file);
        hash_bytes(bytes, length, hash);
        fprintf(to, "%s %s\n", hash, found.gl_pathv[i]);
    }
    fclose(to);
    hash_bytes(hashes, size, class->version);
    class->version[12] = 0;
    globfree(&found);
    free(hashes);
}

static void need_sandbox(struct class *class)
{
    class->filter = format_text("%s/filter", class->work);
    if (!sandbox_filter(class->filter))
        give_up("%s cannot be written: %s.", class->filter, strerror(errno));
    if (class->tier == NO_SANDBOX)
        fputs("grade-class: without a sandbox: what is graded runs with your rights on this machine.\n", stderr);
    else if (!sandbox_works(&class->exercises[0], class->filter))
        give_up("The sandbox cannot be made here. Is bubblewrap installed (make deps-class)? A container has to allow "
                "namespaces, and everybody has to be able to read this folder's files. SANDBOX=none grades without; "
                "do that only in a machine that holds nothing else.");
}

/* --------------------------------------------------------------------------- the results */

static void save_file(const struct class *class, const char *name, char *text)
{
    char *path = format_text("%s/%s", class->out, name);
    if (!write_whole(path, text, strlen(text)))
        give_up("%s cannot be written: %s. The records in %s/results are whole; call it again.", path, strerror(errno),
                class->out);
    free(text);
    free(path);
}

static char *read_template(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen("tools/class/report.html", "re");
    if (!file || getdelim(&text, &size, 0, file) < 0)
        give_up("tools/class/report.html cannot be read: %s.", strerror(errno));
    fclose(file);
    return text;
}

static void save_all(const struct class *class)
{
    json_t *items = items_of(class->records, class->count);
    char *template = read_template();
    save_file(class, "grades.csv", grades_table(class->records, class->count));
    save_file(class, "items.csv", items_table(items));
    save_file(class, "report.html", report_page(template, class->records, class->count, items, class->seed));
    free(template);
    json_decref(items);
}

/* Who was left out is no row of any table. */
static void close_ranks(struct class *class, size_t all)
{
    size_t to = 0;
    for (size_t i = 0; i < all; i++)
        if (class->records[i])
            class->records[to++] = class->records[i];
    class->count = to;
}

static int conclude(struct class *class)
{
    size_t graded = 0, judged = 0;
    for (size_t i = 0; i < class->count; i++) {
        const json_t *record = class->records[i];
        graded += !strcmp(text_of(record, "status"), "graded");
        judged += was_judged(record);
        if (json_object_get(record, "lowered_from"))
            printf("%s: %ld points now, %ld before, for the same submission\n", text_of(record, "student"),
                   number_of(record, "score"), number_of(record, "lowered_from"));
    }
    save_all(class);
    printf("%zu submissions, %zu graded, %zu with nothing that could be graded", class->count, graded, judged - graded);
    if (judged < class->count)
        printf(", %zu that our own fault kept from it: call it again", class->count - judged);
    printf("\nSeed: %u\nResults: %s/grades.csv, and to look at: %s/report.html\n", class->seed, class->out, class->out);
    return judged < class->count ? SOME_NOT : ALL_JUDGED;
}

/* ---------------------------------------------------------------------------- what else we do */

/* A record that is there, as somebody else wants it. */
static int show_record(const char *path, int format)
{
    json_t *record = record_read(path);
    if (!record)
        give_up("%s is no record of a grading.", path);
    char *text = was_judged(record) ? emit(record, format) : NULL;
    if (text)
        fputs(text, stdout);
    else
        fprintf(stderr, "grade-class: %s was not judged: %s\n", text_of(record, "student"), text_of(record, "sentence"));
    free(text);
    json_decref(record);
    return text ? ALL_JUDGED : SOME_NOT;
}

static int by_name(const void *a, const void *b)
{
    const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
    int order = strcmp(text_of(one, "exercise"), text_of(other, "exercise"));
    order = order ? order : strcmp(text_of(one, "student"), text_of(other, "student"));
    return order ? order : strcmp(text_of(one, "id"), text_of(other, "id"));
}

/* Several OUTs become one: their records, and tables of all. */
static int merge(struct class *class)
{
    glob_t found = { 0 };
    open_place(class);
    remove_tree(class->work);
    for (int i = 0; class->merged[i]; i++) {
        char *pattern = format_text("%s/results/*.json", class->merged[i]);
        glob(pattern, i ? GLOB_APPEND : 0, NULL, &found);
        free(pattern);
    }
    class->records = calloc(found.gl_pathc + 1, sizeof *class->records);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        json_t *record = record_read(found.gl_pathv[i]);
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        if (!record)
            continue;
        class->seed = strtoul(text_of(record, "seed"), NULL, 10);
        save_record(class, record, strndupa(name, strlen(name) - strlen(".json")));
        class->records[class->count++] = record;
    }
    globfree(&found);
    qsort(class->records, class->count, sizeof *class->records, by_name);
    return conclude(class);
}

/* What would be graded, one file each. */
static int collect(struct class *class)
{
    for (size_t i = 0; i < class->count; i++) {
        struct source *source = &class->sources[i];
        source_find(source, &class->submissions[i], class->work, class->exercise_count == 1);
        char *folder = format_text("%s/%s", class->out, class->submissions[i].file), *file = format_text("%s/exercise.c", folder);
        if (source->bytes) {
            make_folder(folder);
            if (!write_whole(file, source->bytes, source->length))
                give_up("%s cannot be written: %s.", file, strerror(errno));
        } else
            printf("%s: %s\n", class->submissions[i].student, source->sentence);
        source_free(source);
        free(folder), free(file);
    }
    return ALL_JUDGED;
}

/* A class of one, whose place is gone afterwards. */
static void take_one(struct class *class)
{
    const char *temporary = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *place = format_text("%s/evlings.XXXXXX", temporary), *path = realpath(class->one, NULL);
    if (!mkdtemp(place))
        give_up("No folder can be made in %s: %s.", temporary, strerror(errno));
    class->out = place;
    if (!path)
        give_up("%s cannot be read: %s.", class->one, strerror(errno));
    const char **paths = calloc(2, sizeof *paths);
    paths[0] = path;
    class->submissions = calloc(1, sizeof *class->submissions);
    class->submissions[0] = (struct submission){ .exercise = &class->exercises[0], .student = strrchr(path, '/') + 1, .id = "",
                                                 .file = "one", .paths = paths };
    class->count = 1;
}

static void take_class(struct class *class)
{
    char *unpacked = format_text("%s/class", class->work);
    make_folder(unpacked);
    class->submissions = intake(class->from, unpacked, class->exercises, class->exercise_count, &class->count);
    if (!class->submissions)
        exit(USAGE);
    if (!class->count)
        give_up("FROM=%s: nobody has handed in anything there.", class->from);
    free(unpacked);
}

/* Grades all of them. The status, if it came to an end before that; else ALL_JUDGED. */
static int run(struct class *class)
{
    async_value ended = async_run(async_coro(grade_all, class)), first;
    if (ended.error == ASYNC_GROUP && async_group_errors(ended, &first, 1))
        ended = first;
    if (class->is_terminal)
        fputs("\r\033[K", stderr);
    if (ended.error)
        fprintf(stderr, "grade-class: %s. What was judged is kept; the same command goes on from there.\n",
                ended.error == ASYNC_KEYBOARD_INTERRUPT ? "interrupted" :
                ended.message ? ended.message : async_error_name(ended.error));
    return ended.error == ASYNC_KEYBOARD_INTERRUPT ? INTERRUPTED : ended.error ? USAGE : ALL_JUDGED;
}

int main(int argc, char **argv)
{
    struct class class = { 0 };
    const char *seed = NULL;
    setlocale(LC_ALL, "C.UTF-8");
    setvbuf(stderr, NULL, _IOLBF, 4096);
    read_options(&class, argc, argv, &seed);
    class.jobs = class.jobs ? class.jobs : sysconf(_SC_NPROCESSORS_ONLN);
    class.is_terminal = isatty(2) && !class.one;
    if (class.record)
        return show_record(class.record, class.format);
    if (class.merges)
        return merge(&class);
    if (class.one)
        take_one(&class);
    open_place(&class);
    if (!class.one)
        take_class(&class);
    size_t all = class.count;
    class.sources = calloc(all, sizeof *class.sources);
    class.records = calloc(all, sizeof *class.records);
    class.running = calloc(all, sizeof *class.running);
    if (class.collects)
        return collect(&class) + !remove_tree(class.work);
    need_sandbox(&class);
    settle_seed(&class, seed);
    name_version(&class);
    ask("$CC --version", class.compiler, sizeof class.compiler);
    int status = run(&class);
    remove_tree(class.work);
    if (status == ALL_JUDGED && class.one) {
        char *record = format_text("%s/results/one.json", class.out);
        status = show_record(record, class.format);
        free(record);
    } else if (status == ALL_JUDGED) {
        close_ranks(&class, all);
        status = conclude(&class);
    }
    if (class.one)
        remove_tree(class.out);
    return status;
}
