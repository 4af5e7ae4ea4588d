/* query.c - asks a database what stands on standard input, a statement in each line; several at a time,
 * over a pool of connections, and prints the answers in the order of the lines.
 *
 *     query URL [CONNECTIONS] < questions.sql
 *
 * One task reads lines and makes a task for each; another prints their answers in turn. Between them is a
 * queue with a limit: whoever pipes in a million statements has no more of them in memory than that.
 *
 * Python twin:
 *     async with asyncpg.create_pool(url, max_size=connections) as pool:
 *         async for line in reader:
 *             await answers.put(asyncio.create_task(ask(pool, line))) */
#include "async.h"
#include "postgres.h"
#include "sqlite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING 100                 /* statements that may be under way, or answered and not yet printed */

static void forget(const char **text) { async_free(*text); }

struct ask { async_pool *pool; const char *sql; };
static async_value ask(void *p)
{
    struct ask *args = p;
    async_with(forget) const char *ours = args->sql;        /* of the task that reads, which goes on and on */
    async_with(async_db_exit) async_db *db = await(async_pool_acquire(args->pool)).ptr;
    return await(async_db_fetch(db, args->sql));
}

/* What the task of a line ended with: an error of one statement is no reason to end. */
struct print_answers { async_queue *answers; };
static async_value print_answers(void *p)
{
    async_queue *answers = ((struct print_answers *)p)->answers;
    async_value v;
    for (long number = 1; !(v = async_catch(async_queue_get(answers))).error; number++) {
        async_value answer = async_catch(v.ptr);
        if (answer.error == ASYNC_CANCELLED)
            return answer;
        if (answer.error) {
            printf("%ld: %s: %s\n", number, async_error_name(answer.error), answer.message);
            continue;
        }
        async_with(async_rows_exit) async_rows *rows = answer.ptr;
        async_each_row(row, rows)
            printf("%ld: %s\n", number, async_row_repr(row));
    }
    return v.error == ASYNC_QUEUE_SHUT_DOWN ? async_none : v;
}

struct run { const char *url; size_t connections; };
static async_value run(void *p)
{
    struct run *args = p;
    async_queue *answers = async_queue_new(WAITING);
    async_with(async_pool_exit) async_pool *pool =
        await(async_create_pool(args->url, args->connections)).ptr;
    async_task printing = async_create_task(async_coro(print_answers, answers));
    async_for (line, async_stream_lines(async_stdin())) {
        if (strspn(line.str, " \t\r\n") == strlen(line.str))
            continue;
        async_task asking = async_create_task(async_coro(ask, pool, async_strf("%s", line.str)));
        await(async_queue_put(answers, async_ptr(asking)));
    }
    async_queue_shutdown(answers, false);
    return await(printing);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    size_t connections = argc > 2 ? strtoul(argv[2], NULL, 10) : 4;
    if (argc < 2 || connections < 1) {
        fprintf(stderr, "query URL [CONNECTIONS] < questions.sql\n");
        return 2;
    }
    return async_main(async_coro(run, argv[1], connections));
}
