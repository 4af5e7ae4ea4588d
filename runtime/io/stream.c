/* stream.c - StreamReader and StreamWriter in one: bytes in, bytes out, with buffers between.
 *
 * Reading takes from the buffer and goes to the descriptor only for more, so who does not read is
 * not sent to for long: that is the backpressure of TCP. Writing puts into a buffer what the
 * descriptor does not take at once; a job sends it when the descriptor can take more, and drain waits
 * while the buffer is above its high-water mark. */
#define _GNU_SOURCE
#include "io/stream.h"
#include "core/coro.h"
#include "core/loop.h"
#include "core/poll.h"
#include "core/report.h"
#include "core/task.h"
#include "core/waitq.h"
#include "io/ready.h"
#include "io/resolve.h"
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
    int in, out;                    /* descriptors; the same for a socket; -1: none */
    int broken;                     /* the errno that ended it, or 0 */
    uint32_t at_once;               /* how much to read */
    uint32_t in_a_row;              /* what was read without ever waiting, in bytes */
    char kept;                      /* the byte at input.start, while a terminating 0 is there */
    bool terminated : 1;            /* it is */
    bool emptied : 1;               /* the last read got less than it wanted: another would get nothing */
    bool reading : 1, at_eof : 1, eof_written : 1, closing : 1, closed : 1, external : 1;
    struct buffer input, output;
    struct watch *watch;            /* of the task that waits for input; rests in between; NULL: none yet */
    struct lingering *lingering;    /* closed, but still reading; NULL: not, the stream is not pinned */
    struct watch *flushing;         /* makes `flush` ready; NULL: nothing to send, the stream is not pinned */
    struct job flush;               /* sends what is in `output` */
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

/* ------------------------------------------------------------------------------- lingering */

static void close_all(struct stream *stream);

/* A socket that is closed while input is unread tells the other side so with a reset, and that makes
 * it throw away what it has not read yet of what we sent. So we say that nothing more comes, and read
 * on and discard, until the other side closes too, or for so long, or so much. */
struct lingering {
    struct timer timer;             /* its job reads on; after its deadline it gives up */
    struct watch *watch;            /* makes that ready */
    struct stream *stream;
    size_t discarded;               /* bytes */
};

static void end_lingering(struct stream *stream)
{
    struct lingering *lingering = stream->lingering;
    unwatch(lingering->watch);
    loop_timer_stop(stream->object.future.loop, &lingering->timer);
    free(lingering);
    stream->lingering = NULL;
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
    struct lingering *lingering = container_of(job, struct lingering, timer.job);
    struct stream *stream = lingering->stream;
    if (lingering->timer.armed && discard(stream->in, &lingering->discarded))
        return;
    close_all(stream);
    waitq_wake_all(&stream->drained);
    object_unpin(&stream->object);
}

/* False: there is no reason to linger, or no memory. */
static bool linger(struct stream *stream)
{
    async_loop *loop = stream->object.future.loop;
    size_t discarded = 0;
    if (stream->in != stream->out || stream->at_eof || stream->broken
        || !discard(stream->in, &discarded))
        return false;
    struct lingering *lingering = stream->lingering = calloc(1, sizeof *lingering);
    if (!lingering)
        return false;
    lingering->watch = watch_fd(loop, stream->in, false, false, &lingering->timer.job);
    if (!lingering->watch
        || !loop_timer_start(loop, &lingering->timer, clock_after(&loop->clock, LINGERING))) {
        if (lingering->watch)
            unwatch(lingering->watch);
        free(lingering);
        stream->lingering = NULL;
        return false;
    }
    lingering->timer.job.run = on_lingering;
    lingering->stream = stream;
    lingering->discarded = discarded;
    shutdown(stream->out, SHUT_WR);
    ready_end(stream->watch);
    object_pin(&stream->object);
    return true;
}

/* --------------------------------------------------------------------------- the descriptors */

