/* What comes from outside of the loop: rows L11, I04 and N01 of the checklist. */
#define _GNU_SOURCE
#include "testing.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

/* In place of the C library's: from the call on whose number this is, the system has no room for more. */
static int refuse_from = -1;
static long asked;                  /* how often it was called */
int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    asked++;
    if (refuse_from == 0 && what != EPOLL_CTL_DEL)
        return errno = ENOSPC, -1;
    refuse_from -= refuse_from > 0;
    return syscall(SYS_epoll_ctl, epoll, what, fd, event);
}

static async_event *done;
static async_loop *loop;
static int ends[2];                 /* of a pipe */

static async_value set_done(void *p)
{
    (void)p;
    async_event_set(done);
    return async_none;
}

/* ------------------------------------------------------------------------ other threads */

static void *post_from_thread(void *p)
{
    usleep(50000);                  /* until the loop sleeps, most likely */
    async_loop_call_soon_threadsafe(loop, say_text, p);
    async_loop_call_soon_threadsafe(loop, set_done, NULL);
    return NULL;
}

PROGRAM(wakes)
{
    pthread_t thread;
    loop = async_get_running_loop();
    done = async_event_new();
    call_soon(say_text, "1");
    async_loop_call_soon_threadsafe(loop, say_text, "2");
    call_soon(say_text, "3");
    pthread_create(&thread, NULL, post_from_thread, "from thread");
    await(async_wait_for(async_event_wait(done), 100));
    pthread_join(thread, NULL);
    say("soon enough");
    return async_none;
}

START_TEST(L11_call_soon_threadsafe_wakes_a_sleeping_loop)
{
    async_value v = run_real(async_coro(wakes));
    say("%s", repr(v));
    expect("1\n"
           "2\n"
           "3\n"
           "from thread\n"
           "soon enough\n"
           "None\n");
}
END_TEST

enum { THREADS = 4, POSTS = 5000 };
static struct sender {
    long sent, heard;
    bool in_order;
} senders[THREADS];
static long heard_in_all;

static async_value hear(void *p)
{
    long number = (intptr_t)p;
    struct sender *sender = &senders[number % THREADS];
    sender->in_order &= number / THREADS == sender->heard++;
    if (++heard_in_all == THREADS * POSTS)
        async_event_set(done);
    return async_none;
}

static void *send_many(void *p)
{
    for (long i = 0; i < POSTS; i++) {
        intptr_t number = i * THREADS + ((struct sender *)p - senders);
        async_loop_call_soon_threadsafe(loop, hear, (void *)number);
    }
    return NULL;
}

PROGRAM(hears_many)
{
    pthread_t threads[THREADS];
    loop = async_get_running_loop();
    done = async_event_new();
    for (int i = 0; i < THREADS; i++) {
        senders[i].in_order = true;
        pthread_create(&threads[i], NULL, send_many, &senders[i]);
    }
    await(async_event_wait(done));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        say("%ld %s", senders[i].heard, yes(senders[i].in_order));
    }
    return async_none;
}

START_TEST(L11_callbacks_of_one_thread_keep_their_order)
{
    async_value v = run_real(async_coro(hears_many));
    say("%s", repr(v));
    expect("5000 True\n"
           "5000 True\n"
           "5000 True\n"
           "5000 True\n"
           "None\n");
}
END_TEST

static void *post_and_go(void *p)
{
    async_loop_call_soon_threadsafe(loop, set_done, p);
    return NULL;
}

PROGRAM(hears_last_words)
{
    loop = async_get_running_loop();
    done = async_event_new();
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        async_event_clear(done);
        pthread_create(&thread, NULL, post_and_go, NULL);
        pthread_detach(thread);
        await(async_event_wait(done));
    }
    return async_none;
}

START_TEST(what_a_thread_posts_before_it_goes_is_no_deadlock)
{
    async_value v = run_real(async_coro(hears_last_words));
    say("%s", repr(v));
    expect("None\n");
}
END_TEST

