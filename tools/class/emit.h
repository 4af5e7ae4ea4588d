/* emit.h - a record as other systems want it. */
#ifndef EMIT_H
#define EMIT_H

#include "record.h"

extern const char emit_formats[];           /* "record, gradescope, ..." */
int emit_format(const char *name);          /* its number, from 0; -1: there is none */
char *emit(const json_t *record, int format);       /* to be freed */

#endif
