/* text.c - a chapter as HTML. cmark-gfm reads and writes it; what we change is its tree in between: a link to
 * a file becomes one to its page, a name of async.h or of a file becomes a link, code gets colours, and
 * where the output of a program stands one can step through it. */
#define _GNU_SOURCE
#include "../show/json.h"
#include "book.h"
#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static cmark_node *read_markdown(const struct page *page)
{
    char *text = read_file(page->path);
    cmark_gfm_core_extensions_ensure_registered();
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("table"));
    cmark_parser_feed(parser, text, strlen(text));
    return cmark_parser_finish(parser);
}

/* The words in a node, without what marks them. */
static char *words_of(cmark_node *node)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    cmark_iter *iter = cmark_iter_new(node);
    for (cmark_event_type event; (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE; ) {
        cmark_node *at = cmark_iter_get_node(iter);
        cmark_node_type type = cmark_node_get_type(at);
        if (event == CMARK_EVENT_ENTER && (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE))
            fputs(cmark_node_get_literal(at), to);
        else if (event == CMARK_EVENT_ENTER && type == CMARK_NODE_SOFTBREAK)
            putc(' ', to);
    }
    cmark_iter_free(iter);
    fclose(to);
    return text;
}

/* As GitHub makes it, so that links which work there work here. */
static char *id_of(cmark_node *heading)
{
    char *id = words_of(heading), *to = id;
    for (const char *c = id; *c; c++)
        if (isalnum((unsigned char)*c) || *c == '_' || *c == '-' || *c == ' ')
            *to++ = *c == ' ' ? '-' : tolower((unsigned char)*c);
    *to = 0;
    return id;
}

/* ---------------------------------------------------------------------------------- the changes */

static cmark_node *html(cmark_node_type type, const char *text)
{
    cmark_node *node = cmark_node_new(type);
    cmark_node_set_literal(node, text);
    return node;
}

static void mark_heading(const struct place *place, cmark_node *node, struct section *section)
{
    char *id = id_of(node);
    *section = (struct section){ words_of(node), id, cmark_node_get_heading_level(node) };
    if (place->whole)
        id = format("%s/%s", place->page->out, id);
    cmark_node_prepend_child(node, html(CMARK_NODE_HTML_INLINE, format("<span id=\"%s\"></span>", id)));
}

/* "../../runtime/core/task.c" as it is seen from `from`: "runtime/core/task.c". */
static char *resolve(const char *from, const char *path)
{
    char *folder = strdup(from);
    char *end = strrchr(folder, '/');
    *(end ? end : folder) = 0;
    for (; strncmp(path, "../", 3) == 0; path += 3) {
        end = strrchr(folder, '/');
        *(end ? end : folder) = 0;
    }
    return *folder ? format("%s/%s", folder, path) : strdup(path);
}

/* Only its text stays. */
static void unlink_node(cmark_node *link)
{
    for (cmark_node *child; (child = cmark_node_first_child(link)); )
        cmark_node_insert_before(link, child);
    cmark_node_free(link);
}

static void turn_link(const struct place *place, cmark_node *link)
{
    const char *url = cmark_node_get_url(link), *id = strchr(url, '#');
    if (strstr(url, "://"))
        return;
    char *path = resolve(place->page->path, strndup(url, strcspn(url, "#")));
    const struct page *page = *url == '#' ? place->page : page_of(path);
    const char *to = page ? page_link(place, page, id ? id + 1 : NULL) : page_link_to_folder(place, path);
    if (to)
        cmark_node_set_url(link, to);
    else
        unlink_node(link);
}

/* Was it said before that, on this page? The first time is a link, or a picture; more would be a nuisance. */
static bool said_before(const char *what, const struct place *place)
{
    static struct { const char *what; const struct page *page; bool whole; } said[5000];
    static int count;
    for (int i = 0; i < count; i++)
        if (said[i].page == place->page && said[i].whole == place->whole && strcmp(said[i].what, what) == 0)
            return true;
    if (count < (int)(sizeof said / sizeof *said)) {
        said[count].what = what, said[count].page = place->page;
        said[count++].whole = place->whole;
    }
    return false;
}

/* A name in passing, `async_gather` or `task.c`. */
static void link_name(const struct place *place, cmark_node *code)
{
    const char *text = cmark_node_get_literal(code);
    size_t length = strcspn(text, "(");
    const struct page *page = page_named(text, place->page);
    const char *url = page ? page_link(place, page, NULL) : code_link(place, text, length);
    if (!url || page == place->page || cmark_node_get_type(cmark_node_parent(code)) == CMARK_NODE_LINK ||
        said_before(url, place))
        return;
    cmark_node *link = cmark_node_new(CMARK_NODE_LINK);
    cmark_node_set_url(link, url);
    cmark_node_insert_before(code, link);
    cmark_node_append_child(link, code);
}

