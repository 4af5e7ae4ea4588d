/* watch.c - watch [NUMBER]: the desk at which one learns; it grades whenever the exercise is saved.
 *
 * A program on our own runtime. Three tasks run besides main: one looks out for saves, one grades, one
 * may check all exercises. What happens anywhere, a key, a verdict, a new size of the terminal, comes
 * to main through one queue, and only main draws: so nothing is ever half drawn, and no lock is needed.
 *
 * With PLAIN=1, or without a terminal, it talks line by line: for screen readers, and for logs. */
#define _GNU_SOURCE
#include "desk.h"
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REDRAW = -1, GRADED = -2, QUIT = -3 };       /* in the queue, beside keys */

enum view { AT_WORK, LIST, PAGE };

struct desk {
    struct rooms rooms;
    int current, chosen;        /* in rooms; the second is the list's */
    enum { ALL, OPEN, PASSED } filter;
    enum view view;
    struct screen screen;
    async_queue *events;
    async_event *saved;
    async_task looking, checking;       /* NULL: not going on */
    char *task, *verdict, *lanes, *hint, *page; /* texts to be shown; freed when others come */
    const char *page_title;
    char note[200];
    bool answered;              /* it is for a key that was pressed while a grading was under way */
    int question;               /* the key that waits for a yes, or 0 */
    bool grading, done;
    bool typed;                 /* keys come from a terminal; of one that is gone isatty() does not know any more */
    int score;                  /* of the last grading: 1 for all points, 0, or -1: there was none */
};

static struct room *here(struct desk *desk) { return &desk->rooms.room[desk->current]; }

static void post(struct desk *desk, long what) { async_queue_put_nowait(desk->events, async_num(what)); }

static void note(struct desk *desk, const char *text)
{
    snprintf(desk->note, sizeof desk->note, "%s", text);
    desk->answered = desk->grading && *text;
    if (!desk->screen.full && *text)
        printf("%s\n", text);
}

/* Text to be shown takes the place of what was there. */
static void show(struct desk *desk, char **place, char *text)
{
    free(*place);
    *place = text;
    if (!desk->screen.full && text)
        printf("%s\n", text);
}

/* ------------------------------------------------------------------------ verdicts and commands */

/* Of a grading all points, but only the first message: the next one can wait until this is mended. What
 * was built before it nobody has to read. */
static char *condense(const struct desk *desk, const char *text)
{
    static const char *const styles[] = { "", "\033[32m", "\033[31m", "\033[1m" };
    char *short_text;
    size_t size;
    int failed = 0;
    FILE *to = open_memstream(&short_text, &size);
    if (!to)
        return NULL;
    for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
        end = strchrnul(line, '\n');
        int kind = strncmp(line, "ok  ", 4) == 0 ? 1 : strncmp(line, "FAIL", 4) == 0 ? 2 : strncmp(line, "Score", 5) == 0 ? 3 : 0;
        failed += kind == 2;
        if (kind || (failed < 2 && strncmp(line, "  making ", 9) != 0))
            fprintf(to, "%s%.*s%s\n", desk->screen.colour ? styles[kind] : "", (int)(end - line), line,
                    desk->screen.colour && kind ? "\033[0m" : "");
    }
    fclose(to);
    return short_text;
}

/* The points of a grading are there before its memory has been watched, and are shown at once. */
static void show_points(struct desk *desk, const struct room *room, const char *text)
{
    if (!desk->screen.full || room != here(desk) || (!strstr(text, "\nok  ") && !strstr(text, "\nFAIL")))
        return;
    show(desk, &desk->verdict, condense(desk, text));
    post(desk, REDRAW);
}

/* What a command of the shell says, in memory of the caller's. A task of its own, so that the
 * process's record ends with it. If it grades a room, `graded`, its points are shown as they come. */
