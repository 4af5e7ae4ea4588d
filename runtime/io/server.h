/* server.h - what others need to know of the servers of this process. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <sys/socket.h>

/* Is one of them listening there? Then nothing that comes from there is external: waiting for it must not hold a
 * virtual clock. */
bool server_is_ours(const struct sockaddr_storage *address);

/* This socket, whose connect was called, is one of ours, as its server will know when it accepts it. */
void server_note_client(int fd);

#endif
