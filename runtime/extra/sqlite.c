/* sqlite.c - see sqlite.h. Python twin: aiosqlite.
 *
 * Each connection has a thread, which alone calls libsqlite3 for it. (Not the pool's threads: those
 * are few, and when they all wait for a lock that another connection holds, nobody is left to run
 * that one's commit.) A piece of work goes there and back, and belongs to one at a time:
 *      given       in `work`, under the mutex; the thread runs it
 *      posted      on its way back, in the loop's list of jobs from other threads
 *      delivered   the loop wakes the task that waits for it
 * A cancelled task does not leave: it raises `stop`, which whatever takes long in the thread looks
 * at, and waits until the work is back. That is why the work can borrow the task's query. */
#define _GNU_SOURCE
#include "sqlite.h"
#include "core/coro.h"
#include "dbdriver.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/task.h"
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOCKED_SECONDS 5            /* how long we wait for somebody else's lock; as in Python */
#define STACK (512 * 1024)
#define STEPS 1000                  /* of its virtual machine, between two looks at `stop` */

struct sqlite;
typedef async_value work_fn(struct sqlite *sqlite, void *arg);

struct sqlite {
    sqlite3 *handle;                /* the thread's, while there is work */
    struct list cursors;            /* likewise */
    async_loop *loop;
    pthread_t thread;
    pthread_mutex_t mutex;          /* guards work, ending */
    pthread_cond_t changed;         /* one of those, or `stop` */
    work_fn *work;                  /* to be done; NULL: nothing, or under way */
    void *arg;
    bool ending;                    /* the thread shall go */
    atomic_bool stop;               /* give up what you are doing */
    struct job job;                 /* delivers; then result and memory are the loop's */
    async_value result;
    struct memory memory;           /* rows and text that the work has made */
    bool delivered;
    struct future back;             /* what the task waits on */
};

/* ---------------------------------------------------------------------------- the thread */

static void *serve(void *p)
{
    struct sqlite *sqlite = p;
    pthread_mutex_lock(&sqlite->mutex);
    for (;;) {
        while (!sqlite->work && !sqlite->ending)
            pthread_cond_wait(&sqlite->changed, &sqlite->mutex);
        work_fn *work = sqlite->work;
        if (!work)
            break;
        sqlite->work = NULL;
        pthread_mutex_unlock(&sqlite->mutex);
        memory_of_thread = &sqlite->memory;
        sqlite->result = work(sqlite, sqlite->arg);
        memory_of_thread = NULL;
        poll_post(sqlite->loop, &sqlite->job);
        pthread_mutex_lock(&sqlite->mutex);
    }
    pthread_mutex_unlock(&sqlite->mutex);
    return NULL;
}

/* Sleeps in the thread, unless it is to stop. True: it is. */
static bool nap(struct sqlite *sqlite, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    seconds = seconds < 0 ? 0 : seconds < 1e9 ? seconds : 1e9;
    long nanoseconds = until.tv_nsec + (long)((seconds - (long)seconds) * 1e9);
    until.tv_sec += (long)seconds + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    pthread_mutex_lock(&sqlite->mutex);
    while (!sqlite->stop
           && pthread_cond_timedwait(&sqlite->changed, &sqlite->mutex, &until) == 0)
        ;
    pthread_mutex_unlock(&sqlite->mutex);
    return sqlite->stop;
}

/* The three places in which libsqlite3 stays long ask us whether to go on. */

static int on_progress(void *p) { return ((struct sqlite *)p)->stop; }

static int on_locked(void *p, int tries)
{
    double pause = tries < 5 ? 0.002 : 0.02;
    return tries * pause < LOCKED_SECONDS && !nap(p, pause);
}

static void pg_sleep(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (nap(sqlite3_user_data(context), sqlite3_value_double(values[0])))
        sqlite3_result_error_code(context, SQLITE_INTERRUPT);
    else
        sqlite3_result_text(context, "", 0, SQLITE_STATIC);    /* as psql shows its void */
}

/* -------------------------------------------------------------------- there and back again */

static void deliver(struct job *job)
{
    struct sqlite *sqlite = container_of(job, struct sqlite, job);
    sqlite->delivered = true;
    sqlite->loop->watched--;
    future_set(&sqlite->back, async_none);
}

static void tell_to_stop(struct sqlite *sqlite)
{
    pthread_mutex_lock(&sqlite->mutex);
    sqlite->stop = true;
    pthread_cond_signal(&sqlite->changed);
    pthread_mutex_unlock(&sqlite->mutex);
}

static void give(struct sqlite *sqlite, work_fn *work, void *arg)
{
    sqlite->delivered = false;
    sqlite->stop = false;
    sqlite->loop->watched++;        /* it holds a virtual clock */
    pthread_mutex_lock(&sqlite->mutex);
    sqlite->work = work;
    sqlite->arg = arg;
    pthread_cond_signal(&sqlite->changed);
    pthread_mutex_unlock(&sqlite->mutex);
}

