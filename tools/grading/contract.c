/* contract.c - see contract.h.
 *
 * A program of an exercise is C that calls async.h, the exercise's header, and the C library where
 * that computes, prints, or is about threads. Who could call everything, run before main, or write
 * machine code could also change what the grader sees. This is no sandbox: it takes away what no
 * exercise needs, with a sentence that says so. */
#define _GNU_SOURCE
#include "contract.h"
#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_NAMES 4000
#define MOST_STATIC (256UL << 20)       /* bytes of variables; with more it could not be loaded */
#define BLANKS " \t\r\f\v"              /* within a line, as a compiler sees it */

static struct {
    char *list[MOST_NAMES];
    int count;
} names;
static bool sanitized;          /* the compiler was told to add checks, which have names of their own */

static void add_name(const char *name)
{
    if (names.count < MOST_NAMES - 1)
        names.list[names.count++] = strdup(name);
}

static char *text_of(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (file && getdelim(&text, &size, EOF, file) < 0)
        *(text = realloc(text, 1)) = 0;
    if (file)
        fclose(file);
    return text ? text : strdup("");
}

/* A line that ends with a backslash goes on in the next. */
static void join_lines(char *text)
{
    char *to = text;
    for (; *text; text++) {
        size_t blanks = *text == '\\' ? strspn(text + 1, BLANKS) + 1 : 0;
        if (blanks && text[blanks] == '\n')
            text += blanks;
        else
            *to++ = *text;
    }
    *to = 0;
}

/* ------------------------------------------------------------------------------ includes */

static bool lies_in(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return length && !strncmp(path, directory, length) && path[length] == '/';
}

/* A header of the system may be a link to elsewhere, by whose name GCC calls it if that is shorter: does the
 * directory have it under the end of that name? */
static bool leads_to(const char *directory, const char *path)
{
    char name[2 * PATH_MAX], real[PATH_MAX];
    for (const char *end = path; (end = strchr(end, '/')); end++) {
        snprintf(name, sizeof name, "%s%s", directory, end);
        if (realpath(name, real) && !strcmp(real, path))
            return true;
    }
    return false;
}

/* Nearly all lie under a directory's very name, which takes no look at the disk. */
static bool is_systems(const char *path, const char *directories)
{
    char directory[PATH_MAX], real[PATH_MAX];
    bool found = false;
    for (int look = 0; look < 2; look++)
        for (const char *line = directories; !found && *line; line += strcspn(line, "\n"), line += *line == '\n') {
            snprintf(directory, sizeof directory, "%.*s", (int)strcspn(line, "\n"), line);
            found = !look ? lies_in(path, directory)
                          : realpath(directory, real) && (lies_in(path, real) || leads_to(real, path));
        }
    return found;
}

/* Cuts the next name off a list as make reads it, in which a backslash stands before a blank, and
 * alone at the end of a line. */
static char *next_name(char **list)
{
    char *from = *list, *to, *name;
    while (isspace((unsigned char)*from) || (*from == '\\' && from[1] == '\n'))
        from++;
    for (name = to = from; *from && !isspace((unsigned char)*from); from++)
        *to++ = *from == '\\' && from[1] && from[1] != '\n' ? *++from
                : *from == '$' && from[1] == '$'            ? *++from
                                                            : *from;
    *list = *from ? from + 1 : from;
    *to = 0;
    return *name ? name : NULL;
}

static bool refuse_include(const char *name, const char *place)
{
    printf("%s includes %s. A program of an exercise is one file, and beside the C library's headers it\n"
           "includes \"exercise.h\" only, which has all that is needed.\n", place, name);
    return false;
}

/* Over blanks and comments. */
static const char *skip_blank(const char *text)
{
    for (;;) {
        text += strspn(text, BLANKS);
        const char *end = strncmp(text, "/*", 2) != 0 ? NULL : strstr(text + 2, "*/");
        if (!end)
            return text;
        text = end + 2;
    }
}

/* The directive that begins at a # or %:, at the beginning of a line or where a comment ends: its word. */
static const char *directive(const char *text, const char *at)
{
    const char *before = at;
    while (before > text && strchr(BLANKS, before[-1]))
        before--;
    bool begins = before == text || before[-1] == '\n' || (before - text >= 2 && !strncmp(before - 2, "*/", 2));
    return !begins ? NULL : *at == '#' ? skip_blank(at + 1) : !strncmp(at, "%:", 2) ? skip_blank(at + 2) : NULL;
}

