/* intake.c - who handed in what: folders, archives, and what Moodle and Canvas call things.
 *
 * Each entry of the folder is a student's: a folder, an archive, or a file.
 *     ada/                                       ada
 *     Ada Lovelace_123_assignsubmission_file/    Moodle: Ada Lovelace, 123
 *     lovelaceada_LATE_123_456_exercise-4.c      Canvas: lovelaceada, 123, late
 *     ada.c, ada.zip                             ada */
#define _GNU_SOURCE
#include "class.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_NAME 120                   /* bytes of a file name of ours that are a student's */

struct list {
    char **words;
    size_t count, room;
};

static void add(struct list *list, char *word)
{
    if (list->count + 1 >= list->room) {
        list->room = list->room ? 2 * list->room : 8;
        list->words = realloc(list->words, list->room * sizeof *list->words);
        if (!list->words)
            abort();
    }
    list->words[list->count++] = word;
    list->words[list->count] = NULL;
}

/* ------------------------------------------------------------------------------ names */

/* Hidden files, and what systems leave in archives, are nobody's. */
static bool is_nobodys(const char *name) { return *name == '.' || !strcmp(name, "__MACOSX"); }

static size_t digits(const char *text) { return strspn(text, "0123456789"); }

/* Name_123_assignsubmission_file, and in older ones Name_123_assignsubmission_file_ */
static bool is_moodle(const char *name, struct submission *of)
{
    const char *end = strstr(name, "_assignsubmission_"), *id = end;
    while (id && id > name && isdigit(id[-1]))
        id--;
    if (!end || id == end || id < name + 2 || id[-1] != '_')
        return false;
    of->student = strndup(name, id - 1 - name);
    of->id = strndup(id, end - id);
    return true;
}

/* lovelaceada_LATE_123_456_exercise-4.c: a student's and a submission's number. */
static bool is_canvas(const char *name, struct submission *of)
{
    const char *end = strchr(name, '_'), *at = end ? end + 1 : name;
    bool late = end && !strncmp(at, "LATE_", 5);
    at += late ? 5 : 0;
    size_t id = digits(at), number = at[id] == '_' ? digits(at + id + 1) : 0;
    if (!end || end == name || !id || !number || at[id + 1 + number] != '_')
        return false;
    of->student = strndup(name, end - name);
    of->id = strndup(at, id);
    of->marked_late = late;
    return true;
}

/* Without ".c", ".zip", ".tar.gz". */
static char *stem(const char *name)
{
    size_t length = strlen(name);
    const char *tar = strcasestr(name, ".tar"), *dot = tar && tar > name ? tar : strrchr(name, '.');
    return strndup(name, dot && dot > name ? (size_t)(dot - name) : length);
}

static bool is_c(const char *name)
{
    size_t length = strlen(name);
    return length > 2 && !strcasecmp(name + length - 2, ".c");
}

/* A name for files about a student. One that is too long for that is told from others by its hash. */
static char *file_name(const char *student, const char *id)
{
    size_t length = strnlen(student, MOST_NAME);
    while (length && (student[length] & 0xc0) == 0x80)          /* no character is cut in two */
        length--;
    char hash[65] = "", *name;
    if (student[length])
        hash_bytes(student, strlen(student), hash);
    name = format_text("%.*s%s%.8s%s%s", (int)length, student, *hash ? "_" : "", hash, *id ? "_" : "", id);
    if (*name == '.')
        *name = '_';
    return name;
}

/* --------------------------------------------------------------------------- students */

static int by_student(const void *a, const void *b)
{
    const struct submission *one = a, *other = b;
    int order = strcmp(one->student, other->student);
    return order ? order : strcmp(one->id, other->id);
}

/* A file that lies beside folders and is nobody's answer, such as a list of the class, is passed over. */
static bool read_name(const char *name, unsigned char type, struct submission *of)
{
    char *whole = visible(utf8_name(name));
    bool known = is_moodle(whole, of) || is_canvas(whole, of);
    if (!known)
        of->student = type == DT_DIR ? strdup(whole) : stem(whole);
    free(whole);
    return known || type == DT_DIR || type == DT_LNK || is_c(name) || is_archive(name);
}

