#include "cancel.h"

enum status cancel_init(struct cancel *c)
{
    atomic_init(&c->level, CANCEL_NONE);
    return wake_init(&c->wake);
}

void cancel_fini(struct cancel *c)
{
    wake_fini(&c->wake);
}

void cancel_request(struct cancel *c, enum cancel_level level)
{
    int now = atomic_load(&c->level);
    while (now < (int)level && !atomic_compare_exchange_weak(&c->level, &now, (int)level)) {
    }
    /* After the level: whoever is woken must see it. */
    wake_call(&c->wake);
}

void cancel_wake(struct cancel *c)
{
    wake_call(&c->wake);
}

enum cancel_level cancel_level(const struct cancel *c)
{
    return (enum cancel_level)atomic_load(&c->level);
}

void cancel_ack(struct cancel *c, enum cancel_level seen)
{
    int expected = (int)seen;
    (void)atomic_compare_exchange_strong(&c->level, &expected, CANCEL_NONE);
}