bool contract_source(const char *path, const char *place)
{
    static const char *const opens[] = { "include_next", "include", "import", "embed" };
    char *text = text_of(path);
    bool fine = true;
    join_lines(text);
    for (const char *at = text; fine && (at = strpbrk(at, "#%")); at++) {
        const char *word = directive(text, at);
        size_t length = word ? strspn(word, "abcdefghijklmnopqrstuvwxyz_") : 0;
        for (int i = 0; i < 4 && fine; i++) {
            if (length != strlen(opens[i]) || strncmp(word, opens[i], length) != 0)
                continue;
            const char *name = skip_blank(word + length);
            char *named = strndup(name, strcspn(name, "\n"));
            if (*named != '<' && *named != '"')
                fine = refuse_include("a file that only a macro names", place);
            else if (named[1] == '/' || strstr(named, ".."))
                fine = refuse_include(strtok(named + 1, ">\""), place);
            free(named);
        }
    }
    free(text);
    return fine;
}

bool contract_includes(const char *list, const char *here, const char *headers, const char *systems,
                       const char *place)
{
    char *text = text_of(list), *directories = text_of(systems), *rest = strchr(text, ':');
    char real[PATH_MAX], whole[PATH_MAX];
    bool fine = rest;
    rest = rest ? rest + 1 : text;
    for (char *name; (name = next_name(&rest));) {
        snprintf(whole, sizeof whole, "%s%s%s", *name == '/' ? "" : here, *name == '/' ? "" : "/", name);
        if (realpath(whole, real) &&
            (lies_in(real, here) || lies_in(real, headers) || is_systems(real, directories)))
            continue;
        fine = refuse_include(name, place);
        break;
    }
    free(text), free(directories);
    return fine;
}

/* ------------------------------------------------------------------------------ assembly */

/* Compilers mark what they copy; the marks are comments at the beginning of a line, where nothing of
 * a text in the program ever stands. */
bool contract_assembly(const char *assembly, const char *place)
{
    static const char *const marks[] = { "APP", "Start of file scope inline assembly" };
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(assembly, "re");
    bool fine = file;
    while (fine && getline(&line, &size, file) > 0) {
        const char *text = line + strspn(line, " \t"), *comment = text + strspn(text, "#/;@ \t");
        for (int i = 0; comment > text && i < 2; i++)
            fine = fine && strncmp(comment, marks[i], strlen(marks[i])) != 0;
    }
    if (file && !fine)
        printf("%s has assembly in it (asm). No exercise needs that.\n", place);
    if (file)
        fclose(file);
    free(line);
    return fine;
}

/* ---------------------------------------------------------------------------- the object */

/* The length of the comment or the quoted text that begins here; 0 if none does. */
static size_t no_code(const char *text)
{
    const char *end = text + 1;
    if (!strncmp(text, "//", 2))
        return strcspn(text, "\n");
    if (!strncmp(text, "/*", 2))
        return (end = strstr(text + 2, "*/")) ? (size_t)(end + 2 - text) : strlen(text);
    if (*text != '"' && *text != '\'')
        return 0;
    for (; *end && *end != *text; end++)
        end += *end == '\\' && end[1];
    return end + (*end != 0) - text;
}

static void only_code(char *text)
{
    for (size_t length; *text; text += length ? length : 1)
        if ((length = no_code(text)))
            memset(text, ' ', length);
}

static bool in_word(int c) { return isalnum(c) || c == '_'; }

/* ---------------------------------------------------------------------- text for the assembler */

/* Two underscores and a capital: a macro of the C library's, of which some make a name of what they are given. */
static bool uses_librarys_macro(const char *text)
{
    for (; (text = strstr(text, "__")); text++)
        if (isupper((unsigned char)text[2]))
            return true;
    return false;
}

bool contract_quotes(const char *path)
{
    static const char *const signs[] = { "asm", "attribute", "[[", "<:", "##", "%:", "_Pragma" };
    char *text = text_of(path);
    join_lines(text);
    bool found = uses_librarys_macro(text);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        found = found || strstr(text, signs[i]);
    free(text);
    return found;
}

