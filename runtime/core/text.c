/* text.c - async_alloc, async_strf, async_text: memory and texts that go with the task that asks for them. */
#include "core/memory.h"
#include "core/report.h"
#include <stdarg.h>
#include <stdio.h>

void *async_alloc(size_t size) { return memory_get(memory_here(), size); }

static char *formatted(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : memory_get(memory_here(), length + 1);
    if (text)
        vsnprintf(text, length + 1, format, again);
    va_end(again);
    return text;
}

const char *async_strf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = formatted(format, args);
    va_end(args);
    return text;
}

async_value async_text(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = formatted(format, args);
    va_end(args);
    return text ? async_str(text) : async_error(ENOMEM, "no memory for a text");
}

void async_free(const void *bytes)
{
    if (bytes && !memory_returned(bytes))
        report_abort(report_refused(ASYNC_VALUE_ERROR, "async_free", "this is not, or no longer, what "
                                    "async_strf or async_alloc gave to this task, nor what it got since"));
}
