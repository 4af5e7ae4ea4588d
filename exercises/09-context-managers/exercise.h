/* exercise.h - what exercise.c has to offer, and what the grader calls. Not to be changed.
 *
 * First comes the database, which is done already: call what you need of it. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include "async.h"
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------ a connection */

struct connection {
    const char *name;
    bool open;
    const char *refuses;        /* the command that it will refuse, or NULL */
    struct pool *pool;          /* that it belongs to, or NULL */
    bool lent;                  /* by its pool */
};

/* Opens a connection, which takes 0.3 s; gives it (ptr). Raises an error if the server is down. */
struct connection_open { const char *name; bool down; };
static inline async_value connection_open(void *p)
{
    struct connection_open *args = p;
    await(async_sleep(0.3));
    if (args->down)
        async_raise(ECONNREFUSED, async_strf("%s: the server is down", args->name));
    struct connection *connection = async_alloc(sizeof *connection);
    if (!connection)
        async_raise(ENOMEM, "no memory for a connection");
    *connection = (struct connection){ .name = args->name, .open = true };
    printf("%s: open\n", args->name);
    return async_ptr(connection);
}

/* Closes it, which takes 0.2 s. */
struct connection_close { struct connection *connection; };
static inline async_value connection_close(void *p)
{
    struct connection *connection = ((struct connection_close *)p)->connection;
    if (!connection->open)
        async_raise(ENOTCONN, async_strf("%s is closed already", connection->name));
    connection->open = false;
    printf("%s: closing\n", connection->name);
    await(async_sleep(0.2));
    printf("%s: closed\n", connection->name);
    return async_none;
}

/* Asks something; gives how many rows were found, or whatever number was asked for. */
struct query {
    const char *what;
    double seconds;             /* that it takes */
    long rows;
    bool fails;                 /* its answer will be an error */
};
struct connection_query { struct connection *connection; struct query query; };
static inline async_value connection_query(void *p)
{
    struct connection_query *args = p;
    const char *name = args->connection->name, *what = args->query.what;
    if (!args->connection->open)
        async_raise(ENOTCONN, async_strf("%s is closed", name));
    printf("%s: asked %s\n", name, what);
    async_value slept = async_catch(async_sleep(args->query.seconds));
    if (!args->connection->open)
        async_raise(ENOTCONN, async_strf("%s was closed in the middle of %s", name, what));
    if (slept.error) {
        printf("%s: stopped %s\n", name, what);
        return slept;
    }
    printf("%s: %s %s\n", name, args->query.fails ? "failed" : "answered", what);
    if (args->query.fails)
        async_raise(EIO, async_strf("%s: there is no %s", name, what));
    return async_num(args->query.rows);
}

/* "BEGIN", "COMMIT" or "ROLLBACK" of a transaction; takes 0.1 s. */
struct connection_command { struct connection *connection; const char *word; };
static inline async_value connection_command(void *p)
{
    struct connection_command *args = p;
    const char *name = args->connection->name, *refuses = args->connection->refuses;
    printf("%s: %s\n", name, args->word);
    await(async_sleep(0.1));
    if (refuses && strcmp(refuses, args->word) == 0)
        async_raise(EPERM, async_strf("%s: %s was refused", name, args->word));
    return async_none;
}

/* ---------------------------------------------------------------------------- a pool of them */

#define MOST_CONNECTIONS 4

struct pool {
    size_t size;
    struct connection connections[MOST_CONNECTIONS];
    async_semaphore *free;      /* counts those that are not lent; to acquire it waits for one */
};

/* Gives a connection (ptr) that nobody else has; waits for one as long as it takes. */
struct pool_acquire { struct pool *pool; };
static inline async_value pool_acquire(void *p)
{
    struct pool *pool = ((struct pool_acquire *)p)->pool;
    await(async_semaphore_acquire(pool->free));
    struct connection *connection = pool->connections;
    while (connection->lent)
        connection++;
    connection->lent = true;
    printf("%s: lent\n", connection->name);
    return async_ptr(connection);
}

/* Gives it back, which takes 0.1 s. */
struct pool_release { struct connection *connection; };
static inline async_value pool_release(void *p)
{
    struct connection *connection = ((struct pool_release *)p)->connection;
    if (!connection->lent)
        async_raise(ASYNC_RUNTIME_ERROR, async_strf("%s was given back twice", connection->name));
    await(async_sleep(0.1));
    connection->lent = false;
    printf("%s: back\n", connection->name);
    return async_semaphore_release(connection->pool->free);
}

/* -------------------------------------------------------------------- what you have to write */

struct ask_once {
    const char *name;           /* for the connection */
    bool down;                  /* for connection_open */
    struct query first, second;
};
async_value ask_once(void *args);           /* gives the rows of the last query made */

struct transfer {
    struct connection *connection;          /* open */
    struct query balance, update;
    long amount;
};
async_value transfer(void *args);           /* gives the balance that is left */

struct serve {
    struct pool *pool;
    struct query query;
    double patience;            /* seconds to wait for a connection */
};
async_value serve(void *args);              /* gives the rows of the query */

#endif