struct say {
    struct desk *desk;
    const char *command;
    const struct room *graded;
};
static async_value say(void *p)
{
    struct say *args = p;
    async_subprocess *process = await(async_create_subprocess_shell(args->command, ASYNC_PIPE_STDOUT)).ptr;
    async_stream *out = async_subprocess_stdout(process);
    const char *text = "";
    for (size_t length = 1; length > 0;) {
        const char *bytes = await(async_stream_read(out, 65536, &length)).ptr;
        text = async_strf("%s%.*s", text, (int)length, bytes);
        if (args->graded)
            show_points(args->desk, args->graded, text);
    }
    await(async_subprocess_wait(process));
    return async_ptr(strdup(text));
}

/* Starts a command, with words behind it; the task gives what it says. */
static async_task ask_of(struct desk *desk, const struct room *graded, const char *how, const char *what)
{
    const char *command = async_strf("exec </dev/null 2>&1; COLUMNS=%d EVLINGS_WATCH=%s; export COLUMNS EVLINGS_WATCH; "
                                     "unset MAKEFLAGS; %s %s", desk->screen.columns,
                                     desk->screen.colour ? "--bold" : "plain", how, what);
    return async_create_task(async_coro(say, desk, command, graded));
}

static async_task ask(struct desk *desk, const char *how, const char *what) { return ask_of(desk, NULL, how, what); }

#define EVLINGS "sh tools/evlings.sh"

static const char *by_make(void) { return async_strf("\"%s\" -s", getenv("MAKE") ? getenv("MAKE") : "make"); }

/* ------------------------------------------------------------------------------------- gradings */

static const char *points_in(const char *text)
{
    static char points[16];
    const char *found = text ? strstr(text, "Score: ") : NULL;
    if (!found || sscanf(found, "Score: %15s", points) != 1)
        *points = 0;
    return points;
}

/* The first grading of an exercise builds what it takes; the others need only the student's file. */
static async_task grade(struct desk *desk, struct room *room)
{
    bool built = room->built;
    room->built = true;
    return ask_of(desk, room, built ? EVLINGS " grade" : by_make(), async_strf(built ? "%d" : "grade-%d", room->number));
}

/* What watches memory, once all parts have their points, takes long to build. Nobody has to wait for that: it is
 * built while the reader still works. */
static void build_ahead(struct desk *desk, struct room *room)
{
    room->ahead = true;
    async_detach(ask(desk, async_strf("nice %s", by_make()), async_strf("memory-%d", room->number)));
}

/* The command that draws what the grader saw of the first part that failed, as its message names it:
 * "(drawn: make timeline-4 SEED=7 PART=1)". NULL: there is none. */
static const char *drawing_of(const char *verdict, int number)
{
    const char *found = strstr(verdict, "(drawn: make timeline-");
    int seed, part;
    if (!found || sscanf(found, "(drawn: make timeline-%*d SEED=%d PART=%d", &seed, &part) != 2)
        return NULL;
    return async_strf("drawn=$(SEED=%d PART=%d " EVLINGS " timeline %d) && echo \"$drawn\"", seed, part, number);
}

/* A task for as long as we run: grades whenever there is something new. */
struct keep_grading {
    struct desk *desk;
};
static async_value keep_grading(void *p)
{
    struct desk *desk = ((struct keep_grading *)p)->desk;
    for (;;) {
        await(async_event_wait(desk->saved));
        async_event_clear(desk->saved);
        struct room *room = here(desk);
        desk->grading = true;
        desk->answered = false;
        post(desk, REDRAW);
        char *text = await(grade(desk, room)).ptr;
        desk->grading = false;
        if (room != here(desk)) {
            free(text);
            continue;
        }
        if (!room->ahead)
            build_ahead(desk, room);
        const char *points = points_in(text);
        desk->score = *points ? points_are_full(points) : -1;
        if (!*points)
            room->built = false;        /* it may be ours that did not build */
        show(desk, &desk->verdict, condense(desk, text));
        show(desk, &desk->lanes, NULL);
        post(desk, GRADED);
        const char *drawing = drawing_of(text, room->number);
        free(text);
        if (!drawing || async_event_is_set(desk->saved))
            continue;
        text = await(ask(desk, drawing, "")).ptr;
        if (room == here(desk) && !async_event_is_set(desk->saved))
            show(desk, &desk->lanes, text);
        post(desk, REDRAW);
    }
}

