/* grader_case.c - a run in words for its reader: the call in C that a student would write for it.
 *
 * A stage gets its inputs as words of its command line, "@0.5 measure wind 1 12", which nobody can read.
 * From the same words, and so without a word of the program that is judged, we write
 *
 *     await(async_coro(measure, "wind", 1, 12)), cancelled after 0.5 s
 *
 * as the grader has said with shown_as(). */
#define _GNU_SOURCE
#include "grader_run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS 32
#define MOST_FIELDS 80
#define LONG_LIST 300           /* characters; what comes then is only counted */

static struct row {
    const char *name, *call;
} rows[MOST_ROWS];
static int row_count;

void shown_as(const char *name, const char *call)
{
    if (row_count == MOST_ROWS)
        abort();
    rows[row_count++] = (struct row){ name, call };
}

struct fields {
    char *list[MOST_FIELDS];
    int count;
};

static struct fields split(char *text, const char *separators)
{
    struct fields fields = { .count = 0 };
    char *rest;
    for (char *word = strtok_r(text, separators, &rest); word && fields.count < MOST_FIELDS;
         word = strtok_r(NULL, separators, &rest))
        fields.list[fields.count++] = word;
    return fields;
}

static const char *field(const struct fields *fields, long i)
{
    return i < fields->count ? fields->list[i] : "0";
}

static void show(FILE *to, const struct fields *fields);

/* Groups of `size` fields; a group of one may have more, parted by colons. */
static void show_list(FILE *to, const struct fields *fields, int first, int size)
{
    long begin = ftell(to);
    for (int i = first; i + size <= fields->count; i += size) {
        char copy[200];
        struct fields group = { .count = size };
        if (i > first)
            fputs(", ", to);
        if (ftell(to) > begin + LONG_LIST) {
            fprintf(to, "... %d more", (fields->count - i) / size);
            return;
        }
        snprintf(copy, sizeof copy, "%s", fields->list[i]);
        if (size == 1)
            group = split(copy, ":");
        else
            memcpy(group.list, fields->list + i, size * sizeof *group.list);
        show(to, &group);
    }
}

/* What stands behind a %; returns where it ends. */
static const char *show_field(FILE *to, const struct fields *fields, const char *at)
{
    char *end;
    bool yes_or_no = *at == '?';
    long number = strtol(at + yes_or_no, &end, 10), size = number ? number : 1;
    if (*end == '*' || *end == '#') {
        char what = *end;
        int first = strtol(end + 1, &end, 10);
        if (what == '*')
            show_list(to, fields, first, size);
        else
            fprintf(to, "%ld", (fields->count - first) / size);
    } else if (yes_or_no) {
        fputs(strcmp(field(fields, number), "0") ? "true" : "false", to);
    } else {
        fputs(field(fields, number), to);
    }
    return end;
}

/* Is the first field that is named behind a < there, and not zero? */
static bool is_there(const struct fields *fields, const char *at)
{
    const char *value = field(fields, atoi(strchr(at, '%') + 1));
    return strcmp(value, "0") != 0 && strcmp(value, "-") != 0;
}

/* The row whose name they begin with, else "*", which is the last; NULL: there is none. */
static const char *call_for(const struct fields *fields)
{
    for (int i = 0; i < row_count; i++)
        if (!strcmp(rows[i].name, fields->list[0]) || !strcmp(rows[i].name, "*"))
            return rows[i].call;
    return NULL;
}

static void show(FILE *to, const struct fields *fields)
{
    const char *at = call_for(fields);
    while (at && *at) {
        char c = *at++;
        if (c == '%')
            at = show_field(to, fields, at);
        else if (c == '<' && !is_there(fields, at))
            at = strchr(at, '>') + 1;
        else if (c != '<' && c != '>')
            fputc(c == '\'' ? '"' : c, to);
    }
}

const char *case_of(const struct run *run)
{
    static char text[700];
    char inputs[sizeof run->inputs];
    const char *cancelled = *run->inputs == '@' ? run->inputs + 1 : NULL;
    int at = cancelled ? strcspn(run->inputs, " ") : 0;
    strcpy(inputs, run->inputs + at);
    char *beside = strstr(inputs, " + ");
    if (beside)
        *beside = 0;
    struct fields fields = split(inputs, " ");
    FILE *to = fields.count && call_for(&fields) ? fmemopen(text, sizeof text - 1, "w") : NULL;
    if (!to)
        return run->inputs;
    show(to, &fields);
    if (beside) {
        fields = split(beside + 3, " ");
        fputs(", and at the same time ", to);
        show(to, &fields);
    }
    if (cancelled)
        fprintf(to, ", cancelled after %.*s s", at - 1, cancelled);
    fclose(to);
    return text;
}
