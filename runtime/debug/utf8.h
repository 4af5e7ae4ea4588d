/* utf8.h - where characters begin and end. */
#ifndef UTF8_H
#define UTF8_H

/* How many bytes the UTF-8 character has that begins here; 0 if none does, or one is written longer than it need be. */
static inline int utf8_length(const unsigned char *s)
{
    int length = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return (*s == 0xe0 && s[1] < 0xa0) || (*s == 0xf0 && s[1] < 0x90) ? 0 : length;
}

#endif