/* Has the thread do this, and waits for it. A cancel stops it, unless `firm`; and is noted. */
static async_value have_done(struct sqlite *sqlite, work_fn *work, void *arg, bool firm,
                             bool *cancelled)
{
    async_value v = async_none;
    give(sqlite, work, arg);
    while (!sqlite->delivered) {
        future_init(&sqlite->back, &plain_future, sqlite->loop);
        v = task_wait(&sqlite->back);
        *cancelled |= v.error == ASYNC_CANCELLED;
        if (v.error && !firm)
            tell_to_stop(sqlite);
    }
    v = *cancelled && !firm ? async_error(ASYNC_CANCELLED, v.error ? v.message : NULL)
                            : sqlite->result;
    memory_move(memory_here(), &sqlite->memory);
    return v;
}

/* -------------------------------------------------------------------------------- errors */

static int kind_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return ASYNC_DB_INTEGRITY_ERROR;
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return ASYNC_DB_DATA_ERROR;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ASYNC_DB_BUSY;
    case SQLITE_FULL: return ENOSPC;
    case SQLITE_NOMEM: return ENOMEM;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISUSE: return ASYNC_DB_PROGRAMMING_ERROR;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ASYNC_DB_OPERATIONAL_ERROR;
    default: return ASYNC_DB_ERROR;
    }
}

