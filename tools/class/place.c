/* place.c - see place.h. */
#define _GNU_SOURCE
#include "place.h"
#include "options.h"
#include "tables.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void make_folder(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        give_up("%s cannot be made: %s.", path, strerror(errno));
}

char *place_open(const char *out)
{
    make_folder(out);
    char *lock = format_text("%s/.lock", out), *results = format_text("%s/results", out),
         *feedback = format_text("%s/feedback", out);
    int file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        give_up("OUT=%s cannot be written to: %s.", out, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB) < 0)
        give_up("Another grade-class is at work in %s.", out);
    make_folder(results);
    make_folder(feedback);
    char *work = format_text("%s/.work", out);
    if (!remove_tree(work))
        give_up("%s is left from before and cannot be removed: %s.", work, strerror(errno));
    make_folder(work);
    free(lock), free(results), free(feedback);
    return work;
}

/* The first line of a file; "" if there is none. */
static void read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file || !fgets(line, size, file))
        *line = 0;
    if (file)
        fclose(file);
    line[strcspn(line, "\n")] = 0;
}

void place_shares(const char *out, const char *lines)
{
    char *path = format_text("%s/share", out);
    if (*lines ? !write_whole(path, lines, strlen(lines)) : unlink(path) < 0 && errno != ENOENT)
        give_up("%s cannot be written: %s.", path, strerror(errno));
    free(path);
}

bool place_ended(const char *out, struct ended *ended)
{
    char *seed = format_text("%s/seed", out), *share = format_text("%s/share", out),
         *table = format_text("%s/grades.csv", out), line[40];
    size_t room = 0;
    *ended = (struct ended){ 0 };
    FILE *file = fopen(share, "re");
    if (!file || getdelim(&ended->shares, &room, 0, file) < 0)
        ended->shares = strdup("");
    if (file)
        fclose(file);
    read_line(seed, line, sizeof line);
    bool has = sscanf(line, "%u", &ended->seed) == 1 && access(table, R_OK) == 0;
    free(seed), free(share), free(table);
    return has;
}

unsigned place_seed(const char *out, const char *given)
{
    char *path = format_text("%s/seed", out), line[40];
    read_line(path, line, sizeof line);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    unsigned seed = given && *given ? read_number(given, UINT_MAX, "SEED") :
                    *line ? read_number(line, UINT_MAX, path) : (unsigned)(now.tv_nsec ^ now.tv_sec) % 1000000;
    snprintf(line, sizeof line, "%u\n", seed);
    if (!write_whole(path, line, strlen(line)))
        give_up("%s cannot be written: %s.", path, strerror(errno));
    free(path);
    return seed;
}

void place_version(char version[65], const char *hidden)
{
    static const char *const patterns[] = { "exercises/*/exercise.h", "exercises/*/grader/*", "runtime/*.h",
                                            "runtime/*/*.[chS]", "tools/grading/*", "tools/student-cc.sh" };
    glob_t found = { 0 };
    size_t size;
    char *hashes;
    FILE *to = open_memstream(&hashes, &size);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found);
    if (hidden) {
        char *theirs = format_text("%s/*.c", hidden);
        glob(theirs, GLOB_APPEND, NULL, &found);
        free(theirs);
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char bytes[200000], hash[65];
        FILE *file = fopen(found.gl_pathv[i], "re");
        size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
        if (file)
            fclose(file);
        hash_bytes(bytes, length, hash);
        fprintf(to, "%s %s\n", hash, found.gl_pathv[i]);
    }
    fclose(to);
    hash_bytes(hashes, size, version);
    version[12] = 0;
    globfree(&found);
    free(hashes);
}

bool place_record(const char *out, const json_t *record, const char *name)
{
    char *path = format_text("%s/results/%s.json", out, name), *text = record_feedback(record);
    char *feedback = format_text("%s/feedback/%s.txt", out, name);
    bool fine = write_whole(feedback, text, strlen(text)) && record_write(record, path);
    int error = errno;
    free(path), free(text), free(feedback);
    errno = error;
    return fine;
}

static void save_file(const char *out, const char *name, char *text)
{
    char *path = format_text("%s/%s", out, name);
    if (!write_whole(path, text, strlen(text)))
        give_up("%s cannot be written: %s. The records in %s/results are whole; call it again.", path, strerror(errno),
                out);
    free(text);
    free(path);
}

static char *read_template(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen("tools/class/report.html", "re");
    if (!file || getdelim(&text, &size, 0, file) < 0)
        give_up("tools/class/report.html cannot be read: %s.", strerror(errno));
    fclose(file);
    return text;
}

void place_tables(const char *out, json_t *const *records, size_t count, unsigned seed)
{
    json_t *items = items_of(records, count);
    char *template = read_template();
    save_file(out, "grades.csv", grades_table(records, count));
    save_file(out, "items.csv", items_table(items));
    save_file(out, "report.html", report_page(template, records, count, items, seed));
    free(template);
    json_decref(items);
}
