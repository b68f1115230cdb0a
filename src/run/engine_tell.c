#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "record.h"
#include "text.h"

#define NOTE_MAX 4096
/* "<hidden N bytes>" is longer than a short secret, so a line may grow. */
#define REDACTED_MAX ((size_t)4 * LINE_KEPT_MAX)

int64_t engine_now(struct engine *e)
{
    return net_now_us(&e->net.base) - e->start_us;
}

/* Waits while the queue is full: a face that is slow slows the network, and nothing is lost. */
void engine_tell(struct engine *e, struct event *event)
{
    if (event != NULL && queue_push(&e->events, &event->item) != ST_OK) {
        event_free(event);
    }
}

struct event *engine_event(struct engine *e, enum event_kind kind)
{
    return event_new(kind, e->run, e->path, e->check, engine_now(e));
}

static uint32_t push_line(struct engine *e, enum smtp_dir dir, bool tls, unsigned flags,
                          const char *p, size_t len)
{
    if (e->last_line == UINT32_MAX) {
        return 0;
    }
    struct event *event = event_new_line(e->run, e->path, e->check, engine_now(e), e->last_line + 1,
                                         dir, tls, (uint8_t)flags, p, len);
    if (event == NULL) {
        return 0;
    }
    e->last_line++;
    engine_tell(e, event);
    return e->last_line;
}

void engine_tell_suspended(struct engine *e)
{
    int64_t total = atomic_load(&e->net.suspended_us);
    int64_t us = total - e->suspended_told_us;
    if (us <= 0) {
        return;
    }
    e->suspended_told_us = total;
    struct event *event = engine_event(e, EVENT_SUSPENDED);
    if (event != NULL) {
        event->u.suspended_us = us;
        engine_tell(e, event);
    }
    int64_t seconds = (us + US_PER_S / 2) / US_PER_S;
    engine_note(e, _("suspended %lld s"), (long long)seconds);
}

/* Without memory nothing of the text is told. */
static void apply(const struct redactor *r, struct buf *text)
{
    struct buf hidden;
    if (r->count == 0) {
        return;
    }
    buf_init(&hidden, REDACTED_MAX);
    if (redactor_apply(r, buf_str(text), text->len, &hidden) != ST_OK) {
        buf_clear(&hidden);
    }
    buf_wipe(text);
    *text = hidden;
}

/*
 * True when text was put into out instead of p. What was typed in a login is known to the
 * conversation alone, and what a check quotes has not always come through it.
 */
static bool redact(struct engine *e, const char *p, size_t len, struct buf *out)
{
    bool learned = e->have_context && e->c.smtp.learned.count > 0;
    if (e->redactor.count == 0 && !learned) {
        return false;
    }
    if (buf_add(out, p, len) == ST_OK) {
        apply(&e->redactor, out);
        if (learned) {
            apply(&e->c.smtp.learned, out);
        }
    }
    return out->len != len || memcmp(buf_str(out), p, len) != 0;
}

static uint32_t tell_line(void *ctx, enum smtp_dir dir, bool tls, unsigned flags, const char *p,
                          size_t len)
{
    struct engine *e = ctx;
    struct buf hidden;
    buf_init(&hidden, REDACTED_MAX);
    engine_tell_suspended(e);
    if (len > LINE_KEPT_MAX) {
        len = LINE_KEPT_MAX;
        flags |= LINE_CUT;
    }
    uint32_t number;
    if (redact(e, p, len, &hidden)) {
        number = push_line(e, dir, tls, flags | LINE_REDACTED, buf_str(&hidden), hidden.len);
    } else {
        number = push_line(e, dir, tls, flags, p, len);
    }
    buf_free(&hidden);
    engine_tell_session(e);
    return number;
}

void engine_note(struct engine *e, const char *fmt, ...)
{
    struct buf b;
    buf_init(&b, NOTE_MAX);
    va_list ap;
    va_start(ap, fmt);
    /* What does not fit is left out; a note that cannot be written is no reason to fail. */
    enum status st = buf_addv(&b, fmt, ap);
    va_end(ap);
    if (st == ST_OK) {
        (void)tell_line(e, DIR_NOTE, false, 0, buf_str(&b), b.len);
    }
    buf_free(&b);
}

static void tell_mark(void *ctx, uint32_t line, unsigned flags)
{
    struct engine *e = ctx;
    struct event *event = line != 0 ? engine_event(e, EVENT_MARK) : NULL;
    if (event != NULL) {
        event->u.mark.number = line;
        event->u.mark.flags = (uint8_t)flags;
        engine_tell(e, event);
    }
}

static void tell_wait(void *ctx, enum smtp_wait what, int limit_ms)
{
    struct engine *e = ctx;
    if (what == WAIT_NONE && !e->waiting) {
        return;
    }
    struct event *event = engine_event(e, EVENT_WAIT);
    if (event != NULL) {
        event->u.wait.what = what;
        event->u.wait.limit_ms = limit_ms;
        engine_tell(e, event);
    }
    e->waiting = what != WAIT_NONE;
}

void engine_tell_no_wait(struct engine *e)
{
    tell_wait(e, WAIT_NONE, 0);
}