/* Behind a word: (" and more such texts, all of them names? A statement asm("...") has been looked for. */
static bool quotes_names(const char *text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$@";
    text += strspn(text, " \t\n");
    if (*text != '(')
        return true;
    for (text++; *(text += strspn(text, " \t\n")) == '"'; text++) {
        text++;
        text += strspn(text, name);
        if (*text != '"')
            return false;
    }
    return !isalnum((unsigned char)*text) || text[strcspn(text, "\",) \n")] != '"';      /* R"(...)" */
}

/* Behind a word that ends in R a text "end( ... )end", in which quotes and backslashes are what they are. Its length; 0:
 * there is none. */
static size_t raw_text(const char *word, size_t length)
{
    const char *text = word + length, *from = text + strcspn(text, "("), *to = from;
    size_t end = from - text;               /* of the quote and the end */
    if (!length || word[length - 1] != 'R' || *text != '"')
        return 0;
    while ((to = strchr(to, ')')) && (strncmp(to + 1, text + 1, end - 1) != 0 || to[end] != '"'))
        to++;
    return to ? (size_t)(to + end + 1 - text) : strlen(text);
}

static bool is_quoting(const char *word, size_t length)
{
    static const char *const words[] = { "asm", "section", "alias", "weakref", "ifunc", "symver" };
    while (length > 1 && *word == '_')
        word++, length--;
    while (length > 1 && word[length - 1] == '_')
        length--;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == length && !strncmp(word, words[i], length))
            return true;
    return false;
}

/* A word at which AddressSanitizer looks away, for either compiler. */
static bool is_blinding(const char *word, size_t length)
{
    return memmem(word, length, "no_sanitize", 11) || memmem(word, length, "no_address_safety", 17) ||
           memmem(word, length, "disable_sanitizer", 17);
}

/* A line for the compiler stands between words like a blank. */
bool contract_quoted(const char *preprocessed, const char *place)
{
    char *all = text_of(preprocessed), before = ';';
    bool fine = true, blinds = false;
    for (const char *text = all; fine && !blinds && *text;) {
        bool is_line = *text == '#' && (text == all || text[-1] == '\n');
        size_t length = is_line ? strcspn(text, "\n") : no_code(text), word = 0;
        while (!length && in_word((unsigned char)text[word]))
            word++;
        if (word && !strchr(";{}", before))
            fine = !is_quoting(text, word) || quotes_names(text + word);
        blinds = is_blinding(text, word);
        word += raw_text(text, word);
        text += length ? length : word ? word : 1;
        before = is_line || isspace((unsigned char)text[-1]) ? before : text[-1];
    }
    free(all);
    if (blinds)
        printf("%s asks that nobody watches how it uses memory (no_sanitize). No exercise needs that.\n", place);
    else if (!fine)
        printf("%s has assembly in it (in the text of a name or a section). No exercise needs that.\n", place);
    return fine && !blinds;
}

/* ----------------------------------------------------------------------- what may be called */

/* What a header declares: a name before a parenthesis; in our own, all that is named async_. */
static void add_declared(const char *header)
{
    char *text = text_of(header), *word, *end;
    only_code(text);
    for (word = text; *word; word = end) {
        for (end = word; in_word((unsigned char)*end); end++)
            ;
        if (end == word) {
            end++;
            continue;
        }
        bool called = end[strspn(end, " \t\n")] == '(';
        char after = *end;
        *end = 0;
        if (called || !strncmp(word, "async_", 6))
            add_name(word);
        *end = after;
    }
    free(text);
}

char **contract_functions(const char *header, int *count)
{
    names.count = 0;
    add_declared(header);
    *count = names.count;
    return names.list;
}

static void add_listed(const char *list)
{
    char *text = text_of(list), *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "#")] = 0;
        for (char *word; (word = strsep(&line, " \t"));)
            if (*word)
                add_name(word);
    }
    free(text);
}

static bool is_named(const char *name, size_t length)
{
    for (int i = 0; i < names.count; i++)
        if (strlen(names.list[i]) == length && !strncmp(names.list[i], name, length))
            return true;
    return false;
}

static bool is_sanitizers(const char *name)
{
    return !strncmp(name, "__asan_", 7) || !strncmp(name, "__ubsan_", 8) || !strncmp(name, "__tsan_", 7);
}

