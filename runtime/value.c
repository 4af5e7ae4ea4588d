/* value.c - the names of errors. */
#include "async.h"
#include <string.h>

const char *async_error_name(int error)
{
    switch (error) {
    case 0: return "None";
    case ASYNC_CANCELLED: return "CancelledError";
    case ASYNC_TIMEOUT: return "TimeoutError";
    case ASYNC_INVALID_STATE: return "InvalidStateError";
    case ASYNC_RUNTIME_ERROR: return "RuntimeError";
    case ASYNC_VALUE_ERROR: return "ValueError";
    case ASYNC_TYPE_ERROR: return "TypeError";
    case ASYNC_DEADLOCK: return "Deadlock";
    }
    return error > 0 && error < ASYNC_CANCELLED ? strerror(error) : "Error";
}
