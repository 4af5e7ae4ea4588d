/* json.h - texts as JSON wants them, in a page: there no "<" may begin anything. */
#ifndef JSON_H
#define JSON_H

#include "debug/utf8.h"
#include <stdio.h>

/* What stands between the quotes. */
static inline void json_inside(FILE *to, const char *text, size_t size)
{
    const unsigned char *s = (const unsigned char *)text, *end = s + size;
    while (s < end) {
        int length = utf8_length(s);
        if (!length)
            fputs("\\ufffd", to);
        else if (*s < ' ' || *s == '<' || *s == 127)
            fprintf(to, "\\u%04x", *s);
        else
            fprintf(to, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", length, s);
        s += length ? length : 1;
    }
}

static inline void json_text(FILE *to, const char *text, size_t size)
{
    putc('"', to);
    json_inside(to, text, size);
    putc('"', to);
}

#endif