static async_value fails(void *p) { return value_error(p); }

PROGRAM(posts_failure)
{
    async_loop_call_soon_threadsafe(async_get_running_loop(), fails, "x");
    await(async_sleep(0));
    await(async_sleep(0));
    return async_none;
}

START_TEST(an_error_of_a_posted_callback_is_reported)
{
    listen_to_stderr();
    play(async_coro(posts_failure));
    heard();
    expect("stderr| Exception in callback: ValueError: x\n");
}
END_TEST

static void *post_to_it(void *p)
{
    async_value *v = p;
    *v = async_loop_call_soon_threadsafe(loop, say_text, "posted");
    return NULL;
}

static void post_from_another_thread(void)
{
    async_value v;
    pthread_t thread;
    pthread_create(&thread, NULL, post_to_it, &v);
    pthread_join(thread, NULL);
    say("%s", repr(v));
}

START_TEST(a_loop_that_does_not_run_keeps_it_and_a_closed_one_refuses)
{
    loop = async_new_event_loop();
    post_from_another_thread();
    async_value v = async_loop_run_until_complete(loop, async_coro(nothing));
    say("%s", repr(v));
    post_from_another_thread();             /* which nobody will run */
    async_loop_close(loop);
    post_from_another_thread();
    expect("None\n"
           "posted\n"
           "None\n"
           "None\n"
           "RuntimeError('Event loop is closed')\n");
}
END_TEST

/* --------------------------------------------------------------------------- descriptors */

static async_value on_read(void *p)
{
    char c[2] = "";
    (void)p;
    if (read(ends[0], c, 1) == 1)
        say("%s", c);
    if (*c == 'c')
        async_event_set(done);
    return async_none;
}

static void put(const char *text)
{
    if (write(ends[1], text, strlen(text)) < 0)
        say("could not write");
}

PROGRAM(reads)
{
    loop = async_get_running_loop();
    done = async_event_new();
    async_loop_add_reader(loop, ends[0], on_read, NULL);
    put("abc");
    await(async_event_wait(done));
    bool first = async_loop_remove_reader(loop, ends[0]);
    say("%s %s", yes(first), yes(async_loop_remove_reader(loop, ends[0])));
    return async_none;
}

static void open_pipe(void)
{
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
        abort();
}

START_TEST(I04_watching_descriptors)
{
    open_pipe();
    play(async_coro(reads));
    expect("a\n"
           "b\n"
           "c\n"
           "True False\n");
}
END_TEST

static async_value on_write(void *p)
{
    say("can be written");
    put(p);
    async_loop_remove_writer(loop, ends[1]);
    return async_none;
}

static async_value on_read_at_last(void *p)
{
    on_read(p);
    async_loop_remove_reader(loop, ends[0]);        /* ourselves */
    return async_none;
}

PROGRAM(writes_and_replaces)
{
    loop = async_get_running_loop();
    done = async_event_new();
    async_loop_add_reader(loop, ends[0], fails, "replaced");
    async_loop_add_reader(loop, ends[0], on_read_at_last, NULL);
    async_loop_add_writer(loop, ends[1], on_write, "c");
    await(async_event_wait(done));
    say("%s", yes(async_loop_remove_writer(loop, ends[1])));
    return async_none;
}

START_TEST(I04_a_watcher_may_be_replaced_and_may_remove_itself)
{
    open_pipe();
    play(async_coro(writes_and_replaces));
    expect("can be written\n"
           "c\n"
           "False\n");
}
END_TEST

static async_value reads_and_fails(void *p)
{
    on_read(p);
    return value_error("x");
}

PROGRAM(fails_twice)
{
    loop = async_get_running_loop();
    done = async_event_new();
    async_loop_add_reader(loop, ends[0], reads_and_fails, NULL);
    put("bc");
    await(async_event_wait(done));
    await(async_sleep(0));
    return async_none;                      /* the watcher goes with the loop */
}

