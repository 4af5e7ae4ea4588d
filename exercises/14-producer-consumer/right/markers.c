/* End markers in part 2, which are a photo of their own; a join and cancel in part 3. */
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

static struct photo the_end;

struct shrinker { async_queue *from; };
static async_value shrinker(void *p)
{
    struct shrinker *args = p;
    long shrunk = 0;
    for (;;) {
        struct photo *photo = await(async_queue_get(args->from)).ptr;
        if (photo == &the_end)
            return async_num(shrunk);
        async_value done = async_catch(async_coro(shrink_photo, photo));
        if (done.error == EIO)
            continue;
        if (done.error)
            return done;
        shrunk++;
    }
}

async_value shrink_album(void *p)
{
    struct shrink_album *args = p;
    async_awaitable workers[MOST_WORKERS];
    async_value got[MOST_WORKERS];
    long shrunk = 0;
    async_queue *queue = async_queue_new(0);
    for (size_t i = 0; i < args->count; i++)
        async_queue_put_nowait(queue, async_ptr(&args->photos[i]));
    for (size_t i = 0; i < args->workers; i++) {
        async_queue_put_nowait(queue, async_ptr(&the_end));
        workers[i] = async_coro(shrinker, queue);
    }
    await(async_gather_list(got, workers, args->workers, false));
    for (size_t i = 0; i < args->workers; i++)
        shrunk += got[i].num;
    return async_num(shrunk);
}

/* Works from queue to queue, until it is cancelled. */
struct mover { async_queue *from, *to; };
static async_value mover(void *p)
{
    struct mover *args = p;
    for (;;) {
        struct photo *photo = await(async_queue_get(args->from)).ptr;
        async_value done = async_catch(async_coro(shrink_photo, photo));
        if (done.error && done.error != EIO)
            return done;
        if (!done.error)
            await(async_queue_put(args->to, async_ptr(photo)));
        async_queue_task_done(args->from);
    }
}

struct keeper { async_queue *from; long *stored; };
static async_value keeper(void *p)
{
    struct keeper *args = p;
    for (;;) {
        struct photo *photo = await(async_queue_get(args->from)).ptr;
        await(async_coro(store_photo, photo));
        async_queue_task_done(args->from);
        ++*args->stored;
    }
}

struct team { async_task tasks[MOST_WORKERS + 1]; size_t count; };

static void go_home(struct team *team)
{
    for (size_t i = 0; i < team->count; i++)
        async_cancel(team->tasks[i]);
    for (size_t i = 0; i < team->count; i++)
        async_catch(team->tasks[i]);
}

async_value import_album(void *p)
{
    struct import_album *args = p;
    long stored = 0;
    async_queue *large = async_queue_new(args->capacity), *small = async_queue_new(args->capacity);
    async_with(go_home) struct team team = { .count = 0 };
    for (size_t i = 0; i < args->workers; i++)
        team.tasks[team.count++] = async_create_task(async_coro(mover, large, small));
    team.tasks[team.count++] = async_create_task(async_coro(keeper, small, &stored));
    await(async_coro(reader, args->photos, args->count, large, 0));
    await(async_queue_join(large));
    await(async_queue_join(small));
    return async_num(stored);
}

int main(void) { return 0; }
