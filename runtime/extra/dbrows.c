/* dbrows.c - see dbrows.h.
 *
 * A result is collected in two growing heaps, of cells and of text, and then moved into one block:
 *     struct async_rows | names | cells | text
 * so that it costs one allocation, belongs to one task, and goes in one piece. */
#include "dbrows.h"
#include "dbdriver.h"
#include "core/memory.h"
#include "core/report.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------- collecting */

void builder_begin(struct builder *builder, size_t columns)
{
    builder->columns = columns;
    builder->count = builder->used = 0;
}

void builder_free(struct builder *builder)
{
    free(builder->cells);
    free(builder->text);
    *builder = (struct builder){ 0 };
}

/* Makes room in a heap for `more` beyond `used`; false: no memory, which the builder remembers. */
static bool make_room(struct builder *builder, void **heap, size_t used, size_t more, size_t *room,
                      size_t each)
{
    if (builder->failed || used + more <= *room)
        return !builder->failed;
    size_t wanted = (used + more) * 2;
    void *larger = realloc(*heap, wanted * each);
    if (!larger)
        return !(builder->failed = true);
    *heap = larger;
    *room = wanted;
    return true;
}

/* Copies text, and a 0 behind it; where it is now, counted from 1. */
static size_t keep_text(struct builder *builder, const char *text, size_t length)
{
    if (!make_room(builder, (void **)&builder->text, builder->used, length + 1, &builder->size, 1))
        return 0;
    size_t at = builder->used;
    memcpy(builder->text + at, text, length);
    builder->text[at + length] = '\0';
    builder->used += length + 1;
    return at + 1;
}

void builder_name(struct builder *builder, const char *name)
{
    keep_text(builder, name, strlen(name));
}

void builder_add(struct builder *builder, async_cell cell)
{
    if (!make_room(builder, (void **)&builder->cells, builder->count, 1, &builder->room,
                   sizeof cell))
        return;
    if (cell.text)
        cell.text = (char *)(uintptr_t)keep_text(builder, cell.text, cell.length);
    builder->cells[builder->count++] = cell;
}

async_value builder_finish(struct builder *builder)
{
    size_t names = builder->columns * sizeof(char *), cells = builder->count * sizeof(async_cell);
    async_rows *rows = builder->failed
        ? NULL : async_alloc(sizeof *rows + names + cells + builder->used);
    if (!rows) {
        builder_free(builder);
        return async_error(ENOMEM, "no memory for the rows that the query gives");
    }
    rows->names = (const char **)(rows + 1);
    async_cell *cell = (async_cell *)(rows->names + builder->columns);
    char *text = (char *)(cell + builder->count), *name = text;
    if (builder->count)
        memcpy(cell, builder->cells, cells);
    if (builder->used)
        memcpy(text, builder->text, builder->used);
    for (size_t i = 0; i < builder->columns; i++, name += strlen(name) + 1)
        rows->names[i] = name;
    for (size_t i = 0; i < builder->count; i++)
        if (cell[i].text)
            cell[i].text = text + (uintptr_t)cell[i].text - 1;
    rows->cells = cell;
    rows->columns = builder->columns;
    rows->count = builder->columns ? builder->count / builder->columns : 0;
    builder_free(builder);
    return async_ptr(rows);
}

void async_rows_free(async_rows *rows) { memory_give_back(rows); }

void async_rows_exit(async_rows **rows) { async_rows_free(*rows); }

/* ------------------------------------------------------------------------------- finding */

async_row async_rows_at(const async_rows *rows, size_t i)
{
    if (i >= rows->count)
        report_abort(async_error(ASYNC_RUNTIME_ERROR, async_strf(
            "async_rows_at: there is no row %zu; the query gave %zu, and they count from 0", i,
            rows->count)));
    return (async_row){ rows, rows->cells + i * rows->columns };
}

async_row async_rows_first(const async_rows *rows)
{
    return (async_row){ rows, rows->count ? rows->cells : NULL };
}

async_row async_row_next(async_row row)
{
    const async_cell *next = row.cells + row.rows->columns;
    return (async_row){ row.rows, next < row.rows->cells + row.rows->count * row.rows->columns
                                  ? next : NULL };
}

static const char *list_of_names(const async_rows *rows)
{
    const char *list = "";
    for (size_t i = 0; i < rows->columns && list; i++)
        list = async_strf("%s%s%s", list, i ? ", " : "", rows->names[i]);
    return list;
}

const async_cell *async_row_cell(async_row row, const char *column)
{
    for (size_t i = 0; i < row.rows->columns; i++)
        if (strcmp(row.rows->names[i], column) == 0)
            return &row.cells[i];
    report_abort(async_error(ASYNC_RUNTIME_ERROR, async_strf(
        "async_row: there is no column '%s'; the query gave %s", column,
        list_of_names(row.rows))));
}

