#include "smtp.h"

#include <string.h>

#include "smtp_impl.h"
#include "text.h"

void smtp_init(struct smtp *s, struct network *net, struct cancel *cancel, const struct tap *tap,
               const struct smtp_limits *limits)
{
    memset(s, 0, sizeof(*s));
    s->net = net;
    s->cancel = cancel;
    if (tap != NULL) {
        s->tap = *tap;
    }
    s->limits = *limits;
    s->state = SMTP_CLOSED;
    s->leave_by = NO_DEADLINE;
    buf_init(&s->in, SMTP_IN_MAX);
    buf_init(&s->out, SMTP_RAW_MAX + SMTP_SECRET_MAX);
    buf_init(&s->raw_tail, SMTP_RAW_MAX);
    reply_init(&s->stray);
}

void smtp_close(struct smtp *s, enum status why)
{
    if (s->conn == NULL) {
        return;
    }
    net_close(s->conn);
    s->conn = NULL;
    s->state = SMTP_CLOSED;
    s->closed_by = why;
    s->tls = s->authenticated = false;
    s->auth_tail = false;
    s->owed = 0;
    s->chunk_left = 0;
    s->raw_text = false;
    s->in_at = 0;
    buf_wipe(&s->in);
    buf_wipe(&s->out);
    buf_wipe(&s->raw_tail);
    buf_wipe(&s->stray.text);
    reply_reset(&s->stray);
}

void smtp_free(struct smtp *s)
{
    smtp_close(s, ST_OK);
    buf_wipe(&s->in);
    buf_wipe(&s->out);
    buf_wipe(&s->raw_tail);
    reply_free(&s->stray);
    redactor_free(&s->learned);
}

void smtp_attach(struct smtp *s, struct net_conn *conn)
{
    smtp_close(s, ST_OK);
    s->conn = conn;
    s->state = SMTP_CONNECTED;
    s->closed_by = ST_OK;
    s->session_bytes = 0;
    s->lines_read = 0;
    s->last_client_line = 0;
    s->unasked = 0;
    s->unasked_code = 0;
    s->unasked_line = 0;
    s->leaving = false;
    s->greeting_read = false;
    s->write_end = s->unsure = s->identified = s->raw_used = false;
    s->recipients = 0;
    s->leave_by = NO_DEADLINE;
    memset(&s->tls_facts, 0, sizeof(s->tls_facts));
    caps_clear(&s->caps);
    caps_clear(&s->caps_clear);
}

enum status smtp_gone(const struct smtp *s)
{
    return s->closed_by != ST_OK ? s->closed_by : ST_EOF;
}

void smtp_expect_greeting(struct smtp *s)
{
    if (s->conn != NULL && !s->greeting_read) {
        if (s->owed == 0) {
            wire_owe(s, VERB_GREETING);
        } else {
            s->owed_verb[0] = VERB_GREETING;
        }
        s->greeting_read = true;
    }
}

bool smtp_is_fit(const struct smtp *s)
{
    return s->conn != NULL && !s->unsure && !s->write_end && s->raw_tail.len == 0;
}

/* What the server said before it was asked, and whether it is still there at all. */
enum status smtp_before_sending(struct smtp *s)
{
    /* Who talks before the greeting was read (by hand) still gets it, and not as an answer. */
    smtp_expect_greeting(s);
    enum status st = wire_unasked(s, 0);
    if (st == ST_AGAIN && s->unsure) {
        /* How many replies raw bytes get is anybody's guess; what comes next shall be ours. */
        s->owed = 0;
    }
    return st == ST_AGAIN ? ST_OK : wire_fail(s, st, WAIT_NONE);
}

static enum status add_line(struct buf *wire, const struct outgoing *out)
{
    enum status st = buf_add(wire, out->line, out->len);
    if (st == ST_OK) {
        st = buf_add(wire, "\r\n", 2);
    }
    return st == ST_OK && out->data.len > 0 ? buf_add(wire, out->data.p, out->data.len) : st;
}

