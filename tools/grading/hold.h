/* hold.h - what the grading of a class gives up for good before it does anything else. */
#ifndef HOLD_H
#define HOLD_H

#include <stdbool.h>

/* "USER PROCESSES FILTER": whoever has a right to everything becomes USER, a number that is nobody's (0: stays who it is),
 * with no more processes than that; the kernel refuses what FILTER says, a program of seccomp's in hexadecimal digits (see
 * tools/class/sandbox.c). Files and descriptors have limits, too. False, and errno: it could not be done. */
bool hold(const char *how);

#endif
