/* The workers never say that a photo is done.
 *
 * answer: wrong
 * points: 2/2 0/2 3/3
 * says: needs its async_queue_task_done()
 */
#include "exercise.h"
#include <stdio.h>

async_value read_photo(void *p)
{
    struct read_photo *args = p;
    printf("%s: reading\n", args->photo->name);
    await(async_sleep(args->photo->read));
    printf("%s: read\n", args->photo->name);
    return async_none;
}

async_value shrink_photo(void *p)
{
    struct shrink_photo *args = p;
    printf("%s: shrinking\n", args->photo->name);
    await(async_sleep(args->photo->shrink));
    printf("%s: %s\n", args->photo->name, args->photo->broken ? "broken" : "shrunk");
    if (args->photo->broken)
        async_raise(EIO, "the photo is broken");
    return async_none;
}

async_value store_photo(void *p)
{
    struct store_photo *args = p;
    printf("%s: storing\n", args->photo->name);
    await(async_sleep(args->photo->store));
    printf("%s: stored\n", args->photo->name);
    return async_none;
}

/* Reads all photos into a queue, then puts as many end markers as there are who wait for one. */
struct reader { struct photo *photos; size_t count; async_queue *to; size_t markers; };
static async_value reader(void *p)
{
    struct reader *args = p;
    for (size_t i = 0; i < args->count; i++) {
        await(async_coro(read_photo, &args->photos[i]));
        await(async_queue_put(args->to, async_ptr(&args->photos[i])));
    }
    for (size_t i = 0; i < args->markers; i++)
        await(async_queue_put(args->to, async_ptr(NULL)));
    return async_none;
}

/* Stores what comes, up to the end marker; gives how many. */
struct writer { async_queue *from; };
static async_value writer(void *p)
{
    struct writer *args = p;
    long stored = 0;
    for (;;) {
        struct photo *photo = await(async_queue_get(args->from)).ptr;
        if (!photo)
            return async_num(stored);
        await(async_coro(store_photo, photo));
        stored++;
    }
}

async_value copy_album(void *p)
{
    struct copy_album *args = p;
    async_value ended[2];
    async_queue *queue = async_queue_new(args->capacity);
    await(async_gather(ended, async_coro(reader, args->photos, args->count, queue, 1),
                       async_coro(writer, queue)));
    return ended[1];
}

/* Works until it is cancelled. That a photo is broken is not an error of the worker's; any other
 * error, a cancellation above all, is. */
struct shrinker { async_queue *from; long *shrunk; };
static async_value shrinker(void *p)
{
    struct shrinker *args = p;
    for (;;) {
        struct photo *photo = await(async_queue_get(args->from)).ptr;
        async_value done = async_catch(async_coro(shrink_photo, photo));
        if (done.error && done.error != EIO)
            return done;
        *args->shrunk += !done.error;
    }
}

async_value shrink_album(void *p)
{
    struct shrink_album *args = p;
    async_task workers[MOST_WORKERS];
    long shrunk = 0;
    async_queue *queue = async_queue_new(0);
    for (size_t i = 0; i < args->count; i++)
        await(async_queue_put(queue, async_ptr(&args->photos[i])));
    for (size_t i = 0; i < args->workers; i++)
        workers[i] = async_create_task(async_coro(shrinker, queue, &shrunk));
    async_value joined = async_catch(async_queue_join(queue));
    for (size_t i = 0; i < args->workers; i++)
        async_cancel(workers[i]);
    await(async_gather_list(NULL, workers, args->workers, true));
    return joined.error ? joined : async_num(shrunk);
}

/* Works from queue to queue, up to an end marker. */
struct mover { async_queue *from, *to; };
static async_value mover(void *p)
{
    struct mover *args = p;
    for (;;) {
        struct photo *photo = await(async_queue_get(args->from)).ptr;
        if (!photo)
            return async_none;
        async_value done = async_catch(async_coro(shrink_photo, photo));
        if (done.error && done.error != EIO)
            return done;
        if (!done.error)
            await(async_queue_put(args->to, async_ptr(photo)));
    }
}

/* All the workers; when the last has gone home nothing more will come. */
struct movers { async_queue *from, *to; size_t count; };
static async_value movers(void *p)
{
    struct movers *args = p;
    async_awaitable workers[MOST_WORKERS];
    for (size_t i = 0; i < args->count; i++)
        workers[i] = async_coro(mover, args->from, args->to);
    await(async_gather_list(NULL, workers, args->count, false));
    await(async_queue_put(args->to, async_ptr(NULL)));
    return async_none;
}

async_value import_album(void *p)
{
    struct import_album *args = p;
    async_value ended[3];
    async_queue *large = async_queue_new(args->capacity), *small = async_queue_new(args->capacity);
    await(async_gather(ended,
                       async_coro(reader, args->photos, args->count, large, args->workers),
                       async_coro(movers, large, small, args->workers),
                       async_coro(writer, small)));
    return ended[2];
}

int main(void) { return 0; }
