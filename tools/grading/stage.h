/* stage.h - where a student's code is run: a child process, watched from inside.
 *
 * A grader holds no student code. It starts a stage: the student's exercise.c (its main renamed),
 * an exercise's own stage.c, which calls the student's functions with the inputs of this run, and
 * tools/grading/stage.c, which writes down what happened. The stage judges nothing.
 *
 *     int main(int argc, char **argv)
 *     {
 *         stage_open(argc, argv);
 *         if (stage_part("nap"))                   // the run is: stage nap 1.5
 *             stage_number("nap", stage_run(async_coro(nap, .seconds = stage_real(1))));
 *         return stage_close();
 *     }
 *
 * File descriptors: 0 is /dev/null, 1 and 2 are temporary files, 3 is the report (see stage.c), 4 its key. */
#ifndef STAGE_H
#define STAGE_H

#include "async.h"

void stage_open(int argc, char **argv);     /* first of all: starts watching */
int stage_close(void);                      /* last of all: the run is complete; returns 0 */

/* The run's arguments, as the grader gave them. Number 0 is the name of the part. */
bool stage_part(const char *name);
const char *stage_word(int i);              /* "" if there are fewer */
long stage_integer(int i);
double stage_real(int i);
int stage_words(void);                      /* how many there are, the part's name included */

long stage_open_files(void);                /* how many descriptors there are: for comparing */

/* async_run, after which the report has how long it took and what was left unfinished. If the grader
 * has put @SECONDS in front of the part's name it is cancelled then. Behind a + may stand the words of another
 * call: then main() is called once more, makes that one as well, and both run at once. */
async_value stage_run(async_coroutine coro);

/* Reports a value under a name: as text, as a whole number, or only whether it is an error. Text
 * that lies nowhere (a number was returned, the stack it stood on is gone) is reported as such. */
void stage_text(const char *name, async_value value);
void stage_number(const char *name, async_value value);
void stage_outcome(const char *name, async_value value);

#endif