START_TEST(an_error_of_a_watcher_is_reported_and_it_goes_on)
{
    open_pipe();
    listen_to_stderr();
    play(async_coro(fails_twice));
    heard();
    expect("b\n"
           "c\n"
           "stderr| Exception in callback: ValueError: x\n"
           "stderr| Exception in callback: ValueError: x\n");
}
END_TEST

START_TEST(what_cannot_be_watched_is_an_error)
{
    loop = async_new_event_loop();
    open_pipe();
    say("%s", repr(async_loop_add_reader(loop, -1, fails, NULL)));
    close(ends[0]);
    say("%s", repr(async_loop_add_writer(loop, ends[0], fails, NULL)));
    say("%s", yes(async_loop_remove_writer(loop, ends[0])));
    async_loop_close(loop);
    say("%s", repr(async_loop_add_reader(loop, ends[1], fails, NULL)));
    expect("Bad file descriptor('there is no such descriptor to watch')\n"
           "Bad file descriptor('there is no such descriptor to watch')\n"
           "False\n"
           "RuntimeError('Event loop is closed')\n");
}
END_TEST

static void *write_later(void *p)
{
    usleep(50000);
    put(p);
    return NULL;
}

PROGRAM(waits_for_both)
{
    pthread_t thread;
    loop = async_get_running_loop();
    done = async_event_new();
    async_loop_add_reader(loop, ends[0], on_read, NULL);
    call_later(1, say_text, "an hour later");
    pthread_create(&thread, NULL, write_later, "c");
    await(async_event_wait(done));
    pthread_join(thread, NULL);
    async_loop_remove_reader(loop, ends[0]);
    await(async_sleep(3600));
    say("%g", now());
    return async_none;
}

START_TEST(a_descriptor_that_is_watched_holds_virtual_time)
{
    open_pipe();
    play(async_coro(waits_for_both));
    expect("c\n"
           "an hour later\n"
           "3600\n");
}
END_TEST

/* ------------------------------------------------------------------------------- signals */

PROGRAM(handles)
{
    loop = async_get_running_loop();
    done = async_event_new();
    async_loop_add_signal_handler(loop, SIGUSR1, set_done, NULL);
    kill(getpid(), SIGUSR1);
    say("not yet %s", yes(async_event_is_set(done)));
    await(async_event_wait(done));
    say("got it");
    bool first = async_loop_remove_signal_handler(loop, SIGUSR1);
    say("%s %s", yes(first), yes(async_loop_remove_signal_handler(loop, SIGUSR1)));
    const char *why = async_loop_add_signal_handler(loop, SIGKILL, set_done, NULL).message;
    say("%s", why);
    return async_none;
}

START_TEST(N01_signal_handlers)
{
    play(async_coro(handles));
    expect("not yet False\n"
           "got it\n"
           "True False\n"
           "sig 9 cannot be caught\n");
}
END_TEST

static void *signal_later(void *p)
{
    usleep(50000);
    kill(getpid(), SIGUSR1);
    return p;
}

PROGRAM(is_woken_by_a_signal)
{
    pthread_t thread;
    loop = async_get_running_loop();
    done = async_event_new();
    async_loop_add_signal_handler(loop, SIGUSR1, fails, "replaced");
    async_loop_add_signal_handler(loop, SIGUSR1, set_done, NULL);
    pthread_create(&thread, NULL, signal_later, NULL);
    await(async_wait_for(async_event_wait(done), 100));
    pthread_join(thread, NULL);
    say("woken");
    return async_none;
}

START_TEST(N01_a_signal_wakes_a_sleeping_loop)
{
    async_value v = run_real(async_coro(is_woken_by_a_signal));
    say("%s", repr(v));
    expect("woken\n"
           "None\n");
}
END_TEST

static async_value kills_itself(void *p)
{
    loop = async_get_running_loop();
    async_loop_add_signal_handler(loop, SIGUSR1, set_done, NULL);
    async_loop_remove_signal_handler(loop, SIGUSR1);
    kill(getpid(), SIGUSR1);
    return async_ptr(p);
}

