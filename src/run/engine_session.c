#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "engine_internal.h"
#include "text.h"

#define CAPABILITIES_MAX ((size_t)CAPS_MAX * (CAP_TEXT_MAX + 1))

void engine_after_cancel(struct engine *e)
{
    struct smtp *s = &e->c.smtp;
    enum cancel_level level = cancel_level(&e->cancel);
    if (level < e->cancelled) {
        level = e->cancelled;
    }
    if (e->net.expired) {
        engine_note(e, _("The time for the whole run is over: %d s."), e->plan->deadline_s);
    }
    engine_net_deadline(&e->net, NO_DEADLINE);
    e->cancelled = CANCEL_NONE;
    cancel_ack(&e->cancel, cancel_level(&e->cancel));
    if (level == CANCEL_HARD || s->state == SMTP_TEXT) {
        smtp_close(s, ST_CANCELLED);
    } else {
        smtp_quit(s);
    }
}

/* What the screen shows of the path follows what was typed by hand. */
static void follow_session(struct engine *e)
{
    struct smtp *s = &e->c.smtp;
    struct facts *f = &e->c.facts;
    if (f->path == 0 || s->state == SMTP_CLOSED) {
        return;
    }
    bool changed = f->authenticated != s->authenticated;
    f->authenticated = s->authenticated;
    if (s->tls && (f->tls == NULL || !f->tls->done)) {
        struct tls_facts *copy = malloc(sizeof(*copy));
        if (copy != NULL) {
            *copy = s->tls_facts;
            free(f->tls);
            f->tls = copy;
            f->tls_tried = true;
            str_copy(f->mode, sizeof(f->mode), "starttls");
            changed = true;
        }
    }
    struct buf caps;
    buf_init(&caps, CAPABILITIES_MAX);
    enum status st = ST_OK;
    for (size_t i = 0; i < s->caps.count && st == ST_OK; i++) {
        st = buf_addf(&caps, "%s%s", i > 0 ? "\n" : "", s->caps.list[i].text);
    }
    const char *before = f->capabilities != NULL ? f->capabilities : "";
    if (st == ST_OK && strcmp(before, buf_str(&caps)) != 0) {
        changed = str_set(&f->capabilities, caps.len > 0 ? buf_str(&caps) : NULL) == ST_OK;
    }
    buf_free(&caps);
    if (changed) {
        engine_tell_facts(e);
    }
}

/* What stands behind "AUTH MECHANISM "; empty when the line is no such thing. */
static struct span auth_initial(const char *line, size_t len)
{
    static const char verb[] = "AUTH ";
    const size_t verb_len = sizeof(verb) - 1;
    struct span head = {line, len < verb_len ? len : verb_len};
    struct span none = {line, 0};
    if (!span_equal_nocase(head, verb)) {
        return none;
    }
    size_t i = verb_len;
    while (i < len && line[i] == ' ') {
        i++;
    }
    while (i < len && line[i] != ' ') {
        i++;
    }
    while (i < len && line[i] == ' ') {
        i++;
    }
    return (struct span){line + i, len - i};
}

static enum status add_decoded(struct redactor *r, const char *p, size_t len)
{
    struct buf raw;
    buf_init(&raw, SMTP_RAW_MAX);
    enum status st = base64_decode(&raw, p, len);
    if (st == ST_INVALID) {
        st = ST_OK; /* then it was not base64, and there is nothing behind it to hide */
        goto out;
    }
    if (st == ST_OK) {
        st = redactor_add_bytes(r, buf_str(&raw), raw.len);
    }
    /* PLAIN: the password alone is behind the last NUL (RFC 4616). */
    const char *last = raw.len > 0 ? memrchr(raw.p, '\0', raw.len) : NULL;
    if (st == ST_OK && last != NULL) {
        st = redactor_add_bytes(r, last + 1, raw.len - 1 - (size_t)(last - raw.p));
    }
out:
    buf_wipe(&raw);
    return st;
}

/* A server may echo what it was sent, so a typed secret must be known before it goes out. */
static bool hide_typed_secret(struct engine *e, const char *line, size_t len)
{
    struct span token = {line, len};
    if (e->c.smtp.state != SMTP_CONTINUATION) {
        token = auth_initial(line, len);
    }
    if (token.len == 0) {
        return true;
    }
    return redactor_add_bytes(&e->redactor, token.p, token.len) == ST_OK &&
           add_decoded(&e->redactor, token.p, token.len) == ST_OK;
}

static void send_typed(struct engine *e, const struct command *command)
{
    struct smtp *s = &e->c.smtp;
    struct tls_config config;
    struct reply reply;
    struct error error = {.text = ""};
    bool expects_reply = false;
    check_tls_config(&e->c, &config);
    reply_init(&reply);
    s->line_flags |= LINE_MANUAL;
    enum status st =
        smtp_typed(s, command->text, command->len, &config, &reply, &expects_reply, &error);
    s->line_flags &= ~LINE_MANUAL;
    if (st != ST_OK && st != ST_CANCELLED && error.text[0] != '\0') {
        engine_note(e, "%s", error.text);
    }
    reply_free(&reply);
}

void engine_type_line(struct engine *e, const struct command *command)
{
    if (e->cancelled != CANCEL_NONE) {
        return;
    }
    if (!e->have_context || e->c.smtp.state == SMTP_CLOSED) {
        engine_note(e, _("There is no connection, so the line was not sent."));
        return;
    }
    e->path = e->last_path;
    if (!hide_typed_secret(e, command->text, command->len)) {
        engine_note(e, _("The line was not sent, because it could not be kept out of the "
                         "transcript. Begin a new run to try again."));
        return;
    }
    send_typed(e, command);
    if (engine_interrupted(e)) {
        engine_after_cancel(e);
    }
    engine_tell_no_wait(e);
    follow_session(e);
    engine_tell_session(e);
}

static void listen(struct engine *e)
{
    e->path = e->last_path;
    e->c.smtp.line_flags |= LINE_MANUAL;
    enum status st = smtp_listen(&e->c.smtp);
    e->c.smtp.line_flags &= ~LINE_MANUAL;
    if (st != ST_OK && st != ST_AGAIN && st != ST_CANCELLED) {
        engine_note(e, _("The connection has ended: %s."), status_name(st));
    }
    engine_tell_session(e);
}

/* A cancel while nothing runs: politely there is nothing to stop, the hard way cuts the connection. */
static void cancel_idle(struct engine *e)
{
    if (e->cancelled == CANCEL_HARD && e->have_context && e->c.smtp.state != SMTP_CLOSED) {
        smtp_close(&e->c.smtp, ST_CANCELLED);
        engine_note(e, _("The connection was cut."));
        engine_tell_session(e);
    }
    e->cancelled = CANCEL_NONE;
    cancel_ack(&e->cancel, cancel_level(&e->cancel));
}

void engine_idle(struct engine *e)
{
    e->superseded = false;
    cancel_idle(e);
    struct smtp *s = &e->c.smtp;
    bool open = e->have_context && s->state != SMTP_CLOSED;
    struct net_wait_item item = {.conn = open ? s->conn : NULL, .want = NET_READ};
    enum status st =
        net_wait(&e->net.base, &item, open ? 1 : 0, NO_DEADLINE, &e->cancel, true);
    if (e->run != 0) {
        engine_tell_suspended(e);
    }
    if (st == ST_OK) {
        listen(e);
    } else if (st != ST_AGAIN && st != ST_CANCELLED && open) {
        smtp_close(s, st);
        engine_tell_session(e);
    }
}
