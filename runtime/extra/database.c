/* database.c - connections, queries and transactions, whatever the database; see database.h.
 *
 * A connection has one lock, its turn: who holds it runs a query, the others queue. Everything that
 * has to happen (commit, roll back, give back, close) is done *firmly*: a cancellation that comes
 * meanwhile is noted and passed on afterwards, so a block is never left with its end half done. */
#include "dbdriver.h"
#include "core/coro.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void drop(struct object *object)
{
    struct db *db = (struct db *)object;
    if (db->link)
        db->driver->close(db);
    free((char *)db->why);
    if (db->pool)
        object_unpin((struct object *)db->pool);
    object_unpin(&db->turn->object);
}

static const struct future_type db_type = { .name = "Connection", .drop = drop };

/* An object that lasts until its last pin goes, which the caller now holds. */
static void *pinned_object(const struct future_type *type)
{
    struct object *object = object_new(type, loop_running);
    if (object) {
        object_pin(object);
        object_expire(object);
    }
    return object;
}

struct db *db_new(bool of_pool)
{
    struct lock *turn = pinned_object(&lock_type);
    struct db *db = !turn ? NULL : of_pool ? pinned_object(&db_type) : primitive_new(struct db, &db_type);
    if (!db) {
        if (turn)
            object_unpin(&turn->object);
        return NULL;
    }
    turn->locked = false;
    waitq_init(&turn->waitq, &db->object);
    db->driver = NULL;
    db->link = NULL;
    db->turn = turn;
    db->why = NULL;
    db->pool = NULL;
    list_init(&db->idle);
    db->depth = 0;
    db->private = false;
    return db;
}

/* Pinned. What works for a connection tells the loop that it was made in. */
static void *use_here(const void *x, const struct future_type *type, const char *caller,
                      async_value *error)
{
    struct object *object = primitive_use(x, type, caller, error);
    if (!object || object->future.loop == loop_running)
        return object;
    object_unpin(object);
    *error = report_refused(ASYNC_RUNTIME_ERROR, caller, "this connection belongs to a different loop");
    return NULL;
}

static struct db *use(async_db *x, const char *caller, async_value *error)
{
    return use_here(x, &db_type, caller, error);
}

/* ---------------------------------------------------------------------------- connecting */

static bool begins_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const struct driver *driver_of(const char *url, async_value *error)
{
    const struct driver *driver = NULL;
    const char *header = NULL;
    if (begins_with(url, "sqlite:"))
        driver = &sqlite_driver, header = "sqlite.h";
    else if (begins_with(url, "postgresql://") || begins_with(url, "postgres://"))
        driver = &postgres_driver, header = "postgres.h";
    if (!*url)
        *error = async_error(ASYNC_VALUE_ERROR, "there is no URL of a database: it is empty or NULL");
    else if (!header)               /* it may hold a password: we don't show it */
        *error = async_error(ASYNC_VALUE_ERROR, "the URL of a database begins with sqlite: or "
                                                "postgresql://");
    else if (!driver)
        *error = async_error(ASYNC_VALUE_ERROR, async_strf(
            "this program does not know that kind of database: it needs #include \"%s\"", header));
    return driver;
}

async_value db_open(struct db *db, const char *url)
{
    async_value v = async_none;
    if (!db->driver)
        db->driver = driver_of(url, &v);
    return db->driver ? db->driver->connect(db, url) : v;
}

struct connecting {
    const struct driver *driver;    /* NULL: by the URL */
    char url[];
};

static async_value connecting(void *p)
{
    struct connecting *args = p;
    if (!task_current())
        return report_no_task();
    struct db *db = db_new(false);
    if (!db)
        return async_error(ENOMEM, "no memory for a connection");
    db->driver = args->driver;
    object_pin(&db->object);
    async_value v = db_open(db, args->url);
    async_db *handle = (async_db *)object_ticket(&db->object);
    object_unpin(&db->object);
    return v.error ? v : async_ptr(handle);
}

