/* text.c - running text, set in lines that are no wider than a terminal. */
#define _XOPEN_SOURCE 700
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const char *const on[STYLES] = { "", "\033[1m", "\033[36m", "\033[3m" };
static const char *const off[STYLES] = { "", "\033[22m", "\033[39m", "\033[23m" };

/* Of the character at `text`: its columns, and its bytes. */
static int columns_of(const char *text, int *bytes)
{
    wchar_t wide;
    int length = mbtowc(&wide, text, 6);
    *bytes = length > 0 ? length : 1;
    if (*text == '\033') {
        *bytes = strcspn(text, "m") + 1;
        return 0;
    }
    if (*text > 0 && *text < STYLES)
        return 0;
    int columns = length > 0 ? wcwidth(wide) : 1;
    return columns > 0 ? columns : *text == HARD_SPACE;
}

static int columns_until(const char *text, const char *end)
{
    int columns = 0, bytes;
    for (; text < end && *text; text += bytes)
        columns += columns_of(text, &bytes);
    return columns;
}

int text_columns(const char *text) { return columns_until(text, text + strlen(text)); }

/* Where the first `columns` columns of a text end. */
static const char *cut(const char *text, int columns)
{
    for (int bytes; *text && (columns -= columns_of(text, &bytes)) >= 0; text += bytes)
        ;
    return text;
}

static const char *end_of_word(const char *text) { return text + strcspn(text, " \n"); }

int text_longest_word(const char *text)
{
    int longest = 0;
    for (const char *end; *text; text = end + (*end != 0)) {
        end = end_of_word(text);
        int columns = columns_until(text, end);
        longest = columns > longest ? columns : longest;
    }
    return longest;
}

/* The line that is being set. */
struct setting {
    struct lines lines;
    bool styled, active[STYLES];
    FILE *to;
    size_t size;
    int columns;
};

static void begin_line(struct setting *s)
{
    s->lines.line = realloc(s->lines.line, (s->lines.count + 1) * sizeof *s->lines.line);
    s->to = open_memstream(&s->lines.line[s->lines.count], &s->size);
    if (!s->to)
        abort();
    s->columns = 0;
    for (int i = 0; i < STYLES; i++)
        if (s->active[i])
            fputs(on[i], s->to);
}

/* A pager shows lines one by one, so none may leave a style to the next. */
static void end_line(struct setting *s)
{
    for (int i = 0; i < STYLES; i++)
        if (s->active[i])
            fputs(off[i], s->to);
    fclose(s->to);
    s->lines.count++;
}

static void put_word(struct setting *s, const char *word, const char *end)
{
    s->columns += columns_until(word, end);
    for (; word < end; word++) {
        bool *active = &s->active[(int)*word];
        if (*word <= 0 || *word >= STYLES)
            fputc(*word == HARD_SPACE ? ' ' : *word, s->to);
        else if (s->styled)
            fputs((*active = !*active) ? on[(int)*word] : off[(int)*word], s->to);
    }
}

struct lines text_set(const char *text, int width, bool styled)
{
    struct setting s = { .styled = styled };
    begin_line(&s);
    while (*text) {
        const char *end = end_of_word(text);
        int columns = columns_until(text, end);
        if (s.columns && s.columns + 1 + columns > width) {
            end_line(&s);
            begin_line(&s);
        }
        if (columns > width)
            end = cut(text, width);
        if (s.columns && end > text) {
            fputc(' ', s.to);
            s.columns++;
        }
        put_word(&s, text, end);
        if (*end == '\n') {
            end_line(&s);
            begin_line(&s);
        }
        text = end + (*end == ' ' || *end == '\n');
    }
    end_line(&s);
    return s.lines;
}

void text_put(FILE *to, const char *text, const char *end, int columns)
{
    for (int bytes; text < end; text += bytes) {
        if (*text == '\t') {
            fprintf(to, "%.*s", columns < 4 ? columns : 4, "    ");
            columns -= 4;
            bytes = 1;
            continue;
        }
        bool style = text[0] == '\033' && text[1] == '[' && text[2 + strspn(text + 2, "0123456789;")] == 'm';
        columns -= columns_of(text, &bytes);
        if (columns < 0)
            return;
        if (style || (unsigned char)*text >= ' ')
            fwrite(text, 1, bytes, to);
        else
            bytes = 1;
    }
}
