/* flow.c - flow [--bold] [FILE]: sets Markdown, a file or stdin, for a terminal of COLUMNS columns.
 *
 * cmark-gfm reads it, as it does for many who show Markdown; what remains here is to set its tree in
 * lines. HTML comments are for our tests, and not shown. A picture is a timeline of a program: it is
 * drawn anew, as text, if the program is built; else its description stands there. */
#define _GNU_SOURCE
#include "text.h"
#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDENT 4                /* of code */
#define LEAST_CELL 8            /* columns of a table's cell, at least */
#define MOST_CELLS 16

static bool styled;
static int width;
static const char *folder;      /* of the file, for its pictures */
static char margin[200];        /* what stands before each line */
static char bullet[200];        /* what stands there instead, once */
static bool gap;                /* an empty line is due before the next block */
static bool in_table;

static void put(const char *line)
{
    if (gap)
        puts("");
    gap = false;
    const char *before = *bullet ? bullet : margin;
    printf("%s%s\n", *line ? before : "", line);
    *bullet = 0;
}

/* ------------------------------------------------------------------------ inside a paragraph */

static void put_code(FILE *to, const char *code)
{
    bool whole = text_columns(code) <= 30 && !in_table;
    fputs(styled ? (char[]){ CODE, 0 } : "`", to);
    for (; *code; code++)
        fputc(*code == ' ' && whole ? HARD_SPACE : *code, to);
    fputs(styled ? (char[]){ CODE, 0 } : "`", to);
}

static void put_inlines(FILE *to, cmark_node *parent);

static void put_inline(FILE *to, cmark_node *node)
{
    const char *text = cmark_node_get_literal(node);
    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_TEXT: fputs(text, to); break;
    case CMARK_NODE_CODE: put_code(to, text); break;
    case CMARK_NODE_SOFTBREAK: fputc(' ', to); break;
    case CMARK_NODE_LINEBREAK: fputc('\n', to); break;
    case CMARK_NODE_HTML_INLINE: break;
    default: put_inlines(to, node);
    }
}

static int mark_of(cmark_node *node)
{
    cmark_node_type type = cmark_node_get_type(node);
    return type == CMARK_NODE_STRONG || type == CMARK_NODE_HEADING ? BOLD : type == CMARK_NODE_EMPH ? EMPHASIS : 0;
}

static void put_inlines(FILE *to, cmark_node *parent)
{
    int mark = mark_of(parent);
    bool picture = cmark_node_get_type(parent) == CMARK_NODE_IMAGE;
    if (mark)
        fputc(mark, to);
    if (picture)
        fputs("[picture: ", to);
    for (cmark_node *node = cmark_node_first_child(parent); node; node = cmark_node_next(node))
        put_inline(to, node);
    if (picture)
        fputc(']', to);
    if (mark)
        fputc(mark, to);
    const char *url = cmark_node_get_type(parent) == CMARK_NODE_LINK ? cmark_node_get_url(parent) : "";
    if (strncmp(url, "http", 4) == 0)       /* a file of ours is named by the text */
        fprintf(to, " (%s)", url);
}

/* The text in a node, with marks. */
static char *inlines(cmark_node *node)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        abort();
    put_inlines(to, node);
    fclose(to);
    return text;
}

/* --------------------------------------------------------------------------------- the blocks */

static void put_text(cmark_node *node)
{
    struct lines lines = text_set(inlines(node), width - text_columns(margin), styled);
    for (int i = 0; i < lines.count; i++)
        put(lines.line[i]);
}

/* The last blank behind a word up to which so many columns hold the line, or the first one; NULL if there is none. */
static const char *last_blank(const char *line, int columns)
{
    const char *last = NULL, *blank = line + strspn(line, " ");
    for (; (blank = strchr(blank, ' ')); last = blank++) {
        char *before = strndup(line, (size_t)(blank - line));
        bool fits = text_columns(before) <= columns;
        free(before);
        if (!fits && last)
            break;
    }
    return last;
}

