/* tables.c - grades.csv, items.csv, and the page that shows both. */
#define _GNU_SOURCE
#include "tables.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cell. A spreadsheet computes what begins like a formula, and a student chooses his file's name: what could
 * be one gets a quote before it. */
static void cell(FILE *to, const char *text)
{
    bool quote = strpbrk(text, ",\"\r\n'") != NULL;
    if (quote)
        putc('"', to);
    if (*text && strchr("=+-@\t\r", *text))
        putc('\'', to);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', to);
        putc(*text, to);
    }
    if (quote)
        putc('"', to);
}

static size_t most_parts(json_t *const *records, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t parts = json_array_size(json_object_get(records[i], "parts"));
        most = parts > most ? parts : most;
    }
    return most;
}

/* "yes", where the platform says so and nobody knows by how much; else in minutes. */
static void late_cell(FILE *to, const json_t *record)
{
    if (number_of(record, "late_minutes") || !json_is_true(json_object_get(record, "marked_late"))) {
        if (json_object_get(record, "late_minutes"))
            fprintf(to, "%ld", number_of(record, "late_minutes"));
    } else
        fputs("yes", to);
}

/* Was there a course's rule for any of them? */
static bool have_marks(json_t *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_object_get(records[i], "mark"))
            return true;
    return false;
}

static void mark_cells(FILE *to, const json_t *record)
{
    static const char *const names[] = { "late_percent", "mark", "mark_max" };
    for (size_t i = 0; i < 3; i++)
        if (json_object_get(record, names[i]))
            fprintf(to, ",%.10g", json_number_value(json_object_get(record, names[i])));
        else
            putc(',', to);
}

static void grade_row(FILE *to, const json_t *record, size_t parts, bool marks)
{
    static const char *const names[] = { "student", "id", "exercise", "status" };
    const json_t *its = json_object_get(record, "parts");
    for (size_t i = 0; i < 4; i++) {
        cell(to, text_of(record, names[i]));
        putc(',', to);
    }
    if (was_judged(record))
        fprintf(to, "%ld", number_of(record, "score"));
    fprintf(to, ",%ld", number_of(record, "max"));
    for (size_t i = 0; i < parts; i++)
        if (was_judged(record) && (i < json_array_size(its) || !json_array_size(its)))
            fprintf(to, ",%ld", number_of(json_array_get(its, i), "points"));
        else
            putc(',', to);
    putc(',', to);
    late_cell(to, record);
    if (marks)
        mark_cells(to, record);
    fprintf(to, ",%s,%s,%.1f,", text_of(record, "seed"), text_of(record, "sha256"),
            json_real_value(json_object_get(json_object_get(record, "run"), "seconds")));
    cell(to, text_of(record, "sentence"));
    putc('\n', to);
}

char *grades_table(json_t *const *records, size_t count)
{
    char *text;
    size_t size, parts = most_parts(records, count);
    bool marks = have_marks(records, count);
    FILE *to = open_memstream(&text, &size);
    fputs("student,id,exercise,status,score,max", to);
    for (size_t i = 1; i <= parts; i++)
        fprintf(to, ",part%zu", i);
    fprintf(to, ",late_minutes%s,seed,sha256,seconds,sentence\n", marks ? ",late_percent,mark,mark_max" : "");
    for (size_t i = 0; i < count; i++)
        grade_row(to, records[i], parts, marks);
    fclose(to);
    return text;
}

/* ------------------------------------------------------------------------------- items */

/* A message without what differs from student to student: numbers, and the "words" that it was tried with. */
static char *shape(const json_t *part)
{
    const char *message = text_of(part, "message"), *inputs = text_of(part, "inputs");
    char *text = malloc(strlen(message) + 1), *to = text;
    while (*message && strncmp(message, "\n\n", 2) != 0) {
        size_t word = 0, digits = strspn(message, "0123456789.");
        for (const char *at = inputs; !word && (at = strchr(at, '"')); at += *at == '"') {
            size_t length = strcspn(++at, "\"");
            if (length > 2 && !strncmp(message, at, length) && !isalnum((unsigned char)message[length]))
                word = length;
            at += length;
        }
        if (word || (digits && isdigit((unsigned char)*message))) {
            *to++ = '#';
            message += word ? word : digits - (message[digits - 1] == '.');
        } else {
            *to = *message++;
            to += *to != '\n' || (to > text && to[-1] != ' ');
            if (to > text && to[-1] == '\n')
                to[-1] = ' ';
        }
    }
    *to = 0;
    return text;
}

struct item {
    const char *exercise, *title;
    size_t number;
    long most, graded, passed;
    char *misconception;            /* the commonest message's shape */
    long times;
    double correlation;             /* of its points with the rest of the score's */
};

