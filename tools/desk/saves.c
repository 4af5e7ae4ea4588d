/* saves.c - notices that a file was saved, whatever the editor and the file system.
 *
 * What counts is the text: we look at it four times a second, and at once when inotify says that
 * something stirs in the folder. On mounts of Windows, NFS and in some containers inotify says nothing,
 * and editors that write a new file and rename it leave a watch on the old one behind; the look at the
 * text finds it all the same. */
#include "desk.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define PERIOD 0.25             /* seconds between two looks */
#define SETTLING 0.03           /* for which a text has to stay the same: an editor may be writing it */
#define ABSENCE 10              /* times that, until a file that is empty or gone is believed to be */
#define MOST_BYTES (1 << 20)    /* that we look at */

struct look {                   /* what was seen of a file */
    long size;                  /* -1: there is none that could be read */
    uint64_t hash;
};

static struct look look_at(const char *path)
{
    static unsigned char bytes[65536];
    struct look look = { .size = -1, .hash = 14695981039346656037u };
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);    /* a FIFO may lie there */
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        ssize_t count;
        look.size = status.st_size;
        for (long done = 0; done < MOST_BYTES && (count = read(fd, bytes, sizeof bytes)) > 0; done += count)
            for (ssize_t i = 0; i < count; i++)
                look.hash = (look.hash ^ bytes[i]) * 1099511628211u;
    }
    if (fd >= 0)
        close(fd);
    return look;
}

static bool same(struct look a, struct look b) { return a.size == b.size && a.hash == b.hash; }

static async_value stirred(void *event)
{
    async_event_set(event);
    return async_none;
}

/* The descriptor of inotify, watched by the loop; -1: it is not to be had, and nothing is lost. */
struct stirring {
    int fd;
    async_event *event;
};

static void stirring_exit(struct stirring *stirring)
{
    if (stirring->fd < 0)
        return;
    async_loop_remove_reader(async_get_running_loop(), stirring->fd);
    close(stirring->fd);
}

static struct stirring stirring_enter(const char *folder)
{
    struct stirring stirring = { inotify_init1(IN_NONBLOCK | IN_CLOEXEC), async_event_new() };
    if (stirring.fd < 0)
        return stirring;
    inotify_add_watch(stirring.fd, folder, IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_DELETE);
    async_loop_add_reader(async_get_running_loop(), stirring.fd, stirred, stirring.event);
    return stirring;
}

/* Waits until something stirs, or for the next look. */
static async_value next_look(struct stirring *stirring)
{
    char events[4096];
    async_value outcome = async_catch(async_wait_for(async_event_wait(stirring->event), PERIOD));
    async_event_clear(stirring->event);
    while (stirring->fd >= 0 && read(stirring->fd, events, sizeof events) > 0)
        ;
    return outcome.error == ASYNC_TIMEOUT ? async_none : outcome;
}

async_value look_out(void *p)
{
    struct look_out *args = p;
    const char *path = async_strf("%s/exercise.c", args->folder);
    async_with(stirring_exit) struct stirring stirring = stirring_enter(args->folder);
    struct look known = look_at(path);
    for (;;) {
        async_value outcome = next_look(&stirring);
        if (outcome.error)
            return outcome;
        struct look now = look_at(path), before = known;
        for (int i = 0; !same(now, known) && (!same(now, before) || (now.size <= 0 && i < ABSENCE)); i++) {
            before = now;
            await(async_sleep(SETTLING));
            now = look_at(path);
        }
        if (!same(now, known))
            async_event_set(args->saved);
        known = now;
    }
}
