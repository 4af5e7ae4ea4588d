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

#endif