static const json_t *part_of(const json_t *record, const struct item *item)
{
    return strcmp(text_of(record, "exercise"), item->exercise) ? NULL :
           json_array_get(json_object_get(record, "parts"), item->number);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* "Repair part 1 first" and "Not tried" say nothing of what somebody believes. */
static bool was_tried(const json_t *part)
{
    const char *message = text_of(part, "message");
    return strncmp(message, "Repair part ", 12) != 0 && strncmp(message, "Not tried: ", 11) != 0;
}

static void find_misconception(struct item *item, json_t *const *records, size_t count)
{
    char **shapes = calloc(count + 1, sizeof *shapes);
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *part = part_of(records[i], item);
        if (part && !json_is_true(json_object_get(part, "passed")) && was_tried(part))
            shapes[found++] = shape(part);
    }
    qsort(shapes, found, sizeof *shapes, by_text);
    for (size_t i = 0, from = 0; i < found; i++) {
        from = strcmp(shapes[i], shapes[from]) ? i : from;
        if ((long)(i - from + 1) > item->times) {
            free(item->misconception);
            item->misconception = strdup(shapes[i]);
            item->times = i - from + 1;
        }
    }
    for (size_t i = 0; i < found; i++)
        free(shapes[i]);
    free(shapes);
}

/* Pearson's; NAN where all have the same. */
static void correlate(struct item *item, json_t *const *records, size_t count)
{
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *part = part_of(records[i], item);
        if (!part)
            continue;
        double own = number_of(part, "points"), rest = number_of(records[i], "score") - own;
        n++, x += own, y += rest, xx += own * own, yy += rest * rest, xy += own * rest;
        item->graded++;
        item->passed += json_is_true(json_object_get(part, "passed"));
    }
    double spread = (n * xx - x * x) * (n * yy - y * y);
    item->correlation = spread > 1e-9 ? (n * xy - x * y) / sqrt(spread) : NAN;
}

static json_t *item_new(struct item *item, json_t *const *records, size_t count)
{
    correlate(item, records, count);
    find_misconception(item, records, count);
    json_t *made = json_pack("{ss si ss si si si si ss}", "exercise", item->exercise, "part", (int)item->number + 1,
                             "title", item->title, "max", (int)item->most, "graded", (int)item->graded, "passed",
                             (int)item->passed, "times", (int)item->times, "misconception",
                             item->misconception ? item->misconception : "");
    if (!isnan(item->correlation))
        json_object_set_new(made, "correlation", json_real(item->correlation));
    free(item->misconception);
    return made;
}

json_t *items_of(json_t *const *records, size_t count)
{
    json_t *items = json_array();
    const char *last = "";
    for (size_t i = 0; i < count; i++) {            /* records of an exercise stand together */
        const json_t *parts = json_object_get(records[i], "parts"), *part;
        size_t number;
        if (!json_array_size(parts) || !strcmp(text_of(records[i], "exercise"), last))
            continue;
        last = text_of(records[i], "exercise");
        json_array_foreach(parts, number, part) {
            struct item item = { .exercise = last, .title = text_of(part, "title"), .number = number,
                                 .most = number_of(part, "max") };
            json_array_append_new(items, item_new(&item, records, count));
        }
    }
    return items;
}

char *items_table(const json_t *items)
{
    char *text;
    size_t size, i;
    const json_t *item;
    FILE *to = open_memstream(&text, &size);
    fputs("exercise,part,title,max,graded,passed,share,correlation_with_rest,misconception_times,misconception\n", to);
    json_array_foreach(items, i, item) {
        const json_t *correlation = json_object_get(item, "correlation");
        cell(to, text_of(item, "exercise"));
        fprintf(to, ",%ld,", number_of(item, "part"));
        cell(to, text_of(item, "title"));
        fprintf(to, ",%ld,%ld,%ld,%.3f,", number_of(item, "max"), number_of(item, "graded"), number_of(item, "passed"),
                (double)number_of(item, "passed") / number_of(item, "graded"));
        if (correlation)
            fprintf(to, "%.3f", json_real_value(correlation));
        fprintf(to, ",%ld,", number_of(item, "times"));
        cell(to, text_of(item, "misconception"));
        putc('\n', to);
    }
    fclose(to);
    return text;
}

/* ------------------------------------------------------------------------------- the page */

#define MARK "/*DATA*/null"

/* As a page may hold it: no "<" begins anything there. */
static void write_data(FILE *to, json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(4));
    for (const char *c = text; *c; c++)
        if (*c == '<')
            fputs("\\u003c", to);
        else
            putc(*c, to);
    free(text);
}

char *report_page(const char *template, json_t *const *records, size_t count, const json_t *items, unsigned seed)
{
    char *text, *mark = strstr(template, MARK);
    size_t size;
    FILE *to = open_memstream(&text, &size);
    json_t *shown = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *record = json_copy(records[i]);
        if (json_array_size(json_object_get(record, "parts")))      /* they say all that it says */
            json_object_del(record, "output");
        json_array_append_new(shown, record);
    }
    json_t *data = json_pack("{sI sO so}", "seed", (json_int_t)seed, "items", items, "records", shown);
    fwrite(template, 1, mark ? mark - template : 0, to);
    write_data(to, data);
    fputs(mark ? mark + strlen(MARK) : "", to);
    json_decref(data);
    fclose(to);
    return text;
}
