/* grader.c - lesson 18: a server that answers, that no slow client can stop, and that ends well. */
#include "grader.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 2000               /* lines for a client that does not read them, ... */
#define LONG 16000              /* ... and their length: more than all buffers of the system */
#define OUTBOX 100
#define LAST_WORDS 2.0          /* both as in exercise.h */

static char inputs[480];

static void begin(double idle, double end)
{
    snprintf(inputs, sizeof inputs, "script %g %g", idle, end);
}

/* The client sends this at that time: _ is a space, | a newline, ~ CR LF; at the end $ closes its
 * side, and ! all of it. */
__attribute__((format(printf, 3, 4)))
static void sends(const char *name, double at, const char *format, ...)
{
    size_t n = strlen(inputs);
    n += snprintf(inputs + n, sizeof inputs - n, " %s %g ", name, at);
    va_list args;
    va_start(args, format);
    vsnprintf(inputs + n, sizeof inputs - n, format, args);
    va_end(args);
}

static bool said(struct run *run, const char *name, const char *what)
{
    char line[200];
    snprintf(line, sizeof line, "%s: %s", name, what);
    return printed(run, line);
}

/* It was closed, but only when its last words had had all the time that they may have. */
static void check_waited(struct run *run, const char *name, double at)
{
    char line[100];
    snprintf(line, sizeof line, "%s: closed", name);
    for (int times = 1; times <= 2; times++)
        if (printed_at(run, at + times * LAST_WORDS, line))
            reject(run, "%s took all that was sent to it, and yet it was closed %g s later. "
                        "LAST_WORDS is the most that a client gets, and not what each has to wait: "
                        "async_wait_for(client->writing, LAST_WORDS) ends when the task does.",
                   name, times * LAST_WORDS);
}

static void check_error(struct run *run)
{
    const struct result *result = result_of(run, "board");
    if (result && !strcmp(result->kind, "error"))
        reject(run, "The board ended with an error, or did not open in time: %s", result->text);
}

/* All of it went as it should until the clients have left by themselves. */
static struct run *play(void)
{
    struct run *run = stage_run("%s", inputs);
    check_error(run);
    return run;
}

static void try_commands(void)
{
    const char *anna = random_word(), *ben = random_word(), *key = random_word();
    int value = random_between(10, 99), other = random_between(100, 999);
    begin(100, 9);
    sends(anna, 0, "set_%s_%d_eggs|", key, value);
    will_print(0, "%s: ok", anna);
    sends(ben, 1, "get_%s|get_nothing|count|", key);
    will_print(1, "%s: %s = %d eggs", ben, key, value);
    will_print(1, "%s: nothing?", ben);
    will_print(1, "%s: 2", ben);
    sends(ben, 2, "watch_%s|", key);
    will_print(2, "%s: ok", ben);
    sends(anna, 3, "set_%s_%d~", key, other);
    will_print(3, "%s: ok", anna);
    will_print(3, "%s: %s = %d", ben, key, other);
    sends(anna, 4, "ge");
    sends(anna, 5, "t_%s~hello|", key);
    will_print(5, "%s: %s = %d", anna, key, other);
    will_print(5, "%s: what?", anna);
    sends(anna, 6, "quit|");
    will_print(6, "%s: bye: quit", anna);
    will_print(6, "%s: closed", anna);
    sends(ben, 7, "count|quit~");
    will_print(7, "%s: 1", ben);
    will_print(7, "%s: bye: quit", ben);
    will_print(7, "%s: closed", ben);
    will_print(9, "the board is closed");
    struct run *run = play();
    char line[100];
    snprintf(line, sizeof line, "%s: closed", anna);
    if (printed_at(run, 0, line) && said(run, anna, "ok"))
        reject(run, "The connection was closed when one line was answered. Read on, until \"quit\" "
                    "comes or the client closes the connection.");
    if (said(run, anna, "closed") && !said(run, anna, "ok"))
        reject(run, "The connection was closed before the first line was answered: the client is "
                    "served as long as serve() runs, so that has to go on reading lines.");
    if (!said(run, ben, "bye: quit") && said(run, ben, "what?"))
        reject(run, "A line that ends with CR LF, as telnet sends it, was not understood.");
    if (said(run, anna, "closed") && said(run, anna, "ok") && !said(run, anna, "bye: quit"))
        reject(run, "\"bye: quit\" did not arrive: the connection was closed before everything was "
                    "sent.");
    check_waited(run, anna, 6);
    expect_transcript(run, any_order,
                      "Every line is answered as soon as it is there. One packet may hold several "
                      "lines, or half of one; async_stream_readline knows.");
}