static void close_all(struct stream *stream)
{
    ready_end(stream->watch);       /* it would wait on a descriptor that is soon somebody else's */
    if (stream->watch)
        unwatch(stream->watch);
    if (stream->flushing)
        unwatch(stream->flushing);
    stream->watch = stream->flushing = NULL;
    if (stream->lingering)
        end_lingering(stream);
    if (stream->in >= 0)
        close(stream->in);
    if (stream->out >= 0 && stream->out != stream->in)
        close(stream->out);
    stream->in = stream->out = -1;
    stream->closed = true;
    free_buffer(&stream->output);
    if (!stream->reading && !stream->terminated && !held(&stream->input))
        free_buffer(&stream->input);
}

static void drop(struct object *object)
{
    struct stream *stream = (struct stream *)object;
    close_all(stream);
    free_buffer(&stream->input);
    free((char *)stream->what);
}

static void hang_up(struct object *object)
{
    struct stream *stream = (struct stream *)object;
    close(stream->in);
    close(stream->out);
}

static const struct future_type stream_type = { .name = "Stream", .drop = drop, .hang_up = hang_up };

static void on_writable(struct job *job);

/* Our sockets were made such that they don't block. */
static void prepare(int in, int out)
{
    int on = 1;
    if (in == out) {
        setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);   /* fails on others than TCP: fine */
        return;
    }
    if (in >= 0)
        fcntl(in, F_SETFL, fcntl(in, F_GETFL) | O_NONBLOCK);
    if (out >= 0)
        fcntl(out, F_SETFL, fcntl(out, F_GETFL) | O_NONBLOCK);
}

async_stream *stream_new(int in, int out, const char *what, bool external)
{
    struct stream *stream = primitive_new(struct stream, &stream_type);
    char *copy = stream ? strdup(what) : NULL;
    if (!stream) {
        if (in >= 0)
            close(in);
        if (out >= 0 && out != in)
            close(out);
        return NULL;
    }
    memset((char *)stream + sizeof stream->object, 0, sizeof *stream - sizeof stream->object);
    prepare(in, out);
    stream->at_once = LEAST_READ;
    stream->flush.run = on_writable;
    stream->in = in;
    stream->out = out;
    stream->what = copy;
    stream->external = external;
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
    return fd < 0 ? NULL : stream_new(fd, -1, "standard input", true);
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
    if (stream->in < 0 && !stream->closed)
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
        if (stream->in < 0 || stream->lingering) {  /* closed: that is the end, as in Python */
            stream->at_eof = true;
            return async_none;
        }
        ssize_t n = -1;
        errno = EAGAIN;
        if (!stream->emptied)
            n = read(stream->in, stream->input.bytes + stream->input.end, stream->at_once);
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
            if (stream->out < 0 && !stream->closed) {   /* a pipe to read from is of no more use */
                close_all(stream);
                waitq_wake_all(&stream->drained);
            }
            return async_none;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            stream->emptied = false;
            async_value v = ready_wait(&stream->watch, stream->in, false, stream->external);
            stream->in_a_row = 0;
            if (v.error)
                return v;
        } else if (errno != EINTR) {
            stream->broken = errno;
            return broken(stream);
        }
    }
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
    async_value v = async_none;
    while (!v.error && !stream->at_eof && (args->n == 0 || held(&stream->input) == 0))
        v = fetch(stream);
    size_t there = held(&stream->input);
    return v.error ? v : async_num(args->n && args->n < there ? args->n : there);
}

