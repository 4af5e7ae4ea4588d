/* readable.h - a value for the eyes of somebody who did not write the program. */
#ifndef READABLE_H
#define READABLE_H

#include "async.h"

/* Writes it to `text`, of at least 24 bytes, cut where it does not fit. A value does not say what it is: small
 * numbers are taken for numbers, addresses of text for that text, in quotes, what looks like a real number
 * for one. False: it is none of these, and nothing is written. */
bool readable(async_value value, char *text, size_t size);

#endif