/* ---------------------------------------------------------------------------- converting */

async_cell async_cell_text(const char *text)
{
    return text ? (async_cell){ .kind = ASYNC_CELL_TEXT, .length = strlen(text), .text = text }
                : (async_cell){ .kind = ASYNC_CELL_NULL };
}

bool async_row_is_null(async_row row, const char *column)
{
    return async_row_cell(row, column)->kind == ASYNC_CELL_NULL;
}

double async_row_real(async_row row, const char *column)
{
    const async_cell *cell = async_row_cell(row, column);
    switch (cell->kind) {
    case ASYNC_CELL_BOOL:
    case ASYNC_CELL_NUM: return cell->num;
    case ASYNC_CELL_REAL: return cell->real;
    case ASYNC_CELL_TEXT: return strtod(cell->text, NULL);
    default: return 0;
    }
}

long async_row_num(async_row row, const char *column)
{
    const async_cell *cell = async_row_cell(row, column);
    switch (cell->kind) {
    case ASYNC_CELL_BOOL:
    case ASYNC_CELL_NUM: return cell->num;
    case ASYNC_CELL_REAL: return lround(cell->real);
    case ASYNC_CELL_TEXT: return strtol(cell->text, NULL, 10);
    default: return 0;
    }
}

/* As Python's repr: the fewest digits that are read back as the same number. */
static const char *real_text(double real)
{
    char text[40];
    int digits = 15;
    do
        snprintf(text, sizeof text, "%.*g", digits, real);
    while (strtod(text, NULL) != real && digits++ < 17);
    if (fabs(real) >= 1e15 && fabs(real) < 1e16)
        snprintf(text, sizeof text, "%.1f", real);
    return async_strf(strpbrk(text, ".enai") ? "%s" : "%s.0", text);
}

const char *async_row_text(async_row row, const char *column)
{
    const async_cell *cell = async_row_cell(row, column);
    if (cell->text)
        return cell->text;
    switch (cell->kind) {
    case ASYNC_CELL_BOOL: return cell->num ? "true" : "false";
    case ASYNC_CELL_NUM: return async_strf("%ld", cell->num);
    case ASYNC_CELL_REAL: return real_text(cell->real);
    default: return NULL;
    }
}

/* ------------------------------------------------------------------------ as Python's repr */

struct repr {
    char *bytes;
    size_t length, room;
};

static void add(struct repr *text, const char *more)
{
    size_t length = strlen(more);
    if (text->length + length + 1 > text->room) {
        char *bytes = realloc(text->bytes, text->room = (text->length + length + 1) * 2);
        if (!bytes)
            free(text->bytes);
        text->bytes = bytes;
    }
    if (!text->bytes) {
        *text = (struct repr){ 0 };
        return;
    }
    memcpy(text->bytes + text->length, more, length + 1);
    text->length += length;
}

static void add_quoted(struct repr *text, const char *from, size_t length, bool bytes)
{
    bool twice = memchr(from, '\'', length) && !memchr(from, '"', length);
    char quote[2] = { twice ? '"' : '\'', 0 }, piece[8];
    add(text, bytes ? "b" : "");
    add(text, quote);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = from[i];
        if (c == '\n' || c == '\t' || c == '\r')
            snprintf(piece, sizeof piece, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c < ' ' || c == 127 || (bytes && c > 127))
            snprintf(piece, sizeof piece, "\\x%02x", c);
        else
            snprintf(piece, sizeof piece, c == '\\' || c == quote[0] ? "\\%c" : "%c", c);
        add(text, piece);
    }
    add(text, quote);
}

static void add_cell(struct repr *text, const async_cell *cell)
{
    char number[32];
    switch (cell->kind) {
    case ASYNC_CELL_NULL: add(text, "None"); break;
    case ASYNC_CELL_BOOL: add(text, cell->num ? "True" : "False"); break;
    case ASYNC_CELL_NUM:
        snprintf(number, sizeof number, "%ld", cell->num);
        add(text, number);
        break;
    case ASYNC_CELL_REAL: add(text, cell->text ? cell->text : real_text(cell->real)); break;
    case ASYNC_CELL_TEXT: add_quoted(text, cell->text, cell->length, false); break;
    case ASYNC_CELL_BYTES: add_quoted(text, cell->text, cell->length, true); break;
    }
}

const char *async_row_repr(async_row row)
{
    struct repr text = { 0 };
    add(&text, "{");
    for (size_t i = 0; i < row.rows->columns; i++) {
        add(&text, i ? ", " : "");
        add_quoted(&text, row.rows->names[i], strlen(row.rows->names[i]), false);
        add(&text, ": ");
        add_cell(&text, &row.cells[i]);
    }
    add(&text, "}");
    const char *repr = text.bytes ? async_strf("%s", text.bytes) : NULL;
    free(text.bytes);
    return repr;
}
