/* async_to_process: functions in processes of their own. */
#include "testing.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

struct square { long n; };
static async_value square(void *p)
{
    long n = ((struct square *)p)->n;
    return async_num(n * n);
}

struct half { double x; };
static async_value half(void *p) { return async_real(((struct half *)p)->x / 2); }

static const char *const constant = "a constant";
static async_value constant_text(void *p)
{
    (void)p;
    return async_str(constant);
}

struct repeat { const char *text; int times; };
static async_value repeat(void *p)
{
    struct repeat *args = p;
    size_t length = strlen(args->text);
    char *text = async_alloc(length * args->times + 1);
    for (int i = 0; i < args->times; i++)
        memcpy(text + i * length, args->text, length);
    return async_str(text);
}

PROGRAM(computes)
{
    async_value got[3];
    await(async_gather(got, async_to_process(square, 12), async_to_process(half, 3),
                       async_to_process(constant_text)));
    say("%ld %g %s", got[0].num, got[1].real, got[2].str);
    async_value v = await(async_to_process(repeat, "ab", 3));
    say("%s", v.str);
    v = await(async_to_process(repeat, "0123456789", 100000));      /* more than fits a pipe */
    say("%zu %.12s", strlen(v.str), v.str);
    return async_none;
}

START_TEST(numbers_and_text_come_back)
{
    play(async_coro(computes));
    expect("144 1.5 a constant\n"
           "ababab\n"
           "1000000 012345678901\n");
}
END_TEST

static long depth(long n)
{
    volatile char room[100];
    room[0] = (char)n;
    return n ? depth(n - 1) + (room[0] == (char)n) : 0;
}

static async_value recursion(void *p)
{
    volatile char large[1 << 20];
    large[0] = p != NULL;
    return async_num(depth(20000) + large[0]);
}

PROGRAM(digs_deep)
{
    say("%ld", await(async_to_process(recursion)).num);
    return async_none;
}

START_TEST(it_has_more_stack_than_a_task)
{
    play(async_coro(digs_deep));
    expect("20001\n");
}
END_TEST

static int written;
static async_value writes(void *p)
{
    (void)p;
    written = 7;
    return async_num(written);
}

PROGRAM(writes_there)
{
    async_value v = await(async_to_process(writes));
    say("%ld there, %d here", v.num, written);
    return async_none;
}

START_TEST(nothing_that_it_writes_is_seen_here)
{
    play(async_coro(writes_there));
    expect("7 there, 0 here\n");
}
END_TEST

/* -------------------------------------------------------------------------------- errors */

struct fails { async_value error; };
static async_value fails(void *p) { return ((struct fails *)p)->error; }

static async_value fails_with_text(void *p)
{
    (void)p;
    return async_error(ASYNC_USER_ERROR, async_strf("no %s", "luck"));
}

PROGRAM(errors)
{
    say("%s", repr(async_catch(async_to_process(fails_with_text))));
    say("%s", repr(async_catch(async_to_process(fails, async_error(EIO, NULL)))));
    say("%s", repr(async_catch(async_to_process(fails, value_error("x")))));
    async_value v = async_catch(async_to_process(fails, async_exit(3)));
    say("%s %ld", async_error_name(v.error), v.num);
    return async_none;
}

START_TEST(errors_come_back)
{
    play(async_coro(errors));
    expect("KeyError('no luck')\n"
           "Input/output error()\n"
           "ValueError('x')\n"
           "SystemExit 3\n");
}
END_TEST

struct crash { int signal; };
static async_value crash(void *p)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    signal(((struct crash *)p)->signal, SIG_DFL);
    raise(((struct crash *)p)->signal);
    return async_none;
}

struct leave { int status; };
static async_value leave(void *p) { _exit(((struct leave *)p)->status); }

static async_value breaks_off(void *p)      /* in the middle of what it would have sent */
{
    for (int fd = 100; fd > 2; fd--)        /* the pipe to the parent was opened last */
        if (write(fd, "abc", 3) == 3)
            _exit(5);
    return async_ptr(p);
}

PROGRAM(crashes)
{
    async_value v = async_catch(async_to_process(crash, SIGSEGV));
    say("%s", repr(v));
    v = async_catch(async_to_process(crash, SIGKILL));
    say("%s", repr(v));
    v = async_catch(async_to_process(leave, 4));
    say("%s", repr(v));
    v = async_catch(async_to_process(leave, 0));
    say("%s", repr(v));
    v = await(async_to_process(square, 3));
    say("%ld", v.num);
    return async_none;
}

START_TEST(a_crash_is_an_error_of_that_call)
{
    play(async_coro(crashes));
    expect("EPIPE('the process that ran crash was ended by signal 11 (SIGSEGV)')\n"
           "EPIPE('the process that ran crash was ended by signal 9 (Killed)')\n"
           "EPIPE('the process that ran leave exited with status 4 before it returned')\n"
           "EPIPE('the process that ran leave exited with status 0 before it returned')\n"
           "9\n");
}
END_TEST

