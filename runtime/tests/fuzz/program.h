/* program.h - programs of the fuzz language (FORMAT.md) from text to a tree of statements.
 *
 * A file holds one program, or a bundle: programs that each follow a line `=== NAME`, and may be
 * followed by a line `---` and the trace that asyncio gives for them. Everything that is read lives
 * until keep_nothing(). */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS(X) X(log) X(set) X(sleep) X(raise) X(return) X(repeat) X(call) X(try) X(reraise) \
    X(spawn) X(self) X(await) X(shield) X(waitfor) X(waitforc) X(cancel) X(state) X(gather) \
    X(gatherc) X(wait) X(put) X(putn) X(get) X(getn) X(tdone) X(join) X(qsize) X(acq) X(rel) \
    X(locked) X(with) X(eset) X(eclr) X(ewait) X(sacq) X(srel) X(swith) X(cwith) X(cwait) \
    X(cnotify) X(fset) X(fexc) X(fcancel) X(fwait) X(fcb) X(bwait) X(soon) X(later) X(tcb) \
    X(timeout) X(tg) X(tgspawn) X(cancelling) X(uncancel) X(espawn) X(vset) X(vget) X(vreset) X(vsoon)
#define ENUM(x) OP_##x,
#define NAME(x) #x,
enum op { OPS(ENUM) OP_COUNT };
static const char *op_name[] = { OPS(NAME) };

#define MOST_ARGS 100
#define MOST_OBJECTS 256
#define MOST_SLOTS 2000
#define MOST_COROS 1000

struct statement {
    enum op op;
    int n, *a;                      /* its arguments; two at least, so that they may be read */
    bool acc;                       /* `return acc` */
    char word[12];                  /* the word behind `except` */
    struct statement *body, *handler, *final, *next;
    bool has_handler, has_final;
};

struct declaration {                /* of a queue, lock, ... */
    char kind, queue;               /* first letters, as in traces (L lock ...; X variable); f, l or p */
    int n;                          /* maxsize, permits, parties */
};

struct program {
    struct declaration object[MOST_OBJECTS];
    struct statement *coro[MOST_COROS];
    int objects, coros;
    bool eager;                     /* all its tasks begin at once */
};

struct source {                     /* of one program in a bundle */
    const char *name, *text, *trace;    /* NULL: none */
};

/* ------------------------------------------------------------------------------- memory */

/* In large blocks, so that the tests with failing allocations hit the runtime and not us. */
#define KEPT (256 * 1024)

static struct kept {
    struct kept *next;
    size_t used, room;
    max_align_t bytes[];
} *all_kept;

static void *keep(size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!all_kept || all_kept->room - all_kept->used < size) {
        size_t room = size > KEPT ? size : KEPT;
        struct kept *block = calloc(1, sizeof *block + room);
        if (!block) {
            fprintf(stderr, "conform: no memory\n");
            exit(3);
        }
        block->room = room;
        block->next = all_kept;
        all_kept = block;
    }
    all_kept->used += size;
    return (char *)all_kept->bytes + all_kept->used - size;
}

/* Gives back what keep gave since the newest block was `since` and so far used; NULL: all of it. */
static void keep_nothing(struct kept *since, size_t used)
{
    while (all_kept != since) {
        struct kept *block = all_kept;
        all_kept = block->next;
        free(block);
    }
    if (since) {
        memset((char *)since->bytes + used, 0, since->used - used);
        since->used = used;
    }
}

static void bad_program(const char *why, const char *what)
{
    fprintf(stderr, "conform: %s %s\n", why, what);
    exit(2);
}

/* -------------------------------------------------------------------------------- files */

static char *read_file(const char *path)
{
    size_t room = 1 << 16, length = 0, got;
    char *text = keep(room);
    FILE *in = fopen(path, "r");
    if (!in)
        bad_program("cannot read", path);
    while ((got = fread(text + length, 1, room - length - 1, in)) > 0) {
        length += got;
        if (length + 1 < room)
            continue;
        char *larger = keep(room *= 2);
        text = memcpy(larger, text, length);
    }
    fclose(in);
    return text;
}

/* Cuts what stands before a line that begins with `mark` off the text; gives what follows there. */
static char *cut_at(char *text, const char *mark)
{
    size_t length = strlen(mark);
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, mark, length))
            continue;
        *line = '\0';
        return line + length;
    }
    return NULL;
}

