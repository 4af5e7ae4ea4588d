/* grader.c - lesson 5: tasks run on their own, have names, and can be asked to end. */
#include "grader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SWALLOWED \
    "cancelled, upload() has to end as cancelled, else whoever awaits it believes that " \
    "all went well. Clean up, then re-raise: return the async_value that async_catch() gave."

#define REMOVING 0.1

struct file {
    const char *name;
    double seconds;
    long bytes;
};

/* Films: no size fits into an int. */
static struct file random_file(void)
{
    return (struct file){ random_word(), random_seconds(), random_between(40000, 90000) * 60000L };
}

static void will_upload(struct file f)
{
    will_print(0, "%s: uploading", f.name);
    will_print(f.seconds, "%s: stored", f.name);
}

/* -------------------------------------------------------------------------------- part 1 */

static void try_interrupted(struct file f, double after)
{
    struct run *run = stage_run("interrupted %g %s %g %ld", after, f.name, f.seconds, f.bytes);
    const struct result *ended = result_of(run, "upload");
    char line[100];
    snprintf(line, sizeof line, "%s: removed what was there", f.name);
    if (ended && strcmp(ended->kind, "error") != 0 && !printed(run, line))
        reject(run,
               "upload() was cancelled at %g s and went on as if nothing had happened, until %g "
               "s.",
               after, f.seconds);
    if (ended && strcmp(ended->kind, "error") != 0)
        reject(run,
               "A swallowed cancellation: upload() was cancelled at %g s, but ended as if it had "
               "been stored. When " SWALLOWED,
               after);
    if (!printed(run, line))
        reject(
            run,
            "upload() was cancelled at %g s and did not clean up: \"%s\" was not printed.\n"
            "await() leaves the function at once when it is cancelled. To do something first, use "
            "async_catch() and look for ASYNC_CANCELLED in its .error.",
            after, line);
    will_print(0, "%s: uploading", f.name);
    will_print(after + REMOVING, "%s", line);
    expect_transcript(
        run, in_order,
        "A cancelled upload cleans up, which takes 0.1 s, and is not stored. Also after "
        "a cancellation one can await.");
    expect_error(run, "upload", "CancelledError", "When " SWALLOWED);
}

START_TEST(cleans_up)
{
    struct file f = random_file();
    struct run *run = stage_run("upload %s %g %ld", f.name, f.seconds, f.bytes);
    will_upload(f);
    expect_transcript(run, in_order, "That is an upload that nobody cancels.");
    expect_number(run, "upload", f.bytes, "Nobody cancelled it: the bytes are the result.");
    good_enough_for(2);
    for (int i = 1; i <= 2; i++)
        try_interrupted(random_file(), i / 10.0);
    expect_undisturbed("upload bob 1.05 400", "interrupted 1 ada 5 70000"); /* stored while the other removes */
}
END_TEST

/* -------------------------------------------------------------------------------- part 2 */

static void check_tasks(struct run *run, const struct file *files, int count)
{
    expect_tasks(run, count, "Each file gets a task of its own.");
    for (int i = 0; i < count; i++)
        if (!count_events(run, "finished", files[i].name))
            reject(run,
                   "No task is named '%s' when it ends. async_create_task_named(coroutine, name) "
                   "gives a task a name, which every report will show.",
                   files[i].name);
}

/* The first file is the quickest: who awaits only that one is found out. */
static void make_files(struct file *files, int count)
{
    for (int i = 0; i < count; i++) {
        files[i] = random_file();
        if (files[i].seconds < files[0].seconds) {
            struct file first = files[0];
            files[0] = files[i];
            files[i] = first;
        }
    }
}

/* The arguments of a run: the function, perhaps its patience, and files. */
static const char *write_inputs(char *to, size_t size, const char *function, const struct file *files, int count)
{
    int n = snprintf(to, size, "%s", function);
    for (int i = 0; i < count; i++)
        n += snprintf(to + n, size - n, " %s %g %ld", files[i].name, files[i].seconds, files[i].bytes);
    return to;
}

static void try_backup(int count)
{
    struct file files[8];
    char inputs[400];
    double sum = 0, longest = 0;
    long bytes = 0;
    make_files(files, count);
    for (int i = 0; i < count; i++) {
        sum += files[i].seconds;
        longest = fmax(longest, files[i].seconds);
        bytes += files[i].bytes;
    }
    struct run *run = stage_run("%s", write_inputs(inputs, sizeof inputs, "backup", files, count));
    expect_no_task_left(run, "Keep the tasks in an array and await every one of them.");
    mistaken_seconds(run, sum, longest,
                     "the files were uploaded one after the other. First create "
                     "all tasks, in one loop; then await them, in another.");
    for (int i = 0; i < count; i++)
        will_upload(files[i]);
    expect_transcript(run, any_order, "All uploads begin at the start.");
    expect_seconds(run, longest, "backup() has to return when the last upload is done.");
    expect_number(run, "backup", bytes, "That is the sum of what the tasks gave. (A long: an int is too small.)");
    check_tasks(run, files, count);
}

static void try_two_backups(void)
{
    struct file files[5];
    char one[200], other[200];
    make_files(files, 5);
    expect_undisturbed(write_inputs(one, sizeof one, "backup", files, 2),
                       write_inputs(other, sizeof other, "backup", files + 2, 3));
}

START_TEST(named_tasks)
{
    try_backup(random_between(2, 4));
    try_backup(8);
    try_backup(1);
    struct file a = random_file(), b = random_file();
    for (int i = 0; base_passed() && i < 2; i++) /* while it waits for the first, and for the second */
        expect_cancelled(stage_run("@%g backup %s 1 %ld %s 2 %ld", i + 0.5, a.name, a.bytes, b.name,
                                   b.bytes), "backup");
    try_two_backups();
}
END_TEST

