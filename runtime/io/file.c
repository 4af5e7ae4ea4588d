/* file.c - files without blocking the loop. asyncio has none; people use aiofiles, which does what we
 * do: a disk that is slow is waited for in a thread. */
#include "core/memory.h"
#include "core/task.h"
#include "io/io.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct read_file {
    const char *path;
    size_t *length;
};

static async_value failed(const char *doing, const char *path)
{
    int number = errno;
    return async_error(number, async_strf("%s %s: %s", doing, path, strerror(number)));
}

/* In a thread: what is there, however long it turns out to be. */
static async_value read_all(int fd, const char *path, size_t *length)
{
    struct stat about;
    size_t have = 0, room = fstat(fd, &about) == 0 && about.st_size > 0 ? about.st_size + 1 : 4096;
    char *bytes = async_alloc(room + 1);
    for (;;) {
        if (!bytes)
            return async_error(ENOMEM, "no memory for the contents of a file");
        ssize_t n = read(fd, bytes + have, room - have);
        if (n < 0 && errno != EINTR)
            return failed("reading", path);
        if (n == 0)
            break;
        have += n > 0 ? n : 0;
        if (have == room) {
            char *more = async_alloc(room * 2 + 1);
            if (more)
                memcpy(more, bytes, have);
            memory_give_back(bytes);
            bytes = more;
            room *= 2;
        }
    }
    if (length)
        *length = have;
    return async_str(bytes);
}

static async_value read_file(void *p)
{
    struct read_file *args = p;
    int fd = open(args->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed("opening", args->path);
    async_value v = read_all(fd, args->path, args->length);
    close(fd);
    return v;
}

async_awaitable async_read_file(const char *path, size_t *length)
{
    return async_to_thread_call((async_call){ read_file, "async_read_file",
                                              &(struct read_file){ path, length },
                                              sizeof(struct read_file) });
}

bool write_all(int fd, const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t written = write(fd, (const char *)bytes + done, n - done);
        if (written < 0 && errno != EINTR)
            return false;
        done += written > 0 ? written : 0;
    }
    return true;
}

struct write_file {
    const char *path;
    const void *bytes;
    size_t length;
    bool append;
};

/* In a thread. A full disk often shows only when the file is closed. */
static async_value write_file(void *p)
{
    struct write_file *args = p;
    int fd = open(args->path, O_WRONLY | O_CREAT | O_CLOEXEC | (args->append ? O_APPEND : O_TRUNC), 0666);
    if (fd < 0)
        return failed("opening", args->path);
    if (!write_all(fd, args->bytes, args->length)) {
        async_value v = failed("writing", args->path);
        close(fd);
        return v;
    }
    return close(fd) == 0 || errno == EINTR ? async_none : failed("writing", args->path);
}

async_awaitable async_write_file(const char *path, const void *bytes, size_t length, bool append)
{
    return async_to_thread_call((async_call){ write_file, "async_write_file",
                                              &(struct write_file){ path, bytes, length, append },
                                              sizeof(struct write_file) });
}
