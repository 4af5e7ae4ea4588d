/* postgres.c - see postgres.h. Python twin: asyncpg, or psycopg's AsyncConnection.
 *
 * libpq can work without blocking: it is told when its socket is ready, and says what it waits for
 * next. So a query is a loop around one wait:
 *      send what is left (PQflush), read what has come (PQconsumeInput), take results (PQgetResult)
 *      until there are no more, and the connection is idle again.
 * A cancelled task asks the server to stop, over a connection of its own (PQcancel, in a thread, as
 * that blocks), and goes on with the loop until the server has answered. Only a server that says
 * nothing for some seconds is left alone: then the connection is closed. The thread may then hang
 * for as long as the server does, and so is none of the pool's, which a program waits for at its
 * end. */
#define _GNU_SOURCE
#include "postgres.h"
#include "core/coro.h"
#include "dbdriver.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/task.h"
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE 5.0                /* seconds for the server, once the task was cancelled */

struct socket_wait {                /* of the connection's task; one at a time */
    struct job ready, late;
    struct future future;
    struct watch *reading, *writing;    /* NULL: not, or over */
    struct timer timer;
};

struct postgres {
    PGconn *conn;
    struct socket_wait wait;
    struct cancel_request *request; /* to stop a query; NULL: there is none */
};

struct cancel_request {             /* belongs to its thread until that posts it */
    struct job job;                 /* it was sent */
    async_loop *loop;
    PGcancel *cancel;
    struct postgres *postgres;      /* who waits; NULL: nobody any more; guarded by `abandoning` */
    bool sent;                      /* the loop's alone */
};

static pthread_mutex_t abandoning = PTHREAD_MUTEX_INITIALIZER;

/* What a cancelled task is at: nothing, until there is a deadline. */
struct giving_up {
    int64_t deadline;               /* on the loop's clock; 0: we were not cancelled */
    const char *message;            /* of the cancellation */
};

/* ------------------------------------------------------------------------------- waiting */

static void end_wait(struct socket_wait *wait, async_value outcome)
{
    unwatch(&wait->reading);
    unwatch(&wait->writing);
    future_set(&wait->future, outcome);
}

static void on_ready(struct job *job)
{
    end_wait(container_of(job, struct socket_wait, ready), async_none);
}

static void on_late(struct job *job)
{
    struct timer *timer = container_of(job, struct timer, job);
    end_wait(container_of(timer, struct socket_wait, timer), async_error(ASYNC_TIMEOUT, NULL));
}

enum waiting_for { THE_REQUEST, TO_READ, TO_WRITE };    /* the last: or to read */

/* Until the socket is ready, or a request to stop was sent; ASYNC_TIMEOUT once it is `deadline` (0:
 * never), or ASYNC_CANCELLED. Real work is under way: it holds a virtual clock. */
static async_value wait_for(struct postgres *postgres, enum waiting_for what, int64_t deadline)
{
    struct socket_wait *wait = &postgres->wait;
    int fd = PQsocket(postgres->conn);
    if (fd < 0 && what != THE_REQUEST)
        return async_error(ASYNC_DB_CLOSED, "there is no connection");
    future_init(&wait->future, &plain_future, loop_running);
    if (what != THE_REQUEST)
        wait->reading = watch_fd(loop_running, fd, false, true, &wait->ready);
    if (what == TO_WRITE)
        wait->writing = watch_fd(loop_running, fd, true, true, &wait->ready);
    async_value v = async_error(ENOMEM, "no memory to wait for the database");
    if ((wait->reading || what == THE_REQUEST) && (wait->writing || what != TO_WRITE)) {
        if (!deadline || loop_timer_start(loop_running, &wait->timer, deadline))
            v = task_wait(&wait->future);
        if (deadline)
            loop_timer_stop(loop_running, &wait->timer);
        if (!v.error)
            v = wait->future.outcome;
    }
    end_wait(wait, async_none);
    return v;
}

static struct postgres *postgres_new(void)
{
    struct postgres *postgres = calloc(1, sizeof *postgres);
    if (!postgres)
        return NULL;
    postgres->wait.ready.run = on_ready;
    postgres->wait.timer.job.run = on_late;
    future_init(&postgres->wait.future, &plain_future, loop_running);
    return postgres;
}

/* -------------------------------------------------------------------------------- errors */

