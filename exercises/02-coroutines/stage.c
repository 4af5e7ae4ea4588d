/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

/* For part 3 the offers are ours: WHAT, the cents; below zero they end with an error. */
struct quote { const char *what; long cents; };
static async_value quote(void *p)
{
    struct quote *args = p;
    printf("%s is asked\n", args->what);
    if (args->cents < 0)
        async_raise(ASYNC_VALUE_ERROR, "sold out");
    return async_num(args->cents);
}

int main(int argc, char **argv)
{
    stage_open(argc, argv);
    if (stage_part("price"))
        stage_number("price", stage_run(async_coro(price, stage_word(1), stage_integer(2),
                                                   stage_integer(3))));
    if (stage_part("offer")) {
        async_coroutine made = offer(stage_word(1), stage_integer(2), stage_integer(3));
        printf("(%s)\n", made ? "the offer is made" : "NULL");
        if (made)
            stage_number("price", stage_run(made));
    }
    if (stage_part("accept_offer")) {
        async_coroutine wanted = async_coro(quote, stage_word(1), stage_integer(2));
        async_coroutine other = async_coro(quote, stage_word(3), stage_integer(4));
        stage_number("accept_offer", async_num(accept_offer(wanted, other)));
    }
    return stage_close();
}
