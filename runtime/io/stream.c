/* stream.c - StreamReader and StreamWriter in one: bytes in, bytes out, with buffers between.
 *
 * Reading takes from the buffer and goes to the descriptor only for more, so who does not read is
 * not sent to for long: that is the backpressure of TCP. Writing puts into a buffer what the
 * descriptor does not take at once; a job sends it when the descriptor can take more, and drain waits
 * while the buffer is above its high-water mark. */
#define _GNU_SOURCE
#include "core/coro.h"
#include "core/loop.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"
#include "io/io.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT (64 * 1024)           /* of a line, and the high-water mark of writing, as in Python */
#define LOW_WATER (16 * 1024)
#define LEAST_READ 1024             /* at once; doubled each time that was not enough */
#define MOST_READ (64 * 1024)
#define MOST_DISCARDED (16 * 1024 * 1024)   /* bytes that are still read once it is closed, and ... */
#define LINGERING 2                 /* ... seconds in which */
#define ONE_READ 4096               /* a call costs as much as reading so many bytes: for counting short reads */

struct buffer {
    char *bytes;
    uint32_t start, end, room;      /* what is in it lies from start to end */
};

/* In this order, what a message touches lies in the first three lines of the cache. */
struct stream {
    struct object object;
    int fd;                         /* -1: closed */
    int broken;                     /* the errno that ended it, or 0 */
    uint32_t at_once;               /* how much to read */
    uint32_t in_a_row;              /* what was read without ever waiting, in bytes */
    char kept;                      /* the byte at input.start, while a terminating 0 is there */
    bool terminated : 1;            /* it is */
    bool emptied : 1;               /* the last read got less than it wanted: another would get nothing */
    bool reads : 1, writes : 1;     /* which of the two it is for: a socket is for both */
    bool reading : 1, at_eof : 1, eof_written : 1, closing : 1, external : 1;
    struct buffer input, output;
    struct watch *watch;            /* of the task that waits for input; rests in between; NULL: none yet */
    struct chore *chore;            /* what it does by itself; NULL: nothing, and it is not pinned */
    struct waitq drained;           /* tasks in drain or wait_closed */
    const char *what;               /* "127.0.0.1 port 80", "pipe": allocated */
};

/* ------------------------------------------------------------------------------- buffers */

static size_t held(const struct buffer *buffer) { return buffer->end - buffer->start; }

static void free_buffer(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){ NULL, 0, 0, 0 };
}

/* Room for `more` bytes behind what is there, and one for a terminating 0. What is there is moved to
 * the front only if that makes half of the room free, so that each byte is moved a few times at most. */
static bool make_room(struct buffer *buffer, size_t more)
{
    if (buffer->end + more + 1 <= buffer->room)
        return true;
    size_t used = held(buffer), room = used + more + 1;
    if (buffer->start)
        memmove(buffer->bytes, buffer->bytes + buffer->start, used);
    buffer->start = 0;
    buffer->end = used;
    if (room <= buffer->room / (used ? 2 : 1))
        return true;
    room = used ? room * 2 : room;
    if (room > UINT32_MAX)
        return false;
    char *bytes = realloc(buffer->bytes, room);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->room = room;
    return true;
}

/* ------------------------------------------------------------------- what it does by itself */

/* Sends what is in `output`; or, as soon as that is done and it is closed, lingers. */
struct chore {
    struct timer timer;             /* its job does it; the deadline is that of lingering */
    struct watch *watch;            /* makes that job ready */
    struct stream *stream;          /* pinned */
    size_t discarded;               /* bytes */
};

/* NULL: no memory. */
static struct chore *begin_chore(struct stream *stream, bool sends, void (*run)(struct job *job))
{
    struct chore *chore = calloc(1, sizeof *chore);
    if (!chore)
        return NULL;
    chore->watch = watch_fd(stream->object.future.loop, stream->fd, sends, sends && stream->external,
                            &chore->timer.job);
    if (!chore->watch) {
        free(chore);
        return NULL;
    }
    chore->timer.job.run = run;
    chore->stream = stream;
    object_pin(&stream->object);
    return stream->chore = chore;
}

/* Whoever ends it takes the pin away, when nothing is left to do. */
static void end_chore(struct stream *stream)
{
    if (!stream->chore)
        return;
    loop_timer_stop(stream->object.future.loop, &stream->chore->timer);
    unwatch(&stream->chore->watch);
    free(stream->chore);
    stream->chore = NULL;
}