/* A line of code or of a listing. What is wider than the terminal goes on in the next line, further in. */
static void put_line(const char *line, int indent)
{
    int room = width - text_columns(margin), deeper = indent + (int)strspn(line, " ") + INDENT;
    const char *end;
    char *part;
    if (deeper > room / 2)
        deeper = INDENT;
    do {
        end = indent + text_columns(line) > room ? last_blank(line, room - indent) : NULL;
        int length = end ? (int)(end - line) : (int)strlen(line);
        if (asprintf(&part, "%*s%.*s", *line ? indent : 0, "", length, line) < 0)
            abort();
        put(part);
        line = end ? end + strspn(end, " ") : NULL;
        indent = deeper;
    } while (line);
}

/* Not set as text is, for it may be a figure; it moves to the left as far as it must. */
static void put_literal(const char *text)
{
    int longest = 0;
    char *line, *copy = strdup(text), *rest = copy;
    while ((line = strsep(&rest, "\n")))
        longest = text_columns(line) > longest ? text_columns(line) : longest;
    int room = width - text_columns(margin) - longest, indent = room < 0 ? 0 : room < INDENT ? room : INDENT;
    for (rest = strcpy(copy, text); (line = strsep(&rest, "\n")) && (rest || *line);)
        put_line(line, indent);
}

/* Draws what ![...](PROGRAM.svg "From 1.5 to 3.5 seconds") shows; false if that cannot be done. */
static bool put_timeline(cmark_node *picture)
{
    const char *file = cmark_node_get_url(picture), *end = strrchr(file, '.');
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
    char part[64] = "", *command = NULL, *drawn = NULL;
    double from, until;
    if (!end || strcmp(end, ".svg") != 0)
        return false;
    if (sscanf(cmark_node_get_title(picture), "From %lf to %lf seconds", &from, &until) == 2)
        snprintf(part, sizeof part, "--part %g-%g", from, until);
    if (asprintf(&command, "COLUMNS=%d '%s/timeline' %s '%s/%s/%.*s' 2>/dev/null", width - INDENT, build, part,
                 build, folder, (int)(end - file), file) < 0)
        abort();
    FILE *from_it = popen(command, "r");
    size_t size = 0;
    bool well = from_it && getdelim(&drawn, &size, 0, from_it) > 0;
    if (from_it)
        well = pclose(from_it) == 0 && well;
    if (well)
        put_literal(drawn);
    return well;
}

static void put_paragraph(cmark_node *node)
{
    cmark_node *first = cmark_node_first_child(node);
    bool picture = cmark_node_get_type(first) == CMARK_NODE_IMAGE && !cmark_node_next(first);
    if (!picture || !put_timeline(first))
        put_text(node);
}

static void put_heading(cmark_node *node)
{
    char *text = inlines(node);
    if (!styled && asprintf(&text, "%.*s %s", cmark_node_get_heading_level(node), "######", text) < 0)
        abort();
    struct lines lines = text_set(text, width, styled);
    for (int i = 0; i < lines.count; i++)
        put(lines.line[i]);
}

static void put_blocks(cmark_node *parent, bool tight);

/* What is inside has `more` in its margin, and `first` before its first line. */
static void put_inside(cmark_node *node, const char *first, const char *more, bool tight)
{
    size_t before = strlen(margin);
    snprintf(bullet, sizeof bullet, "%s%s", margin, first);
    snprintf(margin + before, sizeof margin - before, "%s", more);
    put_blocks(node, tight);
    margin[before] = 0;
}

static void put_list(cmark_node *list)
{
    bool tight = cmark_node_get_list_tight(list);
    int number = cmark_node_get_list_start(list);
    char first[16] = "- ";
    for (cmark_node *item = cmark_node_first_child(list); item; item = cmark_node_next(item)) {
        if (cmark_node_get_list_type(list) == CMARK_ORDERED_LIST)
            snprintf(first, sizeof first, "%d. ", number++);
        put_inside(item, first, &"                "[16 - strlen(first)], tight);
        gap = !tight;
    }
}

/* Widths for a table's cells: what they would like, and where that is too much the widest give way. */
static void measure(cmark_node *table, int count, int *widths)
{
    int words[MOST_CELLS] = { 0 };
    for (cmark_node *row = cmark_node_first_child(table); row; row = cmark_node_next(row)) {
        cmark_node *cell = cmark_node_first_child(row);
        for (int i = 0; i < count && cell; i++, cell = cmark_node_next(cell)) {
            char *text = inlines(cell);
            int columns = text_columns(text), longest = text_longest_word(text);
            widths[i] = columns > widths[i] ? columns : widths[i];
            words[i] = longest > words[i] ? longest : words[i];
        }
    }
    int most = width - text_columns(margin) - 2 * (count - 1), sum = 0;
    for (int i = 0; i < count; i++)
        sum += widths[i];
    for (; sum > most; sum--) {
        int widest = 0;
        for (int i = 1; i < count; i++)
            widest = widths[i] - words[i] > widths[widest] - words[widest] ? i : widest;
        words[widest] -= widths[widest] <= words[widest];       /* now words are broken, too */
        if (widths[widest] <= LEAST_CELL)
            return;
        widths[widest]--;
    }
}

