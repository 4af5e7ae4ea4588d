/* event.c - asyncio.Event: a flag that tasks wait for. set() wakes everybody who waits, in order. */
#include "core/coro.h"
#include "core/waitq.h"

struct event {
    struct object object;
    struct waitq waitq;
    bool set;
};

static const struct future_type event_type = { .name = "Event" };

async_event *async_event_new(void)
{
    struct event *event = primitive_new(struct event, &event_type);
    if (!event)
        return NULL;
    waitq_init(&event->waitq, &event->object);
    return (async_event *)object_ticket(&event->object);
}

void async_event_set(async_event *x)
{
    struct event *event = object_of(x, &event_type, __func__, NULL);
    if (event->set)
        return;
    event->set = true;
    waitq_wake_all(&event->waitq);
}

void async_event_clear(async_event *x)
{
    struct event *event = object_of(x, &event_type, __func__, NULL);
    event->set = false;
}

bool async_event_is_set(async_event *x)
{
    struct event *event = object_of(x, &event_type, __func__, NULL);
    return event->set;
}

static async_value wait(void *object)
{
    struct event *event = object;
    struct waiter waiter;
    return event->set ? async_none : waitq_wait(&event->waitq, &waiter);
}

async_awaitable async_event_wait(async_event *event) { return coro_on(event, &event_type, wait, __func__); }
