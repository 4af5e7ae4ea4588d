/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("open_shop"))
        stage_number("open_shop", async_num(open_shop(stage_word(1))));
    if (stage_part("egg_timer"))
        egg_timer(stage_word(1), stage_real(2));
    if (stage_part("lighthouse"))
        lighthouse(stage_integer(1), stage_real(2));
    printf("(returned)\n");
    return stage_close();
}
