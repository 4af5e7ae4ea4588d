/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"

static struct measure sensor(int i)     /* WHAT SECONDS READING, from word i on */
{
    return (struct measure){ stage_word(i), stage_real(i + 1), stage_integer(i + 2) };
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    struct measure a = sensor(1), b = sensor(4);
    if (stage_part("measure"))
        stage_number("measure", stage_run(async_coro(measure, a.what, a.seconds, a.reading)));
    if (stage_part("forecast"))
        stage_text("forecast", stage_run(async_coro(forecast, a)));
    if (stage_part("station"))
        stage_text("station", stage_run(async_coro(station, a, b)));
    return stage_close();
}
