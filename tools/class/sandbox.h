/* sandbox.h - where a submission is graded: a room of its own, in which there is nothing to be found. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "class.h"

enum tier { BEST, BUBBLEWRAP, LANDLOCK, NO_SANDBOX };       /* BEST: the first of the others that works here */

#define IN_BUBBLEWRAP "/evlings"                /* where our root is in there */

extern const char *const tier_names[];          /* as one asks for them, and as records have them: "bubblewrap", ... */

/* Can it be made here, and is what belongs in it readable, and `scratch` writable? Comes before the calls below. False,
 * and its own words on stderr, if it has any. */
bool sandbox_works(enum tier tier, const struct exercise *exercise, const char *scratch);

/* Lets those who run in there pass through a folder of ours in which `scratch` lies, whoever they are. */
void sandbox_pass(const char *folder);

/* False where an exercise's programs talk to each other, and cannot in there. */
bool sandbox_has_network(enum tier tier, const struct exercise *exercise);

/* The command that grades a source, to be freed by sandbox_free. It runs in the project's root; what it prints is what
 * grade prints. `scratch` is where it may write without bubblewrap. */
struct command {
    char **words, **environment;                /* each ends with NULL; environment NULL: ours */
};
struct command sandbox_command(enum tier tier, const struct exercise *exercise, const char *source,
                               const char *scratch, const char *seed);
void sandbox_free(struct command *command);

#endif
