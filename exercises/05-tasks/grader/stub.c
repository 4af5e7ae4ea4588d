/* A backup. README.md has the task; `make grade-5` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: an upload, which cleans up when it is cancelled. */
async_value upload(void *p)
{
    struct upload *args = p;
    /* TODO: print "FILE: uploading", wait for the seconds, print "FILE: stored", return the bytes.
     * When cancelled meanwhile: wait for 0.1 s, print "FILE: removed what was there", and let the
     * cancellation go on to whoever awaits us. */
    (void)args;
    return async_none;
}

/* Part 2: all files at once, each in a task that bears the file's name. */
async_value backup(void *p)
{
    struct backup *args = p;
    /* TODO: make a task for each of args->files, named after its file; await them all; return how
     * many bytes that was together. */
    (void)args;
    return async_none;
}

/* Part 3: an upload for which we wait only so long. */
async_value upload_within(void *p)
{
    struct upload_within *args = p;
    /* TODO: start the upload as a task and sleep for args->patience. What isn't done then is
     * cancelled: wait until it has cleaned up, print "FILE: given up", return 0. If it is done,
     * return its bytes. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-5. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    async_value all = await(async_coro(backup, 2, { { "notes.txt", 0.5, 300 },
                                                    { "photo.jpg", 1.5, 80000 } }));
    printf("%ld bytes in all\n", all.num);
    async_value some = await(async_coro(upload_within, { "film.mp4", 60, 9000000 }, 2));
    printf("%ld bytes of the film\n", some.num);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
