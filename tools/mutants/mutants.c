/* mutants.c - small mistakes, made in a program on purpose: would its tests notice them?
 *
 *   mutants SOURCE STUB         lists them, a line each: NUMBER, LINE, WHAT and the changed text, with
 *                               tabs between
 *   mutants SOURCE STUB NUMBER  writes the source with this one mistake in it
 *
 * It reads C as the house writes it: a function's braces stand in the first column, binary operators
 * have spaces around them. What stands in STUB word for word is given, and left as it is; so are
 * main() and try_it(). A mutant has its lines where the source has them, so that two which mean the
 * same compile to the same object. Many do not compile, which is for others to find out. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text, *code;       /* the source; the same, blank where it is no code */
static int wanted, count;       /* the number of a mutant, or 0 for the list */

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    char *all = NULL;
    size_t room = 0;
    if (!file || (getdelim(&all, &room, 0, file) < 0 && ferror(file)) || !all) {
        fprintf(stderr, "mutants: %s cannot be read.\n", name);
        exit(2);
    }
    fclose(file);
    return all;
}

/* Blanks out comments, and what stands in quotes. */
static char *only_code(const char *from)
{
    char *to = strdup(from), end = 0;
    for (size_t i = 0; to[i]; i++) {
        if (end == '*' && !strncmp(from + i, "*/", 2)) {
            to[i] = to[i + 1] = ' ';
            i++, end = 0;
        } else if (end && end != '*' && from[i] == '\\') {
            to[i] = to[i + 1] = ' ';
            i++;
        } else if (end == from[i] && end != '*') {
            end = 0;
        } else if (end) {
            to[i] = from[i] == '\n' ? '\n' : ' ';
        } else if (!strncmp(from + i, "/*", 2)) {
            to[i] = ' ', end = '*';
        } else if (from[i] == '"' || from[i] == '\'') {
            end = from[i];
        }
    }
    return to;
}

/* -------------------------------------------------------------------------- one mutant */

