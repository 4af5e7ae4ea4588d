/* The same between texts whose quotes are not where they seem to be.
 *
 * answer: wrong
 * says: has assembly in it (in the text of a name or a section)
 */
#include "exercise.h"
static const char *const one = R"(")";
extern int nothing __asm__("stdout@GOTPCREL(%rip), %rax\n\tnop\n#");
static const char *const other = R"(")";

async_value download(void *p) { return (void)p, async_num(nothing + *one + *other); }
async_value two_files(void *p) { return (void)p, async_none; }
async_value web_page(void *p) { return (void)p, async_none; }
