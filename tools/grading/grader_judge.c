/* grader_judge.c - did the program run to its end as an asynchronous program should?
 *
 * These are the mistakes that one can make in every exercise, the fatal ones first: after a crash
 * nobody wants to read that a line is missing. Each has a sentence of its own. */
#define _GNU_SOURCE
#include "grader_run.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

int grader_timeouts;
const char *instead_of_sleep = "await(async_sleep(seconds))";
const char *about_deadlock = "";
const char *about_crash = "";
const char *about_busy = "await(async_sleep(0)) lets others run, but comes back at once.";

/* --------------------------------------------------------------------------------- where */

/* Is this a place in the student's file, and not in the stage, the runtime or a library? */
static bool is_students(const char *place)
{
    static const char *const others[] = { "/stage.c:", "/runtime/", "??", "<built-in>" };
    if (!strncmp(place, "runtime/", 8) || !strstr(place, ".c:") || strstr(place, ".c:?"))
        return false;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strstr(place, others[i]))
            return false;
    return true;
}

const char *student_place(const char *const *addresses, int count)
{
    static char found[600];
    char command[64 + 24 * MOST_FRAMES] = "addr2line -f -i -e ../exercise.so", function[256], place[512];
    size_t length = strlen(command);
    for (int i = 0; i < count; i++) /* the call stands before where it returns to */
        length += snprintf(command + length, sizeof command - length, " %#lx",
                           strtoul(addresses[i], NULL, 16) - 1);
    strcat(command, " 2>/dev/null");
    FILE *answer = count ? popen(command, "r") : NULL;
    *found = 0;
    while (answer && fscanf(answer, "%255[^\n]%*c%511[^\n]%*c", function, place) == 2) {
        if (*found || !is_students(place))
            continue;
        char *end = strchr(place, ' '); /* " (discriminator 2)" */
        if (end)
            *end = 0;
        const char *file = strrchr(place, '/');
        snprintf(found, sizeof found, " in %s() at %.255s", function, file ? file + 1 : place);
    }
    if (answer)
        pclose(answer);
    return found;
}

/* " in task 'Task-2'", or nothing if there is none. */
static const char *in_task(struct raw *raw)
{
    static char text[200];
    *text = 0;
    if (strcmp(raw->task, "-") != 0)
        snprintf(text, sizeof text, " (task '%s')", raw->task);
    return text;
}

/* -------------------------------------------------------------------- it did not end well */

static void judge_endless(struct run *run, struct raw *raw)
{
    const char *place = student_place(raw->frames, raw->frame_count);
    const char *why = raw->gave_up ? raw->gave_up : "";
    if (!strcmp(why, "stuck") || run->cpu > CPU_SECONDS - 0.5) {
        grader_timeouts++;
        reject(run,
               "Endless loop%s%s: it kept the processor busy for seconds without giving the event "
               "loop a turn, so nothing else could ever run.\nDoes this loop end? If it "
               "waits for the clock, use %s.",
               place, in_task(raw), instead_of_sleep);
    }
    if (!strcmp(why, "busy"))
        reject(run,
               "Busy waiting%s: a million turns of the loop went by and no time passed. "
               "%s\nWait for what you "
               "really wait for: await the task, or sleep for the time that is left.",
               in_task(raw), about_busy);
    if (!strcmp(why, "overtime"))
        reject(run,
               "The program was still going after an hour of virtual time%s. Something waits again "
               "and again, or far too long: does the loop around the await ever end?",
               in_task(raw));
    if (!strcmp(why, "clock"))
        reject(run, "The program has set the loop's clock%s. Time passes while everybody waits, and in no other "
                    "way: await what takes its time.", in_task(raw));
    if (!raw->in_time) {
        grader_timeouts++;
        reject(
            run,
            "The program did not end: all of it slept for seconds, although its clock is virtual and "
            "nobody else could wake it. Some call waits outside of the event loop (pause, read, wait, "
            "lock, ...), so the whole loop is blocked. Only await may wait.");
    }
}

/* Has the C library found memory in disorder? It says so in words that begin like these, and aborts. */
static bool is_damage(const char *err)
{
    static const char *const words[] = {
        "malloc(): ", "free(): ", "realloc(): ", "calloc(): ", "munmap_chunk(): ", "corrupted ",
        "double free or corruption", "*** stack smashing detected",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *found = strstr(err, words[i]);
        if (found && (found == err || found[-1] == '\n'))
            return true;
    }
    return false;
}

static void judge_crash(struct run *run, struct raw *raw)
{
    int number = WIFSIGNALED(raw->status) ? WTERMSIG(raw->status) : raw->crash;
    if (!number)
        return;
    const char *place = student_place(raw->frames, raw->frame_count);
    if (number == SIGXFSZ)
        reject(run,
               "The program printed more than a megabyte, and was stopped. Does a loop never end?");
    if (number == SIGABRT && is_damage(run->err))
        reject(run, "Memory was damaged, which the C library noticed later%s%s: something was written beyond the end of "
                    "an array or of what malloc() gave, or freed twice. Its words are below.", place, in_task(raw));
    if (number == SIGABRT)
        reject(run, "The program was stopped by abort()%s%s. What it said below tells why.", place,
               in_task(raw));
    if (number == SIGKILL)
        reject(run, "The program was killed: by itself, or because it wanted too much memory.");
    if (strstr(run->err, "Stack overflow:") || strstr(run->err, "Sanitizer: stack-overflow") || raw->frame_count >= MOST_FRAMES - 4)
        reject(run, "Stack overflow%s%s: endless recursion, or a very large local array.", place,
               in_task(raw));
    reject(run, "Crash: %s%s%s.%s%s%s", strsignal(number), place, in_task(raw),
           number != SIGSEGV ? "" : " A pointer was used that points nowhere: is it set, and does "
                                    "what it points to still live? Or was an array too small?",
           *about_crash ? "\n" : "", about_crash);
}

