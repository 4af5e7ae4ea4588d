/* dbrows.h - what a query gives and takes: rows of cells, found by the name of their column.
 *
 *     async_rows *users = await(async_db_fetch(db, "SELECT * FROM users WHERE age > $1", 30)).ptr;
 *     async_each_row(user, users)
 *         printf("%s is %ld\n", async_row_text(user, "name"), async_row_num(user, "age"));
 *
 * Python twin: the list of asyncpg.Record that conn.fetch gives. The rows belong to the task that
 * awaits the fetch, as memory from async_alloc does (rule 4 in async.h), with all their text. */
#ifndef DBROWS_H
#define DBROWS_H

#include "async.h"
#include <stdint.h>

enum async_cell_kind {
    ASYNC_CELL_NULL,
    ASYNC_CELL_BOOL,            /* num: 0 or 1 */
    ASYNC_CELL_NUM,
    ASYNC_CELL_REAL,            /* of a decimal number `text` holds all digits */
    ASYNC_CELL_TEXT,            /* text, and all that we don't know better: times, JSON, ... */
    ASYNC_CELL_BYTES,
};

typedef struct async_cell {
    enum async_cell_kind kind;
    uint32_t length;            /* of text, without the 0 behind it */
    const char *text;           /* of TEXT and BYTES; else it may be NULL */
    union {
        long num;
        double real;
    };
} async_cell;

typedef struct async_rows {
    size_t count, columns;
    const char **names;         /* of the columns */
    const async_cell *cells;    /* row by row */
} async_rows;

typedef struct async_row {
    const async_rows *rows;
    const async_cell *cells;    /* NULL: behind the last row */
} async_row;

/* Row i, from 0. Beyond the end is a mistake, which ends the program with a sentence. */
async_row async_rows_at(const async_rows *rows, size_t i);

/* for row in rows: */
#define async_each_row(row, ...) \
    for (async_row row = async_rows_first(__VA_ARGS__); row.cells; row = async_row_next(row))
async_row async_rows_first(const async_rows *rows);
async_row async_row_next(async_row row);

/* row["name"]. A name that is no column ends the program with a sentence. Where the kind is not the
 * one asked for it is converted, as far as that makes sense: NULL is 0, or for text NULL. */
const async_cell *async_row_cell(async_row row, const char *column);
bool async_row_is_null(async_row row, const char *column);
long async_row_num(async_row row, const char *column);
double async_row_real(async_row row, const char *column);
const char *async_row_text(async_row row, const char *column);

/* repr(dict(row)): {'id': 1, 'name': 'Ada', 'email': None}. Text of the current task. */
const char *async_row_repr(async_row row) ASYNC_MUST_USE;

/* Gives rows back before the task ends, for one that goes on fetching for ever; NULL is fine.
 * Neither they nor text in them may be used any more. As async with: async_rows_exit. */
void async_rows_free(async_rows *rows);
void async_rows_exit(async_rows **rows);

/* Arguments of a query: numbers, text, NULL, bool, and async_bytes(pointer, length). */
static inline async_cell async_cell_null(const void *nothing)
{
    (void)nothing;
    return (async_cell){ .kind = ASYNC_CELL_NULL };
}
static inline async_cell async_cell_bool(bool b)
{
    return (async_cell){ .kind = ASYNC_CELL_BOOL, .num = b };
}
static inline async_cell async_cell_num(long num)
{
    return (async_cell){ .kind = ASYNC_CELL_NUM, .num = num };
}
static inline async_cell async_cell_real(double real)
{
    return (async_cell){ .kind = ASYNC_CELL_REAL, .real = real };
}
static inline async_cell async_bytes(const void *bytes, uint32_t length)
{
    return (async_cell){ .kind = ASYNC_CELL_BYTES, .length = length, .text = bytes };
}
static inline async_cell async_cell_itself(async_cell cell) { return cell; }
async_cell async_cell_text(const char *text);       /* NULL is NULL */

#define ASYNC_CELL(x) _Generic((x), bool: async_cell_bool, float: async_cell_real, \
    double: async_cell_real, char *: async_cell_text, const char *: async_cell_text, \
    void *: async_cell_null, async_cell: async_cell_itself, default: async_cell_num)(x)

/* All of these arguments, twelve at most, as a list of cells; each step does one. */
#define ASYNC_CELLS(...)     __VA_OPT__(ASYNC_CELLS1(__VA_ARGS__))
#define ASYNC_CELLS1(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS2(__VA_ARGS__))
#define ASYNC_CELLS2(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS3(__VA_ARGS__))
#define ASYNC_CELLS3(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS4(__VA_ARGS__))
#define ASYNC_CELLS4(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS5(__VA_ARGS__))
#define ASYNC_CELLS5(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS6(__VA_ARGS__))
#define ASYNC_CELLS6(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS7(__VA_ARGS__))
#define ASYNC_CELLS7(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS8(__VA_ARGS__))
#define ASYNC_CELLS8(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS9(__VA_ARGS__))
#define ASYNC_CELLS9(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS10(__VA_ARGS__))
#define ASYNC_CELLS10(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS11(__VA_ARGS__))
#define ASYNC_CELLS11(x, ...) ASYNC_CELL(x), __VA_OPT__(ASYNC_CELLS12(__VA_ARGS__))
#define ASYNC_CELLS12(x) ASYNC_CELL(x),

#ifndef ASYNC_RUNTIME
#define async_rows_first(...)               ASYNC_AT(async_rows_first, __VA_ARGS__)
#define async_row_next(...)                 ASYNC_AT(async_row_next, __VA_ARGS__)
#define async_row_cell(...)                 ASYNC_AT(async_row_cell, __VA_ARGS__)
#define async_row_is_null(...)              ASYNC_AT(async_row_is_null, __VA_ARGS__)
#define async_row_num(...)                  ASYNC_AT(async_row_num, __VA_ARGS__)
#define async_row_real(...)                 ASYNC_AT(async_row_real, __VA_ARGS__)
#define async_row_text(...)                 ASYNC_AT(async_row_text, __VA_ARGS__)
#define async_row_repr(...)                 ASYNC_AT(async_row_repr, __VA_ARGS__)
#endif

#endif
