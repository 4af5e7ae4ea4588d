/* show.c - show [--title TEXT] [--source FILE] PROGRAM [ARGUMENT...] > page.html: what a program did, as a page on
 * which one steps through it.
 *
 * It runs on the virtual clock, and tells what it does as runtime/debug/trace.c describes it. The page is page.html,
 * which lies beside us, with the data in its place; what the events mean is told there, so all that is
 * done here is to hand them on, one JSON object each, with texts instead of places in the output and with the names
 * of functions. */
#define _GNU_SOURCE
#include "../timeline/become.h"
#include "../timeline/keys.h"
#include "../timeline/names.h"
#include "json.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST (200 * 1000)       /* bytes of events on a page */
#define MARK "/*DATA*/null"
#define NOTHING 3               /* our status where there is none to be shown */
#define PATIENCE 20             /* seconds that a program has, which may wait for somebody */

static const char *program;
static FILE *output;
static long shown;              /* bytes of it */

static void fail(const char *what)
{
    fprintf(stderr, "show: %s: %s\n", what, strerror(errno));
    exit(2);
}

static FILE *open_file(const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file)
        fail(name);
    return file;
}

static FILE *temporary(void)
{
    FILE *file = tmpfile();
    if (!file)
        fail("no temporary file");
    return file;
}

/* Runs it; what it prints and what it did are in these files then. Returns how it ended, as wait does. */
static int run(char **words, FILE *trace)
{
    int status;
    pid_t child = fork();
    if (child < 0)
        fail("no process");
    if (child == 0) {
        alarm(PATIENCE);
        become(words, fileno(trace), fileno(output));
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* ---------------------------------------------------------------------------------- writing */

/* What stands in the file from one byte to another, or to the end if that is negative. */
static void write_part(FILE *to, FILE *file, long from, long until)
{
    char *text = NULL;
    size_t size = 0;
    FILE *all = open_memstream(&text, &size);
    if (!all || fseek(file, from, SEEK_SET) != 0)
        fail("reading what was printed");
    for (int c; (until < 0 || from < until) && (c = getc(file)) != EOF; from++)
        putc(c, all);
    fclose(all);
    json_text(to, text, size);
    free(text);
}

/* ---------------------------------------------------------------------------------- reading */

static bool is(const char *line, const char *event)
{
    const char *found = find(line, "event");
    size_t length = strlen(event);
    return found && strncmp(found + 1, event, length) == 0 && found[1 + length] == '"';
}

/* What the compiler calls the function that is there in the program, whatever it put into it. */
static const char *function_name(const char *address)
{
    static struct { char address[24], name[80]; } known[64];
    static int count;
    for (int i = 0; i < count; i++)
        if (strcmp(known[i].address, address) == 0)
            return known[i].name;
    if (count == 64)
        return "?";
    snprintf(known[count].address, sizeof known->address, "%s", address);
    if (!find_name(known[count].name, sizeof known->name, program, address))
        strcpy(known[count].name, "?");
    return known[count++].name;
}

/* The text from here to there, with names for the addresses of functions. */
static void write_named(FILE *to, const char *from, const char *until)
{
    static const char key[] = "\"function\":\"";
    for (const char *next; (next = strstr(from, key)) && next < until; ) {
        char address[24] = "";
        next += sizeof key - 1;
        snprintf(address, sizeof address, "%.*s", (int)strcspn(next, "\""), next);
        fprintf(to, "%.*s%s", (int)(next - from), from, function_name(address));
        from = next + strcspn(next, "\"");
    }
    for (; from < until; from++)
        *from == '<' ? fputs("\\u003c", to) : putc(*from, to);
}

/* Writes the event of this line, {"at":1.0,"event":"waits",...}. */
static void write_event(FILE *to, const char *line)
{
    const char *args = strstr(line, "\"args\":{"), *end = strrchr(line, '}'), *event = strstr(line, "\"event\"");
    const char *name = find(line, "name"), *name_end = name + 1;
    while (*name_end != '"')
        name_end += *name_end == '\\' ? 2 : 1;
    fprintf(to, ",\n{\"at\":%.9g,\"name\":", strtod(find(args, "at"), NULL));
    write_named(to, name, name_end + 1);
    putc(',', to);
    if (is(line, "printed")) {
        long from = strtol(find(line, "from"), NULL, 10);
        fputs("\"event\":\"printed\",\"text\":", to);
        write_part(to, output, from, shown = strtol(find(line, "to"), NULL, 10));
        const char *task = find(args, "task");
        fprintf(to, ",\"task\":%.*s", (int)strcspn(task, "}"), task);
    } else {
        write_named(to, event, end - 1);
    }
    putc('}', to);
}

/* As many of them as a page has room for; they are in memory until then. */
static void write_events(FILE *trace)
{
    char *line = NULL, *text = NULL;
    size_t room = 0, size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        fail("show");
    while (ftell(to) < MOST && getline(&line, &room, trace) > 0)
        if (find(line, "event"))
            write_event(to, line);
    fclose(to);
    fputs(text, stdout);
    free(text);
    free(line);
    printf(",\n{\"event\":\"%s\",\"text\":", feof(trace) ? "end" : "cut");
    write_part(stdout, output, shown, -1);
    fputs("}", stdout);
}

/* -------------------------------------------------------------------------------- the page */

/* page.html, from where the program is that we are. */
static FILE *open_page(void)
{
    char name[4096] = "";
    if (readlink("/proc/self/exe", name, sizeof name - sizeof "page.html") < 0)
        fail("/proc/self/exe");
    strcpy(strrchr(name, '/') + 1, "page.html");
    return open_file(name);
}

static void write_page(const char *title, const char *name, FILE *trace)
{
    FILE *source = open_file(name), *page = open_page();
    const char *slash = strrchr(name, '/'), *file = slash ? slash + 1 : name;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, page) > 0) {
        char *mark = strstr(line, MARK);
        if (!mark) {
            fputs(line, stdout);
            continue;
        }
        printf("%.*s{\"title\":", (int)(mark - line), line);
        json_text(stdout, title, strlen(title));
        fputs(",\"file\":", stdout);
        json_text(stdout, file, strlen(file));
        fputs(",\"source\":", stdout);
        write_part(stdout, source, 0, -1);
        fputs(",\"output\":", stdout);
        write_part(stdout, output, 0, -1);
        fputs(",\"events\":[{\"at\":0,\"event\":\"begin\"}", stdout);
        write_events(trace);
        printf("]}%s", mark + strlen(MARK));
    }
}

int main(int argc, char **argv)
{
    const char *title = NULL, *source = "exercise.c";
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
        if (strcmp(argv[i], "--title") == 0)
            title = argv[i + 1];
        else if (strcmp(argv[i], "--source") == 0)
            source = argv[i + 1];
        else
            break;
    if (i >= argc || *argv[i] == '-') {
        fputs("show [--title TEXT] [--source FILE] PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    program = argv[i];
    title = title ? title : source;
    output = temporary();
    FILE *trace = temporary();
    int status = run(argv + i, trace);
    if (fseek(trace, 0, SEEK_END) != 0 || ftell(trace) == 0) {
        fprintf(stderr, "%s ended with status %d and has not started an event loop: there is nothing to step "
                "through.\n", title, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        return NOTHING;
    }
    rewind(trace);
    write_page(title, source, trace);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 2;
}
