/* class.h - what the parts of grade-class share: who handed in what, and how it is taken in. */
#ifndef CLASS_H
#define CLASS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define MOST_SOURCE (256 * 1024)        /* bytes of a submission */

struct exercise {
    int number;
    const char *room, *name;            /* "exercises/04-await", "04-await" */
    const char *grader;                 /* its program, which make has built */
    int most;                           /* points */
};

/* One student's answer to one exercise. Texts are UTF-8 and live as long as the program. */
struct submission {
    const struct exercise *exercise;
    const char *student, *id;           /* as the learning platform names them; id "" where it does not */
    const char *file;                   /* a name for files about it */
    const char *const *paths;           /* what the student handed in: files and folders; ends with NULL */
    bool marked_late;                   /* by the platform */
};

/* What was found there. Freed by source_free. */
struct source {
    const char *status;                 /* NULL: it can be graded; else no_file, several_files, too_big, refused */
    char sentence[600];                 /* why it cannot, for who handed it in; or how it was read; or "" */
    char *bytes;                        /* UTF-8 with plain ends of lines */
    size_t length;
    char hash[65];                      /* SHA-256 of the file as it came; "" if there is none */
    time_t handed_in;                   /* when the file was last changed; 0: there is none */
};

/* Takes in a folder or an archive: *count submissions, sorted by student and exercise. An archive is unpacked into
 * `scratch`, a folder that is there and empty. What lies in `out` is nobody's. NULL, and a sentence on stderr, if it
 * cannot be read. */
struct submission *intake(const char *from, const char *out, const char *scratch, const struct exercise *exercises,
                          int exercise_count, size_t *count);
bool is_same(const char *path, const char *other);  /* one file or folder, under two names */

/* Finds the one file that is the answer and reads it. Archives are unpacked into `scratch`, made for them. `alone`: one
 * exercise is graded, so any .c is its answer; else its path has to name the exercise. */
void source_find(struct source *source, const struct submission *submission, const char *scratch, bool alone);
void source_free(struct source *source);

/* Unpacks an archive into a folder that is there: plain files and folders, what is needed of them, nothing outside.
 * Links become links to nowhere. False, and a sentence, where it is damaged, or larger than anybody's answers are. */
bool unpack(const char *archive, const char *folder, char *sentence, size_t size);
bool is_archive(const char *name);      /* by its name */

/* Text in any usual encoding as UTF-8 with plain ends of lines, to be freed; what was done is noted. */
char *plain_text(const char *bytes, size_t length, size_t *plain_length, const char **note);
char *utf8_name(const char *name);      /* of a file; to be freed */
char *visible(char *text);              /* the same; what would move a terminal or end a line has become ? */

char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));     /* to be freed */
void hash_bytes(const void *bytes, size_t length, char hash[65]);
bool remove_tree(const char *path);     /* true: nothing is there now */

#endif
