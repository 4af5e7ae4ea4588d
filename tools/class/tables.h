/* tables.h - what is made of all records together. Texts are to be freed. */
#ifndef TABLES_H
#define TABLES_H

#include "record.h"

char *grades_table(json_t *const *records, size_t count);      /* CSV: a row for each submission */

/* What can be said of each part of an exercise: an array of { exercise, part, title, max, graded, passed, correlation
 * (of its points with the rest, if there is one), misconception, times }, and as CSV. */
json_t *items_of(json_t *const *records, size_t count);
char *items_table(const json_t *items);

/* report.html with all of it in it. */
char *report_page(const char *template, json_t *const *records, size_t count, const json_t *items, unsigned seed);

#endif
