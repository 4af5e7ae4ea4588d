/* stage_parts.h - what the files of a stage know of each other. */
#ifndef STAGE_PARTS_H
#define STAGE_PARTS_H

#include "stage.h"

/* From now on files are only made and written in the grading's own folder, which goes with it. It holds for copies of
 * this process, too: they need not say it again. */
void stage_confine_writes(void);

/* From now on this process can reach no other one, and become none: no signal, no look into its memory, no other program
 * in its place; and nobody writes into the report but stage.c. */
void stage_confine(int report);

/* Keeps the variables of the stage, of the runtime and of the submission; they become again what they were when
 * they were kept. False: it did not work, and nothing can be said about what comes. */
bool stage_keep(void);
bool stage_restore(void);

#endif
