/* io.h - what the files of this room have for each other: waiting for a descriptor, addresses, streams, servers. */
#ifndef IO_H
#define IO_H

#include "core/poll.h"
#include <netdb.h>
#include <sys/socket.h>

/* ready.c: suspends the current task until the descriptor can be read, or written. `external`: it holds a virtual
 * clock, as watch_fd says. Who waits again and again keeps the watch, which rests in between, in *kept: NULL at
 * first, and to be unwatched. `kept` may be NULL. */
async_value ready_wait(struct watch **kept, int fd, bool for_writing, bool external);

/* Whoever waits with this watch (or NULL) goes on, as if its descriptor were ready. */
void ready_end(struct watch *kept);

/* file.c: write(), of all of it. False: errno says why not. */
bool write_all(int fd, const void *bytes, size_t n);

/* resolve.c: where to connect to, or to listen; what async_getaddrinfo does not cover. */
struct address {
    struct addrinfo info;           /* its ai_addr is ... */
    struct sockaddr_storage storage;
};
async_value resolve_path(const char *path, struct address *into);   /* of a Unix socket */

/* Back: the text of an address, of a Unix socket its path, which may be empty (false: it is none of these); and its
 * port, or 0. */
#define ADDRESS_ROOM 110
bool address_text(const struct sockaddr_storage *address, char text[ADDRESS_ROOM]);
int address_port(const struct sockaddr_storage *address);

/* A stream over a descriptor that it owns from now on: a socket, which reads and writes, or a pipe that does one of
 * the two. `what` is copied and names it in errors. NULL when memory ran out; then it is closed. `external`: the
 * other end is not in this process, so waiting for it holds a virtual clock. */
async_stream *stream_new(int fd, bool reads, bool writes, const char *what, bool external);

/* Is a server of this process listening there? Then nothing that comes from there is external: waiting for it must
 * not hold a virtual clock. */
bool server_is_ours(const struct sockaddr_storage *address);

/* This socket, whose connect was called, is one of ours, as its server will know when it accepts it. */
void server_note_client(int fd);

#endif
