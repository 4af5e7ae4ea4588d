/* stream.h - buffered reading and writing on descriptors that don't block. */
#ifndef STREAM_H
#define STREAM_H

#include "core/object.h"

/* A stream over descriptors that it owns from now on: of a socket twice the same, of pipes one or
 * the other -1. `what` is copied and names it in errors. NULL when memory ran out; then they are
 * closed. `external`: the other end is not in this process, so waiting for it holds a virtual clock. */
async_stream *stream_new(int in, int out, const char *what, bool external);

#endif
