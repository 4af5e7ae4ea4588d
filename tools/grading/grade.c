/* grade.c - grades one submission: compiles it alone, looks at what it is made of, lets the exercise's
 * grader run it, and once more with every use of memory watched.
 *
 *     grade ROOM SOURCE [mine]    exercises/04-await ada/exercise.c; mine: the reader's own
 *     grade ROOM                  can one be graded here? The status says it
 *     grade ROOM SOURCE show PART VIEWER    what the grader saw last of a part, as make timeline-N PART=2
 *
 * make grade-N builds what is needed and calls us in the project's root. BUILD, CC, FLAGS, COMPILE,
 * ASSEMBLE and MAKE come from there, SEED from the user. The status is 0 for full marks, 1 for less, 2 when nothing
 * could be judged; the last line of what is printed but a word of advice is always "Score: ...". What
 * comes from the submission is printed without control characters and never at a line's beginning.
 * Who grades a class sets EVLINGS_SCRATCH, a place to write, and the line before the score is "Status: ...",
 * a word; EVLINGS_GRADER is another grader than the exercise's.
 *
 * All that is made lies in a directory of its own, which goes on every way out: two gradings never
 * meet. A signal to end is taken when no child runs, or ends the one that does. */
#define _GNU_SOURCE
#include "child.h"
#include "contract.h"
#include "hold.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum verdict { FULL, LESS, NOT_JUDGED };

#define MOST_SOURCE (1024 * 1024)
#define MOST_MESSAGES (64 * 1024)           /* bytes of a compiler's that are shown */
#define MOST_WARNINGS 8                     /* times that they are asked */
#define MOST_REPORT (1024 * 1024)
#define COMPILER_SECONDS 10                 /* of processor time */
#define COMPILER_BROKE 4                    /* its status when a limit ended a part of it */
#define COMPILER_STILL 3                    /* seconds; it waits for nobody */
#define COMPILER_MEMORY (1UL << 30)
#define COMPILER_FILE (64UL << 20)
#define LEAST_ROOM (16UL << 20)             /* on the disk; nobody's program takes so much to make */
#define GRADER_SECONDS 300
#define HERE "@HERE@"                       /* in the words that make has asked for */
#define RUNS "runs"                         /* where it runs, apart from what it is made of */
#define SECONDS_TO_DRAW 2                   /* what took longer is not run again for a picture */

static const char *room, *source, *build;
static const char *include, *systems;       /* the headers that it can reach, and where the system's are */
static bool second_pass;
static char scratch[PATH_MAX], root[PATH_MAX];
static double grader_seconds;
static int runs;                            /* a file for the grader, of what it has tried in the first pass */
static char *warnings[MOST_WARNINGS];       /* that the compiler, the assembler and the linker have */
static int warning_count;
static const char *status = "refused";      /* in a word: by the contract, unless something else comes first */

/* ------------------------------------------------------------------------------- the end */

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat, (void)type, (void)walk;
    return remove(path);
}

__attribute__((noreturn))
static void finish(enum verdict verdict)
{
    if (*scratch)
        nftw(scratch, remove_one, 10, FTW_DEPTH | FTW_PHYS);
    fflush(NULL);
    _exit(verdict);
}

/* Nothing can be said about the submission: what happened, and what to do. */
__attribute__((noreturn, format(printf, 1, 2)))
static void cannot(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    puts("\nScore: not judged");
    finish(NOT_JUDGED);
}

/* The path of `name` there; good until the fifth call from now. */
static const char *in(const char *directory, const char *name)
{
    static char paths[4][PATH_MAX + 64];
    static int i;
    i = (i + 1) % 4;
    snprintf(paths[i], sizeof paths[i], "%s/%s", directory, name);
    return paths[i];
}

static const char *in_scratch(const char *name) { return in(scratch, name); }
static const char *in_build(const char *name) { return in(build, name); }

/* The exercise's number: 4 of exercises/04-await. */
static int exercise(void) { return atoi(strchr(room, '/') + 1); }

/* ------------------------------------------------------------------------- what is shown */

/* Bytes that would move a terminal are spelled out. */
static void print_visible(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = text[i], next = i + 1 < length ? text[i + 1] : 0;
        if ((c < ' ' && c != '\t') || c == 127 || (c == 0xc2 && next >= 0x80 && next < 0xa0))
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

/* Lines are set off, since they may quote what the file says. Where a compiler's begin with the name of the file,
 * it is with its whole path. */
static void print_messages(const char *text, bool of_compiler)
{
    const char *folder = of_compiler ? strrchr(source, '/') : NULL;
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if (!strncmp(text, "exercise.c:", 11) && folder)
            print_visible(source, folder + 1 - source);
        else if (length)
            fputs("  ", stdout);
        print_visible(text, length);
        putchar('\n');
    }
}