/* The C library has other names for some of its functions, when they are checked, or of a standard. */
static bool is_allowed(const char *name)
{
    if (sanitized && is_sanitizers(name))
        return true;
    static const char *const standards[] = { "__isoc99_", "__isoc23_" };
    size_t length = strlen(name);
    for (int i = 0; i < 2; i++)
        if (!strncmp(name, standards[i], strlen(standards[i])))
            return is_allowed(name + strlen(standards[i]));
    if (!strncmp(name, "__", 2) && length > 6 && !strcmp(name + length - 4, "_chk"))
        return is_named(name + 2, length - 6);
    return is_named(name, length);
}

/* A variable, among the functions? */
static bool lies_in_code(const ElfW(Sym) * symbol, const ElfW(Shdr) * sections, int section_count)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT && symbol->st_shndx < section_count &&
           sections[symbol->st_shndx].sh_flags & SHF_EXECINSTR;
}

static bool check_symbols(const ElfW(Sym) * symbols, size_t count, const char *strings, const ElfW(Shdr) * sections,
                          int section_count, const char *place)
{
    bool fine = true;
    for (size_t i = 1; i < count; i++) {
        const char *name = strings + symbols[i].st_name;
        if (lies_in_code(&symbols[i], sections, section_count)) {
            printf("%s puts a variable, %s, where functions are. No exercise needs that.\n", place, name);
            fine = false;
        } else if (ELF64_ST_TYPE(symbols[i].st_info) == STT_GNU_IFUNC) {
            printf("%s lets %s() be chosen when the program is loaded (ifunc). No exercise needs that.\n",
                   place, name);
            fine = false;
        } else if (symbols[i].st_shndx == SHN_UNDEF && *name && !is_allowed(name) &&
                   strcmp(name, "_GLOBAL_OFFSET_TABLE_")) {
            printf("%s uses %s, which no exercise needs. It may use what async.h and the exercise's "
                   "header\ndeclare, and of the C library what tools/grading/library.txt lists.\n",
                   place, name);
            fine = false;
        }
    }
    return fine;
}

/* The beginnings of the names of what every compiler makes. What runs before main or at the end has
 * names of its own, and so has what a program puts into a section by itself. */
static bool check_section(const char *name, size_t flags, const char *place)
{
    static const char *const usual[] = {
        ".text", ".data", ".bss", ".rodata", ".tdata", ".tbss", ".comment", ".note.", ".eh_frame", ".debug_",
        ".symtab", ".strtab", ".shstrtab", ".group", ".rel.", ".rela.", ".llvm_addrsig", ".llvm.",
    };
    static const char *const sanitizers[] = { ".init_array", ".fini_array", "asan_globals" };
    if (!strncmp(name, ".rela.", 6) && name[6] == '.')
        name += 5;
    if (flags & SHF_EXECINSTR && !strcmp(name, ".note.GNU-stack")) {
        printf("%s takes the address of a function inside of a function, for which a stack would have to hold\n"
               "machine code. Here none does: write it outside, and give it what it needs.\n", place);
        return false;
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        size_t length = strlen(usual[i]);
        if (!strncmp(name, usual[i], length) && (i == 0 || !(flags & SHF_EXECINSTR)) &&
            (usual[i][length - 1] == '.' || usual[i][length - 1] == '_' || !name[length] || name[length] == '.' ||
             name[length] == '1'))
            return true;
    }
    for (size_t i = 0; sanitized && i < sizeof sanitizers / sizeof sanitizers[0]; i++)
        if (!strncmp(name, sanitizers[i], strlen(sanitizers[i])))
            return true;
    bool by_itself = strstr(name, "init") || strstr(name, "fini") || strstr(name, "ctors") || strstr(name, "dtors");
    printf(by_itself ? "%s has a function that runs by itself, before or after the program (constructor, "
                       "destructor;\nsection %s). No exercise needs that.\n"
                     : "%s puts something into a section of its own (%s). No exercise needs that.\n",
           place, name);
    return false;
}

static bool check_size(const ElfW(Shdr) * sections, int count, const char *place)
{
    size_t size = 0;
    for (int i = 1; i < count; i++)
        if (sections[i].sh_flags & SHF_ALLOC)
            size = size + sections[i].sh_size < size ? SIZE_MAX : size + sections[i].sh_size;
    if (size > MOST_STATIC)
        printf("%s has static variables of %zu MiB. No exercise needs that.\n", place, size >> 20);
    return size <= MOST_STATIC;
}