static void tell_outgoing(struct smtp *s, const struct outgoing *out)
{
    const char *p = out->shown != NULL ? out->shown : out->line;
    size_t len = out->shown != NULL ? out->shown_len : out->len;
    s->last_client_line = wire_tell(s, DIR_CLIENT, out->flags, p, len);
    if (out->note != NULL && out->note[0] != '\0') {
        wire_note(s, DIR_NOTE, _("This says: %s"), out->note);
    }
}

/*
 * Writes commands. After a cancel the rest of a line that has begun is kept, so that the next
 * command does not become its tail. *gone is set when the link broke: the server's last words may
 * still be there to be read.
 */
static enum status send_all(struct smtp *s, const struct buf *wire, enum smtp_wait wait,
                            int64_t deadline, bool *begun, enum status *gone)
{
    size_t put = 0;
    *gone = ST_OK;
    enum status st = wire_write(s, wire->p, wire->len, deadline, &put);
    *begun = put > 0;
    switch (st) {
    case ST_OK:
    case ST_TIMEOUT:
        return st == ST_OK ? ST_OK : wire_fail(s, st, wait);
    case ST_CANCELLED:
        if (put > 0 && put < wire->len &&
            buf_add(&s->out, wire->p + put, wire->len - put) != ST_OK) {
            smtp_close(s, ST_CANCELLED);
        }
        return st;
    default:
        /* The end of the link shows again to whoever reads. */
        *gone = st;
        return wire_poll_all(s) == ST_NOMEM ? ST_NOMEM : ST_OK;
    }
}

/* The link is gone: only what is already here can be a reply. */
static enum status last_words(struct smtp *s, enum smtp_wait wait, int64_t sent_us,
                              enum status gone, struct reply *reply)
{
    if (wire_in(s).len == 0) {
        return wire_fail(s, gone, wait);
    }
    enum status st = wire_reply(s, wait, sent_us, sent_us, reply);
    if (st == ST_OK) {
        smtp_close(s, gone);
    }
    return st == ST_TIMEOUT ? gone : st;
}

/*
 * The answer that a cancelled command still gets decides what the server takes the next line for.
 * Nobody waits for it any more, so the worst is assumed: after AUTH the next line may be a secret,
 * after MAIL a transaction has to be taken back. Where it may be message text or a handshake, only
 * the end of the connection is safe.
 */
static void after_cancel(struct smtp *s, enum smtp_verb verb)
{
    switch (verb) {
    case VERB_AUTH:
        if (s->conn != NULL && s->state != SMTP_CONTINUATION) {
            s->before_auth = s->state;
            s->state = SMTP_CONTINUATION;
        }
        break;
    case VERB_STARTTLS:
    case VERB_DATA:
    case VERB_BDAT:
    case VERB_BDAT_LAST:
        if (s->conn != NULL) {
            wire_note(s, DIR_NOTE, _("Stopped before %s was there; the connection was closed."),
                      smtp_wait_name(verb_wait(verb)));
            smtp_close(s, ST_CANCELLED);
        }
        break;
    case VERB_MAIL:
    case VERB_RCPT:
        s->state = s->state == SMTP_READY ? SMTP_MAIL : s->state;
        break;
    default:
        break;
    }
}

enum status smtp_exchange(struct smtp *s, const struct outgoing *out, struct reply *reply)
{
    struct buf wire;
    bool begun = false;
    enum status gone = ST_OK;
    reply_reset(reply);
    if (s->conn == NULL) {
        return smtp_gone(s);
    }
    if (wire_cancelled(s)) {
        return ST_CANCELLED;
    }
    enum status st = smtp_before_sending(s);
    if (st != ST_OK) {
        return st;
    }
    buf_init(&wire, SMTP_RAW_MAX + SMTP_SECRET_MAX + out->data.len);
    st = add_line(&wire, out);
    if (st != ST_OK) {
        goto end;
    }
    tell_outgoing(s, out);
    reply->command_line = s->last_client_line;
    chunk_tell(s, out);
    int64_t sent_us = net_now_us(s->net);
    int64_t deadline = deadline_in_ms(sent_us, smtp_limit_ms(s, out->wait));
    st = send_all(s, &wire, out->wait, deadline, &begun, &gone);
    if (st == ST_CANCELLED && begun && s->conn != NULL) {
        wire_owe(s, VERB_OTHER);
        after_cancel(s, out->verb);
    }
    if (st != ST_OK) {
        goto end;
    }
    if (out->verb == VERB_STARTTLS) {
        tls_warm_up();
    }
    st = gone == ST_OK ? wire_reply(s, out->wait, sent_us, deadline, reply)
                       : last_words(s, out->wait, sent_us, gone, reply);
    if (!out->keep_raw) {
        wire_redact(s, reply);
    }
    if (st == ST_OK && s->conn != NULL) {
        smtp_track(s, out->verb, reply);
    } else if (st == ST_CANCELLED) {
        after_cancel(s, out->verb);
    }
end:
    buf_wipe(&wire);
    return st;
}