static async_value exactly(struct stream *stream, const struct reading *args)
{
    async_value v = async_none;
    while (!v.error && !stream->at_eof && held(&stream->input) < args->n)
        v = fetch(stream);
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
            return async_error(ASYNC_LIMIT_OVERRUN,
                               "Separator is not found, and chunk exceed the limit");
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

/* Of a line that is too long: up to its end if that is there, else all that is there. */
static async_value skip(struct stream *stream, const struct reading *args)
{
    struct buffer *input = &stream->input;
    char *from = input->bytes + input->start, *end = memchr(from, args->separator[0], held(input));
    input->start = end ? end + 1 - input->bytes : input->end;
    return async_error(ASYNC_LIMIT_OVERRUN, "the line is longer than the limit");
}

/* A copy of the arguments: they lie where something else soon does. */
static async_value run(struct reading args, const char *caller, how_much *how_much)
{
    async_value v;
    in_use struct stream *stream = primitive_use(args.stream, &stream_type, caller, &v);
    if (!stream || (v = begin(stream, caller)).error)
        return v;
    v = how_much(stream, &args);
    stream->reading = false;
    if (!v.error && stream->object.retired == EXPIRED)      /* its buffer goes now, too */
        v = async_error(ASYNC_RUNTIME_ERROR, "the stream has gone with the task that opened it");
    return v.error ? v : hand_out(stream, v.num, args.length);
}

static async_value read_some(void *p) { return run(*(struct reading *)p, "async_stream_read", some); }
static async_value read_exactly(void *p)
{
    return run(*(struct reading *)p, "async_stream_readexactly", exactly);
}
static async_value read_until(void *p)
{
    return run(*(struct reading *)p, "async_stream_readuntil", until);
}

/* A line, or what is left at the end, or nothing. One that is too long is thrown away. */
static async_value read_line(void *p)
{
    struct reading args = *(struct reading *)p;
    async_value v = run(args, "async_stream_readline", until);
    if (v.error == ASYNC_LIMIT_OVERRUN)
        v = run(args, "async_stream_readline", skip);
    if (v.error != ASYNC_INCOMPLETE_READ)
        return v;
    args.n = 0;
    return run(args, "async_stream_readline", some);
}

async_awaitable async_stream_read(async_stream *stream, size_t most, size_t *length)
{
    return coro_make(read_some, "async_stream_read",
                     &(struct reading){ stream, { most }, length }, sizeof(struct reading));
}

async_awaitable async_stream_readexactly(async_stream *stream, size_t n)
{
    return coro_make(read_exactly, "async_stream_readexactly",
                     &(struct reading){ stream, { n }, NULL }, sizeof(struct reading));
}

async_awaitable async_stream_readuntil(async_stream *stream, const char *separator, size_t *length)
{
    if (!separator)                     /* of an async_strf without memory */
        return NULL;
    return coro_make(read_until, "async_stream_readuntil",
                     &(struct reading){ stream, { .separator = separator }, length }, sizeof(struct reading));
}

async_awaitable async_stream_readline(async_stream *stream, size_t *length)
{
    return coro_make(read_line, "async_stream_readline",
                     &(struct reading){ stream, { .separator = "\n" }, length }, sizeof(struct reading));
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
    struct stream *stream = object_known(x, &stream_type, "async_stream_at_eof");
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
        ssize_t some = stream->out == stream->in ? send(stream->out, bytes + sent, n - sent, MSG_NOSIGNAL)
                                                 : write_quietly(stream->out, bytes + sent, n - sent);
        if (some >= 0)
            sent += some;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            stream->broken = errno;
    }
    return sent;
}

/* The same of what is in the buffer. True: nothing is left, or nothing can be sent any more. */
static bool send_some(struct stream *stream)
{
    struct buffer *output = &stream->output;
    output->start += send_now(stream, output->bytes + output->start, held(output));
    if (held(output) && !stream->broken)
        return false;
    output->start = output->end = 0;
    return true;
}

/* What is left to do once everything is sent. */
static void sent_all(struct stream *stream)
{
    if (stream->eof_written && stream->out >= 0 && !stream->closing) {
        if (stream->out == stream->in)
            shutdown(stream->out, SHUT_WR);
        else
            close(stream->out), stream->out = -1;
    }
    if (stream->closing && !linger(stream))
        close_all(stream);
}

/* The descriptor can take more. */
static void on_writable(struct job *job)
{
    struct stream *stream = container_of(job, struct stream, flush);
    bool done = send_some(stream);
    if (held(&stream->output) <= LOW_WATER)
        waitq_wake_all(&stream->drained);
    if (!done)
        return;
    unwatch(stream->flushing);
    stream->flushing = NULL;
    sent_all(stream);
    waitq_wake_all(&stream->drained);
    object_unpin(&stream->object);
}

/* Sees to it that what is in the buffer is sent. */
static void send_later(struct stream *stream)
{
    if (stream->flushing)
        return;
    stream->flushing = watch_fd(stream->object.future.loop, stream->out, true, stream->external,
                                &stream->flush);
    if (stream->flushing)
        object_pin(&stream->object);
    else
        stream->broken = ENOMEM;
}

