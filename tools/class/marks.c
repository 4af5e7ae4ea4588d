/* marks.c - see marks.h. A mark is no part of the verdict: it may be changed later, and nothing is graded again.
 *
 *     student,late_minutes,percent
 *     ,1,10                           everybody: 10 percent less from the first minute on,
 *     ,1440,50                        and half from the first day on
 *     ada,0,0                         but nothing for ada, whose name or id that is */
#define _GNU_SOURCE
#include "marks.h"
#include "options.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PARTS 16

static struct weights {
    const struct exercise *exercise;
    double list[MOST_PARTS];
    size_t count;
} weights[40];
static int weighed;

static struct row {
    char *student;                  /* "": everybody */
    long minutes;
    double percent;
} *rows;
static size_t row_count;

static const struct exercise *exercise_of(long number, const struct exercise *exercises, int count)
{
    for (int i = 0; i < count; i++)
        if (exercises[i].number == number)
            return &exercises[i];
    give_up("WEIGHTS names exercise %ld, which is not graded.", number);
}

/* "4:2,3,5", or without the number where there is one exercise. */
static void weigh_one(char *word, const struct exercise *exercises, int exercise_count)
{
    struct weights *to = &weights[weighed++];
    double sum = 0;
    char *colon = strchr(word, ':'), *end = word;
    if (!colon && exercise_count > 1)
        give_up("WEIGHTS=%s: of which exercise? With several it is WEIGHTS='4:2,3,5 6:1,1'.", word);
    to->exercise = colon ? exercise_of(strtol(word, NULL, 10), exercises, exercise_count) : exercises;
    for (char *at = colon ? colon + 1 : word; *at || !to->count; at = *end ? end + 1 : end) {
        double weight = strtod(at, &end);
        if (end == at || (*end && *end != ',') || !(weight >= 0 && weight <= 1e6) || to->count == MOST_PARTS)
            give_up("WEIGHTS is to be what each part is worth, such as 2,3,5, and not \"%s\".", word);
        to->list[to->count++] = weight;
        sum += weight;
    }
    if (!sum)
        give_up("WEIGHTS=%s makes every part worth nothing, and so is every mark.", word);
}

void marks_weigh(const char *text, const struct exercise *exercises, int exercise_count)
{
    char *copy = strdup(text), *rest = copy;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word && weighed < 40)
            weigh_one(word, exercises, exercise_count);
    free(copy);
}

/* The next cell of a line, without its quotes; the line goes on behind it. */
static char *next_cell(char **line)
{
    char *from = *line + (**line == '"'), *to = from, *cell = from;
    bool quoted = from > *line;
    for (; *from && *from != '\n' && *from != '\r' && (quoted || *from != ','); from++) {
        if (quoted && *from == '"' && from[1] != '"') {
            quoted = false;
            continue;
        }
        from += quoted && *from == '"';
        *to++ = *from;
    }
    *line = *from == ',' ? from + 1 : from;
    *to = 0;
    return cell;
}

static void read_row(char *line, const char *file, int number)
{
    struct row row;
    char *ends[2];
    row.student = strdup(next_cell(&line));
    char *minutes = next_cell(&line), *percent = next_cell(&line);
    row.minutes = strtol(minutes, &ends[0], 10);
    row.percent = strtod(percent, &ends[1]);
    if (!*minutes || *ends[0] || !*percent || *ends[1] || !(row.percent >= 0 && row.percent <= 100))
        give_up("LATE=%s, line %d: a row is student,late_minutes,percent, such as ada,60,10, or ,60,10 for everybody.",
                file, number);
    rows = realloc(rows, (row_count + 1) * sizeof *rows);
    rows[row_count++] = row;
}

void marks_late(const char *path)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        give_up("LATE=%s cannot be read: %s.", path, strerror(errno));
    for (int number = 1; getline(&line, &size, file) > 0; number++)
        if ((number > 1 || !strstr(line, "percent")) && line[strspn(line, " \r\n")])
            read_row(line, path, number);
    fclose(file);
    free(line);
}

static bool is_of(const struct row *row, const char *who) { return *who && !strcmp(row->student, who); }

/* A student's own rows, or else those for everybody; of them the last that he has reached. */
static double percent_of(const json_t *record)
{
    long late = number_of(record, "late_minutes"), reached = -1;
    double percent = 0;
    bool own = false;
    if (!late && json_is_true(json_object_get(record, "marked_late")))
        late = 1;
    for (size_t i = 0; i < row_count; i++)
        own |= is_of(&rows[i], text_of(record, "student")) || is_of(&rows[i], text_of(record, "id"));
    for (size_t i = 0; i < row_count; i++) {
        bool his = own ? is_of(&rows[i], text_of(record, "student")) || is_of(&rows[i], text_of(record, "id"))
                       : !*rows[i].student;
        if (his && rows[i].minutes <= late && rows[i].minutes >= reached && (late || own))
            reached = rows[i].minutes, percent = rows[i].percent;
    }
    return percent;
}

static const struct weights *weights_of(const json_t *record)
{
    for (int i = 0; i < weighed; i++)
        if (!strcmp(weights[i].exercise->name, text_of(record, "exercise")))
            return &weights[i];
    return NULL;
}

bool marks_set(json_t *record, char *sentence, size_t size)
{
    const struct weights *worth = weights_of(record);
    json_t *parts = json_object_get(record, "parts"), *part;
    double mark = number_of(record, "score"), most = number_of(record, "max"), percent = percent_of(record);
    size_t i;
    if (!was_judged(record) || (!weighed && !row_count)) {
        json_object_del(record, "mark"), json_object_del(record, "mark_max"), json_object_del(record, "late_percent");
        return true;
    }
    if (worth) {
        if (json_array_size(parts) && json_array_size(parts) != worth->count) {
            snprintf(sentence, size, "WEIGHTS has %zu numbers, and exercise %s has %zu parts", worth->count,
                     text_of(record, "exercise"), json_array_size(parts));
            return false;
        }
        mark = most = 0;
        for (i = 0; i < worth->count; i++)
            most += worth->list[i];
        json_array_foreach(parts, i, part)
            mark += worth->list[i] * number_of(part, "points") / number_of(part, "max");
    }
    json_object_set_new(record, "mark", json_real(mark * (100 - percent) / 100));
    json_object_set_new(record, "mark_max", json_real(most));
    json_object_set_new(record, "late_percent", json_real(percent));
    return true;
}