static void judge_exit(struct run *run, struct raw *raw)
{
    int status = WEXITSTATUS(raw->status);
    if (strstr(run->err, "runtime error:"))
        reject(run, "A sanitizer found a mistake in how numbers are used. Its report is below; the first "
                    "line with your file's name is the place.");
    if (!raw->complete)
        reject(run,
               "Early exit: the program ended itself with status %d in the middle of the run, by "
               "exit(), _exit() or by becoming another program.\nA coroutine ends with return; the "
               "program ends when main does.",
               status);
    if (status)
        reject(run,
               "The program ended with status %d after all was done. What runs at exit went "
               "wrong.",
               status);
    if (raw->out_length > raw->end)
        reject(run,
               "There is output after the end of the run (\"%.200s\"). Everything has to be done "
               "when the function returns.",
               raw->out + raw->end);
}

/* ------------------------------------------------------- it ended, but not as async should */

static void judge_blocking(struct run *run, struct raw *raw)
{
    if (!raw->blocked)
        return;
    reject(run,
           "%s() blocks the whole loop: called%s for %g s, in which nothing else ran; no other "
           "task, no timer.\nUse %s: it lets the others go on meanwhile.",
           raw->blocked, student_place(&raw->blocked_at, 1), raw->blocked_seconds,
           instead_of_sleep);
}

static void judge_hog(struct run *run, struct raw *raw)
{
    if (raw->hog && !grader_watches_memory())
        reject(run,
               "The processor was kept busy%s by task '%s' for a quarter of a second and more, in which "
               "nothing else could run.\nIf that waits for the clock, use %s. What has so much to compute "
               "belongs in a thread.",
               student_place(raw->frames, raw->frame_count), raw->hog, instead_of_sleep);
}

/* The runtime has said what was called wrongly, and where: that comes before what follows from it. */
static void judge_misuse(struct run *run)
{
    for (int i = 0; i < run->result_count; i++) {
        const struct result *result = &run->results[i];
        const char *place = strstr(result->text, " at "), *task = strstr(result->text, " in task '");
        if (strcmp(result->kind, "error") == 0 && place && task && place < task &&
            strstr(result->text, "Error: a") && strstr(place, "exercise.c:"))
            reject(run, "A call was refused, and that error came out:\n%s.", result->text);
    }
}

static void judge_forgotten(struct run *run)
{
    static const char mark[] = ": RuntimeWarning: coroutine '";
    const char *found = strstr(run->err, mark);
    if (!found || !strstr(found, "was never awaited"))
        return;
    const char *line = found, *name = found + sizeof mark - 1;
    while (line > run->err && line[-1] != '\n' && line[-1] != '/')
        line--;
    int length = strcspn(name, "'");
    bool is_sleep = !strncmp(name, "async_sleep", length);
    reject(run,
           "A forgotten await: '%.*s', made at %.*s, was never awaited. Calling a coroutine only "
           "makes an object; nothing of it runs.\nWrite await(%.*s%s), or give it to "
           "something that runs it.%s",
           length, name, (int)(found - line), line, length, name, is_sleep ? "(...)" : " ...",
           is_sleep ? "" : "\n(An object that isn't wanted after all: async_coro_close().)");
}

static void judge_deadlock(struct run *run)
{
    const char *found = strstr(run->err, "Deadlock: nothing is ready");
    if (!found)
        return;
    if (strstr(run->err, "in a callback: only a task can wait"))
        reject(run, "A callback tried to wait. The loop calls it and wants it back at once; only a task can "
                    "wait, in a coroutine. What is to come later is booked: %s.",
               "async_loop_call_later(loop, seconds, callback, argument)");
    if (!strstr(found, "waits at"))
        reject(run, "Deadlock: the loop runs on, but nothing is left that could ever happen, and "
                    "nobody has stopped it. After the last callback call async_loop_stop(loop).");
    reject(run,
           "Deadlock: everyone waits for somebody, and nothing can ever happen again. Who waits "
           "for what stands below.%s%s",
           *about_deadlock ? "\n" : "", about_deadlock);
}

void run_judge(struct run *run, struct raw *raw)
{
    if (!raw->ready)
        grader_cannot("The stage on which the program runs could not be set up (status %#x).\n%s",
                      (unsigned)raw->status, run->err);
    judge_memory(run);
    judge_endless(run, raw);
    judge_crash(run, raw);
    judge_blocking(run, raw);
    judge_hog(run, raw);
    judge_exit(run, raw);
    judge_deadlock(run);
    judge_misuse(run);
    judge_forgotten(run);
}
