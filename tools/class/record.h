/* record.h - the one record of a grading, from which everything else is made: tables, pages, what platforms want.
 *
 *   { "format": "evlings/record/1", "student", "id", "exercise": "04-await",
 *     "status": "graded", "score": 4, "max": 6, "sentence": "...", "note": "...", "marked_late": false,
 *     "late_minutes": 0, "lowered_from": 6,
 *     "seed": 7, "sha256": "...", "version": "...",
 *     "parts": [{ "title", "points", "max", "passed", "hidden": true, "message", "inputs" }], "output": "...",
 *     "hash": "...",                              of all above: the same on every machine
 *     "lanes": { "part", "text" },                and what need not be: a picture of the first part that failed,
 *     "mark", "mark_max", "late_percent",         what the course makes of it (see marks.h),
 *     "released": true,                           hidden parts' messages may be read by students,
 *     "run": { "seconds", "sandbox", "compiler" } }
 *
 * status: graded, does_not_compile, no_file, several_files, too_big, timed_out, refused, grader_failed. */
#ifndef RECORD_H
#define RECORD_H

#include "class.h"
#include <jansson.h>

json_t *record_new(const struct submission *submission, const struct source *source, const char *seed,
                   const char *version, time_t due);

/* What grade printed, and how it ended. */
void record_report(json_t *record, const char *report, long exit_status);
void record_done(json_t *record, double seconds, const char *sandbox, const char *compiler);

/* Whole or not at all; false: errno says why not. */
bool write_whole(const char *path, const char *bytes, size_t length);
bool record_write(const json_t *record, const char *path);
json_t *record_read(const char *path);          /* NULL: there is none, or none of ours */

/* Is what is wrong with this part not to be read by students yet? */
bool is_withheld(const json_t *record, const json_t *part);
char *record_feedback(const json_t *record);    /* for the student; to be freed */

const char *text_of(const json_t *record, const char *name);        /* "" if there is none */
long number_of(const json_t *record, const char *name);
bool was_judged(const json_t *record);          /* a verdict about the student's work, not about ours */

#endif
