/* code.c - source text in colours, and what its names mean.
 *
 * A highlighter from elsewhere would know more languages, and not that async_gather is explained in
 * async.h: for that we have to look at each word ourselves, and then the colours are a few lines more.
 *
 * A name belongs to the paragraph, lines without an empty one between them, in which it is declared: the
 * comment above the declaration is a part of that, and a link leads to where it begins. */
#define _GNU_SOURCE
#include "book.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum kind { PLAIN, COMMENT, STRING, KEYWORD, DIRECTIVE, NAME };

struct language {
    const char *line_comment, *from, *until;    /* of comments */
    const char *keywords;
};

static const struct language languages[] = {
    { "//", "/*", "*/",
      " auto bool break case char const continue default do double else enum extern false float for goto if inline int "
      "long register return short signed sizeof static struct switch true typedef union unsigned void volatile while "
      "_Thread_local size_t NULL await " },
    { "#", "\"\"\"", "\"\"\"",
      " and as assert async await break class continue def del elif else except False finally for from global if import "
      "in is lambda None nonlocal not or pass raise return True try while with yield " },
    { "#", NULL, NULL, " case do done elif else esac fi for if in then while " },
    { NULL, NULL, NULL, "" },
};

static const struct language *find_language(const char *name)
{
    bool c = strcmp(name, "c") == 0 || strcmp(name, "h") == 0 || strcmp(name, "S") == 0;
    return &languages[c ? 0 : strcmp(name, "python") == 0 ? 1 : strcmp(name, "sh") == 0 ? 2 : 3];
}