static void close_now(struct stream *stream)
{
    ready_end(stream->watch);       /* it would wait on a descriptor that is soon somebody else's */
    unwatch(&stream->watch);
    end_chore(stream);
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    free_buffer(&stream->output);
    if (!stream->reading && !stream->terminated && !held(&stream->input))
        free_buffer(&stream->input);
    waitq_wake_all(&stream->drained);
}

/* Reads what is there. True: something was, and more may come. */
static bool discard(int fd, size_t *discarded)
{
    char unread[16 * 1024];
    ssize_t n;
    while ((n = recv(fd, unread, sizeof unread, MSG_DONTWAIT)) > 0) {
        *discarded += n;
        if (*discarded > MOST_DISCARDED)
            return false;
    }
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && *discarded;
}

static void on_lingering(struct job *job)
{
    struct chore *chore = container_of(job, struct chore, timer.job);
    struct stream *stream = chore->stream;
    if (chore->timer.armed && discard(stream->fd, &chore->discarded))
        return;
    close_now(stream);
    object_unpin(&stream->object);
}

static bool lingers(const struct stream *stream)
{
    return stream->chore && stream->chore->timer.job.run == on_lingering;
}

/* A socket that is closed while input is unread tells the other side so with a reset, and that makes
 * it throw away what it has not read yet of what we sent. So we say that nothing more comes, and read
 * on and discard, until the other side closes too, or for so long, or so much. False: there is no reason to, or no
 * memory. */
static bool linger(struct stream *stream)
{
    async_loop *loop = stream->object.future.loop;
    size_t discarded = 0;
    if (!stream->reads || !stream->writes || stream->at_eof || stream->broken || !discard(stream->fd, &discarded))
        return false;
    struct chore *chore = begin_chore(stream, false, on_lingering);
    if (!chore)
        return false;
    if (!loop_timer_start(loop, &chore->timer, clock_after(&loop->clock, LINGERING))) {
        end_chore(stream);
        object_unpin(&stream->object);
        return false;
    }
    chore->discarded = discarded;
    shutdown(stream->fd, SHUT_WR);
    ready_end(stream->watch);
    return true;
}

/* ---------------------------------------------------------------------------- making one */

static void drop(struct object *object)
{
    struct stream *stream = (struct stream *)object;
    close_now(stream);
    free_buffer(&stream->input);
    free((char *)stream->what);
}

static void hang_up(struct object *object) { close(((struct stream *)object)->fd); }

static const struct future_type stream_type = { .name = "Stream", .drop = drop, .hang_up = hang_up };

async_stream *stream_new(int fd, bool reads, bool writes, const char *what, bool external)
{
    struct stream *stream = primitive_new(struct stream, &stream_type);
    if (!stream) {
        close(fd);
        return NULL;
    }
    *stream = (struct stream){ .object = stream->object, .fd = fd, .reads = reads, .writes = writes,
                               .at_once = LEAST_READ, .external = external, .what = strdup(what) };
    if (reads && writes)            /* it was made such that it does not block */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));     /* fails on others than TCP: fine */
    else
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    waitq_init(&stream->drained, &stream->object);
    return (async_stream *)object_ticket(&stream->object);
}

/* A descriptor that waits is opened once more where that is possible, so that only ours does not block,
 * and not the terminal that the shell and our own stdout use as well. */
async_stream *async_stdin(void)
{
    struct stat status;
    int fd = -1;
    if (fstat(STDIN_FILENO, &status))
        return NULL;
    if (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))
        fd = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? NULL : stream_new(fd, true, false, "standard input", true);
}

/* Why it cannot be used any more, with its name and the system's reason; or none. */
static async_value broken(struct stream *stream)
{
    if (!stream->broken)
        return async_none;
    return async_error(stream->broken, async_strf("the connection with %s is broken: %s",
                                                  stream->what ? stream->what : "?",
                                                  strerror(stream->broken)));
}

/* ------------------------------------------------------------------------------- reading */

