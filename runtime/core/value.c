/* value.c - the names of errors. */
#include "core/report.h"
#include <string.h>

const char *(*report_more_names)(int error);

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
    case ASYNC_QUEUE_FULL: return "QueueFull";
    case ASYNC_QUEUE_EMPTY: return "QueueEmpty";
    case ASYNC_QUEUE_SHUT_DOWN: return "QueueShutDown";
    case ASYNC_BROKEN_BARRIER: return "BrokenBarrierError";
    case ASYNC_GROUP: return "ExceptionGroup";
    case ASYNC_STOP_ITERATION: return "StopAsyncIteration";
    case ASYNC_GENERATOR_EXIT: return "GeneratorExit";
    case ASYNC_KEYBOARD_INTERRUPT: return "KeyboardInterrupt";
    case ASYNC_SYSTEM_EXIT: return "SystemExit";
    case ASYNC_INCOMPLETE_READ: return "IncompleteReadError";
    case ASYNC_LIMIT_OVERRUN: return "LimitOverrunError";
    case ASYNC_DEADLOCK: return "Deadlock";
    }
    if (error > 0 && error < ASYNC_CANCELLED)
        return strerror(error);
    const char *name = report_more_names ? report_more_names(error) : NULL;
    return name ? name : "Error";
}