/* The programs of a file, ended by one whose text is NULL. */
static struct source *read_sources(const char *path)
{
    char *text = read_file(path);
    size_t count = 0, room = 2;
    for (const char *at = text; (at = strstr(at, "=== ")); at++)
        room++;
    struct source *sources = keep(room * sizeof *sources);
    if (strncmp(text, "=== ", 4)) {
        sources[0].text = text;
        return sources;
    }
    for (text += 4; text;) {
        struct source *one = &sources[count++];
        char *next = cut_at(text, "=== ");
        one->name = text;
        one->trace = cut_at(text, "---\n");
        text += strcspn(text, "\n");
        one->text = *text ? text + 1 : text;
        *text = '\0';
        text = next;
    }
    return sources;
}

/* ------------------------------------------------------------------------------- parser */

static const char *rest;            /* of the text that is being read */
static char line[512], *word[MOST_ARGS + 4];
static int words;

static bool next_line(void)
{
    while (*rest) {
        size_t length = strcspn(rest, "\n");
        if (length >= sizeof line)
            bad_program("a line is longer than", "it may be");
        memcpy(line, rest, length);
        line[length] = '\0';
        rest += length + (rest[length] == '\n');
        words = 0;
        for (char *w = strtok(line, " \t\r"); w && words <= MOST_ARGS; w = strtok(NULL, " \t\r"))
            word[words++] = w;
        word[words] = word[words + 1] = "";    /* so that the first words may always be looked at */
        if (words && word[0][0] != '#')
            return true;
    }
    return false;
}

static bool is(const char *w) { return strcmp(word[0], w) == 0; }

static struct statement *parse_block(void);

static struct statement *parse_statement(void)
{
    struct statement *s = keep(sizeof *s);
    while (s->op < OP_COUNT && strcmp(word[0], op_name[s->op]))
        s->op++;
    if (s->op == OP_COUNT)
        bad_program("unknown statement", word[0]);
    s->n = words - 1;
    s->a = keep((s->n + 2) * sizeof *s->a);
    for (int i = 0; i < s->n; i++) {
        s->acc |= strcmp(word[i + 1], "acc") == 0;
        s->a[i] = atoi(word[i + 1]);
    }
    switch (s->op) {
    case OP_try:
        s->body = parse_block();
        if (is("except")) {
            s->has_handler = true;
            snprintf(s->word, sizeof s->word, "%s", word[1]);
            s->handler = parse_block();
        }
        if (is("finally")) {
            s->has_final = true;
            s->final = parse_block();
        }
        break;
    case OP_repeat: case OP_with: case OP_swith: case OP_cwith: case OP_timeout: case OP_tg:
        s->body = parse_block();
        break;
    default:
        break;
    }
    return s;
}

/* Statements up to the line that closes the block, which stays in word[]. */
static struct statement *parse_block(void)
{
    struct statement *first = NULL, **tail = &first;
    while (next_line()) {
        if (is("end") || is("except") || is("finally"))
            return first;
        *tail = parse_statement();
        tail = &(*tail)->next;
    }
    bad_program("unexpected end of", "file");
    return NULL;
}

static struct program *parse(const char *text)
{
    struct program *program = keep(sizeof *program);
    rest = text;
    while (next_line()) {
        struct declaration *object = &program->object[program->objects];
        char kind = is("queue") ? 'Q' : is("lock") ? 'L' : is("event") ? 'V' : is("sem") ? 'M'
                  : is("cond") ? 'D' : is("fut") ? 'F' : is("barrier") ? 'B' : is("var") ? 'X' : 0;
        program->eager |= is("eager");
        if (is("slots") && atoi(word[1]) > MOST_SLOTS)
            bad_program("too many slots:", word[1]);
        if (kind) {
            *object = (struct declaration){ kind, word[1][0], atoi(word[kind == 'Q' ? 2 : 1]) };
            if (++program->objects == MOST_OBJECTS)
                bad_program("too many", "objects");
        } else if (is("coro")) {
            program->coro[program->coros] = parse_block();
            if (++program->coros == MOST_COROS)
                bad_program("too many", "coroutine functions");
        }
    }
    return program;
}

#endif
