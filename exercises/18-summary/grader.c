/* grader.c - lesson 18: a server that answers, that no slow client can stop, and that ends well. */
#include "grader.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 2000               /* lines for a client that does not read them, ... */
#define LONG 16000              /* ... and their length: more than all buffers of the system */

static char inputs[480];

static void begin(double idle, double end)
{
    snprintf(inputs, sizeof inputs, "script %g %g", idle, end);
}

/* The client sends this at that time: _ is a space, | a newline, ~ CR LF. */
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
    expect_transcript(run, any_order,
                      "Every line is answered as soon as it is there. One packet may hold several "
                      "lines, or half of one; async_stream_readline knows.");
}

START_TEST(answers)
{
    try_commands();
    try_commands();
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
    check_error(run);
    return run;
}

START_TEST(slow_client)
{
    struct run *run = run_slow();
    if (number(run, "dropped") != 1 && number(run, "sets") < MANY)
        reject(run, "A client that did read was dropped, or the count of clients is wrong: only "
                    "the one who does not read has to go.");
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
    if (number(run, "sets") < 105)
        reject(run, "The client that did not read was dropped after %ld lines; OUTBOX, which is "
                    "100, may wait in its queue.",
               number(run, "sets"));
}
END_TEST

static void try_end(void)
{
    const char *anna = random_word(), *ben = random_word(), *cleo = random_word();
    const char *key = random_word();
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
    will_print(idle, "%s: bye: idle", anna);
    will_print(idle, "%s: closed", anna);
    will_print(idle + 2, "%s: bye: idle", cleo);
    will_print(idle + 2, "%s: closed", cleo);
    will_print(end, "%s: bye: closing", ben);
    will_print(end, "%s: closed", ben);
    will_print(end, "the board is closed");
    struct run *run = play();
    if (!said(run, anna, "bye: idle"))
        reject(run, "%s sent nothing for more than %g s, and was not told \"bye: idle\".%s", anna,
               idle, said(run, cleo, "bye: idle")
               ? " What a client is sent does not count: only lines that it sends do."
               : "\nasync_wait_for gives the reading of a line a limit, and ASYNC_TIMEOUT tells "
                 "that it has passed.");
    if (!said(run, ben, "bye: closing"))
        reject(run, "The board was closed, and %s was not told \"bye: closing\".\nrun_board is "
                    "cancelled at its await; an exit function (async_with) still runs then, and "
                    "may wait until all clients are gone.",
               ben);
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

START_TEST(ends_well)
{
    try_end();
    try_end();
    struct run *run = run_slow();
    if (number(run, "ended") != 1)
        reject(run, "run_board did not end within 10 s after it was cancelled, because of a client "
                    "that does not read. What waits for it can never be sent. Give it LAST_WORDS "
                    "seconds, async_wait_for(async_stream_wait_closed(...), LAST_WORDS), and then "
                    "async_stream_abort.");
}
END_TEST

int main(int argc, char **argv)
{
    grader_open(argc, argv);
    about_deadlock = "Is there a client whose end everybody waits for, and nobody brings about?";
    part(2, "a server that answers", answers);
    part(3, "a client that does not read", slow_client);
    part(4, "idle clients, and a clean end", ends_well);
    return grader_close();
}
