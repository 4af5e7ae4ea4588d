/* echo.c - the load on an echo server: what one message costs the server, in CPU nanoseconds.
 *
 *   echo CONNECTIONS MESSAGES COMMAND...     starts the server, which prints its port; sends that many
 *                                            messages of 64 bytes, one at a time on each connection */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZE 64

static pid_t server;

static void fail(const char *what)
{
    perror(what);
    if (server > 0)
        kill(server, SIGKILL);
    exit(1);
}

/* Starts it and reads its port. */
static int start(char **command)
{
    int ends[2], port = 0;
    if (pipe(ends))
        fail("pipe");
    server = fork();
    if (server == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    close(ends[1]);
    FILE *words = fdopen(ends[0], "r");
    if (!words || fscanf(words, "%d", &port) != 1)
        fail("the server names no port");
    return port;
}

static double cpu_of_server(void)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(server, &clock) || clock_gettime(clock, &t))
        fail("the server's CPU time");
    return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Each connection has one message on its way; answers for all of them, `count` in all. */
static void exchange(int poll, const int *fds, int connections, long count)
{
    char bytes[SIZE] = "";
    struct epoll_event events[256];
    long sent = 0, answered = 0;
    int *have = calloc(connections, sizeof *have);
    for (; sent < connections && sent < count; sent++)
        if (write(fds[sent], bytes, SIZE) != SIZE)
            fail("write");
    while (answered < count) {
        int n = epoll_wait(poll, events, 256, 10000);
        if (n <= 0)
            fail("the server is silent");
        for (int i = 0; i < n; i++) {
            int at = events[i].data.u32;
            ssize_t got = read(fds[at], bytes, SIZE - have[at]);
            if (got <= 0)
                fail("read");
            if ((have[at] += got) < SIZE)
                continue;
            have[at] = 0;
            answered++;
            if (sent < count && write(fds[at], bytes, SIZE) == SIZE)
                sent++;
        }
    }
    free(have);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int connections = atoi(argv[1]), poll = epoll_create1(0), on = 1;
    long messages = atol(argv[2]);
    int *fds = calloc(connections, sizeof *fds);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 4096, 4096 });
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(start(argv + 3)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (fds[i] < 0 || connect(fds[i], (struct sockaddr *)&address, sizeof address))
            fail("connect");
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &event);
    }
    exchange(poll, fds, connections, messages / 10);    /* warms it */
    double began = cpu_of_server();
    exchange(poll, fds, connections, messages);
    printf("%.2f\n", (cpu_of_server() - began) / messages);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
