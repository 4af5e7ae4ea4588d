/* record.c - see record.h. */
#define _GNU_SOURCE
#include "record.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void hash_bytes(const void *bytes, size_t length, char hash[65]) { SHA256Data(bytes, length, hash); }

const char *text_of(const json_t *record, const char *name)
{
    const char *text = json_string_value(json_object_get(record, name));
    return text ? text : "";
}

long number_of(const json_t *record, const char *name) { return json_integer_value(json_object_get(record, name)); }

static void set_text(json_t *record, const char *name, const char *text)
{
    char *valid = utf8_name(text);
    json_object_set_new(record, name, json_string(valid));
    free(valid);
}

static void set_number(json_t *record, const char *name, long number)
{
    json_object_set_new(record, name, json_integer(number));
}

bool was_judged(const json_t *record) { return strcmp(text_of(record, "status"), "grader_failed") != 0; }

/* --------------------------------------------------------------------------- the report */

/* The first sentence of a text, on one line; to be freed. */
static char *first_sentence(const char *text)
{
    char *sentence = malloc(strlen(text) + 1), *to = sentence;
    for (const char *from = text + strspn(text, " \n"); *from && to - sentence < 300; from++) {
        bool blank = isspace((unsigned char)*from);
        if (!blank)
            *to++ = *from;
        else if (strchr(".!?", to[-1]) || (from[0] == '\n' && from[1] == '\n'))
            break;
        else if (to[-1] != ' ')
            *to++ = ' ';
    }
    *to = 0;
    return sentence;
}

/* Lines that are set off, without that; to be freed. *at goes behind them. */
static char *message_at(const char **at, long off)
{
    char *message = malloc(strlen(*at) + 1), *to = message;
    while (**at == ' ' || **at == '\n') {
        const char *line = *at + strspn(*at, " "), *end = strchrnul(line, '\n');
        size_t blanks = line - *at > off ? line - *at - off : 0;
        to = mempcpy(memset(to, ' ', blanks) + blanks, line, end - line);
        *to++ = '\n';
        *at = *end ? end + 1 : end;
    }
    while (to > message && to[-1] == '\n')
        to--;
    *to = 0;
    return message;
}

#define HIDDEN "hidden: "              /* before a title, as graders mark it */

static json_t *part_called(json_t *parts, const char *title)
{
    json_t *part;
    size_t i;
    json_array_foreach(parts, i, part)
        if (!strcmp(text_of(part, "title"), title))
            return part;
    part = json_object();
    set_text(part, "title", title);
    json_array_append_new(parts, part);
    return part;
}

/* "(tried with: ...)" is over where its paragraph is: it may be of several lines, which become one. */
static void cut_after_inputs(char *inputs)
{
    static const char *const after[] = { "\n(drawn: ", "\nThe program also said:" };
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        char *found = strstr(inputs, after[i]);
        if (found)
            *found = 0;
    }
    for (char *line = inputs; (line = strchr(line, '\n'));)
        *line = ' ';
    char *end = strrchr(inputs, ')');
    if (end)
        *end = 0;
}

/* "FAIL  0/2  title" and the message below it, which may be that of the part before it. What the second pass says of
 * a part takes its place. */
static json_t *take_part(json_t *parts, const json_t *before, const char *line, const char *end, const char **next)
{
    int points = 0, most = 0, at = 0;
    char *text = strndup(line, end - line);
    json_t *part = NULL;
    if (sscanf(text, "%*s %d/%d  %n", &points, &most, &at) == 2 && at) {
        part = part_called(parts, text + at);
        char *message = message_at(next, 6), *inputs = strstr(message, "(tried with: ");
        if (!strncmp(message, "The same as above.", 18) && before) {
            free(message);
            message = strdup(text_of(before, "message"));
        }
        if (!strncmp(text + at, HIDDEN, strlen(HIDDEN)))
            json_object_set_new(part, "hidden", json_true());
        set_number(part, "points", points);
        set_number(part, "max", most);
        json_object_set_new(part, "passed", json_boolean(!strncmp(text, "ok", 2)));
        if (inputs) {
            cut_after_inputs(inputs);
            inputs[-(inputs > message)] = 0;
            inputs += strlen("(tried with: ");
        }
        set_text(part, "message", message);
        set_text(part, "inputs", inputs ? inputs : "");
        free(message);
    }
    free(text);
    return part;
}