/* libpq's messages are lines, some with more on an indented one. Here it is one line. */
static const char *one_line(const char *text)
{
    char *copy = strdup(text), *to = copy;
    for (const char *from = text; copy && *from; from++)
        if (*from != '\t' && (*from != '\n' || from[1]))
            *to++ = *from == '\n' ? ' ' : *from;
    if (to)
        *to = '\0';
    const char *line = copy ? async_strf("%s", copy) : NULL;
    free(copy);
    return line;
}

/* Nobody waits for it any more. It is freed by its job, or, if it is not sent yet, by its thread,
 * which must not touch the loop then: that may be gone before the server speaks again. */
static void abandon(struct cancel_request *request)
{
    if (request->sent) {
        free(request);
        return;
    }
    pthread_mutex_lock(&abandoning);
    request->postgres = NULL;
    pthread_mutex_unlock(&abandoning);
    request->loop->watched--;
}

static void close_at_once(struct db *db)
{
    struct postgres *postgres = db->link;
    db->link = NULL;
    if (postgres->request)
        abandon(postgres->request);
    if (postgres->wait.reading)
        end_wait(&postgres->wait, async_none);
    PQfinish(postgres->conn);
    free(postgres);
}

/* The connection cannot be used any more: it is closed here and now, and says why from then on. */
static async_value lost(struct db *db, const char *why)
{
    const char *text = async_strf("the connection to PostgreSQL was lost: %s", why);
    db->why = text ? strdup(text) : NULL;
    close_at_once(db);
    return async_error(ASYNC_DB_OPERATIONAL_ERROR, text);
}

static int kind_of(const char *sqlstate)
{
    static const struct { const char *begins; int error; } kinds[] = {
        { "42", ASYNC_DB_PROGRAMMING_ERROR }, { "26", ASYNC_DB_PROGRAMMING_ERROR },
        { "34", ASYNC_DB_PROGRAMMING_ERROR }, { "23", ASYNC_DB_INTEGRITY_ERROR },
        { "22", ASYNC_DB_DATA_ERROR },
        { "40", ASYNC_DB_BUSY },              { "55P03", ASYNC_DB_BUSY },
        { "53100", ENOSPC },                  { "53200", ENOMEM },
        { "08P01", ASYNC_DB_PROGRAMMING_ERROR },        /* too few arguments */
        { "08", ASYNC_DB_OPERATIONAL_ERROR }, { "28", ASYNC_DB_OPERATIONAL_ERROR },
        { "3D", ASYNC_DB_OPERATIONAL_ERROR }, { "53", ASYNC_DB_OPERATIONAL_ERROR },
        { "57", ASYNC_DB_OPERATIONAL_ERROR }, { "58", ASYNC_DB_OPERATIONAL_ERROR },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(sqlstate, kinds[i].begins, strlen(kinds[i].begins)) == 0)
            return kinds[i].error;
    return ASYNC_DB_ERROR;
}

/* Position is in characters, from 1; in bytes, from 0: */
static long offset_of(const char *sql, const char *position)
{
    long offset = -1;
    for (long n = position ? strtol(position, NULL, 10) : 0; n > 0; n--)
        do
            offset++;
        while (offset > 0 && ((unsigned char)sql[offset] & 0xC0) == 0x80);
    return offset;
}

static async_value failure(const PGresult *result, const struct query *query)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    if (!state || !message)
        return async_error(ASYNC_DB_OPERATIONAL_ERROR, one_line(PQresultErrorMessage(result)));
    long offset = offset_of(query->sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    message = db_locate(message, query->sql + query->lead, offset - (long)query->lead);
    if (detail || hint)
        message = async_strf("%s (%s%s%s)", message, detail ? one_line(detail) : "",
                             detail && hint ? " " : "", hint ? one_line(hint) : "");
    return async_error(kind_of(state), message);
}

/* ------------------------------------------------------------------------------- results */

enum { BOOL = 16, BYTEA = 17, INT8 = 20, INT2 = 21, INT4 = 23, OID = 26, FLOAT4 = 700,
       FLOAT8 = 701, NUMERIC = 1700 };      /* of pg_type, where they never change */

static void add_bytes(struct builder *builder, const char *text)
{
    size_t length;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &length);
    builder->failed |= !bytes;
    builder_add(builder, async_bytes(bytes ? (char *)bytes : "", bytes ? length : 0));
    PQfreemem(bytes);
}