/* Gets more from the descriptor into the buffer; waits for it. At the end at_eof is set. */
static async_value fetch(struct stream *stream)
{
    if (stream->broken)
        return broken(stream);
    if (!stream->reads)
        return async_error(ASYNC_RUNTIME_ERROR, "this stream is for writing only");
    if (!make_room(&stream->input, stream->at_once))
        return async_error(ENOMEM, "no memory to read into");
    for (;;) {
        if (stream->in_a_row >= MOST_READ) {        /* a quick sender must not keep us from the rest */
            stream->in_a_row = 0;
            async_value v = async_catch(async_sleep(0));
            if (v.error)
                return v;
        }
        bool closed = stream->fd < 0 || lingers(stream);        /* that is the end, as in Python */
        errno = EAGAIN;
        ssize_t n = closed ? 0 : stream->emptied ? -1
                  : read(stream->fd, stream->input.bytes + stream->input.end, stream->at_once);
        if (n > 0) {
            stream->emptied = (size_t)n < stream->at_once;
            stream->input.end += n;
            stream->in_a_row += n + ONE_READ;
            if ((size_t)n == stream->at_once && n < MOST_READ)
                stream->at_once *= 2;
            return async_none;
        }
        if (n == 0) {
            stream->at_eof = true;
            if (!stream->writes)    /* a pipe to read from is of no more use */
                close_now(stream);
            return async_none;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            stream->emptied = false;
            async_value v = ready_wait(&stream->watch, stream->fd, false, stream->external);
            stream->in_a_row = 0;
            if (v.error)
                return v;
        } else if (errno != EINTR) {
            stream->broken = errno;
            return broken(stream);
        }
    }
}

/* Until there are so many bytes, or no more come. */
static async_value fill(struct stream *stream, size_t least)
{
    async_value v = async_none;
    while (!v.error && !stream->at_eof && held(&stream->input) < least)
        v = fetch(stream);
    return v;
}

/* Hands out n bytes of the buffer, with a 0 behind them until the next read. */
static async_value hand_out(struct stream *stream, size_t n, size_t *length)
{
    struct buffer *input = &stream->input;
    if (length)
        *length = n;
    if (n == 0)
        return async_str("");
    if (!make_room(input, 0))
        return async_error(ENOMEM, "no memory to read into");
    char *bytes = input->bytes + input->start;
    input->start += n;
    stream->kept = bytes[n];
    stream->terminated = true;
    bytes[n] = '\0';
    return async_str(bytes);
}

/* One reader at a time; puts back the byte that the last one's terminating 0 took the place of. */
static async_value begin(struct stream *stream, const char *caller)
{
    if (stream->reading)
        return report_refused(ASYNC_RUNTIME_ERROR, caller,
                              "called while another coroutine is already waiting for incoming data");
    if (stream->terminated)
        stream->input.bytes[stream->input.start] = stream->kept;
    stream->terminated = false;
    if (stream->input.start == stream->input.end)
        stream->input.start = stream->input.end = 0;
    stream->reading = true;
    return async_none;
}

struct reading {                    /* small enough to need no memory of its own */
    async_stream *stream;
    union {
        size_t n;                   /* bytes wanted; 0 with read: all until the end */
        const char *separator;      /* or: until this */
    };
    size_t *length;
};

_Static_assert(sizeof(struct reading) <= INLINE_ARGS, "the arguments of a read fit its record");

/* Each of these gets as much as it needs and gives how much to hand out, as a number. */
typedef async_value how_much(struct stream *stream, const struct reading *args);

static async_value some(struct stream *stream, const struct reading *args)
{
    async_value v = fill(stream, args->n ? 1 : SIZE_MAX);
    size_t there = held(&stream->input);
    return v.error ? v : async_num(args->n && args->n < there ? args->n : there);
}

static async_value exactly(struct stream *stream, const struct reading *args)
{
    async_value v = fill(stream, args->n);
    if (!v.error && held(&stream->input) < args->n)
        v = async_error(ASYNC_INCOMPLETE_READ,
                        async_strf("%zu bytes read on a total of %zu expected bytes",
                                   held(&stream->input), args->n));
    return v.error ? v : async_num(args->n);
}

static async_value until(struct stream *stream, const struct reading *args)
{
    size_t seen = 0;                /* no separator begins before this */
    size_t n = strlen(args->separator);
    if (n == 0)
        return async_error(ASYNC_VALUE_ERROR, "Separator should be at least one-byte string");
    for (;;) {
        const struct buffer *input = &stream->input;
        char *from = held(input) ? input->bytes + input->start : NULL;
        char *found = held(input) >= n + seen
                      ? memmem(from + seen, held(input) - seen, args->separator, n) : NULL;
        if (found && (size_t)(found - from) <= LIMIT)
            return async_num(found - from + n);
        if (found || held(input) >= LIMIT + n)
            return async_error(ASYNC_LIMIT_OVERRUN, found ? "Separator is found, but chunk is longer than limit"
                                                          : "Separator is not found, and chunk exceed the limit");
        if (stream->at_eof)
            return async_error(ASYNC_INCOMPLETE_READ,
                               async_strf("%zu bytes read on a total of undefined expected bytes",
                                          held(input)));
        seen = held(input) >= n ? held(input) - n + 1 : 0;
        async_value v = fetch(stream);
        if (v.error)
            return v;
    }
}