PROGRAM(is_broken_off)
{
    async_value v = async_catch(async_to_process(breaks_off));
    say("%d", v.error == EPIPE);
    return async_none;
}

START_TEST(an_answer_that_breaks_off_is_an_error)
{
    play(async_coro(is_broken_off));
    expect("1\n");
}
END_TEST

/* -------------------------------------------------------------------------- cancelling */

struct tells_pid { int fd; };
static async_value tells_pid(void *p)
{
    pid_t pid = getpid();
    signal(SIGTERM, SIG_IGN);
    if (write(((struct tells_pid *)p)->fd, &pid, sizeof pid) != sizeof pid)
        _exit(1);
    for (;;)
        pause();
}

static int ends[2];                 /* of a pipe */
static pid_t said_pid;

static async_value hear_pid(void *p)
{
    (void)p;
    if (read(ends[0], &said_pid, sizeof said_pid) != sizeof said_pid)
        said_pid = -1;
    async_loop_remove_reader(async_get_running_loop(), ends[0]);
    return async_none;
}

PROGRAM(cancels)
{
    if (pipe(ends))
        return async_error(errno, "no pipe");
    async_loop_add_reader(async_get_running_loop(), ends[0], hear_pid, NULL);
    async_task task = async_create_task(async_to_process(tells_pid, ends[1]));
    while (!said_pid)
        await(async_sleep(0));
    async_cancel(task);
    await(wait_all(task));
    say("%s", yes(async_cancelled(task)));
    say("%s", kill(said_pid, 0) < 0 && errno == ESRCH ? "gone" : "still there");
    say("%s", children_left());
    return async_none;
}

START_TEST(cancelling_kills)
{
    play(async_coro(cancels));
    expect("True\n"
           "gone\n"
           "no child left\n");
}
END_TEST

static async_value pauses(void *p)
{
    for (;;)
        pause();
    return async_ptr(p);
}

PROGRAM(cancels_many)
{
    enum { MANY = 20 };
    async_task tasks[MANY];
    long before = open_descriptors();
    for (int turns = 0; turns < 4; turns++) {
        for (int i = 0; i < MANY; i++)
            tasks[i] = async_create_task(async_to_process(pauses));
        for (int i = 0; i < turns; i++)
            await(async_sleep(0));
        for (int i = 0; i < MANY; i++)
            async_cancel(tasks[i]);
        await(async_wait(tasks, MANY, ASYNC_NO_TIMEOUT, ASYNC_ALL_COMPLETED));
    }
    say("%ld descriptors more", open_descriptors() - before);
    say("%s", children_left());
    async_value v = await(async_to_process(square, 5));
    say("%ld", v.num);
    return async_none;
}

START_TEST(cancelling_those_that_wait_for_a_processor)
{
    play(async_coro(cancels_many));
    expect("0 descriptors more\n"
           "no child left\n"
           "25\n");
}
END_TEST

static async_value pauses_and_times_out(void *p)
{
    (void)p;
    return async_catch(async_wait_for(async_to_process(pauses), 0.05));
}

START_TEST(a_timeout_kills_too)
{
    async_value v = run_real(async_coro(pauses_and_times_out));
    say("%s", async_error_name(v.error));
    expect("TimeoutError\n");
}
END_TEST

/* ------------------------------------------------------------------------ many at once */

PROGRAM(squares)
{
    enum { MANY = 20 };
    async_awaitable calls[MANY];
    async_value got[MANY];
    long wrong = 0;
    for (long i = 0; i < MANY; i++)
        calls[i] = async_to_process(square, i);
    await(async_gather_list(got, calls, MANY, false));
    for (long i = 0; i < MANY; i++)
        wrong += got[i].num != i * i;
    say("%ld wrong", wrong);
    return async_none;
}

START_TEST(more_of_them_than_processors)
{
    play(async_coro(squares));
    expect("0 wrong\n");
}
END_TEST

PROGRAM(many)
{
    long before = open_descriptors();
    for (long i = 0; again(&i, RUNNING_ON_VALGRIND ? 30 : 300);)
        await(async_to_process(square, i));
    say("%ld descriptors more", open_descriptors() - before);
    return async_none;
}

START_TEST(many_calls_take_no_descriptors)
{
    play(async_coro(many));
    expect("constant memory\n"
           "0 descriptors more\n");
}
END_TEST

/* ---------------------------------------------------------------------- files and threads */

static async_value prints(void *p)
{
    printf("in the child\n");
    return async_ptr(p);
}

PROGRAM(prints_around)
{
    printf("before\n");
    await(async_to_process(prints));
    printf("after\n");
    return async_none;
}

static void prints_into_a_file(void)
{
    FILE *file = tmpfile();
    char line[100];
    dup2(fileno(file), 1);
    play(async_coro(prints_around));
    fflush(stdout);
    rewind(file);
    while (fgets(line, sizeof line, file))
        fprintf(stderr, "%s", line);
    fclose(file);
}