/* What went wrong last. `sql` is all of the query, the statement begins at `at`. */
static async_value failure(sqlite3 *handle, const char *sql, const char *at)
{
    int code = sqlite3_extended_errcode(handle), system = sqlite3_system_errno(handle);
    long offset = -1;
#if SQLITE_VERSION_NUMBER >= 3038000
    offset = sqlite3_error_offset(handle);
#endif
    const char *message = sqlite3_errmsg(handle);
    if (((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR) && system)
        message = async_strf("%s: %s", message, strerror(system));
    else if (code == SQLITE_BUSY)
        message = async_strf("%s by another connection for %d seconds", message, LOCKED_SECONDS);
    if (system == ENOSPC)
        code = SQLITE_FULL;
    return async_error(kind_of(code),
                       db_locate(message ? message : "", sql, offset < 0 ? -1 : at - sql + offset));
}

/* ------------------------------------------------------------------------------- queries */

static int bind_cell(sqlite3_stmt *statement, int place, const async_cell *cell)
{
    switch (cell->kind) {
    case ASYNC_CELL_BOOL:
    case ASYNC_CELL_NUM: return sqlite3_bind_int64(statement, place, cell->num);
    case ASYNC_CELL_REAL: return sqlite3_bind_double(statement, place, cell->real);
    case ASYNC_CELL_TEXT:
        return sqlite3_bind_text(statement, place, cell->text, cell->length, SQLITE_TRANSIENT);
    case ASYNC_CELL_BYTES:
        return sqlite3_bind_blob(statement, place, cell->text ? cell->text : "", cell->length,
                                 SQLITE_TRANSIENT);
    default: return sqlite3_bind_null(statement, place);
    }
}

/* $2 is the second argument, wherever it stands; to SQLite that is a name. ? and ?2 mean places. */
static async_value bind(struct sqlite *sqlite, sqlite3_stmt *statement, const struct query *query,
                        const char *at)
{
    int places = sqlite3_bind_parameter_count(statement);
    size_t most = 0;
    for (int i = 1; i <= places; i++) {
        const char *name = sqlite3_bind_parameter_name(statement, i);
        size_t number = name && name[0] == '$' ? strtoul(name + 1, NULL, 10) : (size_t)i;
        most = number > most ? number : most;
        if (number && number <= query->count
            && bind_cell(statement, i, &query->arguments[number - 1]) != SQLITE_OK)
            return failure(sqlite->handle, query->sql, at);
    }
    if (most == query->count)
        return async_none;
    return async_error(ASYNC_DB_PROGRAMMING_ERROR, async_strf(
        "the query has places for %zu argument%s, and %zu %s given", most, most == 1 ? "" : "s",
        query->count, query->count == 1 ? "was" : "were"));
}

static async_cell cell_at(sqlite3_stmt *statement, int column)
{
    async_cell cell = { .kind = ASYNC_CELL_NULL };
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return async_cell_num(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT: return async_cell_real(sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
        cell.kind = ASYNC_CELL_TEXT;
        cell.text = (const char *)sqlite3_column_text(statement, column);
        break;
    case SQLITE_BLOB:
        cell.kind = ASYNC_CELL_BYTES;
        cell.text = sqlite3_column_blob(statement, column);
        break;
    default: return cell;
    }
    cell.length = sqlite3_column_bytes(statement, column);
    cell.text = cell.text ? cell.text : "";
    return cell;
}

/* The statement at `at`, up to where `tail` comes to point; NULL: blanks or a comment. */
static async_value prepare(struct sqlite *sqlite, const struct query *query, const char *at,
                           const char **tail, sqlite3_stmt **statement)
{
    if (sqlite3_prepare_v2(sqlite->handle, at, -1, statement, tail) != SQLITE_OK)
        return failure(sqlite->handle, query->sql, at);
    return *statement ? bind(sqlite, *statement, query, at) : async_none;
}

/* Its rows, all or as many as are wanted. SQLITE_ROW: there may be more. */
static int collect(sqlite3_stmt *statement, const struct query *query, struct builder *builder)
{
    int status = SQLITE_ROW, columns = query->wants_rows ? sqlite3_column_count(statement) : 0;
    builder_begin(builder, columns);
    for (int i = 0; i < columns; i++)
        builder_name(builder, sqlite3_column_name(statement, i));
    for (size_t rows = 0; !query->most || rows < query->most; rows++) {
        if ((status = sqlite3_step(statement)) != SQLITE_ROW)
            break;
        for (int i = 0; i < columns; i++)
            builder_add(builder, cell_at(statement, i));
    }
    return status;
}

static async_value run_statement(struct sqlite *sqlite, struct query *query, const char *at,
                                 const char **tail, struct builder *builder)
{
    sqlite3_stmt *statement = NULL;
    async_value v = prepare(sqlite, query, at, tail, &statement);
    if (!v.error && statement && collect(statement, query, builder) != SQLITE_DONE)
        v = failure(sqlite->handle, query->sql, at);
    sqlite3_finalize(statement);
    return v;
}

struct cursor {
    struct list link;
    unsigned long number;
    sqlite3_stmt *statement;
};

static void close_cursor(struct cursor *cursor)
{
    list_remove(&cursor->link);
    sqlite3_finalize(cursor->statement);
    free(cursor);
}

static void close_cursors(struct sqlite *sqlite)
{
    while (!list_empty(&sqlite->cursors))
        close_cursor(container_of(sqlite->cursors.next, struct cursor, link));
}

/* In the thread. */
static async_value run_query(struct sqlite *sqlite, void *arg)
{
    struct query *query = arg;
    struct builder builder = { 0 };
    async_value v = async_none;
    int before = sqlite3_total_changes(sqlite->handle);
    for (const char *at = query->sql; *at && !v.error && (!sqlite->stop || query->firm);)
        v = run_statement(sqlite, query, at, &at, &builder);
    if (!v.error && query->wants_rows)
        return builder_finish(&builder);
    builder_free(&builder);
    if (sqlite3_get_autocommit(sqlite->handle))     /* it was a transaction's end, if there was one */
        close_cursors(sqlite);
    bool changed = sqlite3_total_changes(sqlite->handle) != before;
    return v.error ? v : async_num(changed ? sqlite3_changes(sqlite->handle) : 0);
}

static async_value run(struct db *db, struct query *query)
{
    struct sqlite *sqlite = db->link;
    return have_done(sqlite, run_query, query, query->firm, &query->cancelled);
}

static async_value open_cursor(struct sqlite *sqlite, const struct query *query)
{
    const char *tail;
    struct cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor)
        return async_error(ENOMEM, "no memory for a cursor");
    cursor->number = query->cursor;
    list_append(&sqlite->cursors, &cursor->link);
    async_value v = prepare(sqlite, query, query->sql, &tail, &cursor->statement);
    if (v.error)
        close_cursor(cursor);
    return v.error ? v : async_ptr(cursor);
}

static async_value find_cursor(struct sqlite *sqlite, const struct query *query)
{
    list_each(link, &sqlite->cursors)
        if (container_of(link, struct cursor, link)->number == query->cursor)
            return async_ptr(container_of(link, struct cursor, link));
    return async_error(ASYNC_DB_PROGRAMMING_ERROR, "the cursor went with its transaction");
}

/* In the thread. */
static async_value run_cursor(struct sqlite *sqlite, void *arg)
{
    struct query *query = arg;
    struct builder builder = { 0 };
    async_value v = query->opened ? find_cursor(sqlite, query) : open_cursor(sqlite, query);
    if (v.error)
        return v;
    struct cursor *cursor = v.ptr;
    int status = collect(cursor->statement, query, &builder);
    v = status == SQLITE_ROW || status == SQLITE_DONE ? async_none
                                                       : failure(sqlite->handle, query->sql, query->sql);
    if (status != SQLITE_ROW)
        close_cursor(cursor);
    if (!v.error)
        return builder_finish(&builder);
    builder_free(&builder);
    return v;
}

static async_value some(struct db *db, struct query *query)
{
    struct sqlite *sqlite = db->link;
    return have_done(sqlite, run_cursor, query, false, &query->cancelled);
}

/* ------------------------------------------------------------------- opening and closing */

/* In the thread. A file that is no database shows when it is read, so we read a little. */
static async_value open_file(struct sqlite *sqlite, void *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    int status = sqlite3_open_v2(path, &sqlite->handle, flags, NULL);
    if (!sqlite->handle)
        return async_error(ENOMEM, "no memory to open a database");
    sqlite3_extended_result_codes(sqlite->handle, 1);
    sqlite3_busy_handler(sqlite->handle, on_locked, sqlite);
    sqlite3_progress_handler(sqlite->handle, STEPS, on_progress, sqlite);
    sqlite3_create_function(sqlite->handle, "pg_sleep", 1, SQLITE_UTF8, sqlite, pg_sleep, NULL,
                            NULL);
    if (status == SQLITE_OK)
        status = sqlite3_exec(sqlite->handle, "PRAGMA foreign_keys = on; PRAGMA schema_version",
                              NULL, NULL, NULL);
    if (status == SQLITE_OK)
        return async_none;
    async_value v = failure(sqlite->handle, "", "");
    return async_error(v.error, async_strf("opening %s: %s", (char *)path, v.message));
}

/* In the thread: may have to write what is left in the log to the file. */
static async_value close_file(struct sqlite *sqlite, void *unused)
{
    (void)unused;
    close_cursors(sqlite);
    sqlite3_close_v2(sqlite->handle);   /* which may be closed already */
    sqlite->handle = NULL;
    return async_none;
}

static void finish(struct db *db)
{
    struct sqlite *sqlite = db->link;
    bool cancelled = false;
    if (task_current())
        have_done(sqlite, close_file, NULL, true, &cancelled);
}

static void close_at_once(struct db *db)
{
    struct sqlite *sqlite = db->link;
    db->link = NULL;
    pthread_mutex_lock(&sqlite->mutex);
    sqlite->ending = true;
    sqlite->stop = true;
    pthread_cond_signal(&sqlite->changed);
    pthread_mutex_unlock(&sqlite->mutex);
    pthread_join(sqlite->thread, NULL);
    atomic_fetch_sub(&poll_own_threads, 1);
    close_file(sqlite, NULL);
    memory_free(&sqlite->memory);
    pthread_mutex_destroy(&sqlite->mutex);
    pthread_cond_destroy(&sqlite->changed);
    free(sqlite);
}

/* Signals are for the loop's thread. */
static int start_thread(struct sqlite *sqlite)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&sqlite->thread, &attributes, serve, sqlite);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return status;
}