static void try_leaving(void)
{
    const char *anna = random_word(), *ben = random_word(), *cleo = random_word();
    char line[100];
    begin(100, 9);
    sends(cleo, 0, "count|");
    will_print(0, "%s: 1", cleo);
    sends(anna, 1, "count|$");
    will_print(1, "%s: 2", anna);
    will_print(1, "%s: closed", anna);
    sends(cleo, 2, "count|");
    will_print(2, "%s: 1", cleo);
    sends(ben, 3, "count|count|cou!");
    will_print(3, "%s: closed", ben);
    sends(cleo, 4, "count|");
    will_print(4, "%s: 1", cleo);
    sends(cleo, 5, "quit|");
    will_print(5, "%s: bye: quit", cleo);
    will_print(5, "%s: closed", cleo);
    will_print(9, "the board is closed");
    struct run *run = play();
    snprintf(line, sizeof line, "%s: 2", cleo);
    if (said(run, cleo, "2"))
        reject(run, "A client has closed the connection without \"quit\"%s, and is still counted. "
                    "Then async_stream_readline gives a length of 0, or an error: the client is "
                    "gone, and is not served any more.",
               printed_at(run, 2, line) ? "" : ", in the middle of a line");
    expect_transcript(run, any_order,
                      "A client may leave without \"quit\", even in the middle of a line. Then its "
                      "connection is closed on our side, too, and the others do not notice.");
}

START_TEST(answers)
{
    try_commands();
    try_commands();
    try_leaving();
}
END_TEST

static long number(struct run *run, const char *name)
{
    const struct result *result = result_of(run, name);
    return result ? atol(result->text) : -1;
}

static struct run *run_slow(void)
{
    struct run *run = stage_run("slow %d %d", MANY, LONG);
    const struct result *result = result_of(run, "board");
    if (result && strstr(result->text, "TimeoutError"))
        reject(run,
               "Three clients: one never reads, one sets a value, one watches it. After %ld values "
               "nothing went on: everybody waits for the one who does not read.\nOnly its own "
               "second task may wait for a client, in drain. Whoever has a line for it puts that "
               "into its queue with async_queue_put_nowait, and does not wait.",
               number(run, "sets"));
    if (result && strstr(result->text, "Broken pipe"))
        reject(run, "Three clients: one never reads, one sets a value, one watches it. After %ld values "
                    "the board has closed the connection of one that does read: only the one who does "
                    "not has to go.",
               number(run, "sets"));
    check_error(run);
    return run;
}

/* Who reads what comes is not slow, however much comes at once. */
static void try_paste(int lines)
{
    struct run *run = stage_run("paste %d", lines);
    check_error(run);
    if (number(run, "answered") < lines || number(run, "received") < lines)
        reject(run,
               "A client sent %d lines at once, and another one watched the value that they set. Both "
               "read all that came, and yet the first got %ld answers and the second %ld values, and "
               "they had to go. A line that is here already is read without any wait, so talk() goes "
               "from one to the next, nobody else has a turn, and the queues are full after %d. Let "
               "those who write have theirs after each line: await(async_sleep(0)).",
               lines, number(run, "answered"), number(run, "received"), OUTBOX);
}