static void add_cell(struct builder *builder, const PGresult *result, int row, int column)
{
    const char *text = PQgetvalue(result, row, column);
    async_cell cell = { .kind = ASYNC_CELL_TEXT, .text = text,
                        .length = PQgetlength(result, row, column) };
    if (PQgetisnull(result, row, column))
        cell = async_cell_null(NULL);
    else
        switch (PQftype(result, column)) {
        case BOOL: cell = async_cell_bool(*text == 't'); break;
        case INT2:
        case INT4:
        case INT8:
        case OID: cell = async_cell_num(strtol(text, NULL, 10)); break;
        case FLOAT4:
        case FLOAT8: cell = async_cell_real(strtod(text, NULL)); break;
        case NUMERIC:
            cell.kind = ASYNC_CELL_REAL;
            cell.real = strtod(text, NULL);
            break;
        case BYTEA: add_bytes(builder, text); return;
        }
    builder_add(builder, cell);
}

static void add_rows(struct builder *builder, const PGresult *result)
{
    int columns = PQnfields(result), rows = PQntuples(result);
    builder_begin(builder, columns);
    for (int i = 0; i < columns; i++)
        builder_name(builder, PQfname(result, i));
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            add_cell(builder, result, row, column);
}

/* One result: of each statement there is one. How many rows were changed, or the error. */
static async_value take(struct builder *builder, const struct query *query, const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (query->wants_rows)
            add_rows(builder, result);
        return async_num(strtol(PQcmdTuples((PGresult *)result), NULL, 10));
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
        return async_error(ASYNC_DB_PROGRAMMING_ERROR, "COPY sends its rows beside the answer to a query, "
                           "and is not possible here: use INSERT and SELECT, or psql");
    default: return failure(result, query);
    }
}

/* COPY is not for us: what it wants is refused, and what it sends is thrown away; so the connection can
 * be used on. True: there is more to come. */
static bool refuse_copy(PGconn *conn, const PGresult *result)
{
    if (PQresultStatus(result) == PGRES_COPY_IN)
        PQputCopyEnd(conn, "COPY is not possible here");
    return PQresultStatus(result) == PGRES_COPY_OUT;
}

static bool skip_copy(PGconn *conn)
{
    char *data;
    int length;
    while ((length = PQgetCopyData(conn, &data, true)) > 0)
        PQfreemem(data);
    return length == 0;
}

/* ------------------------------------------------------------------------------- sending */

struct arguments {                  /* as libpq wants them */
    Oid *types;
    const char **values;
    int *lengths, *formats;
    char (*numbers)[32];
};

static const char *argument_text(const async_cell *cell, char number[32])
{
    switch (cell->kind) {
    case ASYNC_CELL_NULL: return NULL;
    case ASYNC_CELL_BOOL: return cell->num ? "true" : "false";
    case ASYNC_CELL_NUM: snprintf(number, 32, "%ld", cell->num); return number;
    case ASYNC_CELL_REAL: snprintf(number, 32, "%.17g", cell->real); return number;
    default: return cell->text ? cell->text : "";
    }
}

/* The server finds out the types of the arguments, except of bytes, which could be anything. */
static void prepare(const struct arguments *to, const struct query *query)
{
    for (size_t i = 0; i < query->count; i++) {
        const async_cell *cell = &query->arguments[i];
        bool bytes = cell->kind == ASYNC_CELL_BYTES;
        to->values[i] = argument_text(cell, to->numbers[i]);
        to->lengths[i] = cell->length;
        to->formats[i] = bytes;
        to->types[i] = bytes ? BYTEA : 0;
    }
}

/* Copies the query into libpq's buffer. False: it does not take it. */
static bool send_query(PGconn *conn, const struct query *query)
{
    size_t count = query->count;
    if (!count)
        return PQsendQuery(conn, query->sql);
    struct arguments a = { calloc(count, sizeof *a.types), calloc(count, sizeof *a.values),
                           calloc(count, sizeof *a.lengths), calloc(count, sizeof *a.formats),
                           calloc(count, sizeof *a.numbers) };
    bool sent = a.types && a.values && a.lengths && a.formats && a.numbers;
    if (sent) {
        prepare(&a, query);
        sent = PQsendQueryParams(conn, query->sql, count, a.types, a.values, a.lengths, a.formats,
                                 0);
    }
    free(a.types);
    free(a.values);
    free(a.lengths);
    free(a.formats);
    free(a.numbers);
    return sent;
}

/* ---------------------------------------------------------------------------- giving up */