static struct sqlite *sqlite_new(void)
{
    pthread_condattr_t attributes;
    struct sqlite *sqlite = calloc(1, sizeof *sqlite);
    if (!sqlite)
        return NULL;
    sqlite->loop = loop_running;
    sqlite->job.run = deliver;
    list_init(&sqlite->job.link);
    list_init(&sqlite->cursors);
    pthread_mutex_init(&sqlite->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sqlite->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (start_thread(sqlite) == 0) {
        atomic_fetch_add(&poll_own_threads, 1);
        return sqlite;
    }
    pthread_mutex_destroy(&sqlite->mutex);
    pthread_cond_destroy(&sqlite->changed);
    free(sqlite);
    return NULL;
}

static async_value connect(struct db *db, const char *url)
{
    bool cancelled = false;
    const char *path = url + strlen("sqlite:");
    if (strncmp(path, "//", 2) == 0)            /* sqlite:///absolute/path */
        path += 2;
    struct sqlite *sqlite = sqlite_new();
    if (!sqlite)
        return async_error(EAGAIN, "no memory or no thread for a database");
    db->link = sqlite;
    db->private = strcmp(path, ":memory:") == 0 || !*path;
    async_value v = have_done(sqlite, open_file, (void *)path, false, &cancelled);
    if (v.error) {
        finish(db);
        close_at_once(db);
    }
    return v;
}

static bool usable(struct db *db)
{
    (void)db;
    return true;
}

static enum transaction_state state(struct db *db)
{
    return sqlite3_get_autocommit(((struct sqlite *)db->link)->handle) ? NO_TRANSACTION
                                                                       : IN_TRANSACTION;
}

/* A transaction that begins by reading and then wants to write can get in another's way beyond
 * repair; IMMEDIATE waits for its turn at the beginning. */
const struct driver sqlite_driver = {
    .begin = "BEGIN IMMEDIATE", .connect = connect, .run = run, .some = some, .finish = finish,
    .close = close_at_once, .usable = usable, .state = state
};

async_awaitable async_sqlite_connect(const char *path)
{
    const char *url = path ? async_strf("sqlite:%s", path) : NULL;
    return url ? db_connecting(&sqlite_driver, url) : NULL;
}