/* ------------------------------------------------------------------------------ another exercise */

/* The task, the hint and the verdict are set for a width: fetched again when it changes. */
static async_value fetch_task(struct desk *desk)
{
    async_value text = async_catch(ask(desk, EVLINGS " task", async_strf("%d", here(desk)->number)));
    if (!text.error)
        show(desk, &desk->task, text.ptr);
    return text;
}

static async_value open_room(struct desk *desk, int index)
{
    desk->current = desk->chosen = index;
    desk->view = AT_WORK;
    desk->screen.scroll = 0;
    desk->score = -1;
    show(desk, &desk->verdict, NULL);
    show(desk, &desk->lanes, NULL);
    show(desk, &desk->hint, NULL);
    note(desk, async_strf("Edit %s/exercise.c and save.", here(desk)->folder));
    if (desk->looking)
        async_cancel(desk->looking);
    desk->looking = async_create_task(async_coro(look_out, here(desk)->folder, desk->saved));
    async_detach(desk->looking);
    async_event_set(desk->saved);
    return fetch_task(desk);
}

static async_value the_end(struct desk *desk)
{
    show(desk, &desk->page, await(ask(desk, EVLINGS, "end")).ptr);
    desk->page_title = "the end";
    desk->view = PAGE;
    return async_none;
}

/* ---------------------------------------------------------------------------------- all of them */

struct check_all {
    struct desk *desk;
};
static async_value check_all(void *p)
{
    struct desk *desk = ((struct check_all *)p)->desk;
    int full = 0;
    for (int i = 0; i < desk->rooms.count; i++) {
        struct room *room = &desk->rooms.room[i];
        note(desk, async_strf("Checking exercise %d, %s ...", room->number, room->name));
        post(desk, REDRAW);
        char *text = await(grade(desk, room)).ptr;
        full += points_are_full(points_in(text));
        free(text);
        rooms_recall(&desk->rooms);
    }
    note(desk, async_strf("Checked: %d of %d have all points now.", full, desk->rooms.count));
    desk->checking = NULL;
    post(desk, REDRAW);
    return async_none;
}

/* -------------------------------------------------------------------------------- what is drawn */

static bool in_list(const struct desk *desk, int i)
{
    return desk->filter == ALL || desk->rooms.room[i].passed == (desk->filter == PASSED);
}

static char *list_text(struct desk *desk)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    for (int i = 0; i < desk->rooms.count; i++) {
        struct room *room = &desk->rooms.room[i];
        if (in_list(desk, i))
            fprintf(to, "%s%s %2d  %-20s %7s  %d of %d hints%s\n", i == desk->chosen ? "> " : "  ",
                    room->passed ? "x" : " ", room->number, room->name, room->points, room->hints, room->levels,
                    i == desk->current ? "  <- you are here" : "");
    }
    if (ftell(to) == 0)
        fputs("  none\n", to);
    fprintf(to, "\n%s; x: passed.%s\n",
            desk->filter == ALL ? "All exercises" : desk->filter == OPEN ? "Those that are open" : "Those that are passed",
            desk->screen.full ? " f: others. Arrows choose, Enter opens." : "");
    fclose(to);
    return text;
}

static const char *or_nothing(const char *text) { return text ? text : ""; }

/* The last thing asked for stands on top: the hint, the verdict with lanes of what failed, the task. */
static char *work_text(struct desk *desk)
{
    char *text;
    int size = asprintf(&text, "%s%s%s%s%s%s%s", or_nothing(desk->hint), desk->hint ? "\n" : "",
                        or_nothing(desk->verdict), desk->verdict ? "\n" : "",
                        or_nothing(desk->lanes), desk->lanes ? "\n" : "", or_nothing(desk->task));
    return size < 0 ? NULL : text;
}

