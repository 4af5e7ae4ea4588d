/* grader.h - what a grader is written with: it runs a student's stage and judges what happened.
 *
 * A grader is a libcheck program without any code of the student in it, called as
 * `grader PATH-TO-STAGE`. Each part of an exercise is one test; it runs the stage, as a child
 * process on the virtual clock, with inputs that nobody knew before, and fails at the first thing
 * that is not as it should be, with a sentence about the idea behind it.
 *
 *     START_TEST(two_at_once)
 *     {
 *         double first = random_seconds(), second = first + random_seconds();
 *         struct run *run = stage_run("two %g %g", first, second);
 *         mistaken_seconds(run, first + second, second, "the two were awaited in turn.");
 *         expect_seconds(run, second, "The two run at once, so the longer one decides.");
 *     }
 *     END_TEST
 *
 *     int main(int argc, char **argv)
 *     {
 *         grader_open(argc, argv);
 *         part(3, "two at once", two_at_once);
 *         return grader_close();
 *     }
 *
 * A run lives until the next stage_run. */
#ifndef GRADER_H
#define GRADER_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

/* ----------------------------------------------------------------------------- the parts */

void grader_open(int argc, char **argv);
int grader_close(void);         /* runs and prints it all; 0 for full marks, else 1 */

/* A part: its points, its title, its test. They are run in this order. */
#define part(points, title, test) tcase_add_test(grader_part(points, title), test)
TCase *grader_part(int points, const char *title);

/* An instructor's own file with more parts, linked with a grader (make grade-class HIDDEN=dir), has this function: it
 * makes them, as main does. Their titles and points are shown, their sentences only when they are released. */
void hidden_parts(void) __attribute__((weak));

/* The part that was made last calls `function`, which is part `base`. If that one has failed, what is not
 * as expected here may come from there: then nothing is said of it but "Repair part 1 first".
 *
 *     part(2, "two files at once", two_at_once);
 *     builds_on(1, "download");
 *
 * Unless the test of the base said, before it failed, that what works is good_enough_for(2): then part 2 is
 * judged by itself, and leaves out the cases that need more, for which it asks base_passed(). */
void builds_on(int base, const char *function);
void good_enough_for(int part);
bool base_passed(void);

/* ------------------------------------------------------------------------------- a run */

#define MOST_LINES 1000
#define MOST_EVENTS 2000
#define MOST_RESULTS 16
#define MOST_FRAMES 40

struct line {
    const char *text;           /* without the newline */
    double at;                  /* when it was printed, in virtual seconds */
};

struct event {                  /* in the life of a task, the main one excepted, until that ends */
    const char *kind;           /* created, started, cancelled, finished */
    double at;
    const char *name;
};

struct result {
    const char *name;
    const char *kind;           /* text, number, none, error, nowhere */
    const char *text;           /* as the stage wrote it; of an error "Name: message" */
};

struct run {
    char inputs[512];           /* the arguments */
    const char *out, *err;      /* all that was printed */
    bool sound;                 /* it ended as it should; what it printed and gave can be judged */
    bool cut;                   /* there was more than we look at */
    bool ends_open;             /* the last line has no newline */
    struct line lines[MOST_LINES];
    int line_count;
    double seconds;             /* that the main task took */
    bool ended;                 /* it ended; what comes after that is the loop's closing */
    struct event events[MOST_EVENTS];
    int event_count;
    double wakes[MOST_EVENTS];  /* the times at which a timer woke the loop, until main ends */
    int wake_count;
    struct result results[MOST_RESULTS];
    int result_count;
    const char *left;           /* name of a task not done when main was through, or NULL */
    int left_count;
    double elsewhere;           /* seconds slept in threads, which took no time on our clock */
    double cpu;                 /* seconds of processor time used */
};

/* Runs the stage with these arguments, which spaces part. Fails by itself, with its sentence, when
 * the program crashed, exited early, hung, deadlocked, spun, blocked the loop, never awaited a
 * coroutine, or printed after its end. */
struct run *stage_run(const char *format, ...) PRINTF(1, 2);