async_coroutine db_connecting(const struct driver *driver, const char *url)
{
    size_t size = sizeof(struct connecting) + (url ? strlen(url) : 0) + 1;
    struct connecting *args = url ? malloc(size) : NULL;    /* NULL: an async_strf without memory */
    if (!args)
        return NULL;
    args->driver = driver;
    strcpy(args->url, url);
    async_coroutine coro = async_coro_new((async_call){ connecting, "async_db_connect", args, size });
    free(args);
    return coro;
}

async_awaitable async_db_connect(const char *url)
{
    return db_connecting(NULL, url);
}

/* --------------------------------------------------------------------------------- turns */

/* Cancelled while we wait, we go on waiting: somebody has to do what we are here for. */
static async_value take_turn(struct db *db, bool *cancelled)
{
    async_value v;
    while ((v = lock_acquire(db->turn)).error == ASYNC_CANCELLED)
        *cancelled = true;
    return v;
}

static async_value closed(struct db *db)
{
    return async_error(ASYNC_DB_CLOSED, db->why
        ? async_strf("the connection is closed: %s", db->why) : "the connection is closed");
}

/* While somebody waited for a turn. */
static async_value given_back(void)
{
    return async_error(ASYNC_DB_CLOSED, "the connection was given back to its pool");
}

/* Both with the turn in our hands. */
static async_value run(struct db *db, struct query *query)
{
    return db->link ? db->driver->run(db, query) : closed(db);
}

static async_value run_firmly(struct db *db, const char *sql, bool *cancelled)
{
    struct query query = { .sql = sql, .firm = true };
    async_value v = run(db, &query);
    *cancelled |= query.cancelled;
    return v;
}

async_value db_settle(struct db *db, bool *cancelled)
{
    async_value v = take_turn(db, cancelled);
    if (v.error)
        return v;
    if (db->link && db->driver->state(db) != NO_TRANSACTION)
        v = run_firmly(db, "ROLLBACK", cancelled);
    db->depth = 0;
    lock_release(db->turn);
    return v;
}

/* ------------------------------------------------------------------------------- queries */

struct asking {
    async_db *db;
    bool wants_rows, first_only;
    size_t count;
    async_cell arguments[];         /* then their text, then the SQL; text is an offset */
};

static async_value first_cell(async_value v)
{
    const async_rows *rows = v.ptr;
    if (v.error || !rows->count)
        return v.error ? v : async_ptr(NULL);
    const async_cell *cell = rows->cells;
    switch (cell->kind) {
    case ASYNC_CELL_NULL: return async_ptr(NULL);
    case ASYNC_CELL_REAL: return async_real(cell->real);
    case ASYNC_CELL_TEXT:
    case ASYNC_CELL_BYTES: return async_str(cell->text);
    default: return async_num(cell->num);
    }
}

async_value db_in_turn(async_db *x, const char *caller, db_work *work, void *arg)
{
    async_value v;
    if (!task_current())
        return report_no_task();
    in_use struct db *db = use(x, caller, &v);
    if (!db)
        return v;
    uint64_t ticket = db->object.ticket;
    if ((v = lock_acquire(db->turn)).error)
        return v;
    v = ticket != db->object.ticket ? given_back() : db->link ? work(db, arg) : closed(db);
    lock_release(db->turn);
    return v;
}

static async_value run_query(struct db *db, void *query) { return db->driver->run(db, query); }

/* Its texts, which are offsets until here, come to be pointers. */
static struct query query_of(struct asking *args)
{
    char *text = (char *)(args->arguments + args->count);
    for (size_t i = 0; i < args->count; i++)
        if (args->arguments[i].text)
            args->arguments[i].text = text + (uintptr_t)args->arguments[i].text;
    return (struct query){ .sql = text + 1, .arguments = args->arguments, .count = args->count,
                           .wants_rows = args->wants_rows };
}

static async_value ask(void *p)
{
    struct asking *args = p;
    struct query query = query_of(args);
    async_value v = db_in_turn(args->db, args->wants_rows ? "async_db_fetch" : "async_db_execute",
                               run_query, &query);
    return args->first_only ? first_cell(v) : v;
}