/* A line, or what is left at the end, or nothing. Of one that is too long what is there of it is thrown away. */
static async_value line(struct stream *stream, const struct reading *args)
{
    async_value v = until(stream, args);
    struct buffer *input = &stream->input;
    if (v.error == ASYNC_LIMIT_OVERRUN) {
        char *end = memchr(input->bytes + input->start, '\n', held(input));
        input->start = end ? end + 1 - input->bytes : input->end;
        v.message = "the line is longer than the limit";
    }
    return v.error == ASYNC_INCOMPLETE_READ ? async_num(held(input)) : v;
}

static async_value run(const struct reading *read, const char *caller, how_much *how_much)
{
    async_value v;
    struct reading args = *read;    /* a copy: they lie where something else soon does */
    in_use struct stream *stream = primitive_use(args.stream, &stream_type, caller, &v);
    if (!stream || (v = begin(stream, caller)).error)
        return v;
    v = how_much(stream, &args);
    stream->reading = false;
    if (!v.error && stream->object.retired == EXPIRED)      /* its buffer goes now, too */
        v = async_error(ASYNC_RUNTIME_ERROR, "the stream has gone with the task that opened it");
    return v.error ? v : hand_out(stream, v.num, args.length);
}

static async_value read_some(void *args) { return run(args, "async_stream_read", some); }
static async_value read_exactly(void *args) { return run(args, "async_stream_readexactly", exactly); }
static async_value read_until(void *args) { return run(args, "async_stream_readuntil", until); }
static async_value read_line(void *args) { return run(args, "async_stream_readline", line); }

async_awaitable async_stream_read(async_stream *stream, size_t most, size_t *length)
{
    return coro_for(read_some, struct reading, stream, { most }, length);
}

async_awaitable async_stream_readexactly(async_stream *stream, size_t n)
{
    return coro_for(read_exactly, struct reading, stream, { n }, NULL);
}

async_awaitable async_stream_readuntil(async_stream *stream, const char *separator, size_t *length)
{
    if (!separator)                     /* of an async_strf without memory */
        return NULL;
    return coro_for(read_until, struct reading, stream, { .separator = separator }, length);
}

async_awaitable async_stream_readline(async_stream *stream, size_t *length)
{
    return coro_for(read_line, struct reading, stream, { .separator = "\n" }, length);
}

static async_value next_line(void *stream)
{
    size_t length;
    async_value v = async_catch(async_stream_readline(stream, &length));
    return v.error || length ? v : async_error(ASYNC_STOP_ITERATION, "");
}

async_iterator async_stream_lines(async_stream *stream) { return (async_iterator){ next_line, stream }; }

bool async_stream_at_eof(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, __func__);
    return !stream || (stream->at_eof && held(&stream->input) == 0);
}

/* ------------------------------------------------------------------------------- writing */

/* write() to a pipe that nobody reads any more: an error and no signal. */
static ssize_t write_quietly(int fd, const void *bytes, size_t n)
{
    sigset_t broken_pipe, before;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    ssize_t written = write(fd, bytes, n);
    int error = errno;
    if (written < 0 && error == EPIPE && !sigismember(&before, SIGPIPE))
        sigtimedwait(&broken_pipe, NULL, &(struct timespec){ 0, 0 });
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}

/* Sends what it can of these bytes without waiting; how many that was. An error breaks the stream. */
static size_t send_now(struct stream *stream, const char *bytes, size_t n)
{
    size_t sent = 0;
    while (sent < n && !stream->broken) {
        ssize_t some = stream->reads ? send(stream->fd, bytes + sent, n - sent, MSG_NOSIGNAL)
                                     : write_quietly(stream->fd, bytes + sent, n - sent);
        if (some >= 0)
            sent += some;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            stream->broken = errno;
    }
    return sent;
}

/* What is left to do once everything is sent, or nothing can be sent any more. */
static void sent_all(struct stream *stream)
{
    if (stream->closing) {
        if (!linger(stream))
            close_now(stream);
    } else if (stream->eof_written && stream->writes) {
        shutdown(stream->fd, SHUT_WR);
    }
}