static unsigned char type_of(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) < 0 ? DT_UNKNOWN : S_ISDIR(stat.st_mode) ? DT_DIR : S_ISREG(stat.st_mode) ? DT_REG :
           S_ISLNK(stat.st_mode) ? DT_LNK : DT_FIFO;
}

bool is_same(const char *path, const char *other)
{
    struct stat one, two;
    return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static struct submission *read_folder(const char *from, const char *out, size_t *count)
{
    struct dirent **entries;
    struct submission *found;
    int number = scandir(from, &entries, NULL, alphasort);
    if (number < 0) {
        fprintf(stderr, "grade-class: FROM=%s cannot be read: %s.\n", from, strerror(errno));
        return NULL;
    }
    found = calloc(number + 1, sizeof *found);
    *count = 0;
    for (int i = 0; i < number; i++) {
        struct submission *next = &found[*count];
        char *path = format_text("%s/%s", from, entries[i]->d_name);
        next->id = "";
        if (!is_nobodys(entries[i]->d_name) && !is_same(path, out) && read_name(entries[i]->d_name, type_of(path), next)) {
            char **paths = calloc(2, sizeof *paths);
            paths[0] = path;
            next->paths = (const char *const *)paths;
            ++*count;
        } else
            *next = (struct submission){ 0 };
        free(entries[i]);
    }
    free(entries);
    return found;
}

/* What has the same student's name is one submission. */
static size_t join(struct submission *all, size_t count)
{
    size_t to = 0;
    for (size_t i = 0; i < count; i++) {
        struct submission *last = to ? &all[to - 1] : NULL;
        if (!last || by_student(last, &all[i]) != 0) {
            all[to++] = all[i];
            continue;
        }
        size_t had = 0;
        while (last->paths[had])
            had++;
        char **paths = calloc(had + 2, sizeof *paths);
        memcpy(paths, last->paths, had * sizeof *paths);
        paths[had] = (char *)all[i].paths[0];
        last->paths = (const char *const *)paths;
        last->marked_late |= all[i].marked_late;
    }
    return to;
}

/* Archives are often made of a folder, and then have that as their only entry: the class is inside, if
 * that holds nothing but folders. */
static const char *inside(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), shown = 0, folders = 0;
    const char *only = folder;
    for (int i = 0; i < count; i++) {
        if (!is_nobodys(entries[i]->d_name)) {
            char *path = format_text("%s/%s", folder, entries[i]->d_name);
            shown++;
            folders += type_of(path) == DT_DIR;
            only = path;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return shown == 1 && folders == 1 ? only : folder;
}

static bool holds_only_folders(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    bool only = count > 0;
    for (int i = 0; i < count; i++) {
        char *path = format_text("%s/%s", folder, entries[i]->d_name);
        only = only && (is_nobodys(entries[i]->d_name) || type_of(path) == DT_DIR || is_archive(path));
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return only;
}

static void name_files(struct submission *all, size_t count, bool alone)
{
    for (size_t i = 0; i < count; i++) {
        bool twin = (i && !strcmp(all[i].student, all[i - 1].student)) ||
                    (i + 1 < count && !strcmp(all[i].student, all[i + 1].student));
        char *name = file_name(all[i].student, twin ? all[i].id : "");
        all[i].file = alone ? name : format_text("%s.%s", name, all[i].exercise->name);
    }
}

struct submission *intake(const char *from, const char *out, const char *scratch, const struct exercise *exercises,
                          int exercise_count, size_t *count)
{
    char sentence[400];
    if (type_of(from) == DT_REG || (is_archive(from) && type_of(from) == DT_LNK)) {
        if (!unpack(from, scratch, sentence, sizeof sentence)) {
            fprintf(stderr, "grade-class: FROM=%s cannot be taken in: %s.\n", from, sentence);
            return NULL;
        }
        const char *within = inside(scratch);
        from = within != scratch && holds_only_folders(within) ? within : scratch;
    }
    struct submission *students = read_folder(from, out, count);
    if (!students)
        return NULL;
    qsort(students, *count, sizeof *students, by_student);
    *count = join(students, *count);
    struct submission *all = calloc(*count * exercise_count + 1, sizeof *all);
    for (int e = 0; e < exercise_count; e++) {
        struct submission *its = all + e * *count;
        memcpy(its, students, *count * sizeof *its);
        for (size_t i = 0; i < *count; i++)
            its[i].exercise = &exercises[e];
        name_files(its, *count, exercise_count == 1);
    }
    free(students);
    *count *= exercise_count;
    return all;
}

/* -------------------------------------------------------------------------- the answer */

struct search {
    const struct submission *submission;
    struct source *source;
    const char *scratch;
    int unpacked;
    struct list files;                  /* that end in .c */
    char *other;                        /* a link, or something else that is no file; or NULL */
};

#define MOST_FILES 20000

__attribute__((format(printf, 3, 4)))
static void refuse(struct source *source, const char *status, const char *format, ...)
{
    va_list args;
    if (source->status)
        return;
    source->status = status;
    va_start(args, format);
    vsnprintf(source->sentence, sizeof source->sentence, format, args);
    va_end(args);
    visible(source->sentence);
}

/* What is shown of a path: what comes after the student's own folder. What was in an archive is in a folder that
 * has its name, since it may say which exercise it is. */
static const char *shown(const struct search *search, const char *path)
{
    const char *const *own = search->submission->paths;
    size_t length = strlen(search->scratch);
    if (!strncmp(path, search->scratch, length) && path[length] == '/' && strchr(path + length + 1, '/'))
        return strchr(path + length + 1, '/') + 1;
    for (; *own; own++)
        if (!strncmp(path, *own, strlen(*own)) && path[strlen(*own)] == '/')
            return path + strlen(*own) + 1;
    return strchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static void look(struct search *search, const char *path, int depth);

static void look_in_archive(struct search *search, const char *path, int depth)
{
    char sentence[400], *above = format_text("%s/%d", search->scratch, search->unpacked++);
    char *folder = format_text("%s%s", above, strrchr(path, '/'));
    struct stat stat;
    if (lstat(path, &stat) == 0 && stat.st_size > 32 << 20)
        refuse(search->source, "too_big", "%s has more than 32 MiB.", shown(search, path));
    else if ((mkdir(search->scratch, 0700) < 0 && errno != EEXIST) || mkdir(above, 0700) < 0 || mkdir(folder, 0700) < 0)
        refuse(search->source, "refused", "%s cannot be unpacked: %s.", shown(search, path), strerror(errno));
    else if (!unpack(path, folder, sentence, sizeof sentence))
        refuse(search->source, "refused", "%s: %s.", shown(search, path), sentence);
    else
        look(search, folder, depth);
    free(above), free(folder);
}

static void look(struct search *search, const char *path, int depth)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    unsigned char type = type_of(path);
    if (depth > 24 || search->files.count > MOST_FILES || search->source->status)
        return;
    if (type == DT_DIR) {
        struct dirent **entries;
        int count = scandir(path, &entries, NULL, alphasort);
        if (count < 0)
            refuse(search->source, "refused", "%s cannot be read: %s.", shown(search, path), strerror(errno));
        for (int i = 0; i < count; i++) {
            char *inner = format_text("%s/%s", path, entries[i]->d_name);
            if (!is_nobodys(entries[i]->d_name))
                look(search, inner, depth + 1);
            free(inner);
            free(entries[i]);
        }
        if (count >= 0)
            free(entries);
    } else if (type == DT_REG && is_archive(name))
        look_in_archive(search, path, depth + 8);       /* three of them inside each other are enough */
    else if (type == DT_REG && is_c(name))
        add(&search->files, strdup(path));
    else if (type != DT_REG && !search->other)
        search->other = strdup(path);
}

/* Is it this exercise's in a whole tree: .../04-await/exercise.c? */
static bool is_of_tree(const char *path, const struct exercise *exercise)
{
    char *end = format_text("%s/exercise.c", exercise->name);
    size_t length = strlen(path), its = strlen(end);
    bool is = length >= its && !strcmp(path + length - its, end) && (length == its || path[length - its - 1] == '/');
    free(end);
    return is;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Of exercise-4-1.c and 77_ex04 (2).c the number after "ex"; else the last one, as of hw4.c and 4/main.c. */
static long number_in(const char *path)
{
    long number = -1;
    for (const char *at = path; (at = strcasestr(at, "ex")); at++) {
        const char *digit = at + strspn(at, LETTERS "-_ ");
        if ((at == path || !isalpha((unsigned char)at[-1])) && digits(digit))
            number = strtol(digit, NULL, 10);
    }
    for (const char *at = path; number < 0 && (at = strpbrk(at, "0123456789")); at += digits(at))
        if (!strpbrk(at + digits(at), "0123456789"))
            number = strtol(at, NULL, 10);
    return number;
}

/* Of what was handed in: that a folder of ours, or a student, has a number says nothing. */
static bool speaks_of(const char *path, const struct exercise *exercise)
{
    return strstr(path, exercise->name) || number_in(path) == exercise->number;
}

/* Of those from `first` on keeps the ones of which `is` is true, if there are any or if they have to be. */
static void keep(struct search *search, size_t first, bool (*is)(const char *, const struct exercise *), bool strictly)
{
    struct list *files = &search->files;
    size_t fitting = 0, to = first;
    for (size_t i = first; i < files->count; i++)
        fitting += is(shown(search, files->words[i]), search->submission->exercise);
    for (size_t i = first; (fitting || strictly) && i < files->count; i++)
        if (is(shown(search, files->words[i]), search->submission->exercise))
            files->words[to++] = files->words[i];
        else
            free(files->words[i]);
    if (fitting || strictly)
        files->count = to;
}

static void read_source(struct source *source, const char *path, const char *name)
{
    struct stat stat;
    char *bytes = malloc(MOST_SOURCE + 2);
    const char *note;
    FILE *file = fopen(path, "re");
    if (!bytes || !file || fstat(fileno(file), &stat) < 0) {
        refuse(source, "refused", "%s cannot be read: %s.", name, strerror(errno));
        free(bytes);
        return;
    }
    size_t length = fread(bytes, 1, MOST_SOURCE + 1, file);
    fclose(file);
    bytes[length] = 0;
    source->handed_in = stat.st_mtime;
    hash_bytes(bytes, length, source->hash);
    if (length > MOST_SOURCE)
        refuse(source, "too_big", "%s has more than 256 KiB. An answer has a few hundred lines.", name);
    else {
        source->bytes = plain_text(bytes, length, &source->length, &note);
        snprintf(source->sentence, sizeof source->sentence, "%s", note ? note : "");
        if (memchr(source->bytes, 0, source->length)) {
            refuse(source, "refused", "%s has bytes that are no text. Please save it as UTF-8.", name);
            source_free(source);
        }
    }
    free(bytes);
}

void source_find(struct source *source, const struct submission *submission, const char *scratch, bool alone)
{
    struct search search = { .submission = submission, .source = source, .scratch = scratch };
    *source = (struct source){ 0 };
    for (int i = 0; submission->paths[i]; i++) {        /* what lies in a tree is the answer there, and nowhere else */
        size_t first = search.files.count;
        look(&search, submission->paths[i], 0);
        keep(&search, first, is_of_tree, false);
    }
    size_t all = search.files.count;
    if (!alone)
        keep(&search, 0, speaks_of, true);
    char **files = search.files.words;
    if (source->status)
        ;
    else if (search.files.count == 1)
        read_source(source, files[0], shown(&search, files[0]));
    else if (search.files.count > 1)
        refuse(source, "several_files", "There are %zu files that end in .c, among them %s and %s: which is the answer? "
               "Please hand in one.", search.files.count, shown(&search, files[0]), shown(&search, files[1]));
    else if (search.other && (alone || number_in(shown(&search, search.other)) < 0 ||
                              speaks_of(shown(&search, search.other), submission->exercise)))
        refuse(source, "refused", "%s is %s, and that is not followed. Please hand in the file itself.",
               shown(&search, search.other), type_of(search.other) == DT_LNK ? "a link" : "no plain file");
    else
        refuse(source, "no_file", all ? "No file is named after exercise %d." : "There is no file that ends in .c.",
               submission->exercise->number);
    for (size_t i = 0; i < search.files.count; i++)
        free(files[i]);
    free(files);
    free(search.other);
}

void source_free(struct source *source)
{
    free(source->bytes);
    source->bytes = NULL;
}
