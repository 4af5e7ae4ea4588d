/* contract.h - what a submission may be made of, looked at before it runs: in what the compiler made. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <stdbool.h>

/* Each writes to stdout what is not allowed and says whether all is. `place` names the source.
 *
 * The source, before the compiler follows it to a device, or shows a line of what it finds: includes of other places,
 * or of a name that only a macro has. */
bool contract_source(const char *path, const char *place);

/* The files that were included, as the compiler listed them: those that lie in `here` or `headers`, and
 * the system's, which are in one of the directories that are lines of the file `systems`. */
bool contract_includes(const char *list, const char *here, const char *headers, const char *systems,
                       const char *place);

/* The assembly that the compiler wrote: none of it may be the student's own. */
bool contract_assembly(const char *assembly, const char *place);

/* The source once more, with all macros replaced, as the compiler has written it: the text that it will copy into the
 * assembly, of names and sections that are given in quotes, is the name of something and no more. */
bool contract_quoted(const char *preprocessed, const char *place);

/* Could there be such text at all? Most programs have none, and nobody need replace their macros. */
bool contract_quotes(const char *path);

/* The object: what it refers to, and its sections. Headers and the list of C library functions say
 * what there is. `has_checks`: a sanitizer has added its own. */
bool contract_object(const char *object, const char *const *headers, const char *library, bool has_checks,
                     const char *place);

/* The functions that a header declares, as words; *count of them. */
char **contract_functions(const char *header, int *count);

/* Does an object say something of that name: does it have it, for others to see, or want it? */
bool contract_name(const char *object, const char *name, bool wants);

/* Does it ask the C library for memory that somebody has to free? */
bool contract_allocates(const char *object);

/* Does it have what the exercise's part of the stage wants of the functions that the header declares? */
bool contract_complete(const char *object, const char *stage, const char *header, const char *place);

#endif
