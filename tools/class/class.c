/* class.c - grade-class: grades a whole class, each submission in a sandbox, several at a time.
 *
 * A program on our own runtime. Each submission is a task; a semaphore lets JOBS of them go on at once.
 * A task takes its submission in, lets `grade` judge it in a process of its own, and writes the record, whole or
 * not at all. So whatever ends us, what was judged is judged: called again we go on where we were. The tables
 * and pages are made from the records when all of them are there. */
#define _GNU_SOURCE
#include "async.h"
#include "emit.h"
#include "marks.h"
#include "options.h"
#include "place.h"
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_REPORT (4 << 20)           /* bytes that a grading may print */
#define MOST_SECONDS 1200               /* of a grading; only what is broken takes so long */

/* What was said of a file, for all who have handed in the same. */
struct verdict {
    struct verdict *next;
    const char *key;                    /* exercise, hash of the file, seed */
    async_event *known;
    char *report;
    long ended;
};

struct class {
    struct options asked;
    unsigned seed;
    bool is_terminal;
    struct submission *submissions;
    struct source *sources;             /* one each */
    json_t **records;                   /* the same; NULL: not yet */
    bool *running;
    size_t count, done;
    char *work, compiler[200], version[65];
    async_semaphore *turns;
    struct verdict *verdicts;
};

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
    if (!class->is_terminal && !class->asked.one)
        fprintf(stderr, "%zu/%zu  %s: %s %ld/%ld\n", class->done, class->count, text_of(record, "student"),
                text_of(record, "status"), number_of(record, "score"), number_of(record, "max"));
    draw(class);
}

/* ---------------------------------------------------------------------------- a grading */