/* ---------------------------------------------------------------------- the submission */

/* Without it nobody knows whose fault it is that something went wrong. Of some file systems there is no end. */
static void need_room(void)
{
    struct statvfs disk;
    if (statvfs(scratch, &disk) == 0 && disk.f_blocks && disk.f_bavail * disk.f_frsize < LEAST_ROOM)
        cannot("There is hardly any room where it is to be compiled: is the disk full?");
}

/* Where the submission runs and may write: what lies there from before goes. */
static void empty_runs(void)
{
    nftw(in_scratch(RUNS), remove_one, 10, FTW_DEPTH | FTW_PHYS);
    if (mkdir(in_scratch(RUNS), 0700) < 0)
        cannot("%s cannot be made: %s.", in_scratch(RUNS), strerror(errno));
}

static void make_scratch(void)
{
    if (!getcwd(root, sizeof root - 64))
        cannot("The current directory cannot be found: %s.", strerror(errno));
    const char *place = getenv("EVLINGS_SCRATCH") ? getenv("EVLINGS_SCRATCH") : build;
    snprintf(scratch, sizeof scratch, "%.3000s%s%.900s/grade.XXXXXX", *place == '/' ? "" : root,
             *place == '/' ? "" : "/", place);
    if (!mkdtemp(scratch)) {
        int error = errno;
        *scratch = 0;
        cannot("No directory can be made in %s/: %s.", place, strerror(error));
    }
    need_room();
    empty_runs();
    if (symlink(include, in_scratch("include")) < 0)
        cannot("No link can be made in %s/: %s.", place, strerror(errno));
}

