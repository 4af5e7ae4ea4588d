/* A web page: what has to wait for what? README.md has the task; `make grade-4` looks at it. */
#include "exercise.h"
#include <stdio.h>

/* Part 1: one file. */
async_value download(void *p)
{
    struct download *args = p;
    /* TODO: print "WHAT: started", wait for the seconds, print "WHAT: finished", return the bytes.
     * WHAT is args->what. */
    (void)args;
    return async_none;
}

/* Part 2: two files that have nothing to do with each other. */
async_value two_files(void *p)
{
    struct two_files *args = p;
    /* TODO: download both at once; return how many bytes that was together. A call looks like this:
     *     async_coro(download, args->first.what, args->first.seconds, args->first.bytes) */
    (void)args;
    return async_none;
}

/* Part 3: a page names its style and its image, so we don't know of them before it is here. */
async_value web_page(void *p)
{
    struct web_page *args = p;
    /* TODO: download the page; when it is here, style and image at once; when all is here, print
     * "WHAT is complete", where WHAT is args->page.what; return the bytes of all three. */
    (void)args;
    return async_none;
}

/* To try it: make exercise-4. The grader uses a main of its own. */
static async_value try_it(void *p)
{
    (void)p;
    await(async_coro(download, "robots.txt", 0.5, 120));
    await(async_coro(two_files, { "logo.png", 1, 9000 }, { "news.json", 1.5, 700 }));
    async_value all = await(async_coro(web_page, { "index.html", 1, 4000 },
                                       { "style.css", 0.5, 900 }, { "photo.jpg", 2, 70000 }));
    printf("%ld bytes in all\n", all.num);
    return async_none;
}

int main(void) { return async_main(async_coro(try_it)); }