/* All of it in one block, to be freed; NULL: no memory, or no SQL. */
static struct asking *pack(const struct asking *how, const char *sql, const async_cell *arguments,
                           size_t *size)
{
    size_t used = sql ? strlen(sql) + 2 : 0, fixed = sizeof *how + how->count * sizeof *arguments;
    for (size_t i = 0; i < how->count; i++)
        used += arguments[i].text ? arguments[i].length + 1 : 0;
    struct asking *args = sql ? calloc(1, fixed + used) : NULL;
    if (!args)
        return NULL;
    *args = *how;
    char *text = (char *)args + fixed;
    strcpy(text + 1, sql);          /* from 1 on, since an offset of 0 is no text */
    used = strlen(sql) + 2;
    for (size_t i = 0; i < how->count; i++) {
        args->arguments[i] = arguments[i];
        if (!arguments[i].text)
            continue;
        memcpy(text + used, arguments[i].text, arguments[i].length);
        args->arguments[i].text = (char *)(uintptr_t)used;
        used += arguments[i].length + 1;
    }
    *size = fixed + used;
    return args;
}

static async_awaitable make_query(const struct asking *how, const char *sql,
                                  const async_cell *arguments)
{
    size_t size;
    struct asking *args = pack(how, sql, arguments, &size);
    if (!args)
        return NULL;
    async_awaitable coro = coro_make(ask, how->wants_rows ? "async_db_fetch" : "async_db_execute", args,
                                     size);
    free(args);
    return coro;
}

async_awaitable async_db_fetch_list(async_db *db, const char *sql, const async_cell *arguments,
                                    size_t count)
{
    return make_query(&(struct asking){ .db = db, .wants_rows = true, .count = count }, sql,
                      arguments);
}

async_awaitable async_db_execute_list(async_db *db, const char *sql, const async_cell *arguments,
                                      size_t count)
{
    return make_query(&(struct asking){ .db = db, .count = count }, sql, arguments);
}

async_awaitable async_db_fetchval_list(async_db *db, const char *sql, const async_cell *arguments,
                                       size_t count)
{
    return make_query(&(struct asking){ .db = db, .wants_rows = true, .first_only = true,
                                       .count = count }, sql, arguments);
}

/* ------------------------------------------------------------------------------- cursors */

#define AT_ONCE 100                 /* rows that a cursor gets */

static async_value fetch_some(struct db *db, void *query)
{
    if (db->driver->state(db) == NO_TRANSACTION)
        return async_error(ASYNC_DB_PROGRAMMING_ERROR, "a cursor lasts as long as its transaction: begin one "
                           "before it with async_db_transaction, and end it after the last row");
    return db->driver->some(db, query);
}

static async_value no_cursor(void *unused)
{
    (void)unused;
    return async_error(ENOMEM, "no memory for a query");
}

/* A generator. */
static async_value rows_of_cursor(void *args)
{
    static atomic_ulong cursors;
    size_t count = AT_ONCE;
    struct query query = query_of(args);
    query.cursor = ++cursors;
    query.most = AT_ONCE;
    while (count == AT_ONCE) {
        async_value v = db_in_turn(((struct asking *)args)->db, "async_db_cursor", fetch_some, &query);
        if (v.error)
            return async_leave(v);
        async_with(async_rows_exit) async_rows *rows = v.ptr;
        async_each_row(row, rows)
            async_yield(async_ptr(&row));
        count = rows->count;
        query.opened = true;
    }
    return async_none;
}

async_iterator async_db_cursor_list(async_db *db, const char *sql, const async_cell *arguments, size_t count)
{
    size_t size = 0;
    struct asking *args = pack(&(struct asking){ .db = db, .wants_rows = true, .count = count }, sql,
                               arguments, &size);
    async_iterator rows = async_generator_new((async_call){
        .call = args ? rows_of_cursor : no_cursor, .name = "async_db_cursor", .args = args, .size = size });
    free(args);
    return rows;
}

/* ------------------------------------------------------------------------------- closing */

static async_value close_db(void *p)
{
    async_value v;
    bool cancelled = false;
    in_use struct db *db = use(*(async_db **)p, "async_db_close", &v);
    if (!db || (v = take_turn(db, &cancelled)).error)
        return v;
    if (db->link && db->driver->finish)
        db->driver->finish(db);
    if (db->link)
        db->driver->close(db);
    lock_release(db->turn);
    return cancelled ? async_error(ASYNC_CANCELLED, NULL) : async_none;
}

