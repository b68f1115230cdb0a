/*
 * queue: a bounded queue of owned blocks between two threads.
 *
 * An item is any heap block that begins with struct queue_item; ownership moves with the
 * pointer: to the queue on ST_OK, back to the caller on drain. The bound is in bytes. A full queue
 * makes the producer wait, unless `cancel` is raised; it never makes the consumer wait.
 * The wake descriptor is written only on empty -> non-empty.
 *
 * Threads: any number of producers, one consumer. Ownership: queue_fini frees what is left in it
 * through `free_item`.
 */
#ifndef SMTPSCOPE_QUEUE_H
#define SMTPSCOPE_QUEUE_H

#include <pthread.h>

#include "wake.h"

struct queue_item {
    struct queue_item *next;
    size_t bytes; /* what the item costs, set by whoever makes it */
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct queue_item *head, **tail;
    size_t bytes, max_bytes;
    bool closed;
    struct wake wake;
    void (*free_item)(struct queue_item *item);
};

enum status queue_init(struct queue *q, size_t max_bytes, void (*free_item)(struct queue_item *))
    MUST_CHECK;
void queue_fini(struct queue *q);
/* Waits while full. ST_EOF when closed: the item stays the caller's. An item over max_bytes is
   let in when the queue is empty. */
enum status queue_push(struct queue *q, struct queue_item *item) MUST_CHECK;
/* Never waits: ST_AGAIN when full. */
enum status queue_try_push(struct queue *q, struct queue_item *item) MUST_CHECK;
/* Takes at most max_items (0: all), oldest first; NULL when empty. Drains the wake descriptor, and
   calls it again when items are left. */
struct queue_item *queue_drain(struct queue *q, size_t max_items);
/* After it, pushes fail and waiting producers return. */
void queue_close(struct queue *q);
int queue_fd(const struct queue *q); /* readable when there is something to drain */

#endif
