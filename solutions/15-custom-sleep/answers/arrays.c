/* Waiters in arrays of futures; one timer, set anew; a done callback passes the answer on.
 *
 * answer: right
 * points: 2/2 2/2 3/3
 */
#include "exercise.h"
#include <stdio.h>

static async_value set(void *future)
{
    return async_done(future) ? async_none : async_set_result(future, async_none);
}

struct typing { double seconds; async_future pause; async_handle timer; };

struct typing *typing_new(double seconds)
{
    struct typing *typing = async_alloc(sizeof *typing);
    typing->seconds = seconds;
    return typing;
}

static async_value over(void *p)
{
    struct typing *typing = p;
    if (typing->pause && !async_done(typing->pause))
        async_set_result(typing->pause, async_none);
    return async_none;
}

void typing_key(struct typing *typing)
{
    async_loop *loop = async_get_running_loop();
    if (!typing->pause || async_done(typing->pause))
        return;
    async_handle_cancel(typing->timer);
    typing->timer = async_loop_call_at(loop, async_loop_time(loop) + typing->seconds, over, typing);
}

async_value typing_pause(void *p)
{
    struct typing_pause *args = p;
    struct typing *typing = args->typing;
    typing->pause = async_create_future();
    typing->timer = async_loop_call_later(async_get_running_loop(), typing->seconds, over, typing);
    async_value v = async_catch(typing->pause);
    async_handle_cancel(typing->timer);
    typing->pause = NULL;
    return v;
}

#define MOST 100
struct latch {
    long left;
    async_future waiters[MOST];         /* NULL: a free place */
};

struct latch *latch_new(long count)
{
    struct latch *latch = async_alloc(sizeof *latch);
    latch->left = count;
    return latch;
}

void latch_count_down(struct latch *latch)
{
    latch->left--;
    for (int i = 0; i < MOST && latch->left == 0; i++)
        if (latch->waiters[i])
            set(latch->waiters[i]);
}

struct patience { async_future future; bool over; };
static async_value patience_ends(void *p)
{
    struct patience *patience = p;
    patience->over = !async_done(patience->future);
    return set(patience->future);
}

async_value latch_wait(void *p)
{
    struct latch_wait *args = p;
    struct latch *latch = args->latch;
    int place = 0;
    if (latch->left <= 0)
        return async_none;
    while (latch->waiters[place])
        place++;
    struct patience patience = { async_create_future(), false };
    latch->waiters[place] = patience.future;
    async_handle timer = async_loop_call_later(async_get_running_loop(), args->patience,
                                               patience_ends, &patience);
    async_value v = async_catch(patience.future);
    latch->waiters[place] = NULL;
    async_handle_cancel(timer);
    if (!v.error && patience.over)
        async_raise(ASYNC_TIMEOUT, "");
    return v;
}

async_value ask_station(void *p)
{
    struct ask_station *args = p;
    struct station *station = args->station;
    printf("%s: asked\n", station->name);
    await(async_sleep(station->seconds));
    if (station->failures > 0) {
        station->failures--;
        printf("%s: failed\n", station->name);
        async_raise(EHOSTUNREACH, "no answer");
    }
    printf("%s: answered\n", station->name);
    return async_num(station->degrees++);       /* it is getting warmer */
}

struct slot {
    struct station *station;
    async_task question;                /* NULL: nobody asks */
    async_value degrees;
    bool known;
    async_future waiters[100];
    int count;
};
struct cache { struct slot slots[MOST_STATIONS]; size_t count; };

struct cache *cache_new(void) { return async_alloc(sizeof(struct cache)); }

static async_value tell(async_future question, void *p)
{
    struct slot *slot = p;
    async_value answer = async_result(question);
    slot->known = !answer.error;
    slot->degrees = answer;
    for (int i = 0; i < slot->count; i++)
        if (!async_done(slot->waiters[i]))
            answer.error ? async_set_exception(slot->waiters[i], answer)
                         : async_set_result(slot->waiters[i], answer);
    slot->count = 0;
    slot->question = NULL;
    return async_none;
}

async_value cache_get(void *p)
{
    struct cache_get *args = p;
    struct slot *slot = args->cache->slots;
    while (slot->station && slot->station != args->station)
        slot++;
    slot->station = args->station;
    if (slot->known)
        return slot->degrees;
    if (!slot->question) {
        slot->question = async_create_task(async_coro(ask_station, slot->station));
        async_add_done_callback(slot->question, tell, slot);
    }
    async_future mine = slot->waiters[slot->count++] = async_create_future();
    async_value v = async_catch(mine);
    for (int i = 0; i < slot->count; i++)
        if (slot->waiters[i] == mine)
            slot->waiters[i] = slot->waiters[--slot->count];
    return v;
}

int main(void) { return 0; }