/* What it prints, up to a limit; the value's num is how the process ended. */
struct run_command {
    const struct command *command;
    char *report;
};
static async_value run_command(void *p)
{
    struct run_command *args = p;
    async_subprocess_options options = { .env = (const char *const *)args->command->environment };
    async_subprocess *process = await(async_create_subprocess_exec_with((const char *const *)args->command->words,
        ASYNC_PIPE_STDOUT | ASYNC_DEVNULL_STDIN | ASYNC_STDERR_TO_STDOUT, options)).ptr;
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

/* A compiler may name the file by its place, which is nobody's business. */
static void cut_place(char *report, const char *folder)
{
    size_t length = strlen(folder);
    for (char *found = report; (found = strstr(found, folder));)
        memmove(found, found + length + 1, strlen(found + length + 1) + 1);
}

/* Lets grade judge the source, which is given to it in a file of its own. */
struct judge {
    struct class *class;
    size_t i;
    const char *seed;
    struct verdict *verdict;
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
    async_with(sandbox_free) struct command command = sandbox_command(class->asked.tier,
        class->submissions[args->i].exercise, file, folder, args->seed);
    async_value ended = async_catch(async_wait_for(async_coro(run_command, &command, report), MOST_SECONDS));
    if (ended.error == ASYNC_CANCELLED)
        return async_leave(ended);
    cut_place(report, class->asked.tier == BUBBLEWRAP ? IN_BUBBLEWRAP : folder);
    args->verdict->report = strdup(report);
    args->verdict->ended = ended.error ? -1 : ended.num;
    return async_none;
}

static struct verdict *verdict_on(struct class *class, const char *key)
{
    for (struct verdict *verdict = class->verdicts; verdict; verdict = verdict->next)
        if (!strcmp(verdict->key, key))
            return verdict;
    return NULL;
}

/* The first who hands in a file has it judged; the others wait for what is said of it. */
struct settle {
    struct class *class;
    size_t i;
    json_t *record;
    const char *seed;
};
static async_value settle(void *p)
{
    struct settle *args = p;
    struct class *class = args->class;
    const char *key = async_strf("%s %s %s", class->submissions[args->i].exercise->name,
                                 class->sources[args->i].hash, args->seed);
    struct verdict *verdict = verdict_on(class, key);
    if (verdict) {
        await(async_event_wait(verdict->known));
    } else {
        verdict = calloc(1, sizeof *verdict);
        *verdict = (struct verdict){ class->verdicts, strdup(key), async_event_new(), NULL, 0 };
        class->verdicts = verdict;
        await(async_coro(judge, class, args->i, args->seed, verdict));
        async_event_set(verdict->known);
    }
    record_report(args->record, verdict->report, verdict->ended);
    return async_none;
}

/* Every student has the class's seed, or one that is made of it and the name. */
static const char *seed_of(const struct class *class, const struct submission *submission)
{
    unsigned seed = class->seed;
    if (class->asked.variants) {
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

/* Each has its own place to unpack things in. */
static void take_source(struct class *class, size_t i)
{
    char *scratch = format_text("%s/in-%zu", class->work, i);
    source_find(&class->sources[i], &class->submissions[i], scratch, class->asked.exercise_count == 1);
    remove_tree(scratch);
    free(scratch);
}

struct find {
    struct class *class;
    size_t i;
};
static async_value find(void *p)
{
    struct find *args = p;
    take_source(args->class, args->i);
    return async_none;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* A record that is good: what the course makes of it, which may have changed since it was written. */
struct keep {
    struct class *class;
    size_t i;
    json_t *record, *written;
};
static async_value keep(void *p)
{
    struct keep *args = p;
    struct class *class = args->class;
    const struct submission *submission = &class->submissions[args->i];
    char sentence[200];
    class->records[args->i] = args->record;
    if (class->asked.released)
        json_object_set_new(args->record, "released", json_true());
    if (!marks_set(args->record, sentence, sizeof sentence))
        async_raise(ASYNC_VALUE_ERROR, async_strf("%s", sentence));
    if (!json_equal(args->record, args->written) && !place_record(class->asked.out, args->record, submission->file))
        async_raise(errno, async_strf("the record of %s cannot be written: %s", submission->student, strerror(errno)));
    json_decref(args->written);
    tell(class, args->i);
    return async_none;
}

static bool is_left_out(const struct class *class, size_t i)
{
    return class->asked.only && fnmatch(class->asked.only, class->submissions[i].student, 0) != 0;
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
    json_t *old = record_read(async_strf("%s/results/%s.json", class->asked.out, submission->file));
    if (is_left_out(class, i) || (class->asked.shares && (long)i % class->asked.shares != class->asked.share - 1)) {
        class->records[i] = old;
        class->count -= !old;
        return async_none;
    }
    double began = now();
    class->running[i] = true;
    draw(class);
    await(async_to_thread(find, class, i));
    const char *seed = seed_of(class, submission);
    json_t *record = record_new(submission, &class->sources[i], seed, class->version, class->asked.due);
    if (old && !class->asked.rerun && is_good(old, record)) {
        json_decref(record);
        return await(async_coro(keep, class, i, old, json_deep_copy(old)));
    }
    if (!class->sources[i].status)
        await(async_coro(settle, class, i, record, seed));
    source_free(&class->sources[i]);
    if (old && !strcmp(text_of(old, "sha256"), text_of(record, "sha256")) &&
        number_of(old, "max") == number_of(record, "max") && number_of(old, "score") > number_of(record, "score"))
        json_object_set(record, "lowered_from", json_object_get(old, "score"));
    json_decref(old);
    record_done(record, now() - began, tier_names[class->asked.tier], class->compiler);
    return await(async_coro(keep, class, i, record, NULL));
}

struct grade_all {
    struct class *class;
};
static async_value grade_all(void *p)
{
    struct class *class = ((struct grade_all *)p)->class;
    class->turns = async_semaphore_new(class->asked.jobs);
    async_with(async_taskgroup_exit) async_taskgroup *group = async_taskgroup_enter();
    size_t count = class->count;
    for (size_t i = 0; i < count; i++)
        async_taskgroup_create_task(group, async_coro(grade_one, class, i));
    return await(async_taskgroup_join(group));
}

static void need_sandbox(struct class *class)
{
    enum tier asked = class->asked.tier, tier = asked ? asked : BUBBLEWRAP;
    const struct exercise *exercises = class->asked.exercises;
    if (class->asked.one)
        sandbox_pass(class->asked.out);
    sandbox_pass(class->work);
    while (tier != NO_SANDBOX && !sandbox_works(tier, exercises, class->work))
        if (asked || tier++ == LANDLOCK)
            give_up("The sandbox cannot be made here. Is bubblewrap installed (make deps-class)? A container has to "
                    "allow namespaces; without them Linux has to be 6.2 or newer, with Landlock. And everybody has to "
                    "be able to read this folder's files. SANDBOX=none grades without; do that only in a machine that "
                    "holds nothing else.");
    for (int i = 0; i < class->asked.exercise_count; i++)
        if (!sandbox_has_network(tier, &exercises[i]))
            give_up("Exercise %d needs a network of its own. Only bubblewrap can make one, which does not work here or "
                    "was not asked for; Landlock can only forbid it.", exercises[i].number);
    fprintf(stderr, "grade-class: %s.\n", tier == BUBBLEWRAP ? "bubblewrap holds what is graded" :
            tier == LANDLOCK ? "Landlock holds what is graded" :
            "without a sandbox: what is graded runs with your rights on this machine");
    class->asked.tier = tier;
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
    place_tables(class->asked.out, class->records, class->count, class->seed);
    printf("%zu submissions, %zu graded, %zu with nothing that could be graded\n", class->count, graded, judged - graded);
    printf("Seed: %u\nResults: %s/grades.csv, and to look at: %s/report.html\n", class->seed,
           class->asked.out, class->asked.out);
    if (judged == class->count)
        return ALL_JUDGED;
    printf("By our own fault %zu could not be judged; call it again:", class->count - judged);
    for (size_t i = 0; i < class->count; i++)
        if (!was_judged(class->records[i]))
            printf(" %s%s", text_of(class->records[i], "student"), ++judged < class->count ? "," : "\n");
    return SOME_NOT;
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

static void results_of(const char *out, glob_t *found)
{
    char *pattern = format_text("%s/results/*.json", out);
    glob(pattern, 0, NULL, found);
    free(pattern);
}

/* A class that was graded for itself has files with the names of students: what is of another exercise gets that
 * behind it. */
static void merge_record(const char *out, const json_t *record, const char *path)
{
    const char *base = strrchr(path, '/') + 1;
    int length = strlen(base) - strlen(".json");
    char *there = format_text("%s/results/%s", out, base);
    json_t *old = record_read(there);
    const char *exercise = text_of(record, "exercise");
    bool taken = old && strcmp(text_of(old, "exercise"), exercise) != 0;
    char *name = format_text("%.*s%s%s", length, base, taken ? "." : "", taken ? exercise : "");
    if (!place_record(out, record, name))
        give_up("the record of %s cannot be written: %s.", text_of(record, "student"), strerror(errno));
    json_decref(old);
    free(there), free(name);
}

static bool has_line(const char *text, const char *line)
{
    for (const char *at = text; (at = strstr(at, line)); at++)
        if (at == text || at[-1] == '\n')
            return true;
    return false;
}

/* Says which shares are missing, and notes which are there, for who merges them later. */
static bool miss_shares(const char *out, const struct ended *ended, int count)
{
    long most = 0, of, missing = 0;
    size_t size;
    char *text;
    FILE *there = open_memstream(&text, &size);
    for (int i = 0; i < count; i++)
        most = sscanf(ended[i].shares, "%*d/%ld", &of) == 1 && of > most ? of : most;
    for (long share = 1; share <= most; share++) {
        char *line = format_text("%ld/%ld\n", share, most);
        int i = 0;
        while (i < count && !has_line(ended[i].shares, line))
            i++;
        if (i < count)
            fputs(line, there);
        else
            fprintf(stderr, "grade-class: share %ld/%ld is missing.\n", share, most), missing++;
        free(line);
    }
    fclose(there);
    place_shares(out, missing ? text : "");
    free(text);
    return missing > 0;
}

/* Several OUTs become one, with what is in OUT already: their records, and tables of all. */
static int merge(struct class *class)
{
    const char *out = class->asked.out;
    int count = 0;
    while (class->asked.merged[count])
        count++;
    struct ended *ended = calloc(count + 1, sizeof *ended);
    for (int i = 0; i < count; i++)
        if (!place_ended(class->asked.merged[i], &ended[i]))
            give_up("FROM: in %s no class was graded to its end.", class->asked.merged[i]);
    int all = count + place_ended(out, &ended[count]);
    for (int i = 1; i < all; i++)
        if (ended[i].seed != ended[0].seed)
            give_up("%s was graded with the seed %u, and %s with %u: a class has one.", class->asked.merged[0],
                    ended[0].seed, i < count ? class->asked.merged[i] : out, ended[i].seed);
    remove_tree(place_open(out));
    for (int i = 0; i < count; i++) {
        glob_t found = { 0 };
        results_of(class->asked.merged[i], &found);
        for (size_t k = 0; k < found.gl_pathc; k++) {
            json_t *record = record_read(found.gl_pathv[k]);
            if (record)
                merge_record(out, record, found.gl_pathv[k]);
            json_decref(record);
        }
        globfree(&found);
    }
    glob_t found = { 0 };
    results_of(out, &found);
    class->records = calloc(found.gl_pathc + 1, sizeof *class->records);
    for (size_t k = 0; k < found.gl_pathc; k++)
        if ((class->records[class->count] = record_read(found.gl_pathv[k])))
            class->count++;
    globfree(&found);
    qsort(class->records, class->count, sizeof *class->records, by_name);
    char *seed = format_text("%u", ended[0].seed);
    class->seed = place_seed(out, seed);
    free(seed);
    bool misses = miss_shares(out, ended, all);
    int status = conclude(class);
    return misses ? SOME_NOT : status;
}

/* What would be graded, one file each. */
static int collect(struct class *class)
{
    for (size_t i = 0; i < class->count; i++) {
        struct source *source = &class->sources[i];
        take_source(class, i);
        char *folder = format_text("%s/%s", class->asked.out, class->submissions[i].file);
        char *file = format_text("%s/exercise.c", folder);
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

static char *place_of_one;

static void remove_place(void) { remove_tree(place_of_one); }

/* A class of one, whose place is gone afterwards, however that ends. */
static void take_one(struct class *class)
{
    const char *temporary = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *path = realpath(class->asked.one, NULL);
    if (!path)
        give_up("%s cannot be read: %s.", class->asked.one, strerror(errno));
    place_of_one = format_text("%s/evlings.XXXXXX", temporary);
    if (!mkdtemp(place_of_one))
        give_up("No folder can be made in %s: %s.", temporary, strerror(errno));
    atexit(remove_place);
    class->asked.out = place_of_one;
    const char **paths = calloc(2, sizeof *paths);
    paths[0] = path;
    class->submissions = calloc(1, sizeof *class->submissions);
    class->submissions[0] = (struct submission){ .exercise = &class->asked.exercises[0], .id = "", .file = "one",
                                                 .student = visible(utf8_name(strrchr(path, '/') + 1)), .paths = paths };
    class->count = 1;
}

static void take_class(struct class *class)
{
    char *unpacked = format_text("%s/class", class->work);
    make_folder(unpacked);
    class->submissions = intake(class->asked.from, class->asked.out, unpacked, class->asked.exercises,
                                class->asked.exercise_count, &class->count);
    if (!class->submissions)
        exit(USAGE);
    if (!class->count)
        give_up("FROM=%s: nobody has handed in anything there.", class->asked.from);
    size_t left_out = 0;
    while (left_out < class->count && is_left_out(class, left_out))
        left_out++;
    if (left_out == class->count)
        give_up("ONLY=%s: nobody in FROM has that name.", class->asked.only);
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
    setlocale(LC_ALL, "C.UTF-8");
    setvbuf(stderr, NULL, _IOLBF, 4096);
    options_read(&class.asked, argc, argv);
    class.asked.jobs = class.asked.jobs ? class.asked.jobs : sysconf(_SC_NPROCESSORS_ONLN);
    class.is_terminal = isatty(2) && !class.asked.one;
    if (class.asked.record)
        return show_record(class.asked.record, class.asked.format);
    if (class.asked.merges)
        return merge(&class);
    if (class.asked.one)
        take_one(&class);
    class.work = place_open(class.asked.out);
    if (!class.asked.one)
        take_class(&class);
    size_t all = class.count;
    class.sources = calloc(all, sizeof *class.sources);
    class.records = calloc(all, sizeof *class.records);
    class.running = calloc(all, sizeof *class.running);
    if (class.asked.collects)
        return collect(&class) + !remove_tree(class.work);
    need_sandbox(&class);
    class.seed = place_seed(class.asked.out, class.asked.seed);
    char *share = class.asked.shares ? format_text("%ld/%ld\n", class.asked.share, class.asked.shares) : strdup("");
    place_shares(class.asked.out, share);
    free(share);
    place_version(class.version, class.asked.hidden);
    first_line_of("$CC --version", class.compiler, sizeof class.compiler);
    int status = run(&class);
    remove_tree(class.work);
    if (status == ALL_JUDGED && class.asked.one) {
        char *record = format_text("%s/results/one.json", class.asked.out);
        status = show_record(record, class.asked.format);
        free(record);
    } else if (status == ALL_JUDGED) {
        close_ranks(&class, all);
        status = conclude(&class);
    }
    return status;
}
