#include <stdlib.h>
#include <string.h>

#include "check_typed.h"
#include "engine_internal.h"
#include "text.h"

#define CAPABILITIES_MAX ((size_t)CAPS_MAX * (CAP_TEXT_MAX + 1))

void engine_after_cancel(struct engine *e, bool leave)
{
    struct smtp *s = &e->c.smtp;
    enum cancel_level seen = cancel_level(&e->cancel);
    enum cancel_level level = seen < e->cancelled ? e->cancelled : seen;
    if (e->net.expired) {
        engine_note(e, _("The time for the whole run is over: %d s."), e->plan->deadline_s);
    }
    engine_net_deadline(&e->net, NO_DEADLINE);
    e->cancelled = CANCEL_NONE;
    /* Not what it is by now: a harder one that came in between has to cut the farewell. */
    cancel_ack(&e->cancel, seen);
    if (level == CANCEL_HARD) {
        smtp_close(s, ST_CANCELLED);
    } else if (leave) {
        smtp_quit(s);
    }
}

void engine_follow_session(struct engine *e)
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

enum status engine_typed(struct engine *e, const char *line, size_t len, const char *data,
                         size_t data_len, int *code)
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
        data != NULL ? smtp_typed_chunk(s, line, len, data, data_len, &reply, &error)
                     : smtp_typed(s, line, len, &config, &reply, &expects_reply, &error);
    s->line_flags &= ~LINE_MANUAL;
    if (st != ST_OK && st != ST_CANCELLED && error.text[0] != '\0') {
        engine_note(e, "%s", error.text);
    }
    check_typed(&e->c, line, len, st, &reply, &error);
    *code = reply.line_count > 0 ? reply.code : 0;
    reply_free(&reply);
    return st;
}

static bool has_connection(struct engine *e)
{
    if (e->cancelled != CANCEL_NONE) {
        /* Who does not know that his AUTH stayed here would type a password as a command. */
        engine_note(e, _("Stopped before the line was sent."));
        return false;
    }
    if (!e->have_context || e->c.smtp.state == SMTP_CLOSED) {
        engine_note(e, _("There is no connection, so the line was not sent."));
        return false;
    }
    e->path = e->last_path;
    return true;
}

static void after_hand(struct engine *e)
{
    if (engine_interrupted(e)) {
        engine_after_cancel(e, false);
    }
    engine_tell_no_wait(e);
    engine_follow_session(e);
    engine_tell_session(e);
}

void engine_type_line(struct engine *e, const struct command *command)
{
    if (engine_replay_answer(e, command) || !has_connection(e)) {
        return;
    }
    int code;
    enum status st = engine_typed(e, command->text, command->len, NULL, 0, &code);
    (void)st; /* was told */
    after_hand(e);
}

void engine_type_data(struct engine *e, const struct command *command)
{
    if (!has_connection(e)) {
        return;
    }
    int code;
    size_t data_len = command->len - command->line_len;
    enum status st = engine_typed(e, command->text, command->line_len,
                                  command->text + command->line_len, data_len, &code);
    (void)st; /* was told */
    after_hand(e);
}

static void tell_failure(struct engine *e, enum status st, const struct error *error)
{
    if (st != ST_OK && st != ST_CANCELLED && error->text[0] != '\0') {
        engine_note(e, "%s", error->text);
    }
}

void engine_send_raw(struct engine *e, const struct command *command)
{
    struct error error = {.text = ""};
    if (has_connection(e)) {
        tell_failure(e, smtp_raw(&e->c.smtp, command->text, command->len, command->flags, &error),
                     &error);
        after_hand(e);
    }
}

void engine_do_handshake(struct engine *e)
{
    struct error error = {.text = ""};
    struct tls_config config;
    if (has_connection(e)) {
        check_tls_config(&e->c, &config);
        /* Why there is no encryption was told where it failed. */
        enum status st = smtp_handshake(&e->c.smtp, &config, &error);
        if (st == ST_INVALID) {
            tell_failure(e, st, &error);
        }
        check_handshake(&e->c, st, &error);
        smtp_expect_greeting(&e->c.smtp);
        after_hand(e);
    }
}

void engine_do_half_close(struct engine *e)
{
    struct error error = {.text = ""};
    if (has_connection(e)) {
        tell_failure(e, smtp_half_close(&e->c.smtp, &error), &error);
        after_hand(e);
    }
}

static void listen(struct engine *e)
{
    struct smtp *s = &e->c.smtp;
    e->path = e->last_path;
    /* What answers raw bytes belongs to them. */
    unsigned manual = s->raw_used && s->owed > 0 ? LINE_MANUAL : 0u;
    s->line_flags |= manual;
    enum status st = smtp_listen(s);
    s->line_flags &= ~manual;
    if (st != ST_OK && st != ST_AGAIN && st != ST_CANCELLED) {
        engine_note(e, _("The connection has ended: %s."), status_word(st));
    }
    engine_follow_session(e);
    engine_tell_session(e);
}

/* A cancel while nothing runs: politely there is nothing to stop, the hard way cuts the connection.
 */
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
    if (e->no_greeting && e->have_context) {
        smtp_expect_greeting(s);
    }
    e->no_greeting = false;
    bool open = e->have_context && s->state != SMTP_CLOSED;
    struct net_wait_item item = {.conn = open ? s->conn : NULL, .want = NET_READ};
    enum status st = net_wait(&e->net.base, &item, open ? 1 : 0, NO_DEADLINE, &e->cancel, true);
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