static const char *progress(struct desk *desk)
{
    static char text[100];
    char bar[20] = "";
    int width = desk->screen.columns >= 76 ? 18 : 8, full = desk->rooms.passed * width / desk->rooms.count;
    memset(bar, '#', full);
    memset(bar + full, '.', width - full);
    snprintf(text, sizeof text, "[%s] %d of %d, %d points ", bar, desk->rooms.passed, desk->rooms.count,
             desk->rooms.points);
    return text;
}

/* Students may have none. */
static bool has_solution(struct desk *desk)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "solutions%s/exercise.c", strchr(here(desk)->folder, '/'));
    return access(path, R_OK) == 0;
}

static void draw(struct desk *desk)
{
    static const char wide[] = "n next  h hint  l list  t timeline  s solution  r reset  c check all  q quit",
                      narrow[] = "n)ext h)int l)ist t)imeline s)olution r)eset c)heck q)uit";
    if (!desk->screen.full) {
        fflush(stdout);
        return;
    }
    char *body = desk->view == LIST ? list_text(desk) : desk->view == PAGE ? strdup(or_nothing(desk->page)) : work_text(desk);
    const char *name = desk->view == LIST ? "all exercises" : desk->view == PAGE ? desk->page_title : here(desk)->name;
    char title[100];
    snprintf(title, sizeof title, " %d %s%s", here(desk)->number, name, desk->grading ? "  grading ..." : "");
    screen_show(&desk->screen, &(struct frame){
        .title = title,
        .right = progress(desk),
        .body = or_nothing(body),
        .note = desk->note,
        .keys = desk->view == AT_WORK ? desk->screen.columns > (int)sizeof wide ? wide : narrow
                                      : "Esc back  q quit",
    });
    free(body);
}

/* ------------------------------------------------------------------------------------- the keys */

static void question(struct desk *desk, int key, const char *text)
{
    desk->question = key;
    note(desk, text);
}

static async_value next(struct desk *desk, bool sure)
{
    if (desk->current + 1 == desk->rooms.count)
        return the_end(desk);
    if (here(desk)->passed || sure)
        return open_room(desk, desk->current + 1);
    question(desk, 'n', "This one is not passed yet. Go on all the same? y or n");
    return async_none;
}

static async_value hint(struct desk *desk)
{
    struct room *room = here(desk);
    show(desk, &desk->hint, await(ask(desk, EVLINGS " hint", async_strf("%d", room->number))).ptr);
    rooms_recall(&desk->rooms);
    desk->view = AT_WORK;
    desk->screen.scroll = 0;
    note(desk, room->hints < room->levels ? "h: the next hint." : has_solution(desk) ? "That was the last hint. s: a solution."
                                                                : "That was the last hint.");
    return async_none;
}

static async_value page(struct desk *desk, const char *title, async_task task)
{
    draw(desk);
    show(desk, &desk->page, await(task).ptr);
    desk->page_title = title;
    desk->view = PAGE;
    desk->screen.scroll = 0;
    note(desk, "");
    return async_none;
}

static async_value timeline(struct desk *desk)
{
    note(desk, "Drawing ...");
    return page(desk, "timeline of your program",
                ask(desk, async_strf("FROM=%s %s", here(desk)->folder, by_make()), async_strf("timeline-%d", here(desk)->number)));
}

static async_value solution(struct desk *desk, bool sure)
{
    struct room *room = here(desk);
    if (!has_solution(desk)) {
        note(desk, "There is no solution here.");
        return async_none;
    }
    if (!room->passed && room->hints < room->levels) {
        note(desk, "First all points, or all hints (h): then the solution.");
        return async_none;
    }
    if (!room->passed && !sure) {
        question(desk, 's', "Not passed yet. Show a solution all the same? y or n");
        return async_none;
    }
    return page(desk, "a solution", ask(desk, EVLINGS " solution", async_strf("%d", room->number)));
}

