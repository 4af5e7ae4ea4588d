/* resolve.h - where to connect to, or to listen: what async_getaddrinfo does not cover. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "async.h"
#include <netdb.h>
#include <sys/socket.h>

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

#endif