static bool check_elf(const char *bytes, size_t size, const char *place)
{
    const ElfW(Ehdr) *head = (const void *)bytes;
    const ElfW(Shdr) *sections = (const void *)(bytes + head->e_shoff), *table = NULL;
    bool fine = true;
    if (size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_type != ET_REL ||
        head->e_shoff + head->e_shnum * sizeof *sections > size || head->e_shstrndx >= head->e_shnum) {
        printf("%s gives no object file that could be looked at.\n", place);
        return false;
    }
    const char *titles = bytes + sections[head->e_shstrndx].sh_offset;
    for (int i = 1; i < head->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB)
            table = &sections[i];
    const ElfW(Sym) *symbols = table ? (const void *)(bytes + table->sh_offset) : NULL;
    size_t count = table ? table->sh_size / sizeof *symbols : 0;
    const char *strings = table ? bytes + sections[table->sh_link].sh_offset : "";
    for (int i = 1; i < head->e_shnum; i++)
        fine &= check_section(titles + sections[i].sh_name, sections[i].sh_flags, place);
    fine &= check_size(sections, head->e_shnum, place);
    return check_symbols(symbols, count, strings, sections, head->e_shnum, place) && fine;
}

/* A file in memory; NULL if it cannot be read. */
static char *bytes_of(const char *path, size_t *size)
{
    struct stat stat;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = NULL;
    if (file >= 0 && fstat(file, &stat) == 0) {
        *size = stat.st_size;
        bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, file, 0);
    }
    if (file >= 0)
        close(file);
    return bytes == MAP_FAILED ? NULL : bytes;
}

bool contract_object(const char *object, const char *const *headers, const char *library, bool has_checks,
                     const char *place)
{
    size_t size;
    names.count = 0;
    sanitized = has_checks;
    for (; *headers; headers++)
        add_declared(*headers);
    add_listed(library);
    char *bytes = bytes_of(object, &size);
    bool fine = bytes && check_elf(bytes, size, place);
    if (bytes)
        munmap(bytes, size);
    return fine;
}

static bool has_one_of(const char *object, const char *const *wanted, size_t wanted_count, bool wants)
{
    size_t size, count = 0;
    char *bytes = bytes_of(object, &size);
    const ElfW(Ehdr) *head = (const void *)bytes;
    const ElfW(Shdr) *sections = bytes ? (const void *)(bytes + head->e_shoff) : NULL;
    bool found = false;
    for (int i = 1; bytes && !found && i < head->e_shnum; i++) {
        const ElfW(Sym) *symbols = (const void *)(bytes + sections[i].sh_offset);
        count = sections[i].sh_type == SHT_SYMTAB ? sections[i].sh_size / sizeof *symbols : 0;
        for (size_t k = 1; !found && k < count; k++) {
            const char *name = bytes + sections[sections[i].sh_link].sh_offset + symbols[k].st_name;
            bool counts = ELF64_ST_BIND(symbols[k].st_info) != STB_LOCAL && (symbols[k].st_shndx == SHN_UNDEF) == wants &&
                          (wants || ELF64_ST_VISIBILITY(symbols[k].st_other) == STV_DEFAULT);
            for (size_t w = 0; counts && !found && w < wanted_count; w++)
                found = !strcmp(name, wanted[w]);
        }
    }
    if (bytes)
        munmap(bytes, size);
    return found;
}

bool contract_name(const char *object, const char *name, bool wants) { return has_one_of(object, &name, 1, wants); }

bool contract_complete(const char *object, const char *stage, const char *header, const char *place)
{
    int count;
    char **declared = contract_functions(header, &count);
    for (int i = 0; i < count; i++)
        if (strncmp(declared[i], "async_", 6) && contract_name(stage, declared[i], true) &&
            !contract_name(object, declared[i], false)) {
            printf("%s: there is no function %s(): is it missing, misspelt, or static?\n", place, declared[i]);
            return false;
        }
    return true;
}

/* A thread's stack, too, goes when somebody has joined it. */
bool contract_allocates(const char *object)
{
    static const char *const givers[] = {
        "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "strdup", "strndup", "asprintf", "vasprintf",
        "__asprintf_chk", "__vasprintf_chk", "pthread_create", "thrd_create",
        "sscanf", "vsscanf", "__isoc99_sscanf", "__isoc99_vsscanf", "__isoc23_sscanf", "__isoc23_vsscanf",     /* %ms */
    };
    return has_one_of(object, givers, sizeof givers / sizeof givers[0], true);
}
