/* The same, by a macro of the C library's that makes a name of what it is given.
 *
 * answer: wrong
 * says: has assembly in it (in the text of a name or a section)
 */
#include "exercise.h"
#include <sys/cdefs.h>
extern int __REDIRECT(show, (const char *text), puts; nop #);

async_value download(void *p)
{
    (void)p;
    return async_num(show("x"));
}
