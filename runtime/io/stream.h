/* stream.h - buffered reading and writing on descriptors that don't block. */
#ifndef STREAM_H
#define STREAM_H

#include "core/object.h"

/* A stream over descriptors that it owns from now on: of a socket twice the same, of pipes one or
 * the other -1. `what` is copied and names it in errors. NULL when memory ran out; then they are
 * closed. `external`: the other end is not in this process, so waiting for it holds a virtual clock. */
async_stream *stream_new(int in, int out, const char *what, bool external);

/* Of server.c, also for those who connect without a stream: is somebody of this process listening
 * there? Then nothing that comes from there is external. Tells it that this socket, whose connect was
 * called, is one of ours, before it is accepted. */
struct sockaddr_storage;
bool server_is_ours(const struct sockaddr_storage *address);
void server_note_client(int fd);

/* Of a child of ours: closes the descriptors of a stream, of a server, that it got from us by fork. */
void stream_hang_up(struct object *object, void *unused);
void server_hang_up(struct object *object, void *unused);

/* Of an internet address: its text, of at most ADDRESS_ROOM bytes, and its port; of a Unix socket: its
 * path, which may be empty, and 0. False: it is none of these. */
#define ADDRESS_ROOM 110
bool stream_address(const struct sockaddr_storage *address, char *text, int *port);

/* Suspends the current task until the descriptor can be read (written). */
async_value stream_wait(int fd, bool for_writing, bool external);

#endif
