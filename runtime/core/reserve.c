/* reserve.c - see reserve.h. Pieces are cut off one by one; when the last one is given back we
 * start again from the beginning. */
#include "core/reserve.h"
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RESERVE (64 * 1024)     /* costs nothing before it is touched */

struct piece {
    size_t size;
    _Alignas(max_align_t) char bytes[];
};

static struct {
    _Alignas(struct piece) char bytes[RESERVE];
    size_t used, pieces;
    pthread_mutex_t mutex;
} reserve = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static bool is_ours(const void *bytes)
{
    return (const char *)bytes >= reserve.bytes && (const char *)bytes < reserve.bytes + RESERVE;
}

static struct piece *piece_of(void *bytes)
{
    return (struct piece *)((char *)bytes - offsetof(struct piece, bytes));
}

static void *cut(size_t size)
{
    struct piece *piece = NULL;
    size_t whole = (sizeof *piece + size + _Alignof(struct piece) - 1) & -_Alignof(struct piece);
    pthread_mutex_lock(&reserve.mutex);
    if (whole <= RESERVE - reserve.used) {
        piece = (struct piece *)(reserve.bytes + reserve.used);
        piece->size = size;
        reserve.used += whole;
        reserve.pieces++;
    }
    pthread_mutex_unlock(&reserve.mutex);
    return piece ? piece->bytes : NULL;
}

static void give_back(void *bytes)
{
    if (!is_ours(bytes)) {
        free(bytes);
        return;
    }
    pthread_mutex_lock(&reserve.mutex);
    if (--reserve.pieces == 0)
        reserve.used = 0;
    pthread_mutex_unlock(&reserve.mutex);
}

static size_t size_of(void *bytes)
{
    return is_ours(bytes) ? piece_of(bytes)->size : bytes ? malloc_usable_size(bytes) : 0;
}

void *reserve_realloc(void *old, long size)
{
    size_t before = size_of(old), after = (size_t)size;
    if (size == 0) {
        give_back(old);
        return NULL;
    }
    bool ours = is_ours(old);
    void *bytes = ours ? malloc(after) : realloc(old, after);
    if (bytes && !ours)
        return bytes;
    if (!bytes && !(bytes = cut(after)))
        return NULL;
    if (old)
        memcpy(bytes, old, before < after ? before : after);
    give_back(old);
    return bytes;
}
