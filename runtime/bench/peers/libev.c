/* libev's side of bench.c: the floor for an echo server, callbacks on bare descriptors. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(struct ev_loop *loop, ev_io *watcher, int events)
{
    char bytes[4096];
    ssize_t n = read(watcher->fd, bytes, sizeof bytes);
    (void)events;
    if (n > 0 && write(watcher->fd, bytes, n) == n)
        return;
    ev_io_stop(loop, watcher);
    close(watcher->fd);
    free(watcher);
}

static void accept_one(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    ev_io *client = malloc(sizeof *client);
    ev_io_init(client, echo, fd, EV_READ);
    ev_io_start(loop, client);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    ev_io watcher;
    if (argc < 2 || strcmp(argv[1], "echo"))
        return 3;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        return 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    ev_io_init(&watcher, accept_one, fd, EV_READ);
    ev_io_start(EV_DEFAULT, &watcher);
    return ev_run(EV_DEFAULT, 0);
}