async_awaitable async_db_close(async_db *db)
{
    return coro_make(close_db, "async_db_close", &db, sizeof db);
}

bool async_db_is_closed(async_db *x)
{
    return !((struct db *)object_of(x, &db_type, "async_db_is_closed", NULL))->link;
}

void async_db_exit(async_db **x)
{
    async_value v = async_none;
    in_use struct db *db = *x ? use(*x, "async_db_exit", &v) : NULL;
    if (db && db->pool)
        v = db_give_back(db);
    else if (db)
        v = async_catch(async_db_close(*x));
    if (v.error)
        async_leave_with(v);
}

/* -------------------------------------------------------------------------- transactions */

struct transaction {
    struct object object;
    struct db *db;                  /* pinned; NULL: it is over */
    uint64_t ticket;                /* of the connection: it must not be given back meanwhile */
    unsigned depth;                 /* 1: a real one, more: a savepoint in another */
};

_Static_assert(sizeof(struct transaction) <= OBJECT_SIZE, "a transaction fits its record");

static void drop_transaction(struct object *object)
{
    struct transaction *transaction = (struct transaction *)object;
    if (transaction->db)
        object_unpin(&transaction->db->object);
}

static const struct future_type transaction_type = { .name = "Transaction", .drop = drop_transaction };

static const char *statement(const char *outer, const char *inner, unsigned depth)
{
    return depth == 1 ? outer : async_strf(inner, depth, depth);
}

/* The following run with the connection's turn in our hands. */

static async_value roll_back(struct transaction *transaction, bool *cancelled)
{
    struct db *db = transaction->db;
    if (!db->link || db->driver->state(db) == NO_TRANSACTION)
        return async_none;          /* it went with the connection, or by itself */
    return run_firmly(db, statement("ROLLBACK", "ROLLBACK TO async_%u; RELEASE async_%u",
                                    transaction->depth), cancelled);
}

static async_value commit(struct transaction *transaction, bool *cancelled)
{
    struct db *db = transaction->db;
    if (!db->link)
        return closed(db);
    if (db->driver->state(db) != IN_TRANSACTION) {
        roll_back(transaction, cancelled);
        return async_error(ASYNC_DB_ERROR, "a statement of this transaction had failed, so all of "
                           "it was rolled back. To go on after an error put what may fail into a "
                           "transaction of its own, inside this one");
    }
    async_value v = run_firmly(db, statement("COMMIT", "RELEASE async_%u", transaction->depth),
                               cancelled);
    if (v.error)
        roll_back(transaction, cancelled);
    return v;
}

typedef async_value ending(struct transaction *transaction, bool *cancelled);

/* Commits or rolls back, once, and lets go of the connection. */
static async_value end(struct transaction *transaction, ending *how)
{
    bool cancelled = false;
    struct db *db = transaction->db;
    if (!db)
        return async_none;
    async_value v = take_turn(db, &cancelled);
    bool have_turn = !v.error;
    if (have_turn && transaction->ticket != db->object.ticket) {
        v = async_error(ASYNC_DB_CLOSED, "the connection was given back to its pool before this "
                                         "transaction ended, and so it was rolled back");
    } else if (have_turn) {
        v = how(transaction, &cancelled);
        db->depth = transaction->depth - 1;
    }
    if (have_turn)
        lock_release(db->turn);
    transaction->db = NULL;
    object_unpin(&db->object);
    return cancelled && !v.error ? async_error(ASYNC_CANCELLED, NULL) : v;
}

/* A real beginning may have to wait for a lock, and can be given up; a savepoint waits for nobody. */
static async_value begin(struct transaction *transaction, bool *cancelled)
{
    struct db *db = transaction->db;
    struct query query = { .sql = db->link ? db->driver->begin : "" };
    transaction->depth = db->depth + 1;
    async_value v = transaction->depth == 1
        ? run(db, &query)
        : run_firmly(db, async_strf("SAVEPOINT async_%u", transaction->depth), cancelled);
    if (!v.error && *cancelled)
        v = async_error(ASYNC_CANCELLED, NULL);
    if (!v.error)
        db->depth++;
    else if (transaction->depth == 1 || *cancelled)
        roll_back(transaction, cancelled);
    return v;
}