/* The descriptor can take more. */
static void on_writable(struct job *job)
{
    struct stream *stream = container_of(job, struct chore, timer.job)->stream;
    struct buffer *output = &stream->output;
    output->start += send_now(stream, output->bytes + output->start, held(output));
    if (stream->broken)
        output->start = output->end;
    if (held(output) <= LOW_WATER)
        waitq_wake_all(&stream->drained);
    if (held(output))
        return;
    output->start = output->end = 0;
    end_chore(stream);
    sent_all(stream);
    object_unpin(&stream->object);
}

async_value async_stream_write(async_stream *x, const void *bytes, size_t n)
{
    async_value v;
    struct stream *stream = object_of(x, &stream_type, __func__, &v);
    if (!stream)
        return v;
    if (stream->broken)
        return broken(stream);
    if (stream->closing || stream->eof_written || !stream->writes)
        return async_error(ASYNC_RUNTIME_ERROR, "the stream is closed for writing");
    size_t sent = held(&stream->output) ? 0 : send_now(stream, bytes, n), left = n - sent;
    if (!left || stream->broken)
        return async_none;          /* who drains, or writes again, is told */
    if (!make_room(&stream->output, left)) {
        stream->broken = sent ? ENOMEM : 0;     /* the rest would have a hole before it */
        return async_error(ENOMEM, "no memory to write into");
    }
    memcpy(stream->output.bytes + stream->output.end, (const char *)bytes + sent, left);
    stream->output.end += left;
    if (!stream->chore && !begin_chore(stream, true, on_writable))
        stream->broken = ENOMEM;
    return async_none;
}

async_value async_stream_puts(async_stream *stream, const char *text)
{
    return text ? async_stream_write(stream, text, strlen(text))
                : async_error(ENOMEM, "no memory for the text");     /* of an async_strf */
}

static async_value drain(void *object)
{
    struct stream *stream = object;
    struct waiter waiter;
    async_value v = async_none;
    if (!stream->broken && held(&stream->output) > LIMIT)
        v = waitq_wait(&stream->drained, &waiter);
    return v.error ? v : broken(stream);
}

async_awaitable async_stream_drain(async_stream *x) { return coro_on(x, &stream_type, drain, __func__); }

void async_stream_write_eof(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, __func__);
    if (!stream)
        return;
    stream->eof_written = true;
    stream->closing |= !stream->reads;  /* of a pipe that is all there is to close */
    if (!stream->chore)
        sent_all(stream);
}

/* ------------------------------------------------------------------------- who is connected */

static const char *end_of(async_stream *x, bool peer, const char *caller, int *port)
{
    struct stream *stream = object_known(x, &stream_type, caller);
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;
    char text[ADDRESS_ROOM];
    if (!stream || (peer ? getpeername : getsockname)(stream->fd, (struct sockaddr *)&address, &length)
        || !address_text(&address, text))
        return NULL;
    if (port)
        *port = address_port(&address);
    return async_strf("%s", text);
}

const char *async_stream_peername(async_stream *x, int *port) { return end_of(x, true, __func__, port); }
const char *async_stream_sockname(async_stream *x, int *port) { return end_of(x, false, __func__, port); }

/* ------------------------------------------------------------------------------- closing */

void async_stream_close(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, __func__);
    if (!stream || stream->closing)
        return;
    stream->closing = true;
    if (!stream->chore)
        sent_all(stream);
}

void async_stream_abort(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, __func__);
    if (!stream)
        return;
    bool pinned = stream->chore;
    stream->closing = true;
    close_now(stream);
    if (pinned)
        object_unpin(&stream->object);
}

bool async_stream_is_closing(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, __func__);
    return !stream || stream->closing;
}

static async_value wait_closed(void *p)
{
    async_value v = async_none;
    struct waiter waiter;
    if (object_over(*(async_stream **)p))
        return async_none;
    in_use struct stream *stream = primitive_use(*(async_stream **)p, &stream_type,
                                                 "async_stream_wait_closed", &v);
    while (stream && stream->fd >= 0 && !v.error)
        v = waitq_wait(&stream->drained, &waiter);
    return v.error ? v : broken(stream);
}

async_awaitable async_stream_wait_closed(async_stream *stream)
{
    return coro_for(wait_closed, async_stream *, stream);
}

void async_stream_exit(async_stream **stream)
{
    if (!*stream)
        return;
    async_stream_close(*stream);
    async_value v = async_catch(async_stream_wait_closed(*stream));
    if (v.error == ASYNC_CANCELLED)         /* what broke the connection is nobody's concern any more */
        async_leave_with(v);
}
