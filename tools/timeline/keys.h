/* keys.h - what stands in a line of a trace, which runtime/debug/trace.c wrote: keys are found in it as it
 * is, for it writes each only once. */
#ifndef KEYS_H
#define KEYS_H

#include <stdio.h>
#include <string.h>

/* Where the value of a key begins, or NULL. */
static inline const char *find(const char *line, const char *key)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\"%s\":", key);
    const char *found = strstr(line, wanted);
    return found ? found + strlen(wanted) : NULL;
}

#endif