/* How a reader of messages is shown a run of this part: as the call in C that a student would write.
 *
 *     shown_as("measure", "await(async_coro(measure, '%1', %2, %3))");
 *     shown_as("compare", "await(async_coro(compare, shops, %3#1)), shops = {%3*1}");
 *     shown_as("*", "{'%0', %1, %?2}");
 *
 * %1 is the argument 1 of the stage, %?1 the same as true or false; %3*1 a list of what comes from 1 on,
 * three for each entry, and %3#1 how many that are. An entry is shown as the row says whose name it
 * begins with, else as "*" says, which comes last; %*1 is a list of single arguments, whose colons part
 * fields. <...> is left out if the first argument in it is 0, - or not there, and a ' is a ". */
void shown_as(const char *name, const char *call);

/* What to use instead of sleep(), as far as the lessons have come: "await(async_sleep(seconds))",
 * unless a grader says otherwise. */
extern const char *instead_of_sleep;

/* What a deadlock, or a crash, here most often comes from, as one more sentence; "" unless a grader
 * says so. */
extern const char *about_deadlock, *about_crash;

/* What comes back without any time passing, as a sentence; of async_sleep(0) unless a grader says so. */
extern const char *about_busy;

/* Inputs. Seconds are multiples of 0.1 from 0.3 to 2.7, and none of 0.5, as in the tasks' examples. Between two
 * runs no word and no seconds are given twice; there are 20 of each. */
int random_between(int low, int high);
double random_seconds(void);
const char *random_word(void);      /* a name, lower-case letters */

/* ------------------------------------------------------------------------- expectations */

/* Ends the test: what happened, then the inputs, then what the program said on stderr. */
__attribute__((noreturn))
void reject(struct run *run, const char *format, ...) PRINTF(2, 3);

/* The whole output, line by line: what was to be printed and when. Say them in order, then compare.
 * Of lines at the same time the order counts, too, unless they are said to be `any_order`. */
void will_print(double at, const char *format, ...) PRINTF(2, 3);
enum order { in_order, any_order };
void expect_transcript(struct run *run, enum order equal_times, const char *why);

/* Is a line printed at all; and at that time (NAN: whenever)? For looking out for a mistake. */
bool printed(struct run *run, const char *line);
int times_printed(struct run *run, const char *line);
bool printed_at(struct run *run, double at, const char *line);
double when_printed(struct run *run, const char *name, const char *what);   /* "NAME: WHAT"; NAN: never */

/* How long the main task took. The first names a mistake: it fails if `wrong` is what it took. */
void mistaken_seconds(struct run *run, double wrong, double expected, const char *what);
void expect_seconds(struct run *run, double expected, const char *why);

/* What was returned; and of an error that is as expected, its message. */
void expect_number(struct run *run, const char *name, long expected, const char *why);
void expect_text(struct run *run, const char *name, const char *expected, const char *why);
void expect_error(struct run *run, const char *name, const char *error, const char *why);
void expect_message(struct run *run, const char *name, const char *message, const char *why);
const struct result *result_of(struct run *run, const char *name);      /* NULL: none */

/* Did it end without an error; with one that has this text in its name or message? For looking out
 * for a mistake. */
bool ended_well(struct run *run, const char *name);
bool ended_with(struct run *run, const char *name, const char *text);

/* It was run with @SECONDS in front of the part's name: cancelled then, it has to end so. */
void expect_cancelled(struct run *run, const char *name);

/* Two calls, as the arguments of their runs, which have no word in common: each is run alone, then both at
 * once in one program, where each has to print and return what it did alone. It is not so if something
 * that belongs to one call is kept in a static or global variable. */
void expect_undisturbed(const char *one, const char *other);

/* Tasks. `name` NULL: of any name. */
int count_events(struct run *run, const char *kind, const char *name);
void expect_tasks(struct run *run, int at_least, const char *why);
void expect_no_task_left(struct run *run, const char *what);

/* How often a timer woke the loop at `from`, at `to`, and in between: who polls wakes it often, and
 * a timer that was left behind wakes it for nothing. */
int count_wakes(struct run *run, double from, double to);

/* Polling: a timer woke the program more than `needed` + `more` times. `why`: what to do instead. */
void expect_wakes(struct run *run, int needed, int more, const char *why);

bool same_time(double a, double b);

#endif
