/* tables.h - what is made of all records together. Texts are to be freed. */
#ifndef TABLES_H
#define TABLES_H

#include "record.h"

char *grades_table(json_t *const *records, size_t count);      /* CSV: a row for each submission */
char *items_table(json_t *const *records, size_t count);       /* CSV: a row for each part of an exercise */

#endif