START_TEST(text_on_stdout_is_there_once_and_in_order)
{
    in_child(prints_into_a_file);
    expect("exit status 0\n"
           "stderr| before\n"
           "stderr| in the child\n"
           "stderr| after\n");
}
END_TEST

static async_value reads_a_character(void *file)
{
    return async_num(fgetc(file));
}

PROGRAM(forks_beside_a_reader)
{
    if (pipe(ends))
        return async_error(errno, "no pipe");
    FILE *file = fdopen(ends[0], "r");
    async_loop *loop = async_get_running_loop();
    async_future reader = async_loop_run_in_executor(loop, reads_a_character, file);
    usleep(20000);                  /* until it waits and holds the file's lock, most likely */
    async_value v = await(async_to_process(square, 6));
    say("%ld", v.num);
    if (write(ends[1], "x", 1) == 1)
        v = await(reader);
    say("%c", (char)v.num);
    fclose(file);
    return async_none;
}

START_TEST(a_thread_that_waits_for_input_is_not_waited_for)
{
    play(async_coro(forks_beside_a_reader));
    expect("36\n"
           "x\n");
}
END_TEST

PROGRAM(counts_time)
{
    async_task timer = async_create_task(async_coro(tell, "an hour", 3600));
    await(async_sleep(0));
    async_value v = await(async_to_process(square, 7));
    say("%ld at %g", v.num, now());
    await(timer);
    say("%g", now());
    return async_none;
}

START_TEST(virtual_time_waits_for_it)
{
    play(async_coro(counts_time));
    expect("an hour begins\n"
           "49 at 0\n"
           "an hour ends\n"
           "3600\n");
}
END_TEST

static async_value greets(async_stream *stream, void *arg)
{
    (void)arg;
    async_stream_puts(stream, "hello");
    return async_none;
}

static _Atomic bool *runs;          /* seen by both processes */

static async_value runs_and_pauses(void *p)
{
    *runs = true;
    return pauses(p);
}

/* The server's end is open when the child begins, and the server itself. */
PROGRAM(hangs_up)
{
    runs = mmap(NULL, sizeof *runs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    async_server *server = await(async_start_server(greets, NULL, "127.0.0.1", 0)).ptr;
    int port = async_server_port(server);
    async_stream *here = await(async_open_connection("127.0.0.1", port)).ptr;
    async_task t = async_create_task(async_to_process(runs_and_pauses));
    await(async_sleep(0));
    while (!*runs)
        usleep(1000);
    say("%s", await(async_stream_read(here, 0, NULL)).str);
    async_server_close(server);
    async_value v = async_catch(async_start_server(greets, NULL, "127.0.0.1", port));
    say("%s", v.error ? v.message : "the port is free");
    async_cancel(t);
    await(wait_all(t));
    munmap((void *)runs, sizeof *runs);
    return async_none;
}

START_TEST(it_holds_no_connection_of_ours)
{
    play(async_coro(hangs_up));
    expect("hello\n"
           "the port is free\n");
}
END_TEST

/* One more than there are processors: that one waits in line. */
static async_value leaves_them(void *p)
{
    for (long i = sysconf(_SC_NPROCESSORS_ONLN); i >= 0; i--)
        async_detach(async_create_task(async_to_process(pauses)));
    await(async_sleep(0));
    return async_ptr(p);
}

START_TEST(a_loop_may_be_closed_while_they_run)
{
    long before = open_descriptors();
    listen_to_stderr();
    for (long i = sysconf(_SC_NPROCESSORS_ONLN); i >= 0; i--) {
        async_loop *loop = async_new_event_loop();
        async_value v = async_loop_run_until_complete(loop, async_coro(leaves_them));
        ck_assert_int_eq(v.error, 0);
        async_loop_close(loop);
    }
    heard();
    said.length = 0;
    ck_assert_ptr_nonnull(strstr(said.text, "Task was destroyed but it is pending!"));
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_str_eq(children_left(), "no child left");
    play(async_coro(squares));
    expect("0 wrong\n");
}
END_TEST

MAIN("process",
     TEST(numbers_and_text_come_back)
     TEST(it_has_more_stack_than_a_task)
     TEST(nothing_that_it_writes_is_seen_here)
     TEST(errors_come_back)
     TEST(a_crash_is_an_error_of_that_call)
     TEST(an_answer_that_breaks_off_is_an_error)
     TEST(cancelling_kills)
     TEST(cancelling_those_that_wait_for_a_processor)
     TEST(a_timeout_kills_too)
     TEST(more_of_them_than_processors)
     TEST(many_calls_take_no_descriptors)
     TEST(text_on_stdout_is_there_once_and_in_order)
     TEST(a_thread_that_waits_for_input_is_not_waited_for)
     TEST(it_holds_no_connection_of_ours)
     TEST(a_loop_may_be_closed_while_they_run)
     TEST(virtual_time_waits_for_it))
