/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

static struct upload file(int i)        /* FILE SECONDS BYTES, from word i on */
{
    return (struct upload){ stage_word(i), stage_real(i + 1), stage_integer(i + 2) };
}

/* Starts it, cancels it after some time, and reports how it ended. */
struct interrupted { const char *name; async_coroutine what; double after; };
static async_value interrupted(void *p)
{
    struct interrupted *args = p;
    async_task task = async_create_task_named(args->what, args->name);
    await(async_sleep(args->after));
    async_cancel(task);
    stage_number(args->name, async_catch(task));
    return async_none;
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("upload")) {
        struct upload f = file(1);
        stage_number("upload", stage_run(async_coro(upload, f.file, f.seconds, f.bytes)));
    }
    if (stage_part("interrupted")) {
        struct upload f = file(2);
        async_coroutine what = async_coro(upload, f.file, f.seconds, f.bytes);
        stage_outcome("interrupted", stage_run(async_coro(interrupted, "upload", what,
                                                          stage_real(1))));
    }
    if (stage_part("interrupted_within")) {
        async_coroutine what = async_coro(upload_within, file(3), stage_real(2));
        stage_outcome("interrupted", stage_run(async_coro(interrupted, "upload_within", what,
                                                          stage_real(1))));
    }
    if (stage_part("backup")) {
        struct backup args = { (stage_words() - 1) / 3, { { NULL, 0, 0 } } };
        for (size_t i = 0; i < args.count; i++)
            args.files[i] = file(1 + 3 * i);
        stage_number("backup", stage_run(async_coro_new((async_call){ backup, "backup", &args,
                                                                     sizeof args })));
    }
    if (stage_part("upload_within"))
        stage_number("upload_within", stage_run(async_coro(upload_within, file(2), stage_real(1))));
    return stage_close();
}
