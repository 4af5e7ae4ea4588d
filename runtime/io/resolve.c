/* resolve.c - loop.getaddrinfo: from a name to its addresses.
 *
 * The C library's getaddrinfo blocks, for seconds if it has to, so a thread calls it. What needs no
 * looking up, a number or no host at all, needs no thread. */
#define _GNU_SOURCE
#include "core/coro.h"
#include "io/io.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

struct question {                   /* a copy: the thread may outlive who asked */
    char host[NI_MAXHOST];          /* empty: any interface, to listen on */
    char port[8];
    int flags;
};

/* libc's list, copied into one piece of memory of ours. */
static async_value copy(const struct addrinfo *found)
{
    size_t count = 0, i = 0;
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        count++;
    struct address *list = async_alloc(count * sizeof *list);
    if (!list)
        return async_error(ENOMEM, "no memory for addresses");
    for (const struct addrinfo *a = found; a; a = a->ai_next, i++) {
        list[i].info = *a;
        list[i].info.ai_canonname = NULL;
        list[i].info.ai_addr = memcpy(&list[i].storage, a->ai_addr, a->ai_addrlen);
        list[i].info.ai_next = a->ai_next ? &list[i + 1].info : NULL;
    }
    return async_ptr(list);
}

static async_value look_up(void *p)
{
    struct question *question = p;
    const char *host = *question->host ? question->host : NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = question->flags }, *found;
    int status = getaddrinfo(host, question->port, &hints, &found);
    if (status && question->flags & AI_NUMERICHOST)
        return async_error(ENOENT, NULL);       /* a name */
    int why = status == EAI_SYSTEM ? errno : status == EAI_MEMORY ? ENOMEM : ENOENT;
    if (status)
        return async_error(why, async_strf("looking up %s: %s", host ? host : question->port,
                                           status == EAI_SYSTEM ? strerror(why) : gai_strerror(status)));
    async_value v = copy(found);
    freeaddrinfo(found);
    return v;
}

struct asked { const char *host; int port; };

static async_value ask(void *p)
{
    struct asked *args = p;
    struct question question = { .host = "" };
    if (args->port < 0 || args->port > 65535)
        return async_error(ASYNC_VALUE_ERROR, async_strf("port must be 0-65535, not %d", args->port));
    if (args->host && (!*args->host || strlen(args->host) >= sizeof question.host))
        return async_error(ENOENT, "this cannot be the name of a host: it is empty, or too long");
    if (args->host)
        strcpy(question.host, args->host);
    snprintf(question.port, sizeof question.port, "%d", args->port);
    question.flags = *question.host ? AI_NUMERICHOST : AI_PASSIVE;
    async_value v = look_up(&question);
    if (!v.error || !*question.host)
        return v;
    question.flags = 0;
    return async_catch(async_to_thread_call((async_call){ look_up, "getaddrinfo", &question, sizeof question }));
}

async_awaitable async_getaddrinfo(const char *host, int port)
{
    return coro_for(ask, struct asked, host, port);
}

async_value resolve_path(const char *path, struct address *into)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&into->storage;
    if (!path)
        return async_error(ENOMEM, "no memory for the path");       /* of an async_strf */
    if (strlen(path) >= sizeof address->sun_path)
        return async_error(ENAMETOOLONG, async_strf("AF_UNIX path too long: %s", path));
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    strcpy(address->sun_path, path);
    into->info = (struct addrinfo){ .ai_family = AF_UNIX, .ai_addrlen = sizeof *address,
                                    .ai_addr = (struct sockaddr *)address };
    return async_none;
}

bool address_text(const struct sockaddr_storage *address, char text[ADDRESS_ROOM])
{
    switch (address->ss_family) {
    case AF_INET:
        return inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, ADDRESS_ROOM);
    case AF_INET6:
        return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, ADDRESS_ROOM);
    case AF_UNIX:
        snprintf(text, ADDRESS_ROOM, "%s", ((const struct sockaddr_un *)address)->sun_path);
        return true;
    default:
        return false;
    }
}

int address_port(const struct sockaddr_storage *address)
{
    switch (address->ss_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    default:
        return 0;
    }
}
