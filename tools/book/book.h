/* book.h - make book: what its parts share.
 *
 *   book.c      the pages that there are, and what stands around their text
 *   text.c      Markdown, by cmark-gfm, with links from page to page
 *   code.c      source text in colours, with each name that async.h declares linked to where it stands
 *
 * All of it is written in one go by a short program, so no memory is given back. */
#ifndef BOOK_H
#define BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* ---------------------------------------------------------------------------------- pages */

struct page {
    const char *path;           /* of what is shown: "lessons/04-await/README.md" */
    const char *out;            /* of the page, in the book: "lessons/04-await/index.html" */
    const char *title;
    bool is_text;               /* Markdown, or async.h: in the contents, and searched */
};

/* Where we write: a page of its own, or a part of the one that holds all texts. */
struct place {
    FILE *to;
    const struct page *page;
    bool whole;
};

const struct page *page_of(const char *path);   /* NULL: none shows that */

/* The page of a file that is named in passing: "task.c", "core/task.c"; NULL: none, or several. Those that
 * are nearest to who names it come first. */
const struct page *page_named(const char *name, const struct page *from);

/* href of a page, or of the place `id` in it if that is not NULL. */
const char *page_link(const struct place *from, const struct page *to, const char *id);

/* href of where the files of a folder are listed; NULL: it has none that are shown. */
const char *page_link_to_folder(const struct place *from, const char *folder);

/* A page on which one steps through this program, "lessons/04-await/breakfast.c"; NULL: none was made. */
const char *page_of_steps(const struct place *from, const char *program);

char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *read_file(const char *path);              /* NULL: it cannot be read */
void escape(FILE *to, const char *text, size_t length);     /* as HTML wants it */

/* ----------------------------------------------------------------------------------- text */

struct section { const char *title, *id; int level; };      /* a heading */

#define MOST_SECTIONS 100

/* Writes a chapter; its headings go to `sections`, which ends with one without a title. */
void text_write(const struct place *place, struct section *sections);

/* Words for the search: { "id", "heading", "text of that section" }, one behind the other. */
void text_index(FILE *to, const struct page *page);

/* ----------------------------------------------------------------------------------- code */

void code_read_names(const char *header);       /* those that it declares are known from now on */

/* A text in colours; the language is that of a fence, or of a file's name: "c", "python", "sh". With
 * `numbered` each line can be linked to, as L12. */
void code_write(const struct place *place, const char *text, const char *language, bool numbered);

/* Where a name of async.h or a bridge is told of; NULL: it is none. */
const char *code_link(const struct place *from, const char *name, size_t length);

void code_index(FILE *to, const char *header);  /* its names, for the search */

#endif