/* -------------------------------------------------------------------------------- part 3 */

static struct run *run_within(struct file f, double patience)
{
    return stage_run("upload_within %g %s %g %ld", patience, f.name, f.seconds, f.bytes);
}

static void try_too_slow(struct file f, double patience)
{
    struct run *run = run_within(f, patience);
    const struct result *ended = result_of(run, "upload_within");
    char stored[100];
    snprintf(stored, sizeof stored, "%s: stored", f.name);
    if (printed(run, stored) && !count_events(run, "created", NULL))
        reject(run,
               "No task was created. To await the coroutine is to wait until it is done; only a "
               "task goes on while we sleep, and only a task can be cancelled.");
    if (printed(run, stored))
        reject(run,
               "\"%s\" after %g s, but patience ended at %g s: the upload was not cancelled.\n"
               "async_done(task) tells whether it is done, async_cancel(task) asks it to end.",
               stored, f.seconds, patience);
    expect_no_task_left(
        run, count_events(run, "cancelled", NULL)
                 ? "async_cancel() only asks: the task hears of it at its await, in a later "
                   "turn of the loop. Await the task after that, to let it clean up."
                 : "Nobody cancelled it and nobody awaited it.");
    if (ended && !strcmp(ended->kind, "error"))
        reject(run,
               "upload_within() ended with %s itself. await() raises the error with which the task "
               "ended, or the waiting for it; async_catch() lets us look at it and go on.",
               ended->text);
    will_print(0, "%s: uploading", f.name);
    will_print(patience + REMOVING, "%s: removed what was there", f.name);
    will_print(patience + REMOVING, "%s: given up", f.name);
    expect_transcript(run, in_order,
                      "When patience ends, the upload is cancelled and cleans up; after "
                      "that it is given up.");
    if (run->wake_count > 10)
        reject(
            run,
            "Polling: %d times a timer woke the program. Who looks again and again whether it is "
            "time, or whether a task is done, is never at rest. Sleep once, for all of the "
            "patience; and to await the task is to be woken when it is done.",
            run->wake_count);
    expect_seconds(run, patience + REMOVING,
                   "That is how long we have patience, and then it cleans up.");
    expect_number(run, "upload_within", 0, "It was given up.");
}

/* upload_within() itself is cancelled, while it sleeps. Its upload cleans up then, or when the loop is closed. */
static void try_interrupted_within(struct file f, double patience, double after)
{
    char removed[100];
    struct run *run = stage_run("interrupted_within %g %g %s %g %ld", after, patience, f.name,
                                f.seconds, f.bytes);
    if (ended_well(run, "upload_within"))
        reject(run,
               "A swallowed cancellation: upload_within() itself was cancelled at %g s, in its "
               "sleep, but ended as if nothing had happened. await(async_sleep(...)) leaves the "
               "function then; who looks at the error with async_catch() has to return it.",
               after);
    expect_error(run, "upload_within", "CancelledError",
                 "It was cancelled itself, and has to end so.");
    snprintf(removed, sizeof removed, "%s: removed what was there", f.name);
    if (!printed(run, removed))
        reject(run,
               "upload_within() was cancelled at %g s, and \"%s\" was never printed: no upload was under way. Whether "
               "one will be done in time nobody can reckon before; start it, and see.",
               after, removed);
}

static void try_quick(struct file f, double patience)
{
    struct run *run = run_within(f, patience);
    will_upload(f);
    expect_transcript(run, in_order, "This one is done before patience ends: nothing to give up.");
    expect_number(run, "upload_within", f.bytes,
                  "A task that is done can still be awaited: that gives "
                  "its result at once.");
    if (!same_time(run->seconds, f.seconds)) /* so it is with async_wait_for(), of lesson 8 */
        expect_seconds(run, patience, "We look once, when patience ends. (Lesson 8 knows better.)");
}

/* Two that have patience for one second: one is quick, the other is not. */
static void try_two_within(void)
{
    struct file quick = random_file(), slow = random_file();
    char one[100], other[100];
    quick.seconds = 0.5;
    slow.seconds = 50;
    expect_undisturbed(write_inputs(one, sizeof one, "upload_within 1", &quick, 1),
                       write_inputs(other, sizeof other, "upload_within 1", &slow, 1));
}

START_TEST(patience)
{
    struct file f = random_file();
    try_too_slow(f, f.seconds - 0.2);
    f = random_file();
    try_quick(f, f.seconds + random_seconds());
    f = random_file();
    f.seconds = 100;
    try_too_slow(f, 5 + random_seconds());
    f = random_file();
    f.seconds = 100;
    try_interrupted_within(f, 9, random_seconds());
    try_two_within();
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("upload", "await(async_coro(upload, '%1', %2, %3))");
    shown_as("interrupted", "await(async_coro(upload, '%2', %3, %4)), cancelled after %1 s");
    shown_as("backup", "await(async_coro(backup, %3#1, {%3*1}))");
    shown_as("upload_within", "await(async_coro(upload_within, %3*2, %1))");
    shown_as("interrupted_within", "await(async_coro(upload_within, %3*3, %2)), cancelled after %1 s");
    shown_as("*", "{'%0', %1, %2}");
    part(2, "an upload that cleans up when it is cancelled", cleans_up);
    part(2, "a task for every file, with its name", named_tasks);
    builds_on(1, "upload");
    part(3, "given up when it takes too long", patience);
    builds_on(1, "upload");
    return grader_close();
}
