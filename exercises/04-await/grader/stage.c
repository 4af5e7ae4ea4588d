/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"

static struct download file(int i)      /* WHAT SECONDS BYTES, from word i on */
{
    return (struct download){ stage_word(i), stage_real(i + 1), stage_integer(i + 2) };
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    struct download a = file(1), b = file(4), c = file(7);
    if (stage_part("download"))
        stage_number("download", stage_run(async_coro(download, a.what, a.seconds, a.bytes)));
    if (stage_part("two_files"))
        stage_number("two_files", stage_run(async_coro(two_files, a, b)));
    if (stage_part("web_page"))
        stage_number("web_page", stage_run(async_coro(web_page, a, b, c)));
    return stage_close();
}
