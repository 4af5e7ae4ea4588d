/* handle_or_pass.c - handle the error that you can do something about; pass on every other.
 *
 * Python twin:
 *     try: port = await read_port(file)
 *     except FileNotFoundError: port = 80     # anything else goes up to our caller */
#include "async.h"
#include <stdio.h>
#include <string.h>

enum { BAD_CONFIG = ASYNC_USER_ERROR };     /* the first number that is free */

struct read_port { const char *file; };
static async_value read_port(void *p)
{
    struct read_port *args = p;
    await(async_sleep(0.5));
    if (strcmp(args->file, "missing.conf") == 0)
        async_raise(ENOENT, "no such file");
    if (strcmp(args->file, "broken.conf") == 0)
        async_raise(BAD_CONFIG, async_strf("%s:3: '80x' is no port", args->file));
    return async_num(8080);
}

struct start_server { const char *file; };
static async_value start_server(void *p)
{
    struct start_server *args = p;
    async_value port = async_catch(async_coro(read_port, args->file));
    if (port.error == ENOENT)
        port = async_num(80);
    if (port.error)
        return port;                /* raise: the number and its message, as they came */
    return async_text("listening on port %ld", port.num);
}

static async_value main_coroutine(void *p)
{
    (void)p;
    const char *files[] = { "good.conf", "missing.conf", "broken.conf" };
    for (int i = 0; i < 3; i++) {
        async_task server = async_create_task(async_coro(start_server, files[i]));
        async_value started = async_catch(server);
        if (started.error == BAD_CONFIG)
            printf("Not started: %s\n", started.message);
        else if (started.error)
            return started;
        else
            printf("%s: %s\n", files[i], started.str);
    }
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
