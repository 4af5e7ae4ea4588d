/* Would end its grader.
 *
 * answer: wrong
 * says: uses kill, which no exercise needs
 */
#include "exercise.h"
#include <signal.h>
#include <unistd.h>

async_value download(void *p)
{
    (void)p;
    return async_num(kill(getppid(), SIGKILL));
}