/* What the comment before a fence says it is from: <!-- file: breakfast.c -->; NULL: something else. */
static char *claim(const struct place *place, cmark_node *fence, const char *key)
{
    cmark_node *before = cmark_node_previous(fence);
    char name[100], *form = format("<!-- %s: %%99s -->", key);
    if (!before || cmark_node_get_type(before) != CMARK_NODE_HTML_BLOCK ||
        sscanf(cmark_node_get_literal(before), form, name) != 1)
        return NULL;
    return strncmp(name, "lessons/", 8) == 0 ? strdup(name) : resolve(place->page->path, name);
}

/* Below the output of a program: the page on which one steps through it, to be opened in place. */
static void put_steps(const struct place *place, FILE *to, const char *output)
{
    char *program = format("%.*s.c", (int)(strrchr(output, '.') - output), output);
    const char *steps = page_of_steps(place, program), *name = strrchr(program, '/') + 1;
    if (!steps || place->whole || said_before(program, place))
        return;
    fprintf(to, "<details class=\"steps\"><summary>Step through <code>%s</code> here</summary>"
            "<p><a href=\"%s\">on a page of its own</a></p>"
            "<iframe src=\"%s\" loading=\"lazy\" title=\"%s, event by event\"></iframe></details>\n",
            name, steps, steps, name);
}

static void colour_fence(const struct place *place, cmark_node *fence)
{
    char *text, *file = claim(place, fence, "file"), *output = claim(place, fence, "output");
    size_t size;
    const char *info = cmark_node_get_fence_info(fence);
    const struct page *source = file ? page_of(file) : NULL;
    struct place here = *place;
    here.to = open_memstream(&text, &size);
    if (source)
        fprintf(here.to, "<figure><figcaption><a href=\"%s\">%s</a></figcaption>\n", page_link(place, source, NULL),
                strrchr(file, '/') + 1);
    fputs("<pre tabindex=\"0\"><code>", here.to);
    code_write(&here, cmark_node_get_literal(fence), info, false);
    fprintf(here.to, "</code></pre>%s\n", source ? "</figure>" : "");
    if (output && strrchr(output, '.'))
        put_steps(place, here.to, output);
    fclose(here.to);
    cmark_node_insert_before(fence, html(CMARK_NODE_HTML_BLOCK, text));
    cmark_node_free(fence);
}

/* It may be wider than the page, and then moves by itself. */
static void wrap_table(cmark_node *table)
{
    cmark_node_insert_before(table, html(CMARK_NODE_HTML_BLOCK,
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"a table\">"));
    cmark_node_insert_after(table, html(CMARK_NODE_HTML_BLOCK, "</div>"));
}

static void change(const struct place *place, cmark_node *node, struct section **section)
{
    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_HEADING: mark_heading(place, node, (*section)++); return;
    case CMARK_NODE_LINK: turn_link(place, node); return;
    case CMARK_NODE_CODE: link_name(place, node); return;
    case CMARK_NODE_CODE_BLOCK: colour_fence(place, node); return;
    case CMARK_NODE_IMAGE:
        if (place->whole)
            cmark_node_set_url(node, resolve(place->page->path, cmark_node_get_url(node)));
        return;
    default:
        if (strcmp(cmark_node_get_type_string(node), "table") == 0)
            wrap_table(node);
    }
}

/* All nodes of a tree, so that it may be changed while one goes through them; returns how many. */
static int all_nodes(cmark_node *root, cmark_node **nodes, int most)
{
    int count = 0;
    cmark_iter *iter = cmark_iter_new(root);
    for (cmark_event_type event; (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE && count < most; )
        if (event == CMARK_EVENT_ENTER)
            nodes[count++] = cmark_iter_get_node(iter);
    cmark_iter_free(iter);
    return count;
}

void text_write(const struct place *place, struct section *sections)
{
    static cmark_node *nodes[50000];
    cmark_node *root = read_markdown(place->page);
    struct section *section = sections;
    int count = all_nodes(root, nodes, sizeof nodes / sizeof *nodes);
    for (int i = 0; i < count && section < sections + MOST_SECTIONS - 1; i++)
        change(place, nodes[i], &section);
    *section = (struct section){ NULL };
    fputs(cmark_render_html(root, CMARK_OPT_UNSAFE | CMARK_OPT_TABLE_PREFER_STYLE_ATTRIBUTES, NULL), place->to);
}

void text_index(FILE *to, const struct page *page)
{
    cmark_node *root = read_markdown(page);
    for (cmark_node *node = cmark_node_first_child(root); node; node = cmark_node_next(node)) {
        bool heading = cmark_node_get_type(node) == CMARK_NODE_HEADING;
        const char *words = words_of(node), *between = node == cmark_node_first_child(root) ? "[" : "\"],[";
        if (heading) {
            fputs(between, to);
            json_text(to, id_of(node), strlen(id_of(node)));
            putc(',', to);
            json_text(to, words, strlen(words));
            fputs(",\"", to);
        } else {
            json_inside(to, words, strlen(words));
            putc(' ', to);
        }
    }
    fputs("\"],", to);
}