START_TEST(slow_client)
{
    try_paste(1000);
    struct run *run = run_slow();
    if (number(run, "dropped") != 1 && number(run, "sets") < MANY)
        reject(run, "A client that did read was dropped, or the count of clients is wrong: only "
                    "the one who does not read has to go.");
    if (number(run, "dropped") != 1 && number(run, "dropped_late") == 1)
        reject(run, "A client that does not read was dropped, but \"count\" still had it as long as "
                    "its last words waited. Take it off the list as soon as its queue is full, and "
                    "then give it its time.");
    if (number(run, "dropped") != 1)
        reject(run,
               "A client has not read one of %d lines, %d MB in all, and is still served: they all "
               "wait in memory. Give each client a queue of at most OUTBOX lines, "
               "async_queue_new(OUTBOX), out of which a task of its own sends them and drains; "
               "when the queue is full the client has to go.",
               MANY, MANY * (LONG / 1000) / 1000);
    if (number(run, "received") != number(run, "sets"))
        reject(run, "A client that did read got %ld of %ld lines: each line has to come, once and "
                    "in order.",
               number(run, "received"), number(run, "sets"));
    if (number(run, "waiting") < OUTBOX || number(run, "waiting") > OUTBOX + 20)
        reject(run, "The client that did not read was dropped when about %ld lines waited for it "
                    "here; OUTBOX, which is %d, may wait in its queue (and some more in the "
                    "stream, until drain waits).",
               number(run, "waiting"), OUTBOX);
}
END_TEST

static void try_end(void)
{
    const char *anna = random_word(), *ben = random_word(), *cleo = random_word();
    const char *dora = random_word(), *key = random_word();
    double idle = 3 + random_seconds(), end = 12 + random_seconds();
    begin(idle, end);
    sends(anna, 0, "watch_%s|", key);
    will_print(0, "%s: ok", anna);
    sends(ben, 0.5, "count|");
    will_print(0.5, "%s: 2", ben);
    sends(cleo, 2, "set");                          /* not a line */
    for (double at = 3; at < end; at += 2.5) {
        sends(ben, at, "set_%s_%g|", key, at);
        will_print(at, "%s: ok", ben);
        if (at < idle)
            will_print(at, "%s: %s = %g", anna, key, at);
    }
    sends(dora, end - 1, "get_nothing|");
    will_print(end - 1, "%s: nothing?", dora);
    will_print(idle, "%s: bye: idle", anna);
    will_print(idle, "%s: closed", anna);
    will_print(idle + 2, "%s: bye: idle", cleo);
    will_print(idle + 2, "%s: closed", cleo);
    will_print(end, "%s: bye: closing", ben);
    will_print(end, "%s: closed", ben);
    will_print(end, "%s: bye: closing", dora);
    will_print(end, "%s: closed", dora);
    will_print(end, "the board is closed");
    struct run *run = play();
    if (!said(run, anna, "bye: idle"))
        reject(run, "%s sent nothing for more than %g s, and was not told \"bye: idle\".%s", anna,
               idle, said(run, cleo, "bye: idle")
               ? " What a client is sent does not count: only lines that it sends do."
               : "\nasync_wait_for gives the reading of a line a limit, and ASYNC_TIMEOUT tells "
                 "that it has passed.");
    if (said(run, ben, "bye: closing") != said(run, dora, "bye: closing") &&
        !(when_printed(run, ben, "bye: idle") < end))
        reject(run, "The board was closed with two clients, and only one of them was told \"bye: "
                    "closing\". It is for every client on the list.");
    if (!said(run, ben, "bye: closing"))
        reject(run, "The board was closed, and %s was not told \"bye: closing\".\nrun_board is "
                    "cancelled at its await; an exit function (async_with) still runs then, and "
                    "may wait until all clients are gone.",
               ben);
    check_waited(run, anna, idle);
    check_waited(run, ben, end);
    if (count_wakes(run, end + 0.001, end + 0.999) > 0)
        reject(run, "The clients were gone at once, and run_board still looked again and again "
                    "whether they are: polling. async_server_wait_closed ends when the last one "
                    "is served.");
    if (printed(run, "but one can still connect"))
        reject(run, "The board is closed, but one can still connect: async_server_close.");
    for (int i = 0; i < run->line_count; i++)
        if (!strncmp(run->lines[i].text, "but ", 4))
            reject(run, "run_board has ended, %s. async_server_wait_closed waits until all clients "
                        "are served.",
                   run->lines[i].text);
    expect_no_task_left(run, "When run_board ends, all its clients' tasks have ended: "
                             "async_server_wait_closed waits for the first of each; and that one "
                             "has to wait for the second.");
    expect_transcript(run, any_order,
                      "Silent clients go when their time is up, all others when the board is "
                      "closed; run_board ends when they are gone.");
}

