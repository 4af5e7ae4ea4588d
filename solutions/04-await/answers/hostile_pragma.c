/* The same behind a line that looks as if a statement had ended there.
 *
 * answer: wrong
 * says: has assembly in it (in the text of a name or a section)
 */
#include "exercise.h"
extern int nothing
#pragma nothing ;
    __asm__("stdout@GOTPCREL(%rip), %rax\n\tnop\n#");

async_value download(void *p) { return (void)p, async_num(nothing); }
async_value two_files(void *p) { return (void)p, async_none; }
async_value web_page(void *p) { return (void)p, async_none; }
