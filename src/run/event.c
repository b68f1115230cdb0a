#include "event.h"

#include <stdlib.h>
#include <string.h>

struct event *event_new(enum event_kind kind, uint32_t run, uint16_t path, enum check_id check,
                        int64_t t_us)
{
    struct event *e = calloc(1, sizeof(*e));
    if (e != NULL) {
        e->item.bytes = sizeof(*e);
        e->kind = kind;
        e->run = run;
        e->path = path;
        e->check = check;
        e->t_us = t_us;
    }
    return e;
}

struct event *event_new_line(uint32_t run, uint16_t path, enum check_id check, int64_t t_us,
                             uint32_t number, enum smtp_dir dir, bool tls, uint8_t flags,
                             const char *p, size_t len)
{
    if (len > SIZE_MAX - sizeof(struct event) - 1) {
        return NULL;
    }
    struct event *e = malloc(sizeof(*e) + len + 1);
    if (e == NULL) {
        return NULL;
    }
    char *text = (char *)e + sizeof(*e);
    *e = (struct event){
        .item.bytes = sizeof(*e) + len + 1,
        .kind = EVENT_LINE,
        .run = run,
        .path = path,
        .check = check,
        .t_us = t_us,
        .u.line = {
            .number = number, .dir = dir, .tls = tls, .flags = flags, .len = len, .text = text}};
    if (len > 0) {
        memcpy(text, p, len);
    }
    text[len] = '\0';
    return e;
}

void event_free(struct event *e)
{
    if (e == NULL) {
        return;
    }
    switch (e->kind) {
    case EVENT_RUN_STARTED:
        free(e->u.started.target);
        break;
    case EVENT_FINDING:
        if (e->u.finding != NULL) {
            finding_free(e->u.finding);
            free(e->u.finding);
        }
        break;
    case EVENT_FACTS:
        if (e->u.facts != NULL) {
            facts_free(e->u.facts);
            free(e->u.facts);
        }
        break;
    case EVENT_ANSWER:
        if (e->u.answer != NULL) {
            dns_facts_free(e->u.answer);
            free(e->u.answer);
        }
        break;
    case EVENT_DIAL:
    case EVENT_STEP_STARTED:
    case EVENT_LINE:
    case EVENT_MARK:
    case EVENT_WAIT:
    case EVENT_STEP_DONE:
    case EVENT_SESSION:
    case EVENT_RUN_DONE:
    case EVENT_REPLAY:
    case EVENT_SUSPENDED:
        break;
    }
    free(e);
}

void event_free_item(struct queue_item *item)
{
    event_free((struct event *)(void *)item);
}