enum status smtp_greeting(struct smtp *s, struct reply *reply)
{
    reply_reset(reply);
    if (s->conn == NULL) {
        return smtp_gone(s);
    }
    /* A greeting that was left behind by an earlier, cancelled call is still the greeting, and so is
       one that nobody waited for. */
    bool expected = s->owed == 1 && s->owed_verb[0] == VERB_GREETING;
    if ((!s->greeting_read && s->owed > 0) || expected) {
        struct reply none = s->stray;
        reply_free(reply);
        *reply = none;
        reply_init(&s->stray);
        s->owed = 0;
    }
    int64_t now = net_now_us(s->net);
    int64_t deadline = deadline_in_ms(now, s->limits.banner);
    enum status st = wire_reply(s, WAIT_BANNER, now, deadline, reply);
    s->greeting_read = st == ST_OK;
    wire_redact(s, reply);
    if (st == ST_OK && reply->code == 220 && s->state == SMTP_CONNECTED) {
        s->state = SMTP_GREETED;
    }
    return st;
}

static bool is_one_line(const char *p, size_t len)
{
    return memchr(p, '\r', len) == NULL && memchr(p, '\n', len) == NULL &&
           memchr(p, '\0', len) == NULL;
}

static enum status send_command(struct smtp *s, enum smtp_wait wait, struct reply *reply,
                                const struct buf *line)
{
    struct outgoing out = {.wait = wait, .line = buf_str(line), .len = line->len};
    out.verb = s->state == SMTP_CONTINUATION ? VERB_AUTH_LINE : smtp_verb_of(out.line, out.len);
    if (!is_one_line(out.line, out.len) || s->state == SMTP_TEXT || out.verb == VERB_STARTTLS) {
        return ST_INVALID;
    }
    return smtp_exchange(s, &out, reply);
}

enum status smtp_command(struct smtp *s, enum smtp_wait wait, struct reply *reply, const char *fmt,
                         ...)
{
    struct buf line;
    va_list ap;
    reply_reset(reply);
    buf_init(&line, SMTP_COMMAND_MAX);
    va_start(ap, fmt);
    enum status st = buf_addv(&line, fmt, ap);
    va_end(ap);
    st = st == ST_LIMIT ? ST_INVALID : st;
    if (st == ST_OK) {
        st = send_command(s, wait, reply, &line);
    }
    buf_free(&line);
    return st;
}

enum status smtp_ehlo(struct smtp *s, const char *name, struct reply *reply)
{
    return smtp_command(s, WAIT_EHLO, reply, "%s %s", s->lmtp ? "LHLO" : "EHLO", name);
}

enum status smtp_helo(struct smtp *s, const char *name, struct reply *reply)
{
    return smtp_command(s, WAIT_EHLO, reply, "HELO %s", name);
}