/* Three clients do not read when the board is closed, and one of them reads on 1 s later. */
static void try_late(void)
{
    struct run *run = stage_run("late %d %d", random_between(20, 50), LONG);
    const struct result *last = result_of(run, "last");
    check_error(run);
    if (number(run, "connected") == 1)
        reject(run, "The board waits for its last clients to go, and somebody new can still "
                    "connect. Close the server first, async_server_close, and then wait.");
    if (number(run, "ended") < 0)
        reject(run, "run_board did not end within 20 s after it was cancelled, because of a client "
                    "that does not read. What waits for it can never be sent. Give it LAST_WORDS "
                    "seconds, async_wait_for(async_stream_wait_closed(...), LAST_WORDS), and then "
                    "async_stream_abort.\n(Or does its second task catch an error and go on? "
                    "async_catch gives it ASYNC_CANCELLED, too, and then it has to end.)");
    if (!last || strcmp(last->text, "bye: closing") || number(run, "received") < number(run, "sets"))
        reject(run, "A client did not read; %ld lines waited for it when the board was closed. 1 s "
                    "later it began to read, and got %ld of all %ld lines, and %s \"bye: "
                    "closing\". It has LAST_WORDS seconds to take what waits for it: its last "
                    "line comes behind the others, and its second task goes on until then.",
               number(run, "waiting"), number(run, "received"), number(run, "sets"),
               last && !strcmp(last->text, "bye: closing") ? "then" : "no");
    if (number(run, "ended") > 2000 * LAST_WORDS + 100)
        reject(run, "Three clients did not read, and run_board ended %g s after it was cancelled. "
                    "Each has LAST_WORDS to take what waits for it, and as many to let itself be "
                    "closed, but all of them at the same time: %g s are enough. Tell everybody "
                    "first, and then wait.",
               number(run, "ended") / 1000.0, 2 * LAST_WORDS);
}

/* The board is cancelled so many turns after a client has got its tenth answer of many. */
static void try_cut(int turns)
{
    struct run *run = stage_run("cut %d %d", OUTBOX - 10, turns);
    const struct result *last = result_of(run, "last");
    check_error(run);
    if (number(run, "ended") < 0 || !last || strcmp(last->text, "bye: closing") != 0)
        reject(run,
               "The board was cancelled while it answered %d lines that a client had sent at once, and %s. Does "
               "talk() go on when it is cancelled between two lines? await(async_sleep(0)) leaves it then; "
               "async_catch() gives the error, which has to be returned.",
               OUTBOX - 10, number(run, "ended") < 0 ? "it did not end within 20 s"
                                                     : "the last that one got was not \"bye: closing\"");
}

START_TEST(ends_well)
{
    try_end();
    try_end();
    for (int turns = 0; turns < 4; turns++)
        try_cut(turns);
    try_late();
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    shown_as("script",
             "await(async_coro(run_board, %1, opened)), cancelled after %2 s; _ is a blank and | "
             "ends a line: %3*3");
    shown_as("slow",
             "await(async_coro(run_board, 2000, opened)); one client reads none of %1 lines of %2 "
             "bytes");
    shown_as("paste", "await(async_coro(run_board, 2000, opened)); one client sends %1 lines at once");
    shown_as("cut",
             "await(async_coro(run_board, 2000, opened)), cancelled while it answers %1 lines that one client "
             "has sent at once");
    shown_as("late",
             "await(async_coro(run_board, 2000, opened)), cancelled when %1 lines of %2 bytes wait "
             "for each of three clients");
    shown_as("*", "at %1 s %0 sends '%2'");
    about_deadlock = "Is there a client whose end everybody waits for, and nobody brings about?";
    part(2, "a server that answers", answers);
    part(3, "a client that does not read", slow_client);
    builds_on(1, "run_board");
    part(4, "idle clients, and a clean end", ends_well);
    builds_on(1, "run_board");
    builds_on(2, "run_board");
    return grader_close();
}
