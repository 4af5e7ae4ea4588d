/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    struct ask mirrors[MOST_MIRRORS] = { { NULL, 0, 0, 0 } };
    double patience = stage_real(1);    /* PART PATIENCE, then a mirror in four words */
    size_t count = (stage_words() - 2) / 4;
    for (size_t i = 0; i < count && i < MOST_MIRRORS; i++)
        mirrors[i] = (struct ask){ stage_word(2 + 4 * i), stage_real(3 + 4 * i),
                                   stage_real(4 + 4 * i), stage_integer(5 + 4 * i) };
    if (stage_part("first_answer"))
        stage_text("first_answer", stage_run(async_coro(first_answer, mirrors, count)));
    if (stage_part("check_all"))
        stage_number("check_all", stage_run(async_coro(check_all, mirrors, count)));
    if (stage_part("first_good"))
        stage_text("first_good", stage_run(async_coro(first_good, mirrors, count, patience)));
    return stage_close();
}