static int lines_in(const char *from, const char *to)
{
    int lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

/* The line in which the change begins, without the blanks at its beginning; as it was, if nothing comes
 * in place of what is gone. */
static void print_changed(size_t from, size_t to, const char *change)
{
    size_t begin = from;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    begin += strspn(text + begin, " ");
    if (begin > from)
        begin = from;
    if (!strcmp(change, ";")) {
        printf("%.*s\n", (int)strcspn(text + begin, "\n"), text + begin);
        return;
    }
    size_t first = strcspn(change, "\n");
    printf("%.*s%.*s", (int)(from - begin), text + begin, (int)first, change);
    if (!change[first])
        printf("%.*s", (int)strcspn(text + to, "\n"), text + to);
    putchar('\n');
}

/* Here is one: `change` in place of what stands from `from` to `to`. */
__attribute__((format(printf, 4, 5)))
static void mutant(size_t from, size_t to, const char *what, const char *format, ...)
{
    char *change;
    va_list args;
    va_start(args, format);
    if (vasprintf(&change, format, args) < 0)
        abort();
    va_end(args);
    count++;
    if (!wanted) {
        printf("%d\t%d\t%s\t", count, 1 + lines_in(text, text + from), what);
        print_changed(from, to, change);
    } else if (wanted == count) {
        int lost = lines_in(text + from, text + to) - lines_in(change, change + strlen(change));
        printf("%.*s%s", (int)from, text, change);
        for (; lost > 0; lost--)
            putchar('\n');
        fputs(text + to, stdout);
    }
    free(change);
}

/* --------------------------------------------------------------------- reading the code */

static bool in_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Is this word here, as a whole? */
static bool word_at(size_t i, const char *word)
{
    size_t length = strlen(word);
    return !strncmp(code + i, word, length) && !in_name(code[i + length]) &&
           (i == 0 || !in_name(code[i - 1]));
}

/* Behind the bracket that closes the one at i. */
static size_t behind_bracket(size_t i)
{
    int depth = 0;
    for (; code[i]; i++) {
        depth += strchr("([{", code[i]) != NULL;
        depth -= strchr(")]}", code[i]) != NULL;
        if (!depth)
            return i + 1;
    }
    return i;
}

/* Behind the semicolon that ends the statement at i. */
static size_t behind_statement(size_t i)
{
    for (; code[i] && code[i] != ';'; i++)
        if (strchr("([{", code[i]))
            i = behind_bracket(i) - 1;
    return code[i] ? i + 1 : i;
}

/* Behind the value at i, which ends where its brackets, its argument or its side of a ?: do. */
static size_t behind_value(size_t i)
{
    for (; code[i] && !strchr(")]};,:", code[i]); i++)
        if (strchr("([{", code[i]))
            i = behind_bracket(i) - 1;
    return i;
}

/* The comma before the last argument of the call whose bracket is at i, or 0. */
static size_t last_comma(size_t i)
{
    size_t end = behind_bracket(i) - 1, comma = 0;
    for (i++; i < end; i++)
        if (strchr("([{", code[i]))
            i = behind_bracket(i) - 1;
        else if (code[i] == ',')
            comma = i;
    return comma;
}

/* ------------------------------------------------------------------------- words and signs */

static const struct swap { const char *from, *to, *what; } signs[] = {
    { " == ", " != ", "condition" },    { " != ", " == ", "condition" },
    { " < ", " <= ", "one more" },      { " < ", " + 1 < ", "one less" },
    { " < ", " >= ", "condition" },     { " <= ", " < ", "one less" },
    { " <= ", " > ", "condition" },     { " > ", " >= ", "one more" },
    { " > ", " <= ", "condition" },     { " >= ", " > ", "one less" },
    { " >= ", " < ", "condition" },     { " && ", " || ", "condition" },
    { " || ", " && ", "condition" },    { " + ", " - ", "arithmetic" },
    { " - ", " + ", "arithmetic" },     { " * ", " + ", "arithmetic" },
    { " / ", " * ", "arithmetic" },     { " += ", " = ", "arithmetic" },
    { " += ", " -= ", "arithmetic" },   { " -= ", " += ", "arithmetic" },
    { " *= ", " += ", "arithmetic" },   { "++", "--", "arithmetic" },
}, words[] = {
    { "true", "false", "condition" },
    { "false", "true", "condition" },
    { "break", "continue", "goes on" },
    { "continue", "break", "stops" },
    { "while", "if", "once" },
    { "first", "second", "the other one" },
    { "second", "first", "the other one" },
    { "await", "async_catch", "error swallowed" },
    { "async_catch", "await", "error not caught" },
    { "ASYNC_FIRST_COMPLETED", "ASYNC_ALL_COMPLETED", "waits for all" },
    { "ASYNC_FIRST_COMPLETED", "ASYNC_FIRST_EXCEPTION", "waits for an error" },
    { "ASYNC_FIRST_EXCEPTION", "ASYNC_ALL_COMPLETED", "waits for all" },
    { "ASYNC_FIRST_EXCEPTION", "ASYNC_FIRST_COMPLETED", "waits for one" },
    { "ASYNC_ALL_COMPLETED", "ASYNC_FIRST_COMPLETED", "waits for one" },
    { "ASYNC_CANCELLED", "ASYNC_TIMEOUT", "another error" },
    { "ASYNC_TIMEOUT", "ASYNC_CANCELLED", "another error" },
    { "ASYNC_VALUE_ERROR", "ASYNC_RUNTIME_ERROR", "another error" },
    { "ASYNC_STOP_ITERATION", "ASYNC_CANCELLED", "another error" },
    { "EIO", "EAGAIN", "another error" },
    { "EAGAIN", "EIO", "another error" },
    { "ENOENT", "EIO", "another error" },
    { "async_gather_exceptions", "async_gather", "first error raised" },
    { "async_wait_for", NULL, "no limit" },
    { "async_shield", NULL, "not shielded" },
};

static void mutate_signs(size_t i)
{
    for (size_t k = 0; k < sizeof signs / sizeof signs[0]; k++)
        if (!strncmp(code + i, signs[k].from, strlen(signs[k].from)))
            mutant(i, i + strlen(signs[k].from), signs[k].what, "%s", signs[k].to);
    if (code[i] == '!' && code[i + 1] != '=')
        mutant(i, i + 1, "condition", "%s", "");
}

/* A function around its argument is left out, and a second argument with it. */
static void mutate_call(size_t i, const struct swap *swap)
{
    size_t open = i + strlen(swap->from), end = behind_bracket(open), comma = last_comma(open);
    size_t last = comma ? comma : end - 1;
    mutant(i, end, swap->what, "%.*s", (int)(last - open - 1), text + open + 1);
}

/* The two values of a ?: change places. */
static void mutate_choice(size_t i)
{
    if (strncmp(code + i, " ? ", 3) != 0)
        return;
    size_t yes = i + 3, between = behind_value(yes), no = between + 2, end = behind_value(no);
    if (code[between] == ':')
        mutant(yes, end, "the other one", "%.*s : %.*s", (int)(end - no), text + no,
               (int)(between - 1 - yes), text + yes);
}

static void mutate_words(size_t i)
{
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (!word_at(i, words[k].from))
            continue;
        if (words[k].to)
            mutant(i, i + strlen(words[k].from), words[k].what, "%s", words[k].to);
        else
            mutate_call(i, &words[k]);
    }
}