static async_value reset(struct desk *desk, bool sure)
{
    if (!sure) {
        question(desk, 'r', "Start exercise.c afresh? A copy of yours is kept. y or n");
        return async_none;
    }
    char *said = await(ask(desk, "echo y | " EVLINGS " reset", async_strf("%d", here(desk)->number))).ptr;
    char *last = strrchr(said, '[');    /* behind its own question */
    note(desk, last && strchr(last, ' ') ? async_strf("%s", strchr(last, ' ') + 1) : said);
    desk->note[strcspn(desk->note, "\n")] = 0;
    free(said);
    return async_none;
}

static void choose(struct desk *desk, int step)
{
    for (int i = desk->chosen + step; i >= 0 && i < desk->rooms.count; i += step)
        if (in_list(desk, i)) {
            desk->chosen = i;
            return;
        }
}

static void list(struct desk *desk)
{
    desk->view = LIST;
    desk->chosen = desk->current;
    desk->screen.scroll = 0;
    note(desk, "");
    if (!desk->screen.full)
        show(desk, &desk->page, list_text(desk));
}

static void check(struct desk *desk)
{
    list(desk);
    if (desk->checking)
        return;
    desk->checking = async_create_task(async_coro(check_all, desk));
    async_detach(desk->checking);
}

static void move(struct desk *desk, int key)
{
    int page = desk->screen.rows - 5;
    if (desk->view == LIST && (key == KEY_UP || key == KEY_DOWN || key == 'k' || key == 'j'))
        choose(desk, key == KEY_UP || key == 'k' ? -1 : 1);
    else if (key == KEY_HOME)
        desk->screen.scroll = 0;
    else
        desk->screen.scroll += key == KEY_UP || key == 'k' ? -1 : key == KEY_DOWN || key == 'j' ? 1
                               : key == KEY_PAGE_UP || key == 'b' ? -page : page;
}

static async_value answer(struct desk *desk, int key)
{
    int asked = desk->question;
    desk->question = 0;
    note(desk, "");
    if (key != 'y' && key != 'Y')
        return async_none;
    return asked == 'n' ? next(desk, true) : asked == 's' ? solution(desk, true) : reset(desk, true);
}

static async_value on_key(struct desk *desk, int key)
{
    if (desk->question && key != '\n')
        return answer(desk, key);
    switch (key) {
    case 'q': desk->done = true; break;
    case 'n': return next(desk, false);
    case 'h': return hint(desk);
    case 't': return timeline(desk);
    case 's': return solution(desk, false);
    case 'r': return reset(desk, false);
    case 'l': list(desk); break;
    case 'c': check(desk); break;
    case 'f':
        desk->filter = (desk->filter + 1) % 3;
        list(desk);
        break;
    case '\r': case '\n':
        if (desk->view == LIST && desk->screen.full && desk->chosen != desk->current)
            return open_room(desk, desk->chosen);
        /* fallthrough */
    case KEY_ESCAPE:
        desk->view = AT_WORK;
        desk->screen.scroll = 0;
        break;
    case ' ': case 'j': case 'k': case 'b': case KEY_UP: case KEY_DOWN: case KEY_PAGE_UP: case KEY_PAGE_DOWN: case KEY_HOME:
        move(desk, key);
    }
    return async_none;
}

/* ------------------------------------------------------------------------- what the loop calls */

static async_value keys_came(void *arg)
{
    struct desk *desk = arg;
    char bytes[64];
    int keys[64];
    ssize_t count = read(0, bytes, sizeof bytes);
    if (count <= 0) {
        async_loop_remove_reader(async_get_running_loop(), 0);
        if (desk->typed)
            post(desk, QUIT);       /* the terminal is gone; else nobody types, and we go on looking */
        return async_none;
    }
    count = screen_keys(bytes, count, keys);
    for (int i = 0; i < count; i++)
        post(desk, keys[i]);
    return async_none;
}

static async_value resized(void *arg)
{
    post(arg, REDRAW);
    return async_none;
}

/* Ctrl-Z: the terminal goes back as it was, and we stop. What comes after that is `continued`. */
static async_value stopped(void *arg)
{
    struct screen *screen = &((struct desk *)arg)->screen;
    screen_exit(&screen);
    kill(getpid(), SIGSTOP);
    return async_none;
}