static void removes_and_dies(void) { play(async_coro(kills_itself)); }

static async_value leaves_handler(void *p)
{
    async_loop_add_signal_handler(async_get_running_loop(), SIGUSR1, set_done, NULL);
    return async_ptr(p);
}

static void closes_and_dies(void)
{
    play(async_coro(leaves_handler));
    kill(getpid(), SIGUSR1);
}

START_TEST(N01_without_its_handler_a_signal_does_what_it_did)
{
    in_child(removes_and_dies);
    in_child(closes_and_dies);
    expect("User defined signal 1\n"
           "User defined signal 1\n");
}
END_TEST

START_TEST(N01_what_is_no_signal_is_an_error)
{
    loop = async_new_event_loop();
    int wrong[] = { 0, -1, 1000, SIGSTOP };
    for (int i = 0; i < 4; i++)
        say("%s", repr(async_loop_add_signal_handler(loop, wrong[i], set_done, NULL)));
    async_loop_close(loop);
    say("%s", repr(async_loop_add_signal_handler(loop, SIGUSR1, set_done, NULL)));
    expect("RuntimeError('this signal cannot be caught')\n"
           "RuntimeError('this signal cannot be caught')\n"
           "RuntimeError('this signal cannot be caught')\n"
           "RuntimeError('this signal cannot be caught')\n"
           "RuntimeError('Event loop is closed')\n");
}
END_TEST

/* ------------------------------------------------------------------ a signal and several loops */

static async_value hears(void *who)
{
    say("%s hears it", (char *)who);
    return async_none;
}

static async_value its_own_loop(void *p)
{
    (void)p;
    async_value v = async_loop_add_signal_handler(async_get_running_loop(), SIGUSR2, hears, "other");
    return async_str(v.error && strstr(v.message, "belongs to the loop of another thread") ? "refused" : "?");
}

static void *in_a_thread(void *p)
{
    *(async_value *)p = async_run(async_coro(its_own_loop));
    return NULL;
}

PROGRAM(takes_it_back)
{
    async_loop *loop = async_get_running_loop(), *second = async_new_event_loop();
    async_value theirs;
    pthread_t thread;
    say("%s", repr(async_loop_add_signal_handler(loop, SIGUSR2, hears, "first")));
    pthread_create(&thread, NULL, in_a_thread, &theirs);
    pthread_join(thread, NULL);
    say("%s", theirs.str);
    say("%s", repr(async_loop_add_signal_handler(second, SIGUSR2, hears, "second")));
    say("%s", yes(async_loop_remove_signal_handler(loop, SIGUSR2)));
    say("%s", repr(async_loop_add_signal_handler(loop, SIGUSR2, hears, "first again")));
    async_loop_close(second);
    kill(getpid(), SIGUSR2);
    return await(async_sleep(0.01));
}

START_TEST(a_signal_belongs_to_one_loop)
{
    ck_assert_int_eq(run_real(async_coro(takes_it_back)).error, 0);
    expect("None\nrefused\nNone\nFalse\nNone\nfirst again hears it\n");
}
END_TEST

static async_value answer(async_stream *stream, void *arg)
{
    (void)arg;
    async_stream_puts(stream, await(async_stream_readline(stream, NULL)).str);
    return async_none;
}

PROGRAM(talks)
{
    pthread_t thread;
    loop = async_get_running_loop();
    done = async_event_new();
    async_server *server = await(async_start_server(answer, NULL, "127.0.0.1", 0)).ptr;
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    await(async_sleep(0.01));
    async_stream_puts(stream, "hello\n");
    say("heard %.5s", await(async_stream_readline(stream, NULL)).str);
    pthread_create(&thread, NULL, post_from_thread, "from thread");
    await(async_event_wait(done));
    pthread_join(thread, NULL);
    return async_none;
}