/* In a thread of its own. */
static void *send_request(void *p)
{
    struct cancel_request *request = p;
    char why[256];
    PQcancel(request->cancel, why, sizeof why);     /* if the server is gone, so is the query */
    PQfreeCancel(request->cancel);
    pthread_mutex_lock(&abandoning);
    bool posted = request->postgres && poll_post(request->loop, &request->job);
    pthread_mutex_unlock(&abandoning);
    if (!posted)
        free(request);
    return NULL;
}

/* In the loop. */
static void request_sent(struct job *job)
{
    struct cancel_request *request = container_of(job, struct cancel_request, job);
    request->sent = true;
    if (request->postgres) {
        request->loop->watched--;
        end_wait(&request->postgres->wait, async_none);
    } else {
        free(request);
    }
}

static bool start_thread(struct cancel_request *request)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);    /* signals are for the loop's thread */
    bool started = pthread_create(&thread, NULL, send_request, request) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        pthread_detach(thread);
    return started;
}

/* If it cannot be sent we wait for the end of the query, or of our patience. */
static void request_to_stop(struct postgres *postgres)
{
    struct cancel_request *request = calloc(1, sizeof *request);
    if (!request)
        return;
    *request = (struct cancel_request){ .job.run = request_sent, .loop = loop_running,
                                 .cancel = PQgetCancel(postgres->conn), .postgres = postgres };
    list_init(&request->job.link);
    if (request->cancel && start_thread(request)) {
        loop_running->watched++;
        postgres->request = request;
    } else {
        PQfreeCancel(request->cancel);
        free(request);
    }
}

static void give_up(struct postgres *postgres, struct giving_up *giving_up, bool firm)
{
    if (giving_up->deadline)            /* cancelled again */
        return;
    giving_up->deadline = clock_after(&loop_running->clock, PATIENCE);
    if (!firm)
        request_to_stop(postgres);
}

/* A request that is still on its way would hit the next query: waits for it, or closes. */
static void end_request(struct db *db, const struct giving_up *giving_up)
{
    struct postgres *postgres = db->link;       /* NULL: closed, and the request abandoned */
    async_value v = async_none;
    if (!postgres || !postgres->request)
        return;
    while (!postgres->request->sent && (!v.error || v.error == ASYNC_CANCELLED))
        v = wait_for(postgres, THE_REQUEST, giving_up->deadline);
    if (!postgres->request->sent) {
        lost(db, "it did not take a request to cancel");
        return;
    }
    free(postgres->request);
    postgres->request = NULL;
}

/* ------------------------------------------------------------------------------- queries */

/* The connection broke. The server's last words tell more than that. */
static async_value broken(struct db *db)
{
    PGconn *conn = ((struct postgres *)db->link)->conn;
    const char *why = one_line(PQerrorMessage(conn));
    PGresult *result = PQgetResult(conn);
    if (result && PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY))
        why = async_strf("%s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    PQclear(result);
    return lost(db, why);
}

/* Sends, reads, waits, until all results have come. The last number or the first error. */
static async_value collect(struct db *db, const struct query *query, struct builder *builder,
                           struct giving_up *giving_up)
{
    struct postgres *postgres = db->link;
    async_value v = async_none;
    bool copying = false;
    for (;;) {
        int unsent = PQflush(postgres->conn);
        if (unsent < 0)
            return broken(db);
        copying = copying && skip_copy(postgres->conn);
        if (!unsent && !copying && !PQisBusy(postgres->conn)) {
            PGresult *result = PQgetResult(postgres->conn);
            if (!result && PQstatus(postgres->conn) != CONNECTION_OK)
                return lost(db, v.error ? v.message : "the server closed it");
            if (!result)
                return v;
            bool replicates = PQresultStatus(result) == PGRES_COPY_BOTH;
            copying = refuse_copy(postgres->conn, result);
            if (!v.error)
                v = take(builder, query, result);
            PQclear(result);
            if (replicates)
                return lost(db, "replication is not possible here, so it was closed");
            continue;
        }
        async_value w = wait_for(postgres, unsent ? TO_WRITE : TO_READ, giving_up->deadline);
        if (w.error == ASYNC_CANCELLED) {
            giving_up->message = w.message;
            give_up(postgres, giving_up, query->firm);
        } else if (w.error) {
            return lost(db, w.error != ASYNC_TIMEOUT ? w.message
                                : "it did not answer when a query was cancelled");
        } else if (!PQconsumeInput(postgres->conn)) {
            return broken(db);
        }
    }
}

