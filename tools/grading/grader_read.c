/* grader_read.c - from what the stage wrote to a struct run: lines and when they were printed.
 *
 * The report's lines are explained at the top of stage.c. They come from a process with foreign
 * code in it, so nothing here trusts them: what does not fit is left out, and offsets only grow. */
#include "grader_run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shown {
    size_t offset;
    double at;
};

static struct {
    struct shown *list;
    int count, room;
} shown;

static void add_shown(size_t offset, double at)
{
    if (shown.count == shown.room) {
        shown.room = shown.room ? 2 * shown.room : 256;
        shown.list = realloc(shown.list, shown.room * sizeof *shown.list);
        if (!shown.list)
            abort();
    }
    shown.list[shown.count++] = (struct shown){ offset, at };
}

/* Cuts the next word off `*text`. */
static const char *word(char **text)
{
    char *start = *text, *end = start + strcspn(start, " ");
    *text = *end ? end + 1 : end;
    *end = 0;
    return start;
}

static void add_left(struct run *run, const char *name)
{
    run->left = run->left ? run->left : name;
    run->left_count++;
}

/* After the end of the main task it is the closing of the loop that cancels what is left. */
static void read_event(struct run *run, char *rest)
{
    struct event event = { .kind = word(&rest) };
    event.at = strtod(word(&rest), NULL);
    event.name = rest;
    if (run->ended && !strcmp(event.kind, "finished"))
        add_left(run, rest);
    if (!run->ended && run->event_count < MOST_EVENTS)
        run->events[run->event_count++] = event;
}

static void read_result(struct run *run, char *rest)
{
    if (run->result_count == MOST_RESULTS)
        return;
    struct result *result = &run->results[run->result_count++];
    result->name = word(&rest);
    result->kind = word(&rest);
    result->text = rest;
}

static void read_blocked(struct raw *raw, char *rest)
{
    if (raw->blocked)
        return;
    raw->blocked = word(&rest);
    raw->blocked_seconds = strtod(word(&rest), NULL);
    raw->blocked_at = rest;
}

static void read_end(struct raw *raw, char *rest)
{
    raw->complete = strcmp(word(&rest), raw->nonce) == 0;
    raw->end = strtoul(rest, NULL, 10);
}

static void read_line(struct run *run, struct raw *raw, char *line)
{
    const char *what = word(&line);
    raw->complete = false;                  /* only the very last line can make it so */
    if (!strcmp(what, "ready")) {
        raw->ready = true;
    } else if (!strcmp(what, "shown")) {
        size_t offset = strtoul(word(&line), NULL, 10);
        add_shown(offset, strtod(line, NULL));
    } else if (!strcmp(what, "task")) {
        read_event(run, line);
    } else if (!strcmp(what, "woke") && run->wake_count < MOST_EVENTS) {
        run->wakes[run->wake_count++] = strtod(line, NULL);
    } else if (!strcmp(what, "result")) {
        read_result(run, line);
    } else if (!strcmp(what, "run")) {
        run->seconds = strtod(line, NULL);
        run->ended = true;
    } else if (!strcmp(what, "blocked")) {
        read_blocked(raw, line);
    } else if (!strcmp(what, "hogged")) {
        raw->hog = line;
    } else if (!strcmp(what, "elsewhere")) {
        run->elsewhere += strtod(line, NULL);
    } else if (!strcmp(what, "frame") && raw->frame_count < MOST_FRAMES) {
        raw->frames[raw->frame_count++] = line;
    } else if (!strcmp(what, "stuck") || !strcmp(what, "busy") || !strcmp(what, "overtime") ||
               !strcmp(what, "clock")) {
        raw->gave_up = what;
        raw->task = line;
    } else if (!strcmp(what, "crash")) {
        raw->crash = atoi(word(&line));
        raw->task = line;
    } else if (!strcmp(what, "end")) {
        read_end(raw, line);
    }
}

/* The time at which the byte before `offset` was printed. */
static double time_of(size_t offset)
{
    for (int i = 0; i < shown.count; i++)
        if (shown.list[i].offset >= offset)
            return shown.list[i].at;
    return shown.count ? shown.list[shown.count - 1].at : 0;
}

static void read_output(struct run *run, struct raw *raw)
{
    static char lines[MOST_OUTPUT];
    memcpy(lines, raw->out, raw->out_length + 1);
    run->out = raw->out;
    run->err = raw->err;
    run->ends_open = raw->out_length && raw->out[raw->out_length - 1] != '\n';
    for (char *line = lines; *line;) {
        char *end = line + strcspn(line, "\n");
        bool open = !*end;
        if (run->line_count == MOST_LINES) {
            run->cut = true;
            return;
        }
        *end = 0;
        run->lines[run->line_count++] =
            (struct line){ line, time_of((open ? end : end + 1) - lines) };
        line = open ? end : end + 1;
    }
}

void run_read(struct run *run, struct raw *raw)
{
    shown.count = 0;
    raw->ready = raw->complete = false;
    raw->gave_up = raw->blocked = raw->hog = NULL;
    raw->task = "-";
    raw->frame_count = raw->crash = 0;
    for (char *line = raw->report; *line;) {
        char *end = strchr(line, '\n');
        if (!end)
            break;
        *end = 0;
        read_line(run, raw, line);
        line = end + 1;
    }
    read_output(run, raw);
}
