/* marks.h - from points to a mark, as a course has it: what each part is worth, and what being late costs. */
#ifndef MARKS_H
#define MARKS_H

#include "record.h"

/* What WEIGHTS and LATE say; or a sentence, and exit. Weights are "2,3,5", or "4:2,3,5 6:1,1" for several exercises;
 * the file's rows are student,late_minutes,percent. "": there is none. */
void marks_weigh(const char *weights, const struct exercise *exercises, int exercise_count);
void marks_late(const char *file);

/* Sets "mark", "mark_max" and "late_percent", or removes them where nobody asked for them. False: the weights are
 * not as many as the parts, and the sentence says so. */
bool marks_set(json_t *record, char *sentence, size_t size);

#endif
