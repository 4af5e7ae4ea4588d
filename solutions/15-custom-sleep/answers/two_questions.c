/* The answer is remembered when it is there; until then everybody asks.
 *
 * answer: wrong
 * points: 2/2 2/2 0/3
 * says: Two questions at once
 */
#include "exercise.h"
#include <stdio.h>

static async_value set(void *future)
{
    return async_done(future) ? async_none : async_set_result(future, async_none);
}

struct typing {
    double seconds;
    async_future pause;         /* NULL: nobody waits */
    async_handle timer;         /* that will set it */
};

struct typing *typing_new(double seconds)
{
    struct typing *typing = async_alloc(sizeof *typing);
    if (typing)
        typing->seconds = seconds;
    return typing;
}

static void start_timer(struct typing *typing)
{
    typing->timer = async_loop_call_later(async_get_running_loop(), typing->seconds, set,
                                          typing->pause);
}

void typing_key(struct typing *typing)
{
    if (!typing->pause)
        return;
    async_handle_cancel(typing->timer);
    start_timer(typing);
}

static void stop_waiting(struct typing **typing)
{
    async_handle_cancel((*typing)->timer);
    (*typing)->pause = NULL;
}

async_value typing_pause(void *p)
{
    struct typing_pause *args = p;
    args->typing->pause = async_create_future();
    start_timer(args->typing);
    async_with(stop_waiting) struct typing *typing = args->typing;
    await(typing->pause);
    return async_none;
}

/* One who waits, on the stack of whoever it is: in a list of all of them. */
struct waiter {
    async_future future;
    async_handle timer;         /* of a latch: the end of patience */
    struct waiter **list, *next;
};

static void enlist(struct waiter *waiter, struct waiter **list)
{
    waiter->future = async_create_future();
    waiter->list = list;
    waiter->next = *list;
    *list = waiter;
}

static void leave_list(struct waiter *waiter)
{
    struct waiter **at = waiter->list;
    while (*at && *at != waiter)
        at = &(*at)->next;
    if (*at)
        *at = waiter->next;
    if (waiter->timer)
        async_handle_cancel(waiter->timer);
}

struct latch {
    long count;
    struct waiter *waiters;
};

struct latch *latch_new(long count)
{
    struct latch *latch = async_alloc(sizeof *latch);
    if (latch)
        latch->count = count;
    return latch;
}

void latch_count_down(struct latch *latch)
{
    if (latch->count == 0 || --latch->count > 0)
        return;
    for (struct waiter *waiter = latch->waiters; waiter; waiter = waiter->next)
        set(waiter->future);
}

static async_value give_up(void *future)
{
    if (async_done(future))
        return async_none;
    return async_set_exception(future, async_error(ASYNC_TIMEOUT, "the latch is still closed"));
}

async_value latch_wait(void *p)
{
    struct latch_wait *args = p;
    if (args->latch->count == 0)
        return async_none;
    async_with(leave_list) struct waiter self = { .next = NULL };
    enlist(&self, &args->latch->waiters);
    async_loop *loop = async_get_running_loop();
    self.timer = async_loop_call_later(loop, args->patience, give_up, self.future);
    await(self.future);
    return async_none;
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

struct slot { struct station *station; bool known; async_value degrees; };
struct cache { struct slot slots[MOST_STATIONS]; size_t count; };

struct cache *cache_new(void) { return async_alloc(sizeof(struct cache)); }

static struct slot *find_slot(struct cache *cache, struct station *station)
{
    for (size_t i = 0; i < cache->count; i++)
        if (cache->slots[i].station == station)
            return &cache->slots[i];
    if (cache->count == MOST_STATIONS)
        return NULL;
    struct slot *slot = &cache->slots[cache->count++];
    slot->station = station;
    return slot;
}

async_value cache_get(void *p)
{
    struct cache_get *args = p;
    struct slot *slot = find_slot(args->cache, args->station);
    if (!slot->known) {
        slot->degrees = await(async_coro(ask_station, args->station));
        slot->known = true;
    }
    return slot->degrees;
}

int main(void) { return 0; }
