/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"

#define MOST_SHOPS 16

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    struct ask shops[MOST_SHOPS] = { { NULL, 0, 0 } };
    long width = stage_integer(1);              /* PART WIDTH, then SHOP SECONDS CENTS for each */
    size_t count = (stage_words() - 2) / 3;
    for (size_t i = 0; i < count && i < MOST_SHOPS; i++)
        shops[i] = (struct ask){ stage_word(2 + 3 * i), stage_real(3 + 3 * i),
                                 stage_integer(4 + 3 * i) };
    if (stage_part("compare_three"))
        stage_number("compare_three", stage_run(async_coro(compare_three, shops[0], shops[1],
                                                           shops[2])));
    if (stage_part("compare_all"))
        stage_text("compare_all", stage_run(async_coro(compare_all, shops, count)));
    if (stage_part("compare_gently"))
        stage_text("compare_gently", stage_run(async_coro(compare_gently, shops, count, width)));
    return stage_close();
}
