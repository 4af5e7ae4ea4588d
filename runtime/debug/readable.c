/* readable.c - see readable.h. The address may be of anything, or of nothing any more: the kernel reads it for
 * us, and says so instead of ending the program. */
#define _GNU_SOURCE
#include "debug/readable.h"
#include "debug/utf8.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LARGEST (1L << 31)      /* number that is no address */
#define PAGE 4096

/* How much could be read: no further than the page, for the next one may not be there. */
static size_t read_memory(const void *address, char *to, size_t size)
{
    size_t rest = PAGE - (size_t)address % PAGE;
    struct iovec here = { to, size < rest ? size : rest }, there = { (void *)address, here.iov_len };
    ssize_t got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    return got > 0 ? got : 0;
}

/* Text of one line, in quotes; what does not fit is an ellipsis. */
static bool as_text(const char *address, char *text, size_t size)
{
    char bytes[64] = "";
    size_t got = read_memory(address, bytes, sizeof bytes - 1), length = 0, most = size - sizeof "\"\"…";
    while (bytes[length] && length < most) {
        int character = utf8_length((const unsigned char *)bytes + length);
        if (!character || (unsigned char)bytes[length] < ' ' || length + character > got)
            return false;
        if (length + character > most)
            break;
        length += character;
    }
    if (length == 0)
        return false;
    snprintf(text, size, "\"%.*s%s\"", (int)length, bytes, bytes[length] ? "…" : "");
    return true;
}

bool readable(async_value value, char *text, size_t size)
{
    double magnitude = fabs(value.real);
    if (value.num > -LARGEST && value.num < LARGEST)
        snprintf(text, size, "%ld", value.num);
    else if (magnitude > 1e-6 && magnitude < 1e12)
        snprintf(text, size, "%.6g", value.real);
    else
        return as_text(value.str, text, size);
    return true;
}
