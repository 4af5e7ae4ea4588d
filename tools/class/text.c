/* text.c - what comes from other people's computers as UTF-8: sources, and the names of files. */
#define _GNU_SOURCE
#include "class.h"
#include "debug/utf8.h"
#include <iconv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *format_text(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    return text;
}

/* Converted, to be freed; what has no meaning in that encoding becomes "?". */
static char *convert(const char *encoding, const char *bytes, size_t length, size_t *made)
{
    size_t room = 3 * length + 4, left = room;
    char *text = malloc(room + 1), *to = text, *from = (char *)bytes;
    iconv_t conversion = iconv_open("UTF-8", encoding);
    if (!text || conversion == (iconv_t)-1)
        abort();
    while (length && iconv(conversion, &from, &length, &to, &left) == (size_t)-1 && length) {
        from++, length--;
        if (left)
            *to++ = '?', left--;
    }
    iconv_close(conversion);
    *made = room - left;
    text[*made] = 0;
    return text;
}

static bool is_utf8(const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes, *end = s + length;
    while (s < end) {
        int step = *s ? utf8_length(s) : 1;
        if (!step || step > end - s)
            return false;
        s += step;
    }
    return true;
}

/* Plain text of a program has a zero byte in nearly every other place if it is UTF-16, and in no place if it is not. */
static const char *without_mark(const char *bytes, size_t length)
{
    size_t zeros[2] = { 0, 0 };
    for (size_t i = 0; i < length; i++)
        zeros[i % 2] += bytes[i] == 0;
    return length % 2 ? NULL : zeros[1] > length / 4 ? "UTF-16LE" : zeros[0] > length / 4 ? "UTF-16BE" : NULL;
}

/* \r\n and \r are \n here. */
static size_t plain_ends(char *text, size_t length)
{
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r' && i + 1 < length && text[i + 1] == '\n')
            continue;
        text[to++] = text[i] == '\r' ? '\n' : text[i];
    }
    text[to] = 0;
    return to;
}

char *plain_text(const char *bytes, size_t length, size_t *plain_length, const char **note)
{
    const char *encoding = NULL;
    size_t skip = 0;
    if (length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        skip = 3;
    else if (length >= 2 && !memcmp(bytes, "\xff\xfe", 2))
        skip = 2, encoding = "UTF-16LE";
    else if (length >= 2 && !memcmp(bytes, "\xfe\xff", 2))
        skip = 2, encoding = "UTF-16BE";
    else
        encoding = without_mark(bytes, length);
    *note = encoding ? "The file is in UTF-16, and was read as that. Please save it as UTF-8." : NULL;
    if (!encoding && !is_utf8(bytes + skip, length - skip)) {
        encoding = "WINDOWS-1252";
        *note = "The file is not in UTF-8; it was read as Windows-1252. Please save it as UTF-8.";
    }
    char *text = convert(encoding ? encoding : "UTF-8", bytes + skip, length - skip, plain_length);
    *plain_length = plain_ends(text, *plain_length);
    return text;
}

/* Archives made on old systems have names in the alphabet of the first PCs. */
char *utf8_name(const char *name)
{
    size_t made;
    return is_utf8(name, strlen(name)) ? strdup(name) : convert("CP437", name, strlen(name), &made);
}

char *visible(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 127)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
            memset(c, '?', 2);
    return text;
}