void record_report(json_t *record, const char *report, long exit_status)
{
    json_t *parts = json_object_get(record, "parts");
    char status[40] = "", *shown = malloc(strlen(report) + 1), *to = shown, *sentence;
    const char *before = "";
    json_t *part = NULL;
    char *lanes = NULL;
    long part_drawn = 0;
    int score = 0, most = 0;
    bool scored = false;
    for (const char *line = report, *next; *line; line = next) {
        const char *end = strchrnul(line, '\n');
        next = *end ? end + 1 : end;
        if (sscanf(line, "Status: %39[a-z_]", status) == 1)
            continue;
        scored |= sscanf(line, "Score: %d/%d", &score, &most) == 2;
        if (sscanf(line, "Lanes: %ld", &part_drawn) == 1) {
            lanes = message_at(&next, 2);
            continue;
        }
        if (!strncmp(line, "ok  ", 4) || !strncmp(line, "FAIL", 4))
            part = take_part(parts, part, line, end, &next);
        else if (!*before && strncmp(line, "Seed: ", 6) != 0)
            before = to;
        to = mempcpy(to, line, next - line);
    }
    *to = 0;
    bool fine = scored && *status && (exit_status == 0 || exit_status == 1) && (exit_status == 0) == (score == most);
    set_text(record, "status", fine ? status : "grader_failed");
    set_number(record, "score", fine ? score : 0);
    set_text(record, "output", shown);
    const char *why = before;
    size_t i;
    json_array_foreach(parts, i, part)
        if (fine && !strcmp(status, "graded")) {
            why = json_object_get(part, "hidden") && *text_of(part, "message") ? "A hidden part is not right yet."
                                                                               : text_of(part, "message");
            if (*why)
                break;
        }
    if (!*why && !fine)
        why = "The grading ended without a word.";
    why += strspn(why, " ");
    sentence = fine && score == most ? strdup("") :
               strcmp(status, "does_not_compile") ? first_sentence(why) : strndup(why, strcspn(why, "\n"));
    set_text(record, "sentence", sentence);
    if (lanes)
        json_object_set_new(record, "lanes", json_pack("{si ss}", "part", (int)part_drawn, "text", lanes));
    free(lanes);
    free(sentence);
    free(shown);
}

/* --------------------------------------------------------------------------- the record */

json_t *record_new(const struct submission *submission, const struct source *source, const char *seed,
                   const char *version, time_t due)
{
    json_t *record = json_object();
    set_text(record, "format", "evlings/record/1");
    set_text(record, "student", submission->student);
    set_text(record, "id", submission->id);
    set_text(record, "exercise", submission->exercise->name);
    set_text(record, "status", source->status ? source->status : "grader_failed");
    set_number(record, "score", 0);
    set_number(record, "max", submission->exercise->most);
    set_text(record, "sentence", source->sentence);
    set_text(record, "note", source->status ? "" : source->sentence);
    json_object_set_new(record, "marked_late", json_boolean(submission->marked_late));
    if (due && source->handed_in)
        set_number(record, "late_minutes", source->handed_in > due ? (source->handed_in - due + 59) / 60 : 0);
    set_text(record, "seed", seed);
    set_text(record, "sha256", source->hash);
    set_text(record, "version", version);
    json_object_set_new(record, "parts", json_array());
    return record;
}