static async_value continued(void *arg)
{
    struct desk *desk = arg;
    struct screen *screen = &desk->screen;
    screen_exit(&screen);
    screen_enter(&desk->screen);
    post(desk, REDRAW);
    return async_none;
}

static async_value told_to_end(void *arg)
{
    post(arg, QUIT);
    return async_none;
}

static void listen_to(struct desk *desk)
{
    async_loop *loop = async_get_running_loop();
    desk->typed = isatty(0);
    async_loop_add_reader(loop, 0, keys_came, desk);
    async_loop_add_signal_handler(loop, SIGWINCH, resized, desk);
    async_loop_add_signal_handler(loop, SIGTERM, told_to_end, desk);
    async_loop_add_signal_handler(loop, SIGHUP, told_to_end, desk);
    if (desk->screen.full) {
        async_loop_add_signal_handler(loop, SIGTSTP, stopped, desk);
        async_loop_add_signal_handler(loop, SIGCONT, continued, desk);
    }
}

/* ------------------------------------------------------------------------------------------ main */

static async_value on_graded(struct desk *desk)
{
    rooms_recall(&desk->rooms);
    if (desk->score == 1)
        show(desk, &desk->hint, NULL);
    if (desk->answered && desk->screen.full)
        return async_none;
    if (desk->score == 1)
        note(desk, desk->current + 1 < desk->rooms.count ? "Passed. n: the next exercise. s: another way to do it."
                                                         : "Passed. That was the last one. n: and now?");
    else if (desk->score == 0)
        note(desk, "Not yet. h: a hint. t: your program as a picture.");
    else
        note(desk, "It could not be graded: see above.");
    return async_none;
}

static async_value on_event(struct desk *desk, long what)
{
    int columns = desk->screen.columns;
    switch (what) {
    case QUIT: desk->done = true; return async_none;
    case GRADED: return on_graded(desk);
    case REDRAW:
        screen_measure(&desk->screen);
        if (columns == desk->screen.columns)
            return async_none;
        show(desk, &desk->hint, NULL);
        async_event_set(desk->saved);
        return fetch_task(desk);
    default: return on_key(desk, what);
    }
}

static int first_room(const struct rooms *rooms, int number)
{
    int first = -1;
    for (int i = 0; i < rooms->count; i++) {
        if (rooms->room[i].number == number)
            return i;
        if (first < 0 && !rooms->room[i].passed)
            first = i;
    }
    return first < 0 ? 0 : first;
}

struct watch {
    int number;
};
static async_value watch(void *p)
{
    static struct desk desk;
    desk.rooms = rooms_find();
    if (desk.rooms.count == 0)
        async_raise(ASYNC_USER_ERROR, "there is no exercises/NN-name here");
    desk.events = async_queue_new(0);
    desk.saved = async_event_new();
    async_with(screen_exit) struct screen *screen = &desk.screen;
    screen_enter(screen);
    listen_to(&desk);
    if (!desk.screen.full)
        printf("This looks whenever you save. A letter and Enter: n next, h hint, l list, t timeline, s solution, "
               "r reset, c check all, q quit.\n");
    async_detach(async_create_task(async_coro(keep_grading, &desk)));
    int number = ((struct watch *)p)->number;
    async_value outcome = open_room(&desk, first_room(&desk.rooms, number >= 0 ? number : desk.rooms.here));
    while (!outcome.error && !desk.done) {
        draw(&desk);
        outcome = on_event(&desk, await(async_queue_get(desk.events)).num);
    }
    return outcome.error ? outcome : async_none;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    static const char *const not_ours[] = { "ASYNC_CLOCK", "ASYNC_TRACE", "ASYNC_DEBUG", "ASYNC_SHUFFLE" };
    for (size_t i = 0; i < sizeof not_ours / sizeof *not_ours; i++)
        unsetenv(not_ours[i]);          /* they are meant for the reader's programs; we need the real clock */
    return async_main(async_coro(watch, argc > 1 && *argv[1] ? atoi(argv[1]) : -1));
}