/* One line of a table: of each cell its part of that line, or dashes. */
static void put_cells(const struct lines *cells, int line, int count, const int *widths)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        abort();
    for (int i = 0; i < count; i++) {
        const char *part = cells && line < cells[i].count ? cells[i].line[line] : "";
        int rest = widths[i] - text_columns(part);
        fputs(part, to);
        for (; rest > 0 && (!cells || i + 1 < count); rest--)
            fputc(cells ? ' ' : '-', to);
        fputs(i + 1 < count ? "  " : "", to);
    }
    fclose(to);
    put(text);
}

static void put_table(cmark_node *table)
{
    int count = cmark_gfm_extensions_get_table_columns(table), widths[MOST_CELLS] = { 0 };
    count = count < MOST_CELLS ? count : MOST_CELLS;
    in_table = true;
    measure(table, count, widths);
    for (cmark_node *row = cmark_node_first_child(table); row; row = cmark_node_next(row)) {
        struct lines cells[MOST_CELLS] = { 0 };
        cmark_node *cell = cmark_node_first_child(row);
        int height = 1;
        for (int i = 0; i < count && cell; i++, cell = cmark_node_next(cell)) {
            cells[i] = text_set(inlines(cell), widths[i], styled);
            height = cells[i].count > height ? cells[i].count : height;
        }
        for (int line = 0; line < height; line++)
            put_cells(cells, line, count, widths);
        if (row == cmark_node_first_child(table))
            put_cells(NULL, 0, count, widths);
    }
    in_table = false;
}

static void put_block(cmark_node *node)
{
    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_PARAGRAPH: put_paragraph(node); return;
    case CMARK_NODE_HEADING: put_heading(node); return;
    case CMARK_NODE_CODE_BLOCK: put_literal(cmark_node_get_literal(node)); return;
    case CMARK_NODE_LIST: put_list(node); return;
    case CMARK_NODE_BLOCK_QUOTE: put_inside(node, "  ", "  ", false); return;
    case CMARK_NODE_THEMATIC_BREAK: put("* * *"); return;
    default: break;
    }
    if (strcmp(cmark_node_get_type_string(node), "table") == 0)
        put_table(node);
    else
        put_text(node);
}

static void put_blocks(cmark_node *parent, bool tight)
{
    for (cmark_node *node = cmark_node_first_child(parent); node; node = cmark_node_next(node)) {
        if (cmark_node_get_type(node) == CMARK_NODE_HTML_BLOCK)
            continue;
        put_block(node);
        gap = !tight;
    }
}

/* ------------------------------------------------------------------------------------ the file */

static cmark_node *read_markdown(FILE *file)
{
    char buffer[8192];
    size_t length;
    cmark_gfm_core_extensions_ensure_registered();
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("table"));
    while ((length = fread(buffer, 1, sizeof buffer, file)))
        cmark_parser_feed(parser, buffer, length);
    return cmark_parser_finish(parser);
}

int main(int argc, char **argv)
{
    styled = argc > 1 && strcmp(argv[1], "--bold") == 0;
    const char *name = argc > 1 + styled ? argv[1 + styled] : NULL, *columns = getenv("COLUMNS");
    FILE *file = name ? fopen(name, "r") : stdin;
    if (!file) {
        perror(name);
        return 1;
    }
    if (!setlocale(LC_CTYPE, "C.UTF-8"))        /* the text is, whatever the terminal */
        setlocale(LC_CTYPE, "");
    folder = name && strrchr(name, '/') ? strndup(name, strrchr(name, '/') - name) : ".";
    width = columns && atoi(columns) > 20 ? atoi(columns) : 80;
    put_blocks(read_markdown(file), false);
    return fflush(stdout) == 0 ? 0 : 1;
}
