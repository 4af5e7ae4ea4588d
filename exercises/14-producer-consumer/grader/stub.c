/* A photo album. README.md has the task; `make grade-14` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* These three are done: what can be done with a photo. */
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

/* Part 1: one reads, one stores, and few photos wait in between. */
async_value copy_album(void *p)
{
    struct copy_album *args = p;
    /* TODO: read args->photos[0] to [args->count - 1] and store them, both at the same time, with a
     * queue of args->capacity in between; return how many were stored. What goes through the queue
     * can be async_ptr(photo). One step looks like this:
     *     await(async_coro(read_photo, &args->photos[0])); */
    (void)args;
    return async_none;
}

/* Part 2: several work at the same time. */
async_value shrink_album(void *p)
{
    struct shrink_album *args = p;
    /* TODO: let args->workers tasks shrink all the photos, each one photo at a time. Pass over
     * those that are broken. When all are done let the workers end; return how many photos went
     * well. */
    (void)args;
    return async_none;
}

/* Part 3: from the camera to the server, made smaller on the way. */
async_value import_album(void *p)
{
    struct import_album *args = p;
    /* TODO: one reads, args->workers shrink, one stores, with a queue of args->capacity on each
     * side of the workers. What is broken is not stored. Return how many were. When cancelled, see
     * that everybody ends. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-14. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    static struct photo photos[] = { { "lake", 1, 2, 3, false }, { "moon", 1, 3, 3, false },
                                     { "boat", 1, 2, 3, true },  { "rose", 1, 2, 3, false } };
    async_value all = await(async_coro(copy_album, photos, 4, 1));
    printf("%ld copied\n\n", all.num);
    all = await(async_coro(shrink_album, photos, 4, 2));
    printf("%ld made smaller\n\n", all.num);
    all = await(async_coro(import_album, photos, 4, 2, 1));
    printf("%ld imported\n", all.num);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
