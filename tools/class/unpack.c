/* unpack.c - archives, read by libarchive: zip, tar with any compression, 7z. What is written is ours: each name is
 * taken apart, so that nothing lands elsewhere, and what a grading has no use for is not written at all. */
#define _GNU_SOURCE
#include "class.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_ENTRIES 400000
#define MOST_INNER (32L << 20)          /* bytes of an archive inside of one */
#define MOST_BYTES (2L << 30)           /* of all that is read */
#define MOST_DEPTH 24

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), its = strlen(end);
    return length > its && !strcasecmp(name + length - its, end);
}

bool is_archive(const char *name)
{
    static const char *const ends[] = { ".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar.zst",
                                        ".7z" };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends_in(name, ends[i]))
            return true;
    return false;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat, (void)type, (void)walk;
    return remove(path);
}

bool remove_tree(const char *path)
{
    return nftw(path, remove_one, 20, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

/* Opens the folder in which the last word of `name` lies, and makes those on the way; *last is that word. -1: it has
 * no place here. */
static int folder_of(int root, char *name, const char **last)
{
    int at = dup(root), depth = 0;
    char *rest = name, *word = strsep(&rest, "/\\");
    for (; at >= 0 && word; word = strsep(&rest, "/\\")) {
        if (!*word || !strcmp(word, "."))
            continue;
        if (!strcmp(word, "..") || ++depth > MOST_DEPTH)
            break;
        while (rest && (*rest == '/' || *rest == '\\'))
            rest++;
        if (!rest || !*rest) {
            *last = word;
            return at;
        }
        mkdirat(at, word, 0700);
        int next = openat(at, word, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(at);
        at = next;
    }
    if (at >= 0)
        close(at);
    return -1;
}

/* What does not matter here costs no room: of it an empty file is left. */
static long most_of(const char *name)
{
    return is_archive(name) ? MOST_INNER : ends_in(name, ".c") ? MOST_SOURCE + 1 : 0;
}

static unsigned number_at(const unsigned char *bytes)
{
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (unsigned)bytes[3] << 24;
}

#define BLOCK 512                       /* bytes of a tar that is not compressed */

/* At the end of a tar is a block of zeros: else it was cut off, if only between two entries. */
static bool is_whole_tar(int file, long size)
{
    static const char zeros[BLOCK];
    char last[BLOCK];
    return size % BLOCK == 0 && pread(file, last, BLOCK, size - BLOCK) == BLOCK && !memcmp(last, zeros, BLOCK);
}

/* The list of what is in a zip stands at its end, and says how far before that it begins: else the end is missing, and
 * what looks like it is a zip's inside of it. Of other files, but for a tar: true. */
static bool is_whole(int file)
{
    static unsigned char bytes[22 + 65535];
    long size = lseek(file, 0, SEEK_END), from = size > (long)sizeof bytes ? size - (long)sizeof bytes : 0, length;
    if (pread(file, bytes, BLOCK, 0) == BLOCK && !memcmp(bytes + 257, "ustar", 5))
        return is_whole_tar(file, size);
    if (pread(file, bytes, 4, 0) != 4 || memcmp(bytes, "PK\3\4", 4) != 0)
        return true;
    length = pread(file, bytes, sizeof bytes, from);
    for (long at = length - 22; at >= 0; at--)
        if (!memcmp(bytes + at, "PK\5\6", 4)) {
            unsigned its = number_at(bytes + at + 12), begin = number_at(bytes + at + 16);
            if (begin == 0xffffffff || (long)its + begin == from + at)          /* zip64 says it elsewhere */
                return true;
        }
    return false;
}

/* Copies an entry's bytes; false: the disk is to blame, and errno says why, or the archive, and it is 0. */
static bool copy(struct archive *archive, int file, long most)
{
    char bytes[65536];
    ssize_t got = 0;
    while (most > 0 && (got = archive_read_data(archive, bytes, sizeof bytes)) > 0) {
        if (write(file, bytes, got < most ? got : most) < 0)
            return false;
        most -= got;
    }
    errno = 0;
    return got >= 0;
}

static bool take_entry(struct archive *archive, struct archive_entry *entry, int root, long *bytes)
{
    const char *given = archive_entry_pathname(entry), *last;
    char *name = given ? utf8_name(given) : NULL;
    int at = name ? folder_of(root, name, &last) : -1;
    bool fine = true;
    if (at >= 0 && archive_entry_filetype(entry) == AE_IFDIR)
        mkdirat(at, last, 0700);
    else if (at >= 0 && (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry)))
        symlinkat("/nowhere", at, last);
    else if (at >= 0) {
        struct timespec times[2] = { { archive_entry_mtime(entry), 0 }, { archive_entry_mtime(entry), 0 } };
        int file = openat(at, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        fine = file >= 0 || errno == EEXIST || errno == ENAMETOOLONG;
        if (file >= 0) {
            fine = copy(archive, file, most_of(last));
            int error = errno;
            *bytes += lseek(file, 0, SEEK_CUR);
            futimens(file, times);
            close(file);
            errno = error;
        }
    }
    int error = errno;
    if (at >= 0)
        close(at);
    free(name);
    errno = error;
    return fine;
}

bool unpack(const char *from, const char *folder, char *sentence, size_t size)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), file = open(from, O_RDONLY | O_CLOEXEC);
    int got = ARCHIVE_FATAL;
    long entries = 0, bytes = 0;
    *sentence = 0;
    archive_read_support_filter_all(archive);
    archive_read_support_format_zip(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_7zip(archive);
    if (file >= 0 && !is_whole(file))
        snprintf(sentence, size, "its end is missing");
    else if (root >= 0 && archive_read_open_filename(archive, from, 65536) == ARCHIVE_OK)
        while ((got = archive_read_next_header(archive, &entry)) == ARCHIVE_OK || got == ARCHIVE_WARN) {
            if (archive_entry_is_encrypted(entry)) {
                snprintf(sentence, size, "it is locked with a password, and has to be packed without one");
                break;
            }
            if (!take_entry(archive, entry, root, &bytes)) {
                snprintf(sentence, size, "it could not be unpacked: %s",
                         errno ? strerror(errno) : archive_error_string(archive));
                break;
            }
            if (++entries > MOST_ENTRIES || bytes > MOST_BYTES) {
                snprintf(sentence, size, "there is more in it than a grading reads");
                break;
            }
        }
    if (!*sentence && got != ARCHIVE_EOF) {
        const char *why = archive_error_string(archive);
        snprintf(sentence, size, "it is no archive that can be read%s%s", why ? ": " : "", why ? why : "");
    }
    archive_read_free(archive);
    if (root >= 0)
        close(root);
    if (file >= 0)
        close(file);
    return !*sentence;
}