START_TEST(what_the_system_will_not_watch_we_look_at_ourselves)
{
    for (int from = 0; from < 10; from++)
        for (int real = 0; real < 2 && from != 1; real++) {     /* 1: other threads; the first call says that */
            refuse_from = from;
            async_value v = (real ? run_real : run_virtual)(async_coro(talks));
            refuse_from = -1;
            ck_assert_msg(!v.error, "from call %d on: %s", from, repr(v));
            expect("heard hello\nfrom thread\n");
        }
}
END_TEST

static async_value echo(async_stream *stream, void *arg)
{
    (void)arg;
    async_for (line, async_stream_lines(stream))
        async_stream_puts(stream, line.str);
    return async_none;
}

PROGRAM(goes_on)
{
    async_server *server = await(async_start_server(echo, NULL, "127.0.0.1", 0)).ptr;
    async_with(async_stream_exit) async_stream *stream =
        await(async_open_connection("127.0.0.1", async_server_port(server))).ptr;
    for (int i = 0; i < 100; i++) {
        if (i == 10)
            asked = 0;
        async_stream_puts(stream, "ping\n");
        await(async_stream_readline(stream, NULL));
    }
    return async_num(asked);
}

START_TEST(who_reads_on_and_on_is_watched_all_the_time)
{
    async_value v = run_real(async_coro(goes_on));
    ck_assert_msg(!v.error && v.num < 40, "%ld calls of epoll_ctl for 180 waits", v.num);
}
END_TEST

PROGRAM(closes_too_early)
{
    if (pipe(ends))
        return async_error(errno, "no pipe");
    loop = async_get_running_loop();
    done = async_event_new();
    async_loop_add_reader(loop, ends[0], set_done, NULL);
    close(ends[0]);
    close(ends[1]);
    await(async_event_wait(done));      /* so that it finds out: to read it is EBADF */
    say("%s", yes(async_loop_remove_reader(loop, ends[0])));
    return async_none;
}

START_TEST(what_is_closed_before_it_is_watched_can_be_read)
{
    ck_assert_int_eq(run_real(async_coro(closes_too_early)).error, 0);
    expect("True\n");
}
END_TEST

static async_value stop(void *p)
{
    async_loop_stop(p);
    return async_none;
}

static void close_everything(void)
{
    unsetenv("ASYNC_CLOCK");
    loop = async_new_event_loop();
    for (int i = 0; i < 2; i++) {
        async_loop_call_later(loop, 0.001, stop, loop);
        async_loop_run_forever(loop);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
    }
}

START_TEST(what_cannot_be_mended_ends_in_a_sentence)
{
    in_child(close_everything);
    ck_assert_msg(strstr(said.text, "stderr| The event loop cannot go on") != NULL, "%s", said.text);
}
END_TEST

MAIN("watch",
     TEST(L11_call_soon_threadsafe_wakes_a_sleeping_loop)
     TEST(L11_callbacks_of_one_thread_keep_their_order)
     TEST(what_a_thread_posts_before_it_goes_is_no_deadlock)
     TEST(an_error_of_a_posted_callback_is_reported)
     TEST(a_loop_that_does_not_run_keeps_it_and_a_closed_one_refuses)
     TEST(I04_watching_descriptors)
     TEST(I04_a_watcher_may_be_replaced_and_may_remove_itself)
     TEST(an_error_of_a_watcher_is_reported_and_it_goes_on)
     TEST(what_cannot_be_watched_is_an_error)
     TEST(a_descriptor_that_is_watched_holds_virtual_time)
     TEST(N01_signal_handlers)
     TEST(N01_a_signal_wakes_a_sleeping_loop)
     TEST(N01_without_its_handler_a_signal_does_what_it_did)
     TEST(N01_what_is_no_signal_is_an_error)
     TEST(a_signal_belongs_to_one_loop)
     TEST(what_the_system_will_not_watch_we_look_at_ourselves)
     TEST(who_reads_on_and_on_is_watched_all_the_time)
     TEST(what_is_closed_before_it_is_watched_can_be_read)
     TEST(what_cannot_be_mended_ends_in_a_sentence))
