/* hooks.c - see hooks.h; and what all else stands on: which loop runs, and where the program is. */
#include "core/hooks.h"
#include "core/loop.h"

_Thread_local async_loop *loop_running;
_Thread_local const char *async_here = "?";
struct async_hooks *async_hooks;

void async_hooks_add(struct async_hooks *hooks)
{
    hooks->next = async_hooks;
    async_hooks = hooks;
}

void async_hooks_remove(struct async_hooks *hooks)
{
    for (struct async_hooks **p = &async_hooks; *p; p = &(*p)->next)
        if (*p == hooks) {
            *p = hooks->next;
            return;
        }
}