/* Sends now what can be sent now, and the rest later. */
static void flush(struct stream *stream)
{
    if (stream->flushing)
        return;
    if (!send_some(stream)) {
        send_later(stream);
        return;
    }
    sent_all(stream);
    waitq_wake_all(&stream->drained);
}

async_value async_stream_write(async_stream *x, const void *bytes, size_t n)
{
    async_value v;
    struct stream *stream = object_of(x, &stream_type, "async_stream_write", &v);
    if (!stream)
        return v;
    if (stream->broken)
        return broken(stream);
    if (stream->closing || stream->eof_written || stream->out < 0)
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
    send_later(stream);
    return async_none;
}

async_value async_stream_puts(async_stream *stream, const char *text)
{
    return text ? async_stream_write(stream, text, strlen(text))
                : async_error(ENOMEM, "no memory for the text");     /* of an async_strf */
}

static async_value drain(void *p)
{
    async_value v;
    struct waiter waiter;
    in_use struct stream *stream = primitive_use(*(async_stream **)p, &stream_type,
                                                 "async_stream_drain", &v);
    if (!stream)
        return v;
    if (!stream->broken && held(&stream->output) > LIMIT)
        if ((v = waitq_wait(&stream->drained, &waiter)).error)
            return v;
    return broken(stream);
}

async_awaitable async_stream_drain(async_stream *stream)
{
    return coro_make(drain, "async_stream_drain", &stream, sizeof stream);
}

void async_stream_write_eof(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, "async_stream_write_eof");
    if (!stream)
        return;
    stream->eof_written = true;
    flush(stream);
}

/* ------------------------------------------------------------------------- who is connected */

static const char *end_of(async_stream *x, bool peer, const char *caller, int *port)
{
    struct stream *stream = object_known(x, &stream_type, caller);
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;
    char text[ADDRESS_ROOM];
    if (!stream || (peer ? getpeername : getsockname)(stream->in, (struct sockaddr *)&address, &length)
        || !address_text(&address, text))
        return NULL;
    if (port)
        *port = address_port(&address);
    return async_strf("%s", text);
}

const char *async_stream_peername(async_stream *stream, int *port)
{
    return end_of(stream, true, "async_stream_peername", port);
}

const char *async_stream_sockname(async_stream *stream, int *port)
{
    return end_of(stream, false, "async_stream_sockname", port);
}

/* ------------------------------------------------------------------------------- closing */

void async_stream_close(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, "async_stream_close");
    if (!stream || stream->closing)
        return;
    stream->closing = true;
    flush(stream);
}

void async_stream_abort(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, "async_stream_abort");
    if (!stream)
        return;
    bool pinned = stream->flushing || stream->lingering;
    stream->closing = true;
    stream->output.start = stream->output.end = 0;
    close_all(stream);
    waitq_wake_all(&stream->drained);
    if (pinned)
        object_unpin(&stream->object);
}

bool async_stream_is_closing(async_stream *x)
{
    struct stream *stream = object_known(x, &stream_type, "async_stream_is_closing");
    return !stream || stream->closing;
}

static async_value wait_until_closed(void *p)
{
    async_value v = async_none;
    struct waiter waiter;
    if (object_over(*(async_stream **)p))
        return async_none;
    in_use struct stream *stream = primitive_use(*(async_stream **)p, &stream_type,
                                                 "async_stream_wait_closed", &v);
    while (stream && !stream->closed && !v.error)
        v = waitq_wait(&stream->drained, &waiter);
    return v;
}

static async_value wait_closed(void *p)
{
    async_stream *x = *(async_stream **)p;
    async_value v = wait_until_closed(&x);
    struct stream *stream = object_known(x, &stream_type, "async_stream_wait_closed");
    return v.error || !stream ? v : broken(stream);
}

async_awaitable async_stream_wait_closed(async_stream *stream)
{
    return coro_make(wait_closed, "async_stream_wait_closed", &stream, sizeof stream);
}

void async_stream_exit(async_stream **stream)
{
    if (!*stream)
        return;
    async_stream_close(*stream);
    async_value v = async_catch(coro_make(wait_until_closed, "async_stream_exit", stream, sizeof *stream));
    if (v.error)
        async_leave_with(v);
}