static async_value begin_transaction(struct db *db)
{
    bool cancelled = false;
    uint64_t ticket = db->object.ticket;
    struct transaction *transaction = pinned_object(&transaction_type);
    if (!transaction)
        return async_error(ENOMEM, "no memory for a transaction");
    transaction->db = NULL;
    async_value v = lock_acquire(db->turn);
    if (!v.error && ticket != db->object.ticket)
        v = given_back();
    if (!v.error) {
        transaction->db = db;
        transaction->ticket = ticket;
        object_pin(&db->object);
        v = begin(transaction, &cancelled);
        lock_release(db->turn);
    }
    if (!v.error)
        return async_ptr(object_ticket(&transaction->object));
    object_unpin(&transaction->object);
    return v;
}

static async_value enter_transaction(void *p)
{
    async_value v;
    in_use struct db *db = use(*(async_db **)p, "async_db_transaction", &v);
    return db ? begin_transaction(db) : v;
}

async_awaitable async_db_transaction(async_db *db)
{
    return coro_make(enter_transaction, "async_db_transaction", &db, sizeof db);
}

void async_transaction_exit(async_transaction **x)
{
    async_value v = async_none;
    struct transaction *transaction = !*x ? NULL
        : object_of(*x, &transaction_type, "async_transaction_exit", &v);
    bool keep = !async_leaving().error;
    if (transaction) {
        v = end(transaction, keep ? commit : roll_back);
        object_unpin(&transaction->object);     /* nobody can name it any more */
    }
    if (v.error && (keep || v.error == ASYNC_CANCELLED))
        async_leave_with(v);
}

static async_value end_early(async_transaction *x, const char *caller, ending *how)
{
    async_value v;
    in_use struct transaction *transaction = use_here(x, &transaction_type, caller, &v);
    return transaction ? end(transaction, how) : v;
}

static async_value commit_early(void *p)
{
    return end_early(*(async_transaction **)p, "async_transaction_commit", commit);
}

static async_value roll_back_early(void *p)
{
    return end_early(*(async_transaction **)p, "async_transaction_rollback", roll_back);
}

async_awaitable async_transaction_commit(async_transaction *transaction)
{
    return coro_make(commit_early, "async_transaction_commit", &transaction, sizeof transaction);
}

async_awaitable async_transaction_rollback(async_transaction *transaction)
{
    return coro_make(roll_back_early, "async_transaction_rollback", &transaction,
                     sizeof transaction);
}

/* -------------------------------------------------------------------------------- errors */

static const char *name_of(int error)
{
    static const char *const names[] = {
        "DatabaseError", "ProgrammingError", "IntegrityError", "DataError", "BusyError",
        "OperationalError", "InterfaceError"
    };
    bool ours = error >= ASYNC_DB_ERROR && error <= ASYNC_DB_CLOSED;
    return ours ? names[error - ASYNC_DB_ERROR] : NULL;
}

/* So that reports call them by their names, too. */
__attribute__((constructor)) static void teach_names(void) { report_more_names = name_of; }

const char *async_db_error_name(int error) { return async_error_name(error); }

#define SHOWN 40                    /* bytes of the SQL, from the place of the error on */

const char *db_locate(const char *message, const char *sql, long offset)
{
    long character = 1, end;
    if (offset < 0 || offset > (long)strlen(sql))
        return async_strf("%s", message);
    for (long i = 0; i < offset; i++)
        character += ((unsigned char)sql[i] & 0xC0) != 0x80;    /* bytes that begin one, in UTF-8 */
    const char *from = sql + offset;
    end = strcspn(from, "\n");
    if (end > SHOWN)
        for (end = SHOWN; ((unsigned char)from[end] & 0xC0) == 0x80; )
            end--;
    if (!end)
        return async_strf("%s, at the end: character %ld", message, character);
    return async_strf("%s, at character %ld: %.*s%s", message, character, (int)end, from,
                      from[end] ? "..." : "");
}