static void mutate_number(size_t i)
{
    char *end;
    if (!isdigit((unsigned char)code[i]) || (i && (in_name(code[i - 1]) || code[i - 1] == '.')))
        return;
    long number = strtol(code + i, &end, 10);
    size_t behind = end - code;
    if (code[behind] == '.') {
        behind += 1 + strspn(code + behind + 1, "0123456789");
        mutant(i, behind, "twice as long", "2 * %.*s", (int)(behind - i), text + i);
        return;
    }
    mutant(i, behind, "one more", "%ld", number + 1);
    if (number > 0)
        mutant(i, behind, "one less", "%ld", number - 1);
}

/* ------------------------------------------------------------------------- what waits */

#define IN_TURN "({ async_task in_turn_ = async_create_task(%.*s); async_catch(in_turn_); in_turn_; })"

static bool follows(size_t i, const char *before)
{
    size_t length = strlen(before);
    return i >= length && !strncmp(code + i - length, before, length);
}

static void mutate_waits(size_t i)
{
    static const char *const sleeps[] = { "await(async_sleep(", "async_catch(async_sleep(" };
    for (int k = 0; k < 2; k++)
        if (!strncmp(code + i, sleeps[k], strlen(sleeps[k]))) {
            size_t open = i + strlen(sleeps[k]) - 1, end = behind_bracket(open);
            mutant(i, end + 1, "blocks",
                   "({ extern int usleep(unsigned); usleep(1000000 * %.*s); async_none; })",
                   (int)(end - open), text + open);
        }
    if (word_at(i, "async_create_task")) {
        size_t open = i + strlen("async_create_task"), end = behind_bracket(open);
        mutant(i, end, "in turn", IN_TURN, (int)(end - open - 2), text + open + 1);
    }
    if (word_at(i, "async_coro") && !follows(i, "await(") && !follows(i, "async_catch(") &&
        !follows(i, "async_create_task(")) {
        size_t end = behind_bracket(i + strlen("async_coro"));
        mutant(i, end, "in turn", IN_TURN, (int)(end - i), text + i);
    }
    if (word_at(i, "async_queue_new") || word_at(i, "async_semaphore_new")) {
        size_t open = i + strcspn(code + i, "("), end = behind_bracket(open);
        mutant(open, end, "capacity", "(%.*s + 1)", (int)(end - open), text + open);
        mutant(open, end, "capacity", "(0)");
    }
    if (word_at(i, "async_with")) {
        size_t end = behind_bracket(i + strlen("async_with"));
        mutant(i, end, "no exit", "%s", "");
    }
}

/* ------------------------------------------------------------------------- statements */