enum status smtp_command_secret(struct smtp *s, enum smtp_wait wait, struct reply *reply,
                                const char *visible, const char *secret, size_t len)
{
    struct buf line, shown;
    reply_reset(reply);
    size_t visible_len = strlen(visible);
    if (s->state == SMTP_TEXT || !is_one_line(visible, visible_len) || !is_one_line(secret, len) ||
        len > SMTP_SECRET_MAX || visible_len > SMTP_COMMAND_MAX) {
        return ST_INVALID;
    }
    buf_init(&line, SMTP_COMMAND_MAX + SMTP_SECRET_MAX);
    buf_init(&shown, SMTP_COMMAND_MAX + 64);
    enum status st = buf_addf(&shown, "%s<hidden %zu bytes>", visible, len);
    if (st == ST_OK) {
        st = buf_add(&line, visible, visible_len);
    }
    if (st == ST_OK) {
        st = buf_add(&line, secret, len);
    }
    if (st == ST_OK) {
        st = learn_bytes(s, secret, len);
    }
    if (st == ST_OK) {
        struct outgoing out = {.wait = wait,
                               .line = line.p,
                               .len = line.len,
                               .shown = shown.p,
                               .shown_len = shown.len,
                               .flags = LINE_REDACTED};
        out.verb = s->state == SMTP_CONTINUATION ? VERB_AUTH_LINE : smtp_verb_of(out.line, out.len);
        st = smtp_exchange(s, &out, reply);
    }
    buf_wipe(&line);
    buf_free(&shown);
    return st;
}

static enum status check_steps(const struct smtp *s, const struct smtp_step *steps, size_t count)
{
    if (s->state == SMTP_TEXT || s->state == SMTP_CONTINUATION) {
        return ST_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(steps[i].command);
        enum smtp_verb verb = smtp_verb_of(steps[i].command, len);
        bool last = i + 1 == count;
        if (len > SMTP_COMMAND_MAX || !is_one_line(steps[i].command, len) ||
            verb == VERB_STARTTLS || verb == VERB_AUTH ||
            (!last && (verb == VERB_DATA || verb == VERB_QUIT))) {
            return ST_INVALID;
        }
    }
    return ST_OK;
}

static struct outgoing outgoing_of(const struct smtp_step *step)
{
    struct outgoing out = {.wait = step->wait, .line = step->command, .len = strlen(step->command)};
    out.verb = smtp_verb_of(out.line, out.len);
    return out;
}

/* How many steps, from the first on, may go out in one write. */
static size_t group_of(const struct smtp *s, const struct smtp_step *steps, size_t count)
{
    size_t n = 1;
    if (!caps_has(&s->caps, CAP_PIPELINING)) {
        return n;
    }
    while (n < count && !verb_ends_group(outgoing_of(&steps[n - 1]).verb)) {
        n++;
    }
    return n;
}

/* Those from the first on were sent, and their answers are still owed. */
static void group_cancelled(struct smtp *s, const struct smtp_step *steps, size_t count)
{
    for (size_t i = 0; i < count && s->conn != NULL; i++) {
        after_cancel(s, outgoing_of(&steps[i]).verb);
    }
}

static enum status send_group(struct smtp *s, const struct smtp_step *steps, size_t count,
                              struct reply *replies, int64_t *sent_us, enum status *gone)
{
    struct buf wire;
    bool begun = false;
    *gone = ST_OK;
    enum status st = smtp_before_sending(s);
    if (st != ST_OK) {
        return st;
    }
    buf_init(&wire, (size_t)count * (SMTP_COMMAND_MAX + 2));
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        struct outgoing out = outgoing_of(&steps[i]);
        st = add_line(&wire, &out);
    }
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        struct outgoing out = outgoing_of(&steps[i]);
        tell_outgoing(s, &out);
        replies[i].command_line = s->last_client_line;
    }
    *sent_us = net_now_us(s->net);
    if (st == ST_OK) {
        int64_t deadline = deadline_in_ms(*sent_us, smtp_limit_ms(s, steps[0].wait));
        st = send_all(s, &wire, steps[0].wait, deadline, &begun, gone);
    }
    if (st == ST_CANCELLED && begun && s->conn != NULL) {
        for (size_t i = 0; i < count; i++) {
            wire_owe(s, VERB_OTHER);
        }
        group_cancelled(s, steps, count);
    }
    buf_free(&wire);
    return st;
}

