/* emit.c - a record as Gradescope, Classroom 50, PrairieLearn, Autolab, Moodle's VPL, and whoever reads JUnit's XML want
 * it. Each is a few lines: what all of them want is in the record. */
#define _GNU_SOURCE
#include "emit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The parts; or where nothing was run, one that says why. A new reference. */
static json_t *tests_of(const json_t *record)
{
    json_t *parts = json_object_get(record, "parts");
    if (json_array_size(parts))
        return json_incref(parts);
    return json_pack("[{ss si ss ss so sb}]", "title", text_of(record, "exercise"), "points", 0,
                     "message", *text_of(record, "output") ? text_of(record, "output") : text_of(record, "sentence"),
                     "inputs", "", "max", json_integer(number_of(record, "max")), "passed", 0);
}

/* What a student reads about a part; to be freed. */
static char *words_about(const json_t *record, const json_t *part)
{
    if (is_withheld(record, part))
        return strdup(json_is_true(json_object_get(part, "passed")) ? "" : "What is wrong will be said later.");
    const char *inputs = text_of(part, "inputs");
    return format_text("%s%s%s%s", text_of(part, "message"), *inputs ? "\n(tried with: " : "", inputs, *inputs ? ")" : "");
}

static char *dump(json_t *made)
{
    char *text = json_dumps(made, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    json_decref(made);
    return text;
}

static double seconds_of(const json_t *record)
{
    return json_real_value(json_object_get(json_object_get(record, "run"), "seconds"));
}

static char *as_record(const json_t *record) { return dump(json_copy((json_t *)record)); }

/* https://gradescope-autograders.readthedocs.io/en/latest/specs/ */
static char *as_gradescope(const json_t *record)
{
    json_t *tests = json_array(), *parts = tests_of(record), *part;
    size_t i;
    json_array_foreach(parts, i, part) {
        char *words = words_about(record, part), *number = format_text("%zu", i + 1);
        json_array_append_new(tests, json_pack("{sI sI ss ss ss ss}", "score", (json_int_t)number_of(part, "points"),
                                               "max_score", (json_int_t)number_of(part, "max"), "name", text_of(part, "title"),
                                               "number", number, "output", words, "visibility", "visible"));
        free(words);
        free(number);
    }
    json_decref(parts);
    return dump(json_pack("{sI sf ss ss ss s{ss ss ss ss} so}", "score", (json_int_t)number_of(record, "score"),
                          "execution_time", seconds_of(record), "output", text_of(record, "sentence"),
                          "visibility", "visible", "stdout_visibility", "hidden", "extra_data",
                          "seed", text_of(record, "seed"), "status", text_of(record, "status"),
                          "sha256", text_of(record, "sha256"), "version", text_of(record, "version"), "tests", tests));
}

/* What the runner has put into the environment; no field may be empty. */
static const char *given(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static char *as_classroom50(const json_t *record)
{
    json_t *tests = json_array(), *parts = tests_of(record), *part;
    size_t i;
    json_array_foreach(parts, i, part)
        json_array_append_new(tests, json_pack("{ss sb sI sI}", "test-name", text_of(part, "title"), "passed",
                                               json_is_true(json_object_get(part, "passed")), "score",
                                               (json_int_t)number_of(part, "points"), "max-score",
                                               (json_int_t)number_of(part, "max")));
    json_decref(parts);
    char when[32];
    time_t now = time(NULL);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    const char *commit = given("COMMIT_URL", "none");
    return dump(json_pack("{ss ss ss ss ss ss ss ss ss sI sI so}", "schema", "classroom50/result/v1",
                          "classroom", given("CLASSROOM", "evlings"), "assignment",
                          given("ASSIGNMENT", text_of(record, "exercise")), "owner", text_of(record, "student"),
                          "submission", given("SUBMISSION_TAG", "none"), "commit", commit,
                          "release", given("RELEASE_URL", commit), "review", given("REVIEW_URL", commit), "datetime", when,
                          "score", (json_int_t)number_of(record, "score"), "max-score", (json_int_t)number_of(record, "max"),
                          "tests", tests));
}

/* gradable: false costs a student no attempt: where there was nothing to judge. */
static char *as_prairielearn(const json_t *record)
{
    json_t *tests = json_array(), *parts = tests_of(record), *part;
    size_t i;
    json_array_foreach(parts, i, part) {
        char *words = words_about(record, part);
        json_array_append_new(tests, json_pack("{ss sI sI ss}", "name", text_of(part, "title"), "points",
                                               (json_int_t)number_of(part, "points"), "max_points",
                                               (json_int_t)number_of(part, "max"), "message", words));
        free(words);
    }
    json_decref(parts);
    double most = number_of(record, "max");
    char *feedback = record_feedback(record);
    json_t *made = json_pack("{sb sf ss ss so}", "gradable", !strcmp(text_of(record, "status"), "graded"), "score",
                             most ? number_of(record, "score") / most : 0, "message", text_of(record, "sentence"),
                             "output", feedback, "tests", tests);
    free(feedback);
    if (strcmp(text_of(record, "status"), "graded") != 0)
        json_object_set_new(made, "format_errors", json_pack("[s]", text_of(record, "sentence")));
    return dump(made);
}

/* Feedback, and then the line from which the scores are read. */
static char *as_autolab(const json_t *record)
{
    json_t *scores = json_object(), *parts = json_object_get(record, "parts"), *part;
    size_t i;
    json_array_foreach(parts, i, part) {
        char *name = format_text("part%zu", i + 1);
        json_object_set(scores, name, json_object_get(part, "points"));
        free(name);
    }
    if (!json_array_size(parts))
        json_object_set_new(scores, "part1", json_integer(0));
    json_t *made = json_pack("{so}", "scores", scores);
    char *feedback = record_feedback(record), *line = json_dumps(made, JSON_COMPACT), *text;
    text = format_text("%s\n%s\n", feedback, line);
    free(feedback);
    free(line);
    json_decref(made);
    return text;
}

/* A title is a line with a dash, what is below it a block. A line of a student's program may look like a mark, which
 * VPL sees behind blanks, too: a > before it keeps it from being one, and has it shown as it is set. */
static char *as_vpl(const json_t *record)
{
    char *text;
    size_t size, i;
    json_t *parts = tests_of(record), *part;
    FILE *to = open_memstream(&text, &size);
    json_array_foreach(parts, i, part) {
        char *words = words_about(record, part), *rest = words;
        fprintf(to, "Comment :=>>-%s (%ld/%ld)\n", text_of(part, "title"), number_of(part, "points"), number_of(part, "max"));
        if (*words) {
            fputs("<|--\n", to);
            for (char *line; (line = strsep(&rest, "\n"));)
                fprintf(to, ">%s\n", line);
            fputs("--|>\n", to);
        }
        free(words);
    }
    json_decref(parts);
    fprintf(to, "Grade :=>> %ld\n", number_of(record, "score"));
    fclose(to);
    return text;
}

/* Nothing that XML 1.0 has no place for. */
static void xml(FILE *to, const char *text)
{
    for (; *text; text++) {
        const char *name = *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '&' ? "&amp;" : *text == '"' ? "&quot;" : NULL;
        if (name)
            fputs(name, to);
        else if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t')
            putc(*text, to);
        else
            putc('?', to);
    }
}

/* Values of the attributes and the text in between, in turn; the last one is followed by NULL. */
static void element(FILE *to, const char *const *pieces)
{
    for (int i = 0; pieces[i]; i++)
        if (i % 2)
            xml(to, pieces[i]);
        else
            fputs(pieces[i], to);
}

static char *as_junit(const json_t *record)
{
    char *text, numbers[120];
    size_t size, i, failed = 0;
    json_t *parts = tests_of(record), *part;
    json_array_foreach(parts, i, part)
        failed += !json_is_true(json_object_get(part, "passed"));
    snprintf(numbers, sizeof numbers, "tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" time=\"%.3f\"",
             json_array_size(parts), failed, seconds_of(record));
    FILE *to = open_memstream(&text, &size);
    element(to, (const char *const[]){ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"",
                                       text_of(record, "exercise"), "\" ", NULL });
    fprintf(to, "%s>\n", numbers);
    json_array_foreach(parts, i, part) {
        char *words = words_about(record, part), *line = strndup(words, strcspn(words, "\n"));
        element(to, (const char *const[]){ "<testcase classname=\"", text_of(record, "student"), "\" name=\"", text_of(part, "title"),
                                           "\" time=\"0\"", NULL });
        if (json_is_true(json_object_get(part, "passed")))
            fputs("/>\n", to);
        else
            element(to, (const char *const[]){ ">\n<failure message=\"", line, "\" type=\"", text_of(record, "status"), "\">", words,
                                               "</failure>\n</testcase>\n", NULL });
        free(words);
        free(line);
    }
    fputs("</testsuite>\n</testsuites>\n", to);
    json_decref(parts);
    fclose(to);
    return text;
}

const char emit_formats[] = "record, gradescope, classroom50, prairielearn, autolab, vpl, junit";

static const struct {
    const char *name;
    char *(*make)(const json_t *);
} emitters[] = {
    { "record", as_record }, { "gradescope", as_gradescope }, { "classroom50", as_classroom50 },
    { "prairielearn", as_prairielearn }, { "autolab", as_autolab }, { "vpl", as_vpl }, { "junit", as_junit },
};
#define EMITTERS (int)(sizeof emitters / sizeof emitters[0])

int emit_format(const char *name)
{
    for (int i = 0; i < EMITTERS; i++)
        if (!strcmp(emitters[i].name, name))
            return i;
    return -1;
}

char *emit(const json_t *record, int format) { return emitters[format].make(record); }
