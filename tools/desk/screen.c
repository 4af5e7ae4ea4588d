/* screen.c - the terminal, with plain escapes.
 *
 * ncurses would do this, too. But it wants to wait for keys itself, which here the loop does; what we
 * show is text with escapes already, from our other commands; and two dozen bytes of escapes that every
 * terminal has known for forty years are less to read than a library, and one thing less to install. */
#define _GNU_SOURCE
#include "desk.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;   /* as we found the terminal */
static bool taken;

void screen_measure(struct screen *screen)
{
    struct winsize size = { 0 };
    const char *columns = getenv("COLUMNS");
    ioctl(1, TIOCGWINSZ, &size);
    screen->columns = size.ws_col ? size.ws_col : columns && atoi(columns) > 0 ? atoi(columns) : 80;
    screen->rows = size.ws_row > 6 ? size.ws_row : size.ws_row ? 6 : 24;
}

static bool is_set(const char *name) { return getenv(name) && *getenv(name); }

void screen_enter(struct screen *screen)
{
    const char *term = getenv("TERM");
    bool dumb = !term || !*term || strcmp(term, "dumb") == 0;
    screen->full = !dumb && !is_set("PLAIN") && isatty(0) && isatty(1);
    screen->colour = screen->full && !is_set("NO_COLOR");
    screen_measure(screen);
    if (!screen->full || tcgetattr(0, &before) != 0)
        return;
    struct termios raw = before;
    raw.c_lflag &= ~(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(0, TCSADRAIN, &raw);
    taken = true;
    fputs("\033[?1049h\033[?25l", stdout);      /* another page, without a cursor */
    fflush(stdout);
}

void screen_exit(struct screen **screen)
{
    (void)screen;
    if (!taken)
        return;
    taken = false;
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(0, TCSADRAIN, &before);
}

/* One line, no longer than the screen is wide. */
static void put_line(FILE *to, const struct screen *screen, const char *text, const char *style)
{
    const char *plain = screen->colour ? style : "", *end = text + strcspn(text, "\n");
    fputs(plain, to);
    text_put(to, text, end, screen->columns);
    fprintf(to, "%s\033[K\r\n", screen->colour ? "\033[0m" : "");
}

static int count_lines(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void put_title(FILE *to, const struct screen *screen, const struct frame *frame)
{
    char *line;
    int room = screen->columns - text_columns(frame->title) - text_columns(frame->right);
    if (asprintf(&line, "%s%*s%s", frame->title, room > 1 ? room : 1, "", frame->right) < 0)
        return;
    put_line(to, screen, line, "\033[7m");
    free(line);
}

void screen_show(struct screen *screen, const struct frame *frame)
{
    char *text, more[64] = "";
    size_t size;
    int height = screen->rows - 4, lines = count_lines(frame->body), most = lines > height ? lines - height : 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return;
    screen->scroll = screen->scroll > most ? most : screen->scroll < 0 ? 0 : screen->scroll;
    fputs("\033[H", to);
    put_title(to, screen, frame);
    const char *line = frame->body;
    for (int i = 0; i < screen->scroll + height; i++) {
        const char *end = line + strcspn(line, "\n");
        if (i >= screen->scroll)
            put_line(to, screen, line, "");
        line = *end ? end + 1 : end;
    }
    if (most)
        snprintf(more, sizeof more, "lines %d to %d of %d, space: more", screen->scroll + 1, screen->scroll + height, lines);
    put_line(to, screen, more, "\033[2m");
    put_line(to, screen, frame->note, "\033[1m");
    put_line(to, screen, frame->keys, "");
    fclose(to);
    text[size - 2] = 0;         /* the last line has no end, or the screen would move */
    fputs(text, stdout);
    fflush(stdout);
    free(text);
}

/* After the ESC: arrows and their like; sets what is left. */
static int escape_key(const char **bytes, const char *end)
{
    static const struct { const char *bytes; int key; } known[] = {
        { "[A", KEY_UP }, { "[B", KEY_DOWN }, { "OA", KEY_UP }, { "OB", KEY_DOWN }, { "[5~", KEY_PAGE_UP },
        { "[6~", KEY_PAGE_DOWN }, { "[H", KEY_HOME }, { "[1~", KEY_HOME },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].bytes);
        if ((size_t)(end - *bytes) >= length && memcmp(*bytes, known[i].bytes, length) == 0) {
            *bytes += length;
            return known[i].key;
        }
    }
    if (*bytes < end && (**bytes == '[' || **bytes == 'O')) {      /* some other key: no letter of ours */
        do
            ++*bytes;
        while (*bytes < end && (**bytes < '@' || **bytes > '~'));
        *bytes += *bytes < end;
        return 0;
    }
    return KEY_ESCAPE;
}

int screen_keys(const char *bytes, long count, int *keys)
{
    const char *end = bytes + count;
    int found = 0;
    while (bytes < end) {
        int key = (unsigned char)*bytes++;
        if (key == '\033')
            key = escape_key(&bytes, end);
        if (key)
            keys[found++] = key;
    }
    return found;
}
