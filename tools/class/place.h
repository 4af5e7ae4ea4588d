/* place.h - OUT: what lies there, and how it comes to lie there whole. */
#ifndef PLACE_H
#define PLACE_H

#include "record.h"

/* Takes OUT, which only one of us may have; what one before us left half done is no loss. A folder in it to work in;
 * to be freed. Or says why not, and exits. So do those below. */
char *place_open(const char *out);

/* The seed that was asked for, or that OUT was begun with, or a new one, which nobody could know. */
unsigned place_seed(const char *out, const char *given);

/* Notes that OUT has only these shares of a class, a line "2/8" for each; "": it has all of it. */
void place_shares(const char *out, const char *lines);

/* With what it was graded to its end. False: it was not, or is no OUT. */
struct ended {
    unsigned seed;
    char *shares;                       /* the lines, to be freed */
};
bool place_ended(const char *out, struct ended *ended);

/* A hash of all that verdicts depend on and that is ours: the same, and verdicts are the same. `hidden`: a folder
 * with parts of an instructor's, or NULL. */
void place_version(char version[65], const char *hidden);

/* A record, and what its student reads. False: errno says why they could not be written. */
bool place_record(const char *out, const json_t *record, const char *name);

/* The tables and the page of all of them. */
void place_tables(const char *out, json_t *const *records, size_t count, unsigned seed);

void make_folder(const char *path);

#endif