static async_value run(struct db *db, struct query *query)
{
    struct postgres *postgres = db->link;
    struct builder builder = { 0 };
    struct giving_up giving_up = { 0 };
    if (!send_query(postgres->conn, query)) {
        if (PQstatus(postgres->conn) != CONNECTION_OK)
            return broken(db);
        return async_error(ASYNC_DB_PROGRAMMING_ERROR, one_line(PQerrorMessage(postgres->conn)));
    }
    async_value v = collect(db, query, &builder, &giving_up);
    end_request(db, &giving_up);
    query->cancelled |= giving_up.deadline != 0;
    if (query->cancelled && !query->firm)
        v = async_error(ASYNC_CANCELLED, giving_up.message);
    else if (!v.error && query->wants_rows)
        return builder_finish(&builder);
    builder_free(&builder);
    return v;
}

/* The server has cursors of its own, which have names. */
static async_value declare(struct db *db, const struct query *query)
{
    const char *sql = async_strf("DECLARE async_%lu NO SCROLL CURSOR FOR %s", query->cursor, query->sql);
    if (!sql)
        return async_error(ENOMEM, "no memory for a query");
    struct query declaration = { .sql = sql, .lead = strlen(sql) - strlen(query->sql),
                                 .arguments = query->arguments, .count = query->count };
    async_value v = run(db, &declaration);
    async_free(sql);
    return v;
}

static async_value some(struct db *db, struct query *query)
{
    char sql[64];
    async_value v = query->opened ? async_none : declare(db, query);
    if (v.error)
        return v;
    snprintf(sql, sizeof sql, "FETCH %zu FROM async_%lu", query->most, query->cursor);
    return run(db, &(struct query){ .sql = sql, .wants_rows = true });
}

/* ---------------------------------------------------------------------------- connecting */

static void ignore_notice(void *unused, const char *message) { (void)unused, (void)message; }

/* The addresses of a host, as libpq takes them: "a,b". */
static async_value look_up(const char *host)
{
    char name[64];
    const char *list = "";
    async_value v = async_catch(async_getaddrinfo(host, 0));
    if (v.error == ASYNC_CANCELLED)
        return v;
    if (v.error)
        return async_error(ASYNC_DB_OPERATIONAL_ERROR,
                           async_strf("connecting to PostgreSQL: %s", v.message));
    for (struct addrinfo *a = v.ptr; a && list; a = a->ai_next)
        if (getnameinfo(a->ai_addr, a->ai_addrlen, name, sizeof name, NULL, 0, NI_NUMERICHOST) == 0)
            list = async_strf("%s%s%s", list, *list ? "," : "", name);
    memory_give_back(v.ptr);
    return async_str(list);
}

/* Must its name be looked up? Not a directory, a number, or a list, which libpq does by itself. */
static bool is_name(const char *host)
{
    struct in6_addr number;
    return host && *host && strcspn(host, "/@,") == strlen(host) && strlen(host) < 256
           && inet_pton(AF_INET, host, &number) != 1 && inet_pton(AF_INET6, host, &number) != 1;
}

static const char *option(const PQconninfoOption *options, const char *name)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, name) == 0)
            return options->val;
    return NULL;
}

/* libpq would look names up itself, and block. Sets host and hostaddr, lists of equal length. */
static async_value find_host(const char *url, const char **hosts, const char **addresses)
{
    char *why = NULL;
    char name[256] = "";
    PQconninfoOption *options = PQconninfoParse(url, &why);
    if (!options) {
        async_value v = async_error(ASYNC_VALUE_ERROR, async_strf("connecting to PostgreSQL: %s",
                                                                  one_line(why ? why : "")));
        PQfreemem(why);
        return v;
    }
    const char *host = option(options, "host");
    host = host ? host : getenv("PGHOST");
    if (is_name(host) && !option(options, "hostaddr") && !getenv("PGHOSTADDR"))
        strcpy(name, host);
    PQconninfoFree(options);
    if (!*name)
        return async_none;
    async_value v = look_up(name);
    if (v.error || !v.str)
        return v;
    *addresses = v.str;
    *hosts = async_strf("%s", name);
    for (const char *comma = v.str; *hosts && (comma = strchr(comma, ',')); comma++)
        *hosts = async_strf("%s,%s", *hosts, name);
    return async_none;
}