static void redact_string(struct engine *e, char **text)
{
    if (*text == NULL) {
        return;
    }
    struct buf hidden;
    buf_init(&hidden, REDACTED_MAX);
    if (redact(e, *text, strlen(*text), &hidden) && str_set(text, buf_str(&hidden)) != ST_OK) {
        (*text)[0] = '\0';
    }
    buf_free(&hidden);
}

/* Arguments quote replies, and a server may echo what it was sent. */
static void tell_finding(void *ctx, enum check_id check, struct finding *f)
{
    struct engine *e = ctx;
    struct event *event = engine_event(e, EVENT_FINDING);
    struct finding *copy = event != NULL ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL) {
        event_free(event);
        finding_free(f);
        return;
    }
    *copy = *f;
    memset(f, 0, sizeof(*f));
    event->check = check;
    if (check < CHECK_COUNT && checks[check].scope != SCOPE_PATH &&
        checks[check].scope != SCOPE_HOST) {
        event->path = 0;
    }
    event->u.finding = copy;
    event->item.bytes += sizeof(*copy);
    for (size_t i = 0; i < copy->arg_count; i++) {
        redact_string(e, &copy->args[i].value);
        event->item.bytes += FINDING_ARG_TEXT_MAX;
    }
    engine_tell(e, event);
}

void engine_report(struct engine *e, enum check_id check, struct finding *f)
{
    tell_finding(e, check, f);
}

static void redact_facts(struct engine *e, struct facts *f)
{
    char **const strings[] = {&f->mx,     &f->ptr,          &f->own_address, &f->own_ptr,
                              &f->banner, &f->capabilities, &f->queue_id,    &f->message_id};
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        redact_string(e, strings[i]);
    }
}

static void tell_facts(void *ctx, const struct facts *f)
{
    struct engine *e = ctx;
    struct event *event = engine_event(e, EVENT_FACTS);
    struct facts *copy = event != NULL ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL || facts_copy(copy, f) != ST_OK) {
        free(copy);
        event_free(event);
        return;
    }
    redact_facts(e, copy);
    event->path = f->path;
    event->u.facts = copy;
    event->item.bytes += sizeof(*copy) + (copy->tls != NULL ? sizeof(*copy->tls) : 0);
    if (copy->capabilities != NULL) {
        event->item.bytes += strlen(copy->capabilities);
    }
    engine_tell(e, event);
}

/* Names and texts of DNS are hostile too, and nobody knows who put a password there. */
static void redact_answer(struct engine *e, struct dns_facts *f)
{
    redact_string(e, &f->name);
    redact_string(e, &f->alias);
    for (size_t i = 0; i < f->count; i++) {
        redact_string(e, &f->records[i]);
    }
}

static void tell_answer(void *ctx, const struct dns_facts *f)
{
    struct engine *e = ctx;
    struct event *event = engine_event(e, EVENT_ANSWER);
    struct dns_facts *copy = event != NULL ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL || dns_facts_copy(copy, f) != ST_OK) {
        free(copy);
        event_free(event);
        return;
    }
    redact_answer(e, copy);
    event->u.answer = copy;
    event->item.bytes += sizeof(*copy) + strlen(copy->name);
    for (size_t i = 0; i < copy->count; i++) {
        event->item.bytes += strlen(copy->records[i]) + sizeof(copy->records[i]);
    }
    engine_tell(e, event);
}

static void tell_dial(void *ctx, const struct dial_facts *f)
{
    struct engine *e = ctx;
    engine_tell_session(e); /* how the connection before it ended */
    struct event *event = engine_event(e, EVENT_DIAL);
    if (event != NULL) {
        event->u.dial = *f;
        engine_tell(e, event);
    }
}

void engine_tell_facts(struct engine *e)
{
    tell_facts(e, &e->c.facts);
}

static uint16_t tell_new_path(void *ctx)
{
    struct engine *e = ctx;
    if (e->last_path < RECORD_PATHS_MAX - 1) {
        e->last_path++;
    }
    e->path = e->last_path;
    return e->path;
}

void engine_tell_session(struct engine *e)
{
    const struct smtp *s = &e->c.smtp;
    if (!e->have_context || (s->state == e->session.state && s->tls == e->session.tls &&
                             s->authenticated == e->session.authenticated &&
                             s->auth_tail == e->session.login_open)) {
        return;
    }
    e->session.state = s->state;
    e->session.tls = s->tls;
    e->session.authenticated = s->authenticated;
    e->session.login_open = s->auth_tail;
    struct event *event = engine_event(e, EVENT_SESSION);
    if (event != NULL) {
        event->u.session.state = s->state;
        event->u.session.tls = s->tls;
        event->u.session.authenticated = s->authenticated;
        event->u.session.why = s->closed_by;
        event->u.session.expects_text = s->state == SMTP_TEXT;
        event->u.session.login_open = s->auth_tail;
        engine_tell(e, event);
    }
}

void engine_tell_init(struct engine *e)
{
    e->check = CHECK_NONE;
    e->sink = (struct check_sink){.ctx = e,
                                  .line = tell_line,
                                  .mark = tell_mark,
                                  .wait = tell_wait,
                                  .finding = tell_finding,
                                  .facts = tell_facts,
                                  .answer = tell_answer,
                                  .dial = tell_dial,
                                  .new_path = tell_new_path};
}
