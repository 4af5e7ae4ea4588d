/* dbdriver.h - between database.c, which knows what all databases have in common, and the drivers
 * sqlite.c and postgres.c. Not for programs.
 *
 * A driver runs one query at a time for a connection: database.c sees to the turns. `run` and
 * `connect` wait; when the task is cancelled meanwhile they stop the work at the database and give
 * ASYNC_CANCELLED once that is over: the connection is then usable, or closed, never half-way. */
#ifndef DBDRIVER_H
#define DBDRIVER_H

#include "database.h"
#include "sync/lock.h"

struct query {
    const char *sql;
    const async_cell *arguments;
    size_t count;
    bool wants_rows;            /* else the number of rows that were changed */
    bool firm;                  /* a cancel does not stop it: a commit, a rollback */
    bool cancelled;             /* a cancel came while it ran, although it is firm */
    unsigned long cursor;       /* for `some`: which one, */
    bool opened;                /* it has given some before, */
    size_t most;                /* and how many rows are wanted now; 0: all, of `run` */
    size_t lead;                /* bytes of the SQL that are none of the program's */
};

struct db {
    struct object object;
    const struct driver *driver;
    void *link;                 /* the driver's part; NULL: closed */
    struct lock *turn;          /* held while a query runs */
    const char *why;            /* it was closed by itself, or NULL; allocated */
    struct pool *pool;          /* that it belongs to, pinned while it is borrowed; NULL: none */
    struct list idle;           /* among the idle ones of the pool */
    unsigned depth;             /* of transactions within transactions */
    bool private;               /* nobody else can connect to this database */
};

enum transaction_state { NO_TRANSACTION, IN_TRANSACTION, FAILED_TRANSACTION };

struct driver {
    const char *begin;          /* SQL */
    async_value (*connect)(struct db *db, const char *url);     /* sets db->link */
    async_value (*run)(struct db *db, struct query *query);     /* ptr: async_rows; or num */
    async_value (*some)(struct db *db, struct query *query);    /* the next rows of a cursor, which goes
                                                                   with its transaction */
    void (*finish)(struct db *db);      /* what has to wait before `close`; NULL: nothing */
    void (*close)(struct db *db);       /* at once, whatever may run; sets db->link to NULL */
    bool (*usable)(struct db *db);      /* idle: has it broken meanwhile? does not wait */
    enum transaction_state (*state)(struct db *db);
};

/* Those that are linked: without sqlite.h a program has no sqlite_driver, whose address is NULL. */
extern const struct driver sqlite_driver __attribute__((weak));
extern const struct driver postgres_driver __attribute__((weak));

/* ------------------------------------------------------------ of database.c, for pool.c as well */

struct db *db_new(bool of_pool);            /* not connected; NULL: no memory */
async_value db_open(struct db *db, const char *url);
async_coroutine db_connecting(const struct driver *driver, const char *url);

/* Calls work with the connection's turn; not if it was closed or given back while we queued for that. */
typedef async_value db_work(struct db *db, void *arg);
async_value db_in_turn(async_db *db, const char *caller, db_work *work, void *arg);

/* Waits until nobody uses the connection, and rolls back what was left open. */
async_value db_settle(struct db *db, bool *cancelled);

/* "MESSAGE, at character N: the SQL from there". `offset` in bytes; negative: nowhere. */
const char *db_locate(const char *message, const char *sql, long offset);

/* Of dbpool.c: what async_db_exit does with a connection of a pool. Waits. In its object, so that
 * a program without pools need not have it. */
async_value db_give_back(struct db *db) __attribute__((weak));

/* ------------------------------------------------------------------------------- results */

/* Rows being collected. Text is kept apart from the cells, which hold offsets until the end. */
struct builder {
    size_t columns, count, room;        /* count and room: cells */
    async_cell *cells;
    char *text;                         /* names of the columns first */
    size_t used, size;
    bool failed;                        /* no memory */
};

void builder_begin(struct builder *builder, size_t columns);       /* forgets what was there */
void builder_name(struct builder *builder, const char *name);      /* once for each column */
void builder_add(struct builder *builder, async_cell cell);        /* copies its text */
void builder_free(struct builder *builder);

/* All of it in one block of memory that belongs to the current task, or work; frees the builder. */
async_value builder_finish(struct builder *builder);

#endif