/* A copy, so that it may change while we are at it. */
static void take_source(void)
{
    static char bytes[MOST_SOURCE + 1];
    struct stat stat;
    ssize_t got, length = 0;
    int from = open(source, O_RDONLY | O_NONBLOCK | O_CLOEXEC), to;
    if (from < 0 || fstat(from, &stat) < 0)
        cannot("%s cannot be read: %s.", source, strerror(errno));
    if (!S_ISREG(stat.st_mode))
        cannot("%s is no file but something else, which is not read.", source);
    while (length <= MOST_SOURCE && (got = read(from, bytes + length, MOST_SOURCE + 1 - length)) > 0)
        length += got;
    close(from);
    if (length > MOST_SOURCE)
        cannot("%s is larger than a megabyte, and was not read.", source);
    if (memchr(bytes, 0, length))
        cannot("%s has bytes that are no text. If your editor saves it as UTF-16, choose UTF-8 there.", source);
    to = open(in_scratch("exercise.c"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0 || write(to, bytes, length) != length || close(to) < 0)
        cannot("%s cannot be copied: %s. Is the disk full?", source, strerror(errno));
}

/* What it includes lies beside it. */
static void take_header(void)
{
    char header[PATH_MAX];
    struct stat stat;
    snprintf(header, sizeof header, "%s/exercise.h", room);
    int from = open(header, O_RDONLY | O_CLOEXEC);
    int to = open(in_scratch("exercise.h"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (from < 0 || to < 0 || fstat(from, &stat) < 0 || sendfile(to, from, NULL, stat.st_size) != stat.st_size ||
        close(to) < 0)
        cannot("%s cannot be copied: %s. Is the disk full?", header, strerror(errno));
    close(from);
}

/* The command that draws what the grader saw, for its messages; but not of a folder whose name would
 * have to be quoted. */
static void name_picture(void)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
    const char *from = getenv("FROM");
    char text[300];
    from = from ? from : "";
    if (from[strspn(from, plain)] || strlen(from) > 100)
        return;
    snprintf(text, sizeof text, "make timeline-%d%s%s SEED=%s", exercise(), *from ? " FROM=" : "",
             from, getenv("SEED"));
    setenv("PICTURE", text, 1);
}

static void plant_seed(void)
{
    const char *given = getenv("SEED");
    char text[24], *end;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    unsigned long seed = (unsigned)(t.tv_nsec ^ t.tv_sec ^ getpid()) % 1000000;
    if (given && *given) {
        errno = 0;
        seed = strtoul(given, &end, 10);
        if (*given < '0' || *given > '9' || *end || errno || seed > UINT_MAX)
            cannot("SEED is to be a number, such as each grading names in its first line.");
    }
    snprintf(text, sizeof text, "%lu", seed);
    setenv("SEED", text, 1);
    name_picture();
}

/* -------------------------------------------------------------------------- compilation */

enum made { MADE, FAILED, STOPPED };

/* Runs a line of sh, or without one the words, among our files, so that these have no other names than their own;
 * what it says goes to `said`, from where it has to be freed. */
static enum made run_tool(const char *line, char *const *words, char **said)
{
    int file = child_file();
    struct child child = {
        .words = words, .shell = line, .directory = scratch, .out = file, .err = file, .cpu_seconds = COMPILER_SECONDS,
        .still_seconds = COMPILER_STILL, .memory = COMPILER_MEMORY, .file_size = COMPILER_FILE,
        .resident = COMPILER_MEMORY,
    };
    if (file < 0)
        cannot("There is no room for what the compiler says: %s.", strerror(errno));
    child_run(&child);
    *said = child_file_text(file, MOST_MESSAGES, NULL);
    close(file);
    if (child.how == TOLD_TO_END)
        cannot("\nThe grading was interrupted.");
    if (child.how == NOT_STARTED)
        cannot("The compiler could not be started: %s.", strerror(errno));
    if (child.status != 0)
        need_room();
    if (child.how == STOOD_STILL) {
        printf("The compiler waits, and nobody gives it anything: what does %s include?\n", source);
    } else if (WIFSIGNALED(child.status) || WEXITSTATUS(child.status) > 128 ||
             WEXITSTATUS(child.status) == COMPILER_BROKE) {
        printf("The compiler was stopped: %s takes too much time, memory or room to compile.\n", source);
        **said = 0;
    } else
        return child.status ? FAILED : MADE;
    status = "timed_out";
    return STOPPED;
}

/* The same for what the submission has to survive. What is said of one that does, its warnings, can wait. */
static bool make_of_it(const char *line, char *const *words)
{
    char *said;
    enum made made = run_tool(line, words, &said);
    if (made == FAILED)
        status = "does_not_compile";
    if (made != MADE)
        print_messages(said, true);
    if (made == MADE && warning_count < MOST_WARNINGS)
        warnings[warning_count++] = said;
    else
        free(said);
    return made == MADE;
}

/* In the second pass they are not said again. */
static void print_warnings(void)
{
    for (int i = 0; i < warning_count; i++) {
        if (!second_pass)
            print_messages(warnings[i], true);
        free(warnings[i]);
    }
    warning_count = 0;
}

/* The words of a file that make has written, one a line. */
static void read_words(const char *name, char **words)
{
    char path[PATH_MAX], word[PATH_MAX], *here;
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", include, name);
    FILE *file = fopen(path, "re");
    while (file && count < MOST_ARGUMENTS - 1 && fgets(word, sizeof word, file)) {
        word[strcspn(word, "\n")] = 0;
        if (!(here = strstr(word, HERE)))
            words[count++] = strdup(word);
        else if (asprintf(&words[count++], "%.*s%s%s", (int)(here - word), word, scratch, here + strlen(HERE)) < 0)
            abort();
    }
    words[count] = NULL;
    if (!count)
        cannot("%s is missing: make builds it.", path);
    fclose(file);
}

/* A compiler only starts others, which do the work, and a shell is started before it. So we start ourselves what it
 * would start, as make has asked it; and if that has anything to say, or cannot be done, have the line said by sh. */
static bool have_made(const char *name, const char *line)
{
    char *words[MOST_ARGUMENTS], *said, *tool[] = { (char *)in(root, "tools/student-cc.sh"), NULL };
    read_words(name, words);
    enum made made = run_tool(NULL, words, &said);
    bool silent = second_pass || !*said;
    free(said);
    for (char **word = words; *word; word++)
        free(*word);
    return made == STOPPED || (made == MADE && silent) ? made == MADE : make_of_it(line, tool);
}

/* The names that the stage sees; all others of the submission's are its own affair, and meet none of ours or of the C
 * library's. */
static void write_names(void)
{
    int count;
    char **names = contract_functions(in_scratch("exercise.h"), &count);
    FILE *file = fopen(in_scratch("names"), "we");
    if (file)
        fputs("{ global: ", file);
    for (int i = 0; file && i < count; i++)
        if (contract_name(in_scratch("exercise.o"), names[i], false))
            fprintf(file, "%s; ", names[i]);
    if (!file || fputs("local: *; };\n", file) < 0 || fclose(file) != 0)
        cannot("%s cannot be written: %s. Is the disk full?", in_scratch("names"), strerror(errno));
}

/* What would wait is led to the stage, which makes a note. All is looked up once, and not in each run. */
static bool link_object(void)
{
    static char *const words[] = { "ld", "-shared", "-znow", "--version-script=names", "--wrap=poll", "--wrap=select",
                                   "-o", "exercise.so", "exercise.o", NULL };
    write_names();
    return make_of_it(NULL, words);
}

/* What programs may call: the headers that they can reach. */
static bool check_object(void)
{
    const char *headers[64] = { in_scratch("exercise.h") };
    char pattern[PATH_MAX];
    glob_t found = { 0 };
    snprintf(pattern, sizeof pattern, "%s/*.h", include);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && i < 60; i++)
        headers[i + 1] = found.gl_pathv[i];
    bool fine = contract_object(in_scratch("exercise.o"), headers, "tools/grading/library.txt",
                                strstr(getenv("FLAGS"), "-fsanitize") != NULL, source);
    globfree(&found);
    return fine;
}

/* What the exercise's part of the stage calls has to be there. */
static bool check_functions(void)
{
    char stage[PATH_MAX], header[PATH_MAX];
    snprintf(stage, sizeof stage, "%s/%s/grader/stage.o", build, room);
    snprintf(header, sizeof header, "%s/exercise.h", room);
    bool complete = contract_complete(in_scratch("exercise.o"), stage, header, source);
    if (!complete)
        status = "does_not_compile";
    return complete;
}

/* Who gives names in quotes has the macros replaced, to see them. */
static bool check_quoted(void)
{
    static const char replace[] = "exec $CC $FLAGS -w -O1 -fPIC -Iinclude -E -P -o exercise.i exercise.c";
    static char *const none[] = { NULL };
    return second_pass || !contract_quotes(in_scratch("exercise.c")) ||
           (make_of_it(replace, none) && contract_quoted(in_scratch("exercise.i"), source));
}

/* Makes the submission a library, with which $BUILD's stage is a program. To link one with the other anew would take
 * as long as to compile. To start a program costs as much as to link: so there are few. */
static bool make_stage(void)
{
    static const char compile[] = "set -- $CC $FLAGS -fdebug-prefix-map=\"$PWD\"=. $COMPILE && TRIED=1 && . \"$0\"";
    static const char assemble[] = "exec $CC $FLAGS $ASSEMBLE";
    bool made = have_made(second_pass ? "compile-watched" : "compile", compile) &&
                (second_pass || contract_includes(in_scratch("included"), scratch, include, systems, source)) &&
                contract_assembly(in_scratch("exercise.s"), source) && check_quoted() &&
                have_made("assemble", assemble) && check_object() && check_functions() && link_object();
    if (made)
        print_warnings();
    return made;
}

/* ------------------------------------------------------------------------------ grading */

/* A program that make has built; to be freed. */
static char *built(const char *program)
{
    char *path = realpath(program, NULL);
    if (!path)
        cannot("%s cannot be started: %s.", program, strerror(errno));
    return path;
}

/* The exercise's, or one with more parts. */
static char *grader(void)
{
    char program[PATH_MAX];
    snprintf(program, sizeof program, "%s/%s/grader/grader", build, room);
    return built(getenv("EVLINGS_GRADER") ? getenv("EVLINGS_GRADER") : program);
}

/* What runs the submission: $BUILD's, with what lies in the directory where it is started. */
static char *stage(void)
{
    char program[PATH_MAX];
    snprintf(program, sizeof program, "%s/%s/grader/stage", getenv("BUILD"), room);
    return built(program);
}

/* Has the grader judge the stage; without a stage it says how many points there would have been. What
 * it prints is returned, and its score cut off and read. */
static char *run_grader(const char *program, const char *how, int *points, int *most)
{
    char *words[] = { grader(), (char *)program, (char *)how, NULL };
    int file = child_file();
    struct child child = { .words = words, .directory = in_scratch(RUNS), .out = file, .err = file, .more = { runs },
                           .cpu_seconds = GRADER_SECONDS, .still_seconds = GRADER_SECONDS };
    if (file < 0)
        cannot("There is no room for what the grader says: %s.", strerror(errno));
    child_run(&child);
    grader_seconds = child.cpu + child.still;
    free(words[0]);
    char *said = child_file_text(file, MOST_REPORT, NULL), *score = said;
    close(file);
    if (child.how == TOLD_TO_END)
        cannot("\nThe grading was interrupted.");
    for (char *line = said; line; line = strchr(line, '\n'), line += line != NULL)
        if (!strncmp(line, "Score: ", 7))
            score = line;
    if (child.how != ENDED || !WIFEXITED(child.status) || WEXITSTATUS(child.status) > LESS ||
        sscanf(score, "Score: %d/%d", points, most) != 2) {
        if (!WIFEXITED(child.status) || WEXITSTATUS(child.status) != NOT_JUDGED)
            cannot("The grader was ended from outside, before it had judged.");
        fputs(said, stdout);
        finish(NOT_JUDGED);
    }
    *score = 0;
    return said;
}

/* Of several gradings at once one builds, and the others find it done. */
static int take_turn(const char *lock)
{
    int file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (file >= 0 && flock(file, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        if (child_told_to_end())
            cannot("\nThe grading was interrupted.");
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    }
    return file;
}

/* Is what watches memory newer than all that it would be made from again? */
static bool is_ready(const char *stamp)
{
    char program[PATH_MAX];
    struct stat made, part;
    glob_t parts = { 0 };
    bool ready = stat(stamp, &made) == 0;
    snprintf(program, sizeof program, "%s/%s/grader/stage", build, room);
    glob(in_build("libasync*.a"), 0, NULL, &parts);
    glob(program, GLOB_APPEND, NULL, &parts);
    for (size_t i = 0; ready && i < parts.gl_pathc; i++)
        ready = stat(parts.gl_pathv[i], &part) == 0 &&
                (part.st_mtim.tv_sec < made.st_mtim.tv_sec ||
                 (part.st_mtim.tv_sec == made.st_mtim.tv_sec && part.st_mtim.tv_nsec <= made.st_mtim.tv_nsec));
    globfree(&parts);
    return ready;
}

/* make builds the same once more where BUILD points now, with AddressSanitizer. */
static void make_watched(const char *goal)
{
    static const char building[] = "unset MAKEFLAGS MFLAGS MAKELEVEL; exec \"${MAKE:-make}\" -s -j2 --no-print-directory "
                                   "BUILD=\"$BUILD\" EXTRA=\"$EXTRA\" \"$0\" >&2";
    char *words[] = { (char *)goal, NULL };
    struct child child = { .words = words, .shell = building, .out = 2, .err = 2, .still_seconds = 60 };
    child_run(&child);
    if (child.how == TOLD_TO_END)
        cannot("\nThe grading was interrupted.");
}

static void add_sanitizer(const char *name)
{
    char text[8192];
    const char *value = getenv(name);
    snprintf(text, sizeof text, "%s -fsanitize=address", value ? value : "");
    setenv(name, text, 1);
}

/* Graded once more, with the same seed. What is wrong with its memory takes the points of the part in
 * which it is. */
static void watch_memory(int *points, int most)
{
    char variant[PATH_MAX], goal[24], stamp[PATH_MAX];
    if (strstr(getenv("FLAGS"), "-fsanitize"))
        return;
    snprintf(goal, sizeof goal, "watched-%02d", exercise());
    snprintf(variant, sizeof variant, "%.3000s/memory", build);
    snprintf(stamp, sizeof stamp, "%.3000s/%.900s/grader/stage.watched", variant, room);
    setenv("BUILD", variant, 1);
    add_sanitizer("EXTRA");
    int turn = take_turn(in_build("memory.lock"));
    if (!is_ready(stamp))
        make_watched(goal);
    bool ready = is_ready(stamp);
    close(turn);
    if (!ready) {
        puts("(Memory was not watched: there is no AddressSanitizer here. make deps-dev may bring it.)");
        return;
    }
    add_sanitizer("FLAGS");
    empty_runs();
    second_pass = true;
    bool made = make_stage();
    char *program = stage();
    setenv("BUILD", build, 1);
    if (!made)
        cannot("It could not be built with AddressSanitizer, which watches how it uses memory.");
    /* To look for leaks is a third of the work, and most have nothing to free: async_alloc's memory goes by itself. */
    bool may_leak = contract_allocates(in_scratch("exercise.o"));
    char *said = run_grader(program, may_leak ? "memory" : "accesses", points, &most);
    if (*said)
        printf("Once more, with every use of memory watched:\n%s", said);
    free(said);
    free(program);
}

/* The reader's own exercise: what to do next, which has to do with more than this grading. */
static void advise(int points, int most)
{
    char number[8], score[24], *words[] = { "sh", "tools/evlings.sh", "graded", number, score, NULL };
    struct child child = { .words = words, .out = 1, .err = 2, .still_seconds = COMPILER_STILL };
    snprintf(number, sizeof number, "%d", exercise());
    snprintf(score, sizeof score, "%d/%d", points, most);
    child_run(&child);
}

/* The run that decided about a part is given to a program that draws it, timeline or tools/show/show in $BUILD. If
 * nothing was graded before, that is done first, silently. */
static bool draw(const char *part, const char *viewer, int out, int err)
{
    char *words[] = { grader(), stage(), "show", (char *)part,
                      realpath(in_build(viewer), NULL), NULL };
    struct child child = { .words = words, .directory = in_scratch(RUNS), .out = out, .err = err, .more = { runs },
                           .cpu_seconds = GRADER_SECONDS, .still_seconds = GRADER_SECONDS };
    if (!words[4])
        cannot("%s is missing: make builds it.", in_build(viewer));
    child_run(&child);
    return child.how == ENDED && child.status == 0;
}

static enum verdict show(const char *part, const char *viewer)
{
    if (!contract_source(in_scratch("exercise.c"), source) || !make_stage())
        return LESS;
    return draw(part, viewer, 1, 2) ? FULL : NOT_JUDGED;
}

/* For who reads the results of a class: what the grader saw of the first part that failed, below "Lanes: PART". */
static void draw_failure(const char *said)
{
    int part = 1, file = child_file();
    char number[12];
    for (; *said && strncmp(said, "FAIL", 4) != 0; said = strchrnul(said, '\n'), said += *said != 0)
        part += !strncmp(said, "ok  ", 4);
    snprintf(number, sizeof number, "%d", part);
    if (*said && file >= 0 && draw(number, "timeline", file, file)) {
        char *text = child_file_text(file, MOST_MESSAGES, NULL);
        printf("Lanes: %d\n", part);
        print_messages(text, false);
        free(text);
    }
    close(file);
}

static enum verdict grade(bool is_mine)
{
    printf("Seed: %s\n", getenv("SEED"));
    fflush(stdout);
    int points = 0, most = 0;
    bool made = contract_source(in_scratch("exercise.c"), source) && make_stage();
    status = made ? "graded" : status;
    char *said = run_grader(made ? stage() : "-", NULL, &points, &most);
    fputs(said, stdout);
    fflush(stdout);
    if (made && points == most)
        watch_memory(&points, most);
    else if (made && getenv("EVLINGS_SCRATCH") && grader_seconds < SECONDS_TO_DRAW)
        draw_failure(said);
    free(said);
    if (getenv("EVLINGS_SCRATCH"))
        printf("Status: %s\n", status);
    printf("Score: %d/%d\n", points, most);
    if (is_mine)
        advise(points, most);
    return points == most ? FULL : LESS;
}

/* Before a class: is there in here what a grading reads and writes? */
static bool can_grade(void)
{
    return access(in(room, "exercise.h"), R_OK) == 0 && access("tools/student-cc.sh", R_OK) == 0 &&
           access(in_build("include/systems"), R_OK) == 0 && access(getenv("EVLINGS_SCRATCH"), W_OK) == 0;
}

static const char *needed(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        cannot("%s is not set: we are called by make grade-N.", name);
    return value;
}

int main(int argc, char **argv)
{
    const char *held = getenv("EVLINGS_HELD");
    if (held && !hold(held)) {
        perror("EVLINGS_HELD");
        return NOT_JUDGED;
    }
    child_prepare();
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (argc < 2 || !strchr(argv[1], '/')) {
        fprintf(stderr, "usage: %s ROOM [SOURCE [mine]]\n", argv[0]);
        return NOT_JUDGED;
    }
    room = argv[1];
    source = argv[2];
    build = needed("BUILD");
    needed("CC"), needed("FLAGS"), needed("COMPILE"), needed("ASSEMBLE");
    if (!source)
        return can_grade() ? FULL : NOT_JUDGED;
    include = realpath(in_build("include"), NULL);
    systems = realpath(in_build("include/systems"), NULL);
    if (!include || !systems)
        cannot("%s is missing: make builds it.", in_build("include/systems"));
    plant_seed();
    make_scratch();
    take_source();
    take_header();
    runs = child_file();
    if (runs < 0)
        cannot("There is no room for what the grader tries: %s.", strerror(errno));
    finish(argc > 5 ? show(argv[4], argv[5]) : grade(argc > 3));
}
