/* note.c - see note.h. */
#define _GNU_SOURCE
#include "debug/note.h"
#include "core/clock.h"
#include "debug/utf8.h"
#include "io/io.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

_Thread_local struct note note;

static int file = -1;
static pid_t owner;             /* a child that we forked must not write into it */
static int64_t began;           /* on the machine's clock, ns */
static int64_t jumped;          /* by virtual clocks, ns */
static bool is_virtual;         /* the clock of the last loop */
static atomic_int threads;
static _Thread_local int thread;                /* its number, from 1 on */

/* ------------------------------------------------------------------------------ writing */

void note_add(const char *format, ...)
{
    va_list args;
    size_t before = note.length, room = sizeof note.text - before;
    va_start(args, format);
    int length = vsnprintf(note.text + before, room, format, args);
    va_end(args);
    if (length > 0)
        note.length += (size_t)length < room ? (size_t)length : room - 1;
    for (size_t i = before; i < note.length; i++)       /* FNV-1a */
        note.print = (note.print ^ (unsigned char)note.text[i]) * UINT64_C(1099511628211);
}

void note_passing(int digits, double number)
{
    uint64_t print = note.print;
    note_add("%.*f", digits, number);
    note.print = print;
}

void note_key(const char *key, const char *begins)
{
    if (!strchr("[{", note.text[note.length - 1]))
        note_add(",");
    if (key)
        note_add("\"%s\":", key);
    note_add("%s", begins);
}

void note_text(const char *key, const char *text)
{
    if (!text)
        return;
    note_key(key, "\"");
    const unsigned char *s = (const unsigned char *)text;
    for (int room = NOTE_TEXT; *s && room > 0; room--) {
        int length = utf8_length(s);
        if (!length)
            note_add("\\ufffd");
        else if (*s < ' ' || *s == 127)
            note_add("\\u%04x", *s);
        else
            note_add("%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", length, s);
        s += length ? length : 1;
    }
    note_add("\"");
}

void note_id(const char *key, const void *ticket)
{
    note_key(key, "");
    note_add("\"%#llx\"", (unsigned long long)(uintptr_t)ticket);
}

void note_begin(const char *kind, const char *name, const char *more, const char *event)
{
    note_add(",\n{\"ph\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":", kind, (int)owner, thread);
    note_passing(3, (note.real + jumped) / 1e3);
    note_text("name", name);
    note_add("%s,\"args\":{\"at\":", more);
    note_passing(9, (is_virtual ? jumped : note.real) / 1e9);
    note_add(",\"real\":");
    note_passing(6, note.real / 1e9);
    note_text("event", event);
}

void note_end(void) { note_add("}}"); }

/* What the process is called, or the track of the thread that we are in. */
static void call_it(const char *what, const char *name)
{
    note_add("{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"%s\",\"args\":{\"at\":0", (int)owner, thread, what);
    note_text("name", name);
    note_end();
}

static void stop(void)
{
    close(file);
    file = -1;
}

static void write_text(const char *text, size_t size)
{
    if (file < 0 || write_all(file, text, size))
        return;
    fprintf(stderr, "ASYNC_TRACE: the trace ends here: %s\n", strerror(errno));
    stop();
}

static bool is_ours(void) { return file >= 0 && getpid() == owner; }

bool note_open(void)
{
    if (!is_ours())
        return false;
    note.length = note.print = 0;
    note.real = clock_of_machine() - began;
    if (!thread) {
        thread = ++threads;
        note_add(",\n");
        call_it("thread_name", "event loop");
    }
    return true;
}

/* ------------------------------------------------------------------------------ values */

#define LARGEST (1L << 31)      /* number that is no address */
#define PAGE 4096

/* How much could be read of what may be anything, or nothing any more: the kernel reads it, and says so instead of
 * ending the program. No further than the page, for the next one may not be there. */
static size_t read_memory(const void *address, char *to, size_t size)
{
    size_t rest = PAGE - (size_t)address % PAGE;
    struct iovec here = { to, size < rest ? size : rest }, there = { (void *)address, here.iov_len };
    ssize_t got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    return got > 0 ? got : 0;
}

/* Text of one line, in quotes; what does not fit is an ellipsis. */
static bool as_text(const char *address, char *text, size_t size)
{
    char bytes[64] = "";
    size_t got = read_memory(address, bytes, sizeof bytes - 1), length = 0, most = size - sizeof "\"\"…";
    while (bytes[length] && length < most) {
        int character = utf8_length((const unsigned char *)bytes + length);
        if (!character || (unsigned char)bytes[length] < ' ' || length + character > got)
            return false;
        if (length + character > most)
            break;
        length += character;
    }
    if (length == 0)
        return false;
    snprintf(text, size, "\"%.*s%s\"", (int)length, bytes, bytes[length] ? "…" : "");
    return true;
}

void note_value(const char *key, async_value value)
{
    char text[32];
    double magnitude = fabs(value.real);
    if (value.num > -LARGEST && value.num < LARGEST)
        snprintf(text, sizeof text, "%ld", value.num);
    else if (magnitude > 1e-6 && magnitude < 1e12)
        snprintf(text, sizeof text, "%.6g", value.real);
    else if (!as_text(value.str, text, sizeof text))
        return;
    note_text(key, text);
}

/* ------------------------------------------------------------------------------ folding */

#define PERIOD 4                /* turns that a spinning program takes until it begins again */
#define ENOUGH 8                /* turns in a row that were as one shortly before: it does spin */

static struct {
    char text[4 * sizeof note.text];
    size_t length;
    uint64_t print, before[PERIOD];     /* of it, and of those before it */
    int64_t real, jumped;               /* when it began */
    off_t begins, fold;                 /* where it does in the file, and where the first does that is left out */
    long again;                         /* turns in a row that were as one shortly before */
} turn = { .begins = -1 };

void note_write(void)
{
    write_text(note.text, note.length);
    if (threads != 1)
        return;
    if (turn.length + note.length <= sizeof turn.text)
        memcpy(turn.text + turn.length, note.text, note.length);
    turn.length += note.length;
    turn.print = turn.print * 31 + note.print;
}

/* What a program that spins does in thousands of turns is left out, all but the last of them: that one is written
 * where the first was. With several loops in as many threads, or where one cannot go back, all is written. */
static void fold(void)
{
    note.length = 0;
    note.real = turn.real;
    lseek(file, turn.fold, SEEK_SET);
    note_begin("i", "folded", "", "folded");
    note_add(",\"turns\":%ld", turn.again - ENOUGH - 1);
    note_end();
    write_text(note.text, note.length);
    write_text(turn.text, turn.length);
    if (file >= 0 && ftruncate(file, lseek(file, 0, SEEK_CUR)) != 0)
        stop();
}

void note_turn(void)
{
    bool again = false;
    if (threads != 1 || !is_ours())
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
    note_add("[\n");
    call_it("process_name", program_invocation_short_name);
    note_write();
    return true;
}

void note_clock(bool virtual_one) { is_virtual = virtual_one; }

void note_jump(int64_t ns) { jumped += ns; }

void note_stop(void)
{
    note_add("\n]\n");
    note_write();
    if (file >= 0)
        stop();
}