static enum status run_group(struct smtp *s, const struct smtp_step *steps, size_t count,
                             struct reply *replies, size_t *done)
{
    int64_t sent_us = 0;
    enum status gone;
    *done = 0;
    enum status st = send_group(s, steps, count, replies, &sent_us, &gone);
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        enum smtp_wait wait = steps[i].wait;
        if (gone == ST_OK) {
            int64_t deadline = deadline_in_ms(net_now_us(s->net), smtp_limit_ms(s, wait));
            st = wire_reply(s, wait, sent_us, deadline, &replies[i]);
        } else {
            st = s->conn != NULL ? last_words(s, wait, sent_us, gone, &replies[i]) : gone;
        }
        wire_redact(s, &replies[i]);
        if (st == ST_OK) {
            (*done)++;
            smtp_track(s, outgoing_of(&steps[i]).verb, &replies[i]);
        } else if (st == ST_CANCELLED) {
            for (size_t k = i + 1; k < count; k++) {
                wire_owe(s, VERB_OTHER);
            }
            group_cancelled(s, steps + i, count - i);
        }
        if (st == ST_OK && replies[i].code == 421 && i + 1 < count) {
            smtp_close(s, ST_EOF);
            st = ST_EOF;
        }
    }
    return st;
}

enum status smtp_pipeline(struct smtp *s, const struct smtp_step *steps, size_t count,
                          struct reply *replies, size_t *done)
{
    *done = 0;
    for (size_t i = 0; i < count; i++) {
        reply_reset(&replies[i]);
    }
    enum status st = check_steps(s, steps, count);
    while (st == ST_OK && *done < count) {
        size_t first = *done;
        size_t group_done = 0;
        if (s->conn == NULL) {
            return smtp_gone(s);
        }
        if (wire_cancelled(s)) {
            return ST_CANCELLED;
        }
        size_t n = group_of(s, steps + first, count - first);
        st = run_group(s, steps + first, n, replies + first, &group_done);
        *done = first + group_done;
        if (st == ST_OK && *done < count && replies[*done - 1].code == 421) {
            smtp_close(s, ST_EOF);
            st = ST_EOF;
        }
    }
    return st;
}

static bool can_say_quit(const struct smtp *s)
{
    return s->greeting_read && s->state != SMTP_TEXT && s->out.len == 0 && !s->write_end &&
           s->raw_tail.len == 0;
}

void smtp_quit(struct smtp *s)
{
    if (s->conn == NULL) {
        return;
    }
    s->leaving = true;
    s->leave_by = NO_DEADLINE;
    if (can_say_quit(s) && !wire_cancelled(s)) {
        struct reply reply;
        reply_init(&reply);
        enum status st = ST_OK;
        if (s->state == SMTP_CONTINUATION) {
            /* Otherwise QUIT would be taken for the answer to the 334 (RFC 4954 4). */
            struct outgoing star = {
                .verb = VERB_AUTH_LINE, .wait = WAIT_QUIT, .line = "*", .len = 1};
            st = smtp_exchange(s, &star, &reply);
        }
        if (st == ST_OK) {
            struct outgoing quit = {.verb = VERB_QUIT, .wait = WAIT_QUIT, .line = "QUIT", .len = 4};
            st = smtp_exchange(s, &quit, &reply);
        }
        (void)st;
        reply_free(&reply);
    }
    smtp_close(s, ST_OK);
    s->closed_by = ST_OK;
    s->leaving = false;
}

size_t smtp_pending(struct smtp *s)
{
    /* Why there is no more of them is the business of the next call that reads. */
    enum status st = s->conn != NULL ? wire_poll_all(s) : ST_EOF;
    (void)st;
    return wire_in(s).len;
}

enum status smtp_listen(struct smtp *s)
{
    if (s->conn == NULL) {
        return smtp_gone(s);
    }
    size_t before = s->lines_read;
    enum status st = s->greeting_read ? wire_unasked(s, 0) : wire_poll_all(s);
    if (st == ST_AGAIN && !s->greeting_read && s->in.len == s->in.max) {
        /* No greeting is that long, and with nobody to read it every wait would end at once. */
        st = ST_LIMIT;
    }
    if (st != ST_LIMIT && !s->greeting_read && wire_in(s).len > 0) {
        return ST_AGAIN;
    }
    if (st == ST_AGAIN) {
        return s->lines_read > before ? ST_OK : ST_AGAIN;
    }
    return wire_fail(s, st, WAIT_NONE);
}