void record_done(json_t *record, double seconds, const char *sandbox, const char *compiler)
{
    json_t *lanes = json_incref(json_object_get(record, "lanes"));
    json_object_del(record, "lanes");
    char hash[65], *text = json_dumps(record, JSON_COMPACT);
    hash_bytes(text, strlen(text), hash);
    free(text);
    set_text(record, "hash", hash);
    if (lanes)
        json_object_set_new(record, "lanes", lanes);
    json_t *run = json_object();
    json_object_set_new(run, "seconds", json_real(seconds));
    set_text(run, "sandbox", sandbox);
    set_text(run, "compiler", compiler);
    json_object_set_new(record, "run", run);
}

bool write_whole(const char *path, const char *bytes, size_t length)
{
    char *temporary;
    if (asprintf(&temporary, "%s.part", path) < 0)
        abort();
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool fine = file >= 0;
    for (size_t at = 0; fine && at < length;) {
        ssize_t wrote = write(file, bytes + at, length - at);
        fine = wrote > 0;
        at += fine ? wrote : 0;
    }
    fine = file >= 0 && close(file) == 0 && fine && rename(temporary, path) == 0;
    int error = errno;
    if (!fine)
        unlink(temporary);
    free(temporary);
    errno = error;
    return fine;
}

bool record_write(const json_t *record, const char *path)
{
    char *text = json_dumps(record, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    bool fine = text && write_whole(path, text, strlen(text));
    free(text);
    return fine;
}

json_t *record_read(const char *path)
{
    json_t *record = json_load_file(path, 0, NULL);
    if (record && !strcmp(text_of(record, "format"), "evlings/record/1"))
        return record;
    json_decref(record);
    return NULL;
}

bool is_withheld(const json_t *record, const json_t *part)
{
    return json_object_get(part, "hidden") && !json_object_get(record, "released");
}

/* What grade has printed, but for what is below the hidden parts that failed. */
static void print_output(FILE *to, const json_t *record)
{
    bool released = json_object_get(record, "released"), withheld = false;
    const char *next;
    for (const char *line = text_of(record, "output"); *line; line = next) {
        const char *end = strchrnul(line, '\n');
        next = *end ? end + 1 : end;
        if (withheld && (*line == ' ' || *line == '\n'))
            continue;
        withheld = !released && !strncmp(line, "FAIL", 4) && memmem(line, end - line, HIDDEN, strlen(HIDDEN));
        fwrite(line, 1, next - line, to);
        if (withheld)
            fputs("      What is wrong will be said later.\n\n", to);
    }
}

char *record_feedback(const json_t *record)
{
    char *text;
    size_t size;
    const char *status = text_of(record, "status"), *output = text_of(record, "output");
    FILE *to = open_memstream(&text, &size);
    fprintf(to, "Exercise %s: %s\n", text_of(record, "exercise"), text_of(record, "student"));
    if (*text_of(record, "note"))
        fprintf(to, "%s\n", text_of(record, "note"));
    putc('\n', to);
    if (!strcmp(status, "grader_failed"))
        fputs("This could not be judged, and the fault is not yours: it will be graded again.\n", to);
    else if (*output)
        print_output(to, record);
    else
        fprintf(to, "%s\nScore: 0/%ld\n", text_of(record, "sentence"), number_of(record, "max"));
    if (!strcmp(status, "graded"))
        fprintf(to, "\nThe same once more, at home: make grade-%d SEED=%s\n", atoi(text_of(record, "exercise")),
                text_of(record, "seed"));
    if (json_object_get(record, "mark"))
        fprintf(to, "\nMark: %.4g of %.4g", json_number_value(json_object_get(record, "mark")),
                json_number_value(json_object_get(record, "mark_max")));
    if (json_number_value(json_object_get(record, "late_percent")) > 0)
        fprintf(to, ", with %.4g%% less because it was late", json_number_value(json_object_get(record, "late_percent")));
    if (json_object_get(record, "mark"))
        putc('\n', to);
    fclose(to);
    return text;
}