/* How long a word is that begins here; 0: none does. */
static size_t word_length(const char *text)
{
    size_t length = 0;
    if (isdigit((unsigned char)*text))
        return 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

static bool is_keyword(const struct language *language, const char *word, size_t length)
{
    for (const char *at = language->keywords; (at = strstr(at, " ")) && *++at; )
        if (strncmp(at, word, length) == 0 && at[length] == ' ')
            return true;
    return false;
}

static size_t until(const char *text, const char *end)
{
    const char *found = strstr(text + 1, end);
    return found ? (size_t)(found - text) + strlen(end) : strlen(text);
}

static size_t string_length(const char *text)
{
    size_t length = 1;
    while (text[length] && text[length] != '\n' && text[length] != *text)
        length += text[length] == '\\' && text[length + 1] ? 2 : 1;
    return length + (text[length] == *text);
}

/* What stands here, and how far it goes; a directive is only its first word. */
static enum kind next_kind(const struct language *language, const char *text, bool line_begins, size_t *length)
{
    if (language->from && strncmp(text, language->from, strlen(language->from)) == 0) {
        *length = until(text, language->until);
        return COMMENT;
    }
    if (language->line_comment && strncmp(text, language->line_comment, strlen(language->line_comment)) == 0) {
        *length = strcspn(text, "\n");
        return COMMENT;
    }
    if (*language->keywords && (*text == '"' || *text == '\'')) {
        *length = string_length(text);
        return STRING;
    }
    if (language == languages && *text == '#' && line_begins) {
        *length = 1 + strspn(text + 1, " ");
        *length += word_length(text + *length);
        return DIRECTIVE;
    }
    *length = word_length(text);
    if (!*length) {
        *length = isdigit((unsigned char)*text) ? strspn(text, "0123456789abcdefxABCDEFXulUL.") : 1;
        return PLAIN;
    }
    return is_keyword(language, text, *length) ? KEYWORD : NAME;
}

/* ---------------------------------------------------------------------------------- the names */

struct name { const char *text, *header; int line, paragraph; };

static struct name names[1500];
static int name_count;

static struct name *find_name(const char *text, size_t length)
{
    for (int i = 0; i < name_count; i++)
        if (strncmp(names[i].text, text, length) == 0 && !names[i].text[length])
            return &names[i];
    return NULL;
}

static bool is_public(const char *word, size_t length)
{
    return strncmp(word, "async_", 6) == 0 || strncmp(word, "ASYNC_", 6) == 0 ||
           (length == 5 && strncmp(word, "await", 5) == 0);
}

/* The first time that a name stands in the code of a header it is declared there, for so C wants it. Only what
 * a macro is made of may come later. */
void code_read_names(const char *header)
{
    const char *text = read_file(header);
    int line = 1, paragraph = 1;
    bool line_begins = true, defines = false;
    size_t length;
    for (; text && *text; text += length) {
        enum kind kind = next_kind(languages, text, line_begins, &length);
        bool macro = kind == DIRECTIVE && strncmp(text, "#define", 7) == 0;
        bool candidate = (kind == NAME || kind == KEYWORD) && is_public(text, length) && !defines;
        if (candidate && !find_name(text, length) && name_count < (int)(sizeof names / sizeof *names))
            names[name_count++] = (struct name){ strndup(text, length), header, line, paragraph };
        if (macro) {
            length += strspn(text + length, " ");
            size_t word = word_length(text + length);
            if (is_public(text + length, word) && !find_name(text + length, word))
                names[name_count++] = (struct name){ strndup(text + length, word), header, line, paragraph };
            length += word;
            defines = true;
        }
        for (size_t i = 0; i < length; i++)
            if (text[i] == '\n') {
                line++;
                defines = defines && i == 0 && text[-1] == '\\';
                paragraph = text[i + 1] == '\n' ? line + 1 : paragraph;
            }
        line_begins = text[length - 1] == '\n' || (line_begins && *text == ' ');
    }
}

const char *code_link(const struct place *from, const char *name, size_t length)
{
    struct name *found = find_name(name, length);
    const struct page *page = found ? page_of(found->header) : NULL;
    return page ? page_link(from, page, found->text) : NULL;
}

void code_index(FILE *to, const char *header)
{
    for (int i = 0; i < name_count; i++)
        if (strcmp(names[i].header, header) == 0)
            fprintf(to, "[\"%s\",\"%s\",\"\"],", names[i].text, names[i].text);
}

/* ----------------------------------------------------------------------------------- writing */

/* Behind the end of a line: the next one, and the names that are told of from there on. */
static void begin_line(const struct place *place, int line)
{
    fprintf(place->to, "<span class=\"l\" id=\"%s%sL%d\"></span>", place->whole ? place->page->out : "",
            place->whole ? "/" : "", line);
    for (int i = 0; i < name_count; i++)
        if (names[i].paragraph == line && strcmp(names[i].header, place->page->path) == 0)
            fprintf(place->to, "<span class=\"name\" id=\"%s%s%s\"></span>", place->whole ? place->page->out : "",
                    place->whole ? "/" : "", names[i].text);
}

/* In one colour; a span ends with its line. */
static void put_piece(const struct place *place, const char *text, size_t length, const char *class, int *line)
{
    while (length) {
        size_t part = 0;
        while (part < length && text[part] != '\n')
            part++;
        if (part && *class)
            fprintf(place->to, "<span class=\"%s\">", class);
        escape(place->to, text, part);
        fputs(part && *class ? "</span>" : "", place->to);
        if (part < length) {
            putc('\n', place->to);
            if (*line && text[part + 1])
                begin_line(place, ++*line);
            part++;
        }
        text += part;
        length -= part;
    }
}

/* Where a word or the name of an included file leads to; NULL: nowhere. */
static const char *link_of(const struct place *place, enum kind kind, const char *text, size_t length)
{
    if (kind == NAME || kind == KEYWORD)
        return code_link(place, text, length);
    if (kind != STRING || length < 5 || strncmp(text + length - 3, ".h\"", 3) != 0)
        return NULL;
    const struct page *page = page_named(strndup(text + 1, length - 2), place->page);
    return page ? page_link(place, page, NULL) : NULL;
}

void code_write(const struct place *place, const char *text, const char *language, bool numbered)
{
    static const char *const classes[] = { "", "c", "s", "k", "d", "" };
    const struct language *its = find_language(language);
    int line = numbered;
    bool line_begins = true;
    size_t length;
    if (numbered)
        begin_line(place, 1);
    for (; *text; text += length) {
        enum kind kind = next_kind(its, text, line_begins, &length);
        const char *link = its == languages ? link_of(place, kind, text, length) : NULL;
        if (link)
            fprintf(place->to, "<a href=\"%s\">", link);
        put_piece(place, text, length, classes[kind], &line);
        fputs(link ? "</a>" : "", place->to);
        line_begins = text[length - 1] == '\n' || (line_begins && *text == ' ');
    }
}
