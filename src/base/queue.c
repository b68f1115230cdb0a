#include "queue.h"

enum status queue_init(struct queue *q, size_t max_bytes, void (*free_item)(struct queue_item *))
{
    q->head = NULL;
    q->tail = &q->head;
    q->bytes = 0;
    q->max_bytes = max_bytes;
    q->closed = false;
    q->free_item = free_item;
    enum status st = wake_init(&q->wake);
    if (st != ST_OK) {
        return st;
    }
    st = ST_NOMEM;
    if (pthread_mutex_init(&q->lock, NULL) != 0) {
        goto out_wake;
    }
    if (pthread_cond_init(&q->room, NULL) != 0) {
        goto out_lock;
    }
    return ST_OK;
out_lock:
    pthread_mutex_destroy(&q->lock);
out_wake:
    wake_fini(&q->wake);
    return st;
}

void queue_fini(struct queue *q)
{
    while (q->head != NULL) {
        struct queue_item *item = q->head;
        q->head = item->next;
        q->free_item(item);
    }
    q->tail = &q->head;
    q->bytes = 0;
    pthread_cond_destroy(&q->room);
    pthread_mutex_destroy(&q->lock);
    wake_fini(&q->wake);
}

static bool queue_has_room(const struct queue *q, const struct queue_item *item)
{
    if (q->head == NULL) {
        return true;
    }
    return q->bytes <= q->max_bytes && item->bytes <= q->max_bytes - q->bytes;
}

static enum status queue_put(struct queue *q, struct queue_item *item, bool wait)
{
    enum status st = ST_OK;
    pthread_mutex_lock(&q->lock);
    while (wait && !q->closed && !queue_has_room(q, item)) {
        pthread_cond_wait(&q->room, &q->lock);
    }
    if (q->closed) {
        st = ST_EOF;
    } else if (!queue_has_room(q, item)) {
        st = ST_AGAIN;
    } else {
        bool was_empty = q->head == NULL;
        item->next = NULL;
        *q->tail = item;
        q->tail = &item->next;
        q->bytes += item->bytes;
        if (was_empty) {
            wake_call(&q->wake);
        }
    }
    pthread_mutex_unlock(&q->lock);
    return st;
}

enum status queue_push(struct queue *q, struct queue_item *item)
{
    return queue_put(q, item, true);
}

enum status queue_try_push(struct queue *q, struct queue_item *item)
{
    return queue_put(q, item, false);
}

struct queue_item *queue_drain(struct queue *q, size_t max_items)
{
    pthread_mutex_lock(&q->lock);
    wake_drain(&q->wake);
    struct queue_item *list = q->head;
    struct queue_item **end = &list;
    for (size_t n = 0; *end != NULL && (max_items == 0 || n < max_items); n++) {
        q->bytes -= (*end)->bytes;
        end = &(*end)->next;
    }
    q->head = *end;
    *end = NULL;
    if (q->head == NULL) {
        q->tail = &q->head;
    } else {
        wake_call(&q->wake);
    }
    pthread_cond_broadcast(&q->room);
    pthread_mutex_unlock(&q->lock);
    return list;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->room);
    pthread_mutex_unlock(&q->lock);
}

int queue_fd(const struct queue *q)
{
    return q->wake.rd;
}
