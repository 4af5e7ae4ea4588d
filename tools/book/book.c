/* book.c - book OUT [SHOW]: chapters, exercises, the tour of the runtime and async.h as a site of pages in OUT,
 * which needs no network and no server. SHOW is where make show-N has left its pages; those that are
 * there come along.
 *
 * Each text has a page; so has each file of the lessons and of the runtime. whole.html holds all texts in one, to be
 * printed. What is searched stands in search.js, for a page from a disk may load no other data. */
#define _GNU_SOURCE
#include "book.h"
#include "../show/json.h"
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_PAGES 1000

static struct page pages[MOST_PAGES];
static int page_count;
static const char *out_folder, *show_folder;

/* ---------------------------------------------------------------------------------- small ones */

__attribute__((noreturn))
static void fail(const char *what)
{
    fprintf(stderr, "book: %s: %s\n", what, strerror(errno));
    exit(1);
}

char *format(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        fail("no memory");
    va_end(args);
    return text;
}

char *read_file(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    if (getdelim(&text, &room, 0, file) < 0)
        text = strdup("");
    fclose(file);
    return text;
}

void escape(FILE *to, const char *text, size_t length)
{
    for (const char *end = text + length; text < end; text++)
        switch (*text) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        case '"': fputs("&quot;", to); break;
        default: putc(*text, to);
        }
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), its = strlen(end);
    return length >= its && strcmp(text + length - its, end) == 0;
}

/* A file of the book, with the folders that it takes. */
static FILE *create(const char *name)
{
    char *path = format("%s/%s", out_folder, name);
    for (char *slash = path; (slash = strchr(slash + 1, '/')); ) {
        *slash = 0;
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            fail(path);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file)
        fail(path);
    return file;
}

static void finish(FILE *file)
{
    if (ferror(file) || fclose(file) != 0)
        fail(out_folder);
}

static void copy(const char *from, const char *name)
{
    FILE *source = fopen(from, "r"), *to;
    char bytes[65536];
    if (!source)
        fail(from);
    to = create(name);
    for (size_t length; (length = fread(bytes, 1, sizeof bytes, source)); )
        fwrite(bytes, 1, length, to);
    fclose(source);
    finish(to);
}

/* ---------------------------------------------------------------------------------- the pages */

const struct page *page_of(const char *path)
{
    for (int i = 0; i < page_count; i++)
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    return NULL;
}

/* How many letters both begin with: files are near each other that share a folder. */
static int nearness(const char *a, const char *b)
{
    int same = 0;
    while (a[same] && a[same] == b[same])
        same++;
    return same;
}

const struct page *page_named(const char *name, const struct page *from)
{
    const struct page *best = NULL;
    int near = -1, rivals = 0;
    if (!strchr(name, '.') || strchr(name, ' '))
        return NULL;
    for (int i = 0; i < page_count; i++) {
        const struct page *page = &pages[i];
        if (page->is_text && !ends_with(name, ".h"))
            continue;
        if (strcmp(page->path, name) != 0 && !ends_with(page->path, format("/%s", name)))
            continue;
        int its = nearness(page->path, from->path);
        rivals = its > near ? 0 : rivals + (its == near);
        if (its > near)
            best = page, near = its;
    }
    return rivals ? NULL : best;
}

static const char *to_root(const char *out)
{
    char *up = strdup("");
    for (; (out = strchr(out, '/')); out++)
        up = format("../%s", up);
    return up;
}

const char *page_link(const struct place *from, const struct page *to, const char *id)
{
    if (from->whole && to->is_text)
        return format("#%s%s%s", to->out, id ? "/" : "", id ? id : "");
    return format("%s%s%s%s", from->whole ? "" : to_root(from->page->out), to->out, id ? "#" : "", id ? id : "");
}

const char *page_link_to_folder(const struct place *from, const char *folder)
{
    size_t length = strlen(folder);
    for (int i = 0; i < page_count; i++)
        if (!pages[i].is_text && strncmp(pages[i].path, folder, length) == 0 && pages[i].path[length] == '/')
            return format("%sfiles.html#%s", from->whole ? "" : to_root(from->page->out), folder);
    return NULL;
}

const char *page_of_steps(const struct place *from, const char *program)
{
    const char *name = format("%.*s.html", (int)strlen(program) - 2, program);
    struct stat status;
    if (!show_folder || stat(format("%s/%s", show_folder, name), &status) != 0)
        return NULL;
    return format("%s%s", to_root(from->page->out), name);
}

/* The first heading of a text, without its #. */
static const char *title_of(const char *path)
{
    const char *text = read_file(path);
    return text ? strndup(text + strspn(text, "# "), strcspn(text, "\n") - strspn(text, "# ")) : path;
}