/* What PQconnectPoll asks for, until it is content. */
static async_value establish(struct postgres *postgres)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    if (PQstatus(postgres->conn) == CONNECTION_BAD)
        status = PGRES_POLLING_FAILED;
    while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
        async_value v = wait_for(postgres, status == PGRES_POLLING_WRITING ? TO_WRITE : TO_READ, 0);
        if (v.error)
            return v;
        status = PQconnectPoll(postgres->conn);
    }
    if (status == PGRES_POLLING_OK)
        return async_none;
    return async_error(ASYNC_DB_OPERATIONAL_ERROR, async_strf(
        "connecting to PostgreSQL: %s", one_line(PQerrorMessage(postgres->conn))));
}

static async_value connect_to(struct db *db, const char *url)
{
    const char *hosts = NULL, *addresses = NULL;
    async_value v = find_host(url, &hosts, &addresses);
    if (v.error)
        return v;
    const char *const keywords[] = { "dbname", "client_encoding", "fallback_application_name",
                                     hosts ? "host" : NULL, "hostaddr", NULL };
    const char *const values[] = { url, "UTF8", "evlings", hosts, addresses, NULL };
    struct postgres *postgres = postgres_new();
    if (postgres)
        postgres->conn = PQconnectStartParams(keywords, values, 1);
    if (!postgres || !postgres->conn) {
        free(postgres);
        return async_error(ENOMEM, "no memory for a connection");
    }
    db->link = postgres;
    PQsetNoticeProcessor(postgres->conn, ignore_notice, NULL);
    v = establish(postgres);
    if (v.error)
        close_at_once(db);
    else
        PQsetnonblocking(postgres->conn, 1);
    return v;
}

/* ------------------------------------------------------------------------- notifications */

/* In memory of the task, in one piece. */
static async_value keep_notification(const PGnotify *heard)
{
    size_t channel = strlen(heard->relname) + 1, payload = strlen(heard->extra) + 1;
    async_notification *kept = async_alloc(sizeof *kept + channel + payload);
    if (!kept)
        return async_error(ENOMEM, "no memory for a notification");
    char *texts = (char *)(kept + 1);
    kept->channel = memcpy(texts, heard->relname, channel);
    kept->payload = memcpy(texts + channel, heard->extra, payload);
    kept->pid = heard->be_pid;
    return async_ptr(kept);
}

/* With the connection's turn, so that nobody else reads from it meanwhile. */
static async_value hear(struct db *db, void *unused)
{
    (void)unused;
    if (db->driver != &postgres_driver)
        return async_error(ASYNC_DB_PROGRAMMING_ERROR, "only PostgreSQL has LISTEN and NOTIFY");
    struct postgres *postgres = db->link;
    for (;;) {
        PGnotify *heard = PQnotifies(postgres->conn);
        if (heard) {
            async_value v = keep_notification(heard);
            PQfreemem(heard);
            return v;
        }
        async_value v = wait_for(postgres, TO_READ, 0);
        if (v.error)
            return v;
        if (!PQconsumeInput(postgres->conn))
            return broken(db);
    }
}

static async_value next_notification(void *db)
{
    return db_in_turn(db, "async_postgres_notifies", hear, NULL);
}

async_iterator async_postgres_notifies(async_db *db)
{
    return (async_iterator){ next_notification, db };
}

/* Something that can be read from an idle connection is mostly its end. */
static bool usable(struct db *db)
{
    PGconn *conn = ((struct postgres *)db->link)->conn;
    for (int i = 0; i < 3 && PQstatus(conn) == CONNECTION_OK; i++) {
        struct pollfd fd = { .fd = PQsocket(conn), .events = POLLIN };
        if (poll(&fd, 1, 0) <= 0)
            return true;
        if (!PQconsumeInput(conn))
            return false;
    }
    return PQstatus(conn) == CONNECTION_OK;
}

static enum transaction_state state(struct db *db)
{
    switch (PQtransactionStatus(((struct postgres *)db->link)->conn)) {
    case PQTRANS_ACTIVE:
    case PQTRANS_INTRANS: return IN_TRANSACTION;
    case PQTRANS_INERROR: return FAILED_TRANSACTION;
    default: return NO_TRANSACTION;
    }
}

const struct driver postgres_driver = {
    .begin = "BEGIN", .connect = connect_to, .run = run, .some = some, .close = close_at_once,
    .usable = usable, .state = state
};

async_awaitable async_postgres_connect(const char *url)
{
    return db_connecting(&postgres_driver, url);
}
