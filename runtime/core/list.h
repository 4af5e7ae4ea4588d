/* list.h - a circular doubly linked list whose links live inside the things listed.
 *
 * A head and a link are the same struct; a link that is on no list points to itself, so it may
 * be removed twice. Nothing is ever allocated, which is why waking a task cannot fail. */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define list_each(link, head) \
    for (struct list *link = (head)->next, *next_##link; \
         next_##link = link->next, link != (head); link = next_##link)

static inline void list_init(struct list *link) { link->next = link->prev = link; }
static inline bool list_empty(const struct list *head) { return head->next == head; }

static inline void list_append(struct list *head, struct list *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_prepend(struct list *head, struct list *link) { list_append(head->next, link); }

static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Takes the first thing off a list that is not empty. */
static inline struct list *list_pop(struct list *head)
{
    struct list *first = head->next;
    head->next = first->next;
    first->next->prev = head;
    list_init(first);
    return first;
}

/* Moves everything on `from` to the end of `head`, in order, in constant time. */
static inline void list_splice(struct list *head, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    list_init(from);
}

#endif