static void add_page(const char *path)
{
    bool text = ends_with(path, ".md");
    if (page_count == MOST_PAGES || page_of(path))
        return;
    const char *out = ends_with(path, "README.md") ? format("%.*sindex.html", (int)strlen(path) - 9, path)
                      : text ? format("%.*shtml", (int)strlen(path) - 2, path) : format("%s.html", path);
    pages[page_count++] = (struct page){ path, out, text ? title_of(path) : path, text };
}

static void add_files(const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (!ends_with(found.gl_pathv[i], "/mine.c"))      /* a reader's own */
                add_page(found.gl_pathv[i]);
}

static void find_pages(void)
{
    glob_t lessons;
    add_page("README.md");
    glob("lessons/[0-9]*/README.md", 0, NULL, &lessons);
    for (size_t i = 0; i < lessons.gl_pathc; i++) {
        add_page(lessons.gl_pathv[i]);
        add_files(format("exercises%s", strchr(lessons.gl_pathv[i], '/')));
    }
    add_page("runtime/README.md");
    add_page("runtime/async.h");
    pages[page_count - 1].is_text = true;
    pages[page_count - 1].title = "async.h, the reference";
    add_page("runtime/differences.md");
    add_page("runtime/asyncio.md");
    static const char *const files[] = {
        "lessons/*/*.[ch]", "exercises/*/exercise.h", "runtime/*/*.[chS]",
        "tools/*/*.[ch]", "LICENSE",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        add_files(files[i]);
}

/* Those of a header that programs may call. */
static void read_names(void)
{
    static const char *const headers[] = { "runtime/async.h", "runtime/extra/http.h", "runtime/extra/database.h",
                                           "runtime/extra/postgres.h", "runtime/extra/sqlite.h" };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        code_read_names(headers[i]);
}

/* ----------------------------------------------------------------------- what is around a text */

static void put_contents(const struct place *place, const struct section *sections)
{
    fputs("<nav class=\"contents\" id=\"contents\" aria-label=\"contents\"><ul>\n", place->to);
    for (int i = 0; i < page_count; i++) {
        const struct page *page = &pages[i];
        if (!page->is_text)
            continue;
        bool here = page == place->page;
        bool exercise = strncmp(page->path, "exercises", 9) == 0;
        fprintf(place->to, "<li%s><a href=\"%s\"%s>", exercise ? " class=\"exercise\"" : "",
                page_link(place, page, NULL), here && !place->whole ? " aria-current=\"page\"" : "");
        escape(place->to, page->title, strlen(page->title));
        fputs("</a>", place->to);
        if (here && sections && sections[0].title && sections[1].title) {
            fputs("<ul>", place->to);
            for (const struct section *section = sections; section->title; section++)
                if (section->level == 2) {
                    fprintf(place->to, "<li><a href=\"#%s\">", section->id);
                    escape(place->to, section->title, strlen(section->title));
                    fputs("</a></li>", place->to);
                }
            fputs("</ul>", place->to);
        }
        fputs("</li>\n", place->to);
    }
    fprintf(place->to, "<li><a href=\"%sfiles.html\">All files</a></li></ul></nav>\n",
            place->whole ? "" : to_root(place->page->out));
}

static void begin_page(const struct place *place, const char *title, const struct section *sections)
{
    const char *root = place->whole ? "" : to_root(place->page->out);
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><title>", place->to);
    escape(place->to, title, strlen(title));
    fprintf(place->to, "%s</title><link rel=\"stylesheet\" href=\"%sbook.css\"><script src=\"%sbook.js\"></script></head>\n"
            "<body%s data-root=\"%s\"><a class=\"skip\" href=\"#text\">to the text</a>\n"
            "<header><button id=\"menu\" aria-expanded=\"false\" aria-controls=\"contents\">☰ contents</button>"
            "<a class=\"home\" href=\"%sindex.html\">evlings</a>"
            "<form role=\"search\" id=\"find\"><label for=\"words\">search</label>"
            "<input id=\"words\" type=\"search\" autocomplete=\"off\" placeholder=\"words, or a name (/)\"></form>"
            "<button id=\"theme\" aria-label=\"dark or light\">◐</button></header>\n",
            strcmp(title, "evlings") == 0 ? "" : " · evlings", root, root,
            place->whole ? " class=\"whole\"" : "", root, root);
    put_contents(place, sections);
    fputs("<main id=\"text\" tabindex=\"-1\"><div id=\"found\" role=\"status\" hidden></div>\n", place->to);
}

/* The pages of the contents before and behind this one. */
static void put_neighbours(const struct place *place)
{
    int i = place->page - pages, before = i - 1, next = i + 1;
    if (!place->page->is_text)
        return;
    fputs("<nav class=\"turn\" aria-label=\"previous and next page\">", place->to);
    if (before >= 0)
        fprintf(place->to, "<a rel=\"prev\" href=\"%s\">← %s</a>", page_link(place, &pages[before], NULL),
                pages[before].title);
    if (next < page_count && pages[next].is_text)
        fprintf(place->to, "<a rel=\"next\" href=\"%s\">%s →</a>", page_link(place, &pages[next], NULL),
                pages[next].title);
    fputs("</nav>\n", place->to);
}

static void end_page(const struct place *place)
{
    fputs("</main></body></html>\n", place->to);
    finish(place->to);
}

/* A file, with a number at each line. */
static void put_source(const struct place *place)
{
    const char *path = place->page->path, *dot = strrchr(path, '.');
    const char *steps = ends_with(path, ".c") && !place->whole ? page_of_steps(place, path) : NULL;
    fprintf(place->to, "<h1%s%s%s>%s</h1>\n", place->whole ? " id=\"" : "", place->whole ? place->page->out : "",
            place->whole ? "\"" : "", path);
    if (steps)
        fprintf(place->to, "<p><a href=\"%s\">Step through it</a></p>\n", steps);
    fputs("<pre class=\"file\" tabindex=\"0\"><code>", place->to);
    code_write(place, read_file(path), dot ? dot + 1 : "", true);
    fputs("</code></pre>\n", place->to);
}

static void write_page(const struct page *page)
{
    struct section sections[MOST_SECTIONS] = { { NULL } };
    struct place text = { .page = page }, place = { create(page->out), page, false };
    char *body;
    size_t size;
    text.to = open_memstream(&body, &size);
    if (ends_with(page->path, ".md"))
        text_write(&text, sections);
    else
        put_source(&text);
    fclose(text.to);
    begin_page(&place, page->title, sections);
    fputs(body, place.to);
    put_neighbours(&place);
    end_page(&place);
}

static void write_whole(void)
{
    struct place place = { create("whole.html"), NULL, true };
    struct section sections[MOST_SECTIONS];
    begin_page(&place, "evlings", NULL);
    for (int i = 0; i < page_count; i++) {
        place.page = &pages[i];
        if (!pages[i].is_text)
            continue;
        fputs("<article>", place.to);
        if (ends_with(pages[i].path, ".md")) {
            fprintf(place.to, "<span id=\"%s\"></span>\n", pages[i].out);
            text_write(&place, sections);
        } else {
            put_source(&place);
        }
        fputs("</article>\n", place.to);
    }
    end_page(&place);
}

/* All files by their folders, each of which can be linked to. */
static void write_files(void)
{
    static const struct page page = { "", "files.html", "All files", false };
    struct place place = { create(page.out), &page, false };
    const char *folder = "";
    begin_page(&place, page.title, NULL);
    fputs("<h1>All files</h1>\n", place.to);
    for (int i = 0; i < page_count; i++) {
        const char *path = pages[i].path, *slash = strrchr(path, '/');
        const char *its = slash ? strndup(path, slash - path) : "evlings";
        if (pages[i].is_text)
            continue;
        if (strcmp(its, folder) != 0)
            fprintf(place.to, "%s<h2 id=\"%s\">%s</h2><ul class=\"files\">\n", *folder ? "</ul>" : "", its, its);
        folder = its;
        fprintf(place.to, "<li><a href=\"%s\">%s</a></li>\n", pages[i].out, slash ? slash + 1 : path);
    }
    fputs("</ul>\n", place.to);
    end_page(&place);
}

static void write_search(void)
{
    FILE *to = create("search.js");
    fputs("const PAGES=[", to);
    for (int i = 0; i < page_count; i++) {
        if (!pages[i].is_text)
            continue;
        fputs("[", to);
        json_text(to, pages[i].out, strlen(pages[i].out));
        putc(',', to);
        json_text(to, pages[i].title, strlen(pages[i].title));
        fputs(",[", to);
        if (ends_with(pages[i].path, ".md"))
            text_index(to, &pages[i]);
        else
            code_index(to, pages[i].path);
        fputs("]],\n", to);
    }
    fputs("]\n", to);
    finish(to);
}

/* Pictures, and the pages on which one steps, lie beside their chapters. */
static void copy_all(const char *folder, const char *pattern)
{
    glob_t found;
    if (glob(format("%s/%s", folder, pattern), 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            copy(found.gl_pathv[i], found.gl_pathv[i] + strlen(folder) + 1);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("book OUT [SHOW]\n", stderr);
        return 2;
    }
    out_folder = argv[1];
    show_folder = argv[2];
    find_pages();
    read_names();
    for (int i = 0; i < page_count; i++)
        write_page(&pages[i]);
    write_whole();
    write_files();
    write_search();
    copy_all(".", "lessons/*/*.svg");
    if (show_folder)
        copy_all(show_folder, "lessons/*/*.html");
    copy("tools/book/book.css", "book.css");
    copy("tools/book/book.js", "book.js");
    return 0;
}