static void mutate_condition(size_t i)
{
    if (!word_at(i, "if") && !word_at(i, "while"))
        return;
    size_t open = i + strcspn(code + i, "("), end = behind_bracket(open);
    mutant(open, end, "condition", "(!%.*s)", (int)(end - open), text + open);
    mutant(open, end, "never", "(0)");
    if (code[i] == 'i')
        mutant(open, end, "always", "(1)");
}

/* Does a statement begin at i, the first thing in its line? Not with a word that governs others. */
static bool statement_at(size_t i)
{
    static const char *const governing[] = { "if", "else", "for", "while", "do", "switch", "case",
                                             "async_for" };
    size_t before = i;
    if (!in_name(code[i]) && code[i] != '*')
        return false;
    while (before && code[before - 1] == ' ')
        before--;
    if (before && code[before - 1] != '\n')
        return false;
    while (before && isspace((unsigned char)code[before - 1]))
        before--;
    if (!before || (!strchr(";{})", code[before - 1]) && !follows(before, "else")))
        return false;
    for (size_t k = 0; k < sizeof governing / sizeof governing[0]; k++)
        if (word_at(i, governing[k]))
            return false;
    return true;
}

/* A type, a blank, and a name or a star. */
static bool is_declaration(size_t i)
{
    while (in_name(code[i]))
        i++;
    return code[i] == ' ' && (in_name(code[i + 1]) || code[i + 1] == '*');
}

/* A statement that is done twice, in the lines that it has. */
static void mutate_times(size_t i, size_t end)
{
    char *again = strndup(text + i, end - i);
    for (char *c = again; (c = strchr(c, '\n')); )
        *c = ' ';
    mutant(i, end, "twice", "{ %s %.*s }", again, (int)(end - i), text + i);
    free(again);
}

static void mutate_statement(size_t i)
{
    if (!statement_at(i))
        return;
    size_t end = behind_statement(i), next = end + strspn(code + end, " \n");
    bool returns = word_at(i, "return"), declares = !returns && is_declaration(i);
    if (returns)
        mutant(i, end, "result lost", "return async_none;");
    if (declares)
        mutant(i, i, "kept", "static ");
    else
        mutant(i, end, "dropped", ";");
    if (!returns && !declares)
        mutate_times(i, end);
    if (!strncmp(code + i, "await(", 6) && behind_bracket(i + 5) == end - 1)
        mutant(i, end, "await dropped", "%.*s;", (int)(end - i - 8), text + i + 6);
    if (code[next] != '}' && statement_at(next)) {
        size_t last = behind_statement(next);
        mutant(i, last, "swapped", "%.*s%.*s%.*s", (int)(last - next), text + next,
               (int)(next - end), text + end, (int)(end - i), text + i);
    }
}

/* --------------------------------------------------------------------------- functions */

static void mutate_body(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        mutate_signs(i);
        mutate_words(i);
        mutate_choice(i);
        mutate_number(i);
        mutate_waits(i);
        mutate_condition(i);
        if (text[i - 1] == ' ' || text[i - 1] == '\n')
            mutate_statement(i);
    }
}

static bool is_given(const char *stub, size_t from, size_t to)
{
    char *function = strndup(text + from, to - from);
    bool given = strstr(stub, function) || strstr(function, "try_it(") || strstr(function, " main(");
    free(function);
    return given;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: mutants SOURCE STUB [NUMBER]\n");
        return 2;
    }
    text = read_file(argv[1]);
    code = only_code(text);
    char *stub = read_file(argv[2]);
    wanted = argc > 3 ? atoi(argv[3]) : 0;
    for (char *open = strstr(code, "\n{\n"), *close; open; open = strstr(close, "\n{\n")) {
        size_t end;
        if (!(close = strstr(open, "\n}")))
            break;
        end = close - code + 2;
        size_t signature = open - code;
        while (signature && text[signature - 1] != '\n')
            signature--;
        if (!is_given(stub, signature, end))
            mutate_body(open - code + 2, end - 1);
    }
    free(stub);
    free(code);
    free(text);
    return wanted > count ? 1 : 0;
}
