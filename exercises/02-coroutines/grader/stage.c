/* stage.c - calls what the student wrote with the inputs of this run. */
#include "exercise.h"
#include "stage.h"
#include <stdio.h>

static bool accepted;           /* accept_offer() is through */

/* For part 3 the offers are ours: WHAT, the cents; below zero they end with an error. */
struct quote { const char *what; long cents; };
static async_value quote(void *p)
{
    struct quote *args = p;
    if (accepted)
        return async_none;
    printf("%s is asked\n", args->what);
    await(async_sleep(0.5));    /* which needs a loop */
    if (args->cents < 0)
        async_raise(ASYNC_VALUE_ERROR, "sold out");
    return async_num(args->cents);
}

/* Was it neither run nor closed? Then we can run it still. */
static bool is_left(async_coroutine offer)
{
    accepted = true;
    return !async_catch(offer).error;
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
    if (stage_part("two_offers")) {
        async_coroutine first = offer(stage_word(1), stage_integer(2), stage_integer(3));
        async_coroutine second = offer(stage_word(4), stage_integer(5), stage_integer(6));
        stage_number("first", stage_run(first));
        stage_number("second", stage_run(second));
    }
    if (stage_part("accept_offer")) {
        long before = stage_open_files();      /* a loop that is not closed keeps its own */
        async_coroutine wanted = async_coro(quote, stage_word(1), stage_integer(2));
        async_coroutine other = async_coro(quote, stage_word(3), stage_integer(4));
        stage_number("accept_offer", async_num(accept_offer(wanted, other)));
        stage_number("left_open", async_num(stage_open_files() - before));
        stage_number("left", async_num(is_left(other)));
    }
    return stage_close();
}
