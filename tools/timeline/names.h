/* names.h - what the function at an address is called, for the programs that show what another one did. */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Asks addr2line, which reads what the program was compiled with. Of a function that was put into another one the
 * last line tells who that is. False: nobody knows. */
static inline bool find_name(char *name, int size, const char *program, const char *address)
{
    char command[4200];
    snprintf(command, sizeof command, "addr2line -f -i -e '%s' %s 2>/dev/null | tail -n 2", program, address);
    FILE *found = strchr(program, '\'') ? NULL : popen(command, "r");
    bool named = found && fgets(name, size, found) && *name != '?';
    if (found)
        pclose(found);
    if (named)
        name[strcspn(name, "\n")] = 0;
    return named;
}

#endif
