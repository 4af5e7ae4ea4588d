/* programs.c - something real to wait for: three programs, and the pipes through which they answer.
 *
 * Python twin:
 *     async def ask(command):
 *         process = await asyncio.create_subprocess_shell(command, stdout=PIPE)
 *         line = await process.stdout.readline()
 *         await process.wait()
 *         return line.decode().rstrip()
 *     print(await asyncio.gather(*map(ask, commands))) */
#include "async.h"
#include <stdio.h>
#include <string.h>

struct ask { const char *command; };
static async_value ask(void *p)
{
    struct ask *args = p;
    async_subprocess *process =
        await(async_create_subprocess_shell(args->command, ASYNC_PIPE_STDOUT)).ptr;
    const char *line = await(async_stream_readline(async_subprocess_stdout(process), NULL)).str;
    async_value answer = async_text("%.*s", (int)strcspn(line, "\n"), line);
    await(async_subprocess_wait(process));
    return answer;
}

static async_value main_coroutine(void *p)
{
    (void)p;
    async_loop *loop = async_get_running_loop();
    double start = async_loop_time(loop);
    async_value answers[3];
    await(async_gather(answers, async_coro(ask, "sleep 0.3; echo tortoise"),
                       async_coro(ask, "sleep 0.2; echo hare"),
                       async_coro(ask, "echo 'six times seven is' $((6 * 7))")));
    double seconds = async_loop_time(loop) - start;
    for (int i = 0; i < 3; i++)
        printf("%s\n", answers[i].str);
    printf("All of it took %.3f s, and we slept through it\n", seconds);
    return async_none;
}

int main(void) { return async_main(async_coro(main_coroutine)); }
