/* shuffle.c - see shuffle.h. */
#include "core/shuffle.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PILES 16
#define DEALS 4                 /* 16 to the power of 4 keys: hardly ever a tie */

/* splitmix64 */
static uint64_t draw(struct shuffle *shuffle)
{
    uint64_t z = shuffle->state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

void shuffle_init(struct shuffle *shuffle)
{
    static bool said;
    char *end;
    const char *text = getenv("ASYNC_SHUFFLE");
    shuffle->on = text && *text;
    if (!shuffle->on)
        return;
    shuffle->state = strtoull(text, &end, 10);
    if (*end)
        shuffle->state = (uint64_t)time(NULL) * 100003 + (uint64_t)getpid();
    if (!said)
        fprintf(stderr, "What is ready runs in random order. To have the same again: "
                        "ASYNC_SHUFFLE=%llu\n", (unsigned long long)shuffle->state);
    said = true;
}

/* As one shuffles cards without a table of them: deal them out on piles by chance, stack the piles,
 * and again. This sorts by a random number of four digits, one digit a deal. */
void shuffle_list(struct shuffle *shuffle, struct list *list)
{
    struct list piles[PILES];
    for (int deal = 0; deal < DEALS; deal++) {
        for (int i = 0; i < PILES; i++)
            list_init(&piles[i]);
        list_each(link, list) {
            list_remove(link);
            list_append(&piles[draw(shuffle) % PILES], link);
        }
        for (int i = 0; i < PILES; i++)
            list_splice(list, &piles[i]);
    }
}
