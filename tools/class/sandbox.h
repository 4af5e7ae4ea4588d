/* sandbox.h - where a submission is graded: a room of its own, in which there is nothing to be found. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "class.h"

enum tier { BUBBLEWRAP, NO_SANDBOX };

extern const char *const tier_names[];          /* as records have them: "bubblewrap", "none" */

/* Writes what the kernel is to refuse in there, for the calls below; false: errno. */
bool sandbox_filter(const char *path);

/* Can bubblewrap make its room here, and is what it shows there readable? False, and bubblewrap's own words on
 * stderr, if it has any. */
bool sandbox_works(const struct exercise *exercise, const char *filter);

/* The command that grades a source, as words that end with NULL, to be freed by words_free. It runs in the project's
 * root; what it prints is what grade prints. `scratch` is where it may write if there is no sandbox. */
char **sandbox_command(enum tier tier, const struct exercise *exercise, const char *source,
                       const char *scratch, const char *filter, const char *seed);
void words_free(char **words);

#endif
