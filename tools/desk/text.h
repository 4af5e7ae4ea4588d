/* text.h - running text, set in lines that are no wider than a terminal.
 *
 * Text is UTF-8, with marks in it: these characters turn a style on, and off again. What is set is
 * never freed: a program sets one page and ends. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdio.h>

enum { BOLD = 1, CODE, EMPHASIS, STYLES };
#define HARD_SPACE '\5'         /* no line ends here */

struct lines {
    char **line;                /* without a newline; with escapes if it was set with styles */
    int count;
};

/* Sets text in lines of at most `width` columns. A longer word is broken; \n ends a line. */
struct lines text_set(const char *text, int width, bool styled);

int text_columns(const char *text);             /* that a terminal needs for it; marks and escapes need none */
int text_longest_word(const char *text);        /* its columns */

/* Writes text from somebody else, with no marks in it, up to `end` and as far as it goes into the columns:
 * of its escapes only styles, and nothing that would move a terminal's cursor. */
void text_put(FILE *to, const char *text, const char *end, int columns);

#endif
