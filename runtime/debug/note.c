/* note.c - see note.h. */
#define _GNU_SOURCE
#include "debug/note.h"
#include "core/clock.h"
#include "debug/utf8.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int file = -1;
static pid_t owner;             /* a child that we forked must not write into it */
static int64_t began;           /* on the machine's clock, ns */
static int64_t jumped;          /* by virtual clocks, ns */
static bool is_virtual;         /* the clock of the last loop */
static atomic_int threads;
static _Thread_local int thread;                /* its number, from 1 on */

/* ------------------------------------------------------------------------------ writing */

void note_add(struct note *note, const char *format, ...)
{
    va_list args;
    size_t room = sizeof note->text - note->length;
    va_start(args, format);
    int length = vsnprintf(note->text + note->length, room, format, args);
    va_end(args);
    size_t before = note->length;
    if (length > 0)
        note->length += (size_t)length < room ? (size_t)length : room - 1;
    for (size_t i = before; i < note->length; i++)      /* FNV-1a */
        note->print = (note->print ^ (unsigned char)note->text[i]) * UINT64_C(1099511628211);
}

void note_passing(struct note *note, int digits, double number)
{
    uint64_t print = note->print;
    note_add(note, "%.*f", digits, number);
    note->print = print;
}

void note_text(struct note *note, const char *key, const char *text)
{
    if (!text)
        return;
    note_add(note, ",\"%s\":\"", key);
    const unsigned char *s = (const unsigned char *)text;
    for (int room = NOTE_TEXT; *s && room > 0; room--) {
        int length = utf8_length(s);
        if (!length)
            note_add(note, "\\ufffd");
        else if (*s < ' ' || *s == 127)
            note_add(note, "\\u%04x", *s);
        else
            note_add(note, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", length, s);
        s += length ? length : 1;
    }
    note_add(note, "\"");
}

void note_begin(struct note *note, const char *kind, const char *name)
{
    note_add(note, ",\n{\"ph\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":", kind, (int)owner, thread);
    note_passing(note, 3, (note->real + jumped) / 1e3);
    note_text(note, "name", name);
}

void note_args(struct note *note, const char *event)
{
    note_add(note, ",\"args\":{\"at\":");
    note_passing(note, 9, (is_virtual ? jumped : note->real) / 1e9);
    note_add(note, ",\"real\":");
    note_passing(note, 6, note->real / 1e9);
    note_text(note, "event", event);
}

void note_id(struct note *note, const char *key, async_task task)
{
    note_add(note, ",\"%s\":\"%#llx\"", key, (unsigned long long)(uintptr_t)task);
}

void note_end(struct note *note) { note_add(note, "}}"); }

static void stop(void)
{
    close(file);
    file = -1;
}

static void write_text(const char *text, size_t size)
{
    for (size_t done = 0; done < size; ) {
        ssize_t length = write(file, text + done, size - done);
        if (length > 0)
            done += length;
        else if (errno != EINTR) {
            fprintf(stderr, "ASYNC_TRACE: the trace ends here: %s\n", strerror(errno));
            stop();
            return;
        }
    }
}

/* The track of the thread that we are in. */
static void name_thread(struct note *note)
{
    thread = ++threads;
    note_add(note, ",\n{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"thread_name\"", (int)owner, thread);
    note_add(note, ",\"args\":{\"at\":0,\"name\":\"event loop\"}}");
}

bool note_open(struct note *note)
{
    if (file < 0 || getpid() != owner)
        return false;
    note->length = note->print = 0;
    if (!thread)
        name_thread(note);
    note->real = clock_of_machine() - began;
    return true;
}

/* ------------------------------------------------------------------------------ folding */

#define PERIOD 4                /* turns that a spinning program takes until it begins again */
#define ENOUGH 8                /* turns in a row that were as one shortly before: it does spin */

static struct {
    char text[4 * sizeof((struct note *)0)->text];
    size_t length;
    uint64_t print, before[PERIOD];     /* of it, and of those before it */
    int64_t real, jumped;               /* when it began */
    off_t begins, fold;                 /* where it does in the file, and where the first does that is left out */
    long again;                         /* turns in a row that were as one shortly before */
} turn = { .begins = -1 };

void note_write(const struct note *note)
{
    write_text(note->text, note->length);
    if (threads != 1)
        return;
    if (turn.length + note->length <= sizeof turn.text)
        memcpy(turn.text + turn.length, note->text, note->length);
    turn.length += note->length;
    turn.print = turn.print * 31 + note->print;
}

/* What a program that spins does in thousands of turns is left out, all but the last of them: that one is written
 * where the first was. With several loops in as many threads, or where one cannot go back, all is written. */
static void fold(void)
{
    struct note note = { .real = turn.real };
    lseek(file, turn.fold, SEEK_SET);
    note_begin(&note, "i", "folded");
    note_args(&note, "folded");
    note_add(&note, ",\"turns\":%ld", turn.again - ENOUGH - 1);
    note_end(&note);
    write_text(note.text, note.length);
    write_text(turn.text, turn.length);
    if (file >= 0 && ftruncate(file, lseek(file, 0, SEEK_CUR)) != 0)
        stop();
}

void note_turn(void)
{
    bool again = false;
    if (threads != 1 || file < 0 || getpid() != owner)
        return;
    for (int i = 0; i < PERIOD; i++)
        again |= turn.before[i] == turn.print;
    again &= turn.length <= sizeof turn.text && turn.begins >= 0 && turn.jumped == jumped;
    turn.again = again ? turn.again + 1 : 0;
    if (turn.again == ENOUGH + 1)
        turn.fold = turn.begins;
    else if (turn.again > ENOUGH + 1)
        fold();
    memmove(turn.before + 1, turn.before, (PERIOD - 1) * sizeof *turn.before);
    turn.before[0] = turn.print;
    turn.begins = lseek(file, 0, SEEK_CUR);
    turn.length = turn.print = 0;
    turn.real = clock_of_machine() - began;
    turn.jumped = jumped;
}

/* ------------------------------------------------------------------------ begin and end */

bool note_start(const char *name)
{
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    owner = getpid();
    began = clock_of_machine();
    struct note note = { .length = 0 };
    note_add(&note, "[\n{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\"", (int)owner);
    note_add(&note, ",\"args\":{\"at\":0");
    note_text(&note, "name", program_invocation_short_name);
    note_end(&note);
    note_write(&note);
    return true;
}

void note_clock(bool virtual_one) { is_virtual = virtual_one; }

void note_jump(int64_t ns) { jumped += ns; }

void note_stop(struct note *note)
{
    note_add(note, "\n]\n");
    note_write(note);
    if (file >= 0)
        stop();
}
