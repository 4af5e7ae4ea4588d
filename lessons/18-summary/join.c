/* join.c - a client for chat.c, or for any server that talks in lines: what you type goes there, what
 * it says comes here, and neither has to wait for the other.
 *
 *     join PORT [HOST]       Ctrl-D ends it
 *
 * Python twin: as long as this one, for its streams do not read a terminal either:
 *     await loop.connect_read_pipe(lambda: StreamReaderProtocol(keyboard), sys.stdin) */
#include "async.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The loop calls it when somebody has typed something. Reading then does not block. */
static async_value typed(void *server)
{
    char text[4096];
    ssize_t length = read(STDIN_FILENO, text, sizeof text);
    if (length > 0)
        return async_stream_write(server, text, length);
    async_loop_remove_reader(async_get_running_loop(), STDIN_FILENO);
    async_stream_write_eof(server);     /* that was all; what it still says we want to hear */
    return async_none;
}

struct join { int port; const char *host; };
static async_value join(void *p)
{
    struct join *args = p;
    async_with(async_stream_exit) async_stream *server =
        await(async_open_connection(args->host, args->port)).ptr;
    async_loop_add_reader(async_get_running_loop(), STDIN_FILENO, typed, server);
    for (;;) {
        const char *line = await(async_stream_readline(server, NULL)).str;
        if (!*line)
            return async_none;          /* it has closed the connection */
        fputs(line, stdout);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        puts("join PORT [HOST]: what you type goes there, what it says comes here.");
        return 0;
    }
    return async_main(async_coro(join, atoi(argv[1]), argc > 2 ? argv[2] : "127.0.0.1"));
}
